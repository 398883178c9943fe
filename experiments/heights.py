"""Which heights a study probes: those asked for, else those that tell something."""

import numpy as np

from ..grammars import Corpus
from .settings import DataFile, SettingsError, StudySettings, Treebank

__all__ = ["heights_of"]

HIGHEST = 4
"""Of a treebank, unless asked: few tokens have ancestors higher up, and those are hard to name."""


def heights_of(settings: StudySettings, corpus: Corpus) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The heights to probe, and what the report says about their choice.

    Heights that were asked for are taken as they are. Otherwise those with more than one label (one
    label tells nothing), of a treebank up to 4.

    Args:
        settings: of the study.
        corpus: its sentences.

    Returns:
        Heights in order, and sentences for the notes: none if nothing was left out by default. No
        height, and why, where every height of a grammar has one label; none of labelled texts.

    Raises:
        SettingsError: a height that the grammar lacks, or nothing was asked for and no height of
            the trees has two labels.
    """
    if isinstance(settings.language, DataFile):
        return (), ()
    if settings.probes.heights:
        absent = [height for height in settings.probes.heights if height not in corpus.heights]
        if absent and corpus.grammar is not None:
            raise SettingsError(
                f"height {absent[0]} is outside this corpus: it has heights {_list(corpus.heights)}"
            )
        return settings.probes.heights, ()
    treebank = isinstance(settings.language, Treebank)
    usual = tuple(range(1, HIGHEST + 1)) if treebank else corpus.heights
    told = tuple(h for h in usual if h in corpus.heights and _tells(corpus, h))
    if not told and not treebank:
        return (), (
            "not tested: every token has the same label at each of the heights "
            f"{list(usual)} of this language, so there is nothing to tell apart: take a larger "
            "grammar, one with two symbols or more at some height below its root",
        )
    if not told:
        raise SettingsError(
            f"no height has more than one label among the heights {list(usual)}, so there is "
            f"nothing to probe; the corpus has {list(corpus.heights)}: give other sentences, or "
            "name heights that have"
        )
    left = [h for h in usual if h not in told]
    if not (treebank and left):
        return told, ()
    return told, (
        f"Heights probed: {_list(told)}, of the {_list(usual)} probed by default; the trees have "
        f"no labels, or only one, at {_list(left)}.",
    )


def _tells(corpus: Corpus, height: int) -> bool:
    return len(set(np.unique(corpus.labels(height))) - {""}) > 1


def _list(heights: "list[int] | tuple[int, ...]") -> str:
    return ", ".join(map(str, heights))
