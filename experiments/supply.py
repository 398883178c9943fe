"""How many different sentences there are, and what to do where they are too few.

A sentence with all its copies stands either in training or in test, so what counts is how many
different ones there are. A small language has few, and sampling more makes copies.
"""

from dataclasses import dataclass, replace
from itertools import islice
from typing import final

import numpy as np

from ..grammars import Corpus, Grammar, TooLarge
from ..probes import ProbeResults
from ..probes.evidence.groups import FRACTIONS, enough_in_test, text_keys
from ..probes.evidence.rivals import LEAST_GROUPS

__all__ = ["NEEDED", "Supply", "sentences_in_all", "supply_of", "with_remedy"]

COUNTED = 10_000  # sentences of a language, at most, that are listed to count them
ROUNDING = 1e-9
NEEDED = next(
    n for n in range(3, 1000) if n * enough_in_test(FRACTIONS, n)[2] > LEAST_GROUPS - ROUNDING
)
"""Different sentences from which a verdict is possible: enough of them go to the test part."""


@final
@dataclass(frozen=True)
class Supply:
    """Different sentences: those of a corpus, and those of its language.

    Args:
        here: in the corpus.
        in_all: in the language; ``None`` where they are too many to be listed.

    >>> Supply(12, 12).remedy
    'the language has 12 different sentences, and no sampling makes more: take a larger grammar'
    >>> Supply(12, None).remedy
    'the corpus has 12 different sentences: sample more (--sentences)'
    """

    here: int
    in_all: int | None

    @property
    def exhausted(self) -> bool:
        """The language itself has too few sentences for a verdict."""
        return self.in_all is not None and self.in_all < NEEDED

    @property
    def remedy(self) -> str:
        """What to do where sentences are too few."""
        if self.exhausted:
            return (
                f"the language has {_count(self.in_all)}, and no sampling makes more: take a "
                "larger grammar"
            )
        return f"the corpus has {_count(self.here)}: sample more (--sentences)"

    @property
    def fact(self) -> str:
        """The same for the table of facts."""
        if self.in_all is None:
            return str(self.here)
        return f"{self.here} of the {self.in_all} that the language has"

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for the report where a verdict is out of reach."""
        if self.here >= NEEDED:
            return ()
        return (
            f"Few sentences: {self.remedy}. Verdicts need {NEEDED} different sentences, "
            f"{LEAST_GROUPS} of them to be tested on and the others to learn from.",
        )


def _count(n: int | None) -> str:
    return f"{n} different sentence{'' if n == 1 else 's'}"


def supply_of(corpus: Corpus) -> Supply | None:
    """Different sentences of a corpus that a grammar made; ``None`` for others."""
    if not isinstance(corpus.grammar, Grammar):
        return None
    here = len(np.unique(text_keys(corpus)))
    return Supply(here, sentences_in_all(corpus.grammar))


def sentences_in_all(grammar: Grammar, most: int = COUNTED) -> int | None:
    r"""How many different sentences a language has; ``None`` where it may have more than ``most``.

    Derivations are counted first: their number is exact and bounds that of sentences.

    >>> sentences_in_all(Grammar.from_text("S -> A A\nA -> 'a' | 'b'"))
    4
    """
    if grammar.n_derivations > most:
        return None
    try:
        return sum(1 for _ in islice(grammar.all_sentences(), most))
    except TooLarge:  # sentences too long to be listed
        return None


def with_remedy(results: ProbeResults, supply: Supply | None, corpus: Corpus) -> ProbeResults:
    """The grid, told what to do where its test groups are too few.

    Args:
        results: the grid.
        supply: sentences of a grammar; ``None`` for texts and treebanks.
        corpus: what was probed.
    """
    told = f"give {NEEDED} {what_groups_are(corpus)} or more"
    if supply is not None:
        told = supply.remedy
    return replace(results, settings={**results.settings, "remedy": told})


def what_groups_are(corpus: Corpus) -> str:
    """What is never divided between training and test, in the plural."""
    if corpus.groups is not None or corpus.documents is not None:
        return "documents" if corpus.documents is not None else "groups"
    return f"{corpus.unit}s"
