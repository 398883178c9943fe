"""Trained transformers of several languages, each beside its construction.

One language needs genuine depth (a Latin square: nothing but the last token depends on the states,
and on all of them at once), one has sentences of several shapes and two trees for some, one has
more rules than an untrained model can tell apart. Where training fails, the page says so and no
state is claimed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ...core import checked, progress
from ...reports import Run, Study, refuse_occupied
from ...reports.findings import DIVERGENCE
from ...reports.values import Json, best_row, plain, score_column, site_label
from ..demo import ENGLISH_GRAMMAR
from ..languages import make_grammar
from ..manifest import versions
from ..pipeline import run_study
from ..settings import (
    Causal,
    Constructed,
    GrammarText,
    HierarchyFamily,
    Language,
    LatinFamily,
    Probes,
    StudySettings,
    Trained,
)
from ..settings_base import Seed, Settings, SettingsError
from .answered import Answered, written
from .belief import plain_settings
from .tiny import TINY_PROBES, TINY_TRAINING

__all__ = ["LanguagesSettings", "OneLanguage", "trained_languages"]

QUESTION = (
    "Do transformers that were trained on sentences alone write the states of their language, in "
    "languages of different kinds? Each model stands beside the theorem's construction of the same "
    "grammar, whose subspaces are carried over by a linear map."
)
LEVEL = 0.05


class OneLanguage(Settings):
    """A language, how it is learned, and how its construction is made."""

    language: Language
    training: Trained = Trained()
    theory: Constructed = Constructed()


LANGUAGES: Mapping[str, Any] = {
    "hierarchy": OneLanguage(
        language=HierarchyFamily(n_symbols=4, n_rules=3, arity=2, depth=3),
        training=Trained(steps=1500),
    ),
    "latin": OneLanguage(
        language=LatinFamily(order=3, depth=3, start="one"), training=Trained(steps=1500)
    ),
    "ambiguous": OneLanguage(
        language=GrammarText(text=ENGLISH_GRAMMAR), training=Trained(steps=1500)
    ),
}


class LanguagesSettings(Settings):
    """Sizes of the experiment.

    Args:
        languages: by name.
        sentences: that are probed.
        probes: how the grid is made.
        seed: of everything random.
    """

    languages: Mapping[str, OneLanguage] = LANGUAGES
    sentences: Annotated[int, Field(ge=20)] = 1500
    probes: Probes = Probes(positions="boundary", beliefs=True, causal=Causal(pairs=200))
    seed: Seed = 0


TINY: Mapping[str, Any] = {
    "languages": {
        "hierarchy": OneLanguage(
            language=HierarchyFamily(n_symbols=4, n_rules=3, arity=2, depth=3),
            training=TINY_TRAINING,
        )
    },
    "sentences": 150,
    "probes": TINY_PROBES,
}  # fmt: skip


@checked(SettingsError)
def trained_languages(
    settings: LanguagesSettings | None = None,
    *,
    tiny: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Answered:
    """Train on languages of several kinds and lay each model beside the theory; ten minutes.

    Args:
        settings: which languages; ``tiny`` and ``seed`` then say nothing.
        tiny: seconds instead, with a model that has learned little.
        seed: of everything random.
        out: a folder for the run and its page.

    Returns:
        One row for each language and state, at the site where it is read best.

    Raises:
        SettingsError: a language that is no grammar.
        LinrepError: the folder holds something.
    """
    if out is not None:
        refuse_occupied(out)
    how = settings or LanguagesSettings(**(TINY if tiny else {}), seed=seed)
    without = [name for name, one in how.languages.items() if make_grammar(one.language) is None]
    if without:
        raise SettingsError(f"a model is trained on sentences of a grammar; {without[0]} has none")
    studies = []
    for name, one in progress(how.languages.items(), "languages", unit="language"):
        study, _ = run_study(
            StudySettings(
                name=name, question=QUESTION, language=one.language, theory=one.theory,
                model=one.training.model_copy(update={"seed": how.seed}),
                sentences=how.sentences, probes=how.probes, seed=how.seed,
            ),
            level=LEVEL / len(how.languages),
        )  # fmt: skip
        studies.append(study)
    rows = [row for study in studies for row in _rows(study)]
    run = Run(
        "Trained models of several languages", QUESTION,
        {"experiment": "trained_languages", **plain_settings(how)}, versions(), tuple(studies),
    )  # fmt: skip
    return written(Answered("trained_languages", tuple(rows), run), out)


def _rows(study: Study) -> Iterator[Mapping[str, Json]]:
    """One row for each target, at the site that is best on validation sentences."""
    told = study.facts.get(DIVERGENCE)  # none where it cannot be known
    compared = {(row.site, row.target): row for row in study.comparison.rows}
    for target in dict.fromkeys(str(row["target"]) for row in study.scores.rows):
        best = best_row([row for row in study.scores.rows if row["target"] == target])
        row = compared[str(best["site"]), target]
        yield {
            "language": study.name,
            "divergence": None if told is None else str(told).split(" nats")[0],
            "state": target,
            "after": site_label(row.site), "score": best[score_column(best)],
            "interval": best["interval"], "untrained": best.get("random_weights"),
            "overlap through the map": None if row.through is None or row.subspaces is None
            else plain(row.subspaces.overlap),
            "its nulls": None if row.through is None else plain(row.through.null_twins_high),
            "effect share": None if row.exchange is None else plain(row.exchange.share),
            "of the whole state": None if row.exchange is None
            else plain(row.exchange.share_whole),
            "verdict": row.verdicts.short,
        }  # fmt: skip
