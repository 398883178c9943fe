"""The four rungs: decodable, selective, aligned, causal; each answered yes, no or not tested."""

from dataclasses import dataclass
from typing import Final, Literal, final

__all__ = [
    "RUNGS",
    "State",
    "Verdict",
    "Verdicts",
]

State = Literal["yes", "no", "not tested"]

RUNGS: Final = ("decodable", "selective", "aligned", "causal")


@final
@dataclass(frozen=True)
class Verdict:
    """One rung's answer and the reason in one sentence.

    Args:
        state: the answer.
        reason: why.
        instead: where the answer is not yes, what is true instead, in a few words: "not beyond
            the word"; where it is yes, what qualifies it: "with what it is tied to".
    """

    state: State
    reason: str
    instead: str = ""

    def __str__(self) -> str:
        return f"{self.state} ({self.reason})"


@final
@dataclass(frozen=True)
class Verdicts:
    """All four answers for one (site, target).

    >>> yes, no = Verdict("yes", "far above"), Verdict("no", "at the null")
    >>> untested = Verdict("not tested", "nothing was erased")
    >>> Verdicts(yes, yes, no, untested).rung, Verdicts(yes, untested, yes, untested).word
    (2, 'aligned')
    >>> Verdicts(no, yes, yes, untested).rung, Verdicts(no, yes, yes, untested).sentence
    (0, 'not decodable: at the null')
    >>> Verdicts(yes, untested, yes, untested).sentence
    'aligned (selective: not tested)'
    >>> Verdicts(untested, yes, untested, untested).sentence
    'not tested: nothing was erased'
    >>> word = Verdict("no", "the surface reaches 0.9", "not beyond the word")
    >>> Verdicts(yes, word, untested, untested).sentence
    'decodable, not beyond the word'
    """

    decodable: Verdict
    selective: Verdict
    aligned: Verdict
    causal: Verdict

    @property
    def rung(self) -> int:
        """Highest rung answered yes with no "no" below it: 0 (none) to 4 (causal).

        A rung that was not tested neither lifts nor stops the climb; :attr:`untested`
        names it, and reports show it beside the rung. Selective lifts only what is decodable:
        untrained models, too, give more than the surface.
        """
        height = 0
        for index, name in enumerate(RUNGS, start=1):
            state = self._of(name).state
            if state == "no":
                break
            if state == "yes" and (name != "selective" or self.decodable.state == "yes"):
                height = index
        return height

    @property
    def word(self) -> str:
        """Name of the rung reached; ``"not decodable"`` or ``"not tested"`` if there is none."""
        if self.rung:
            return RUNGS[self.rung - 1]
        states = [getattr(self, name).state for name in RUNGS]
        return "not decodable" if states[0] == "no" else "not tested"

    @property
    def sentence(self) -> str:
        """The word with why there is none, or what is said in short."""
        return self.short if self.rung else f"{self.headline}: {self.decodable.reason}"

    @property
    def headline(self) -> str:
        """The word, with what qualifies it, or what is true instead of the next rung."""
        if not self.rung:
            return self.decodable.instead or self.word
        reached = self._of(RUNGS[self.rung - 1])
        above = self._of(RUNGS[self.rung]) if self.rung < len(RUNGS) else reached
        added = reached.instead or above.instead
        return f"{self.word}, {added}" if added else self.word

    @property
    def short(self) -> str:
        """The headline, with the rungs below that were not tested."""
        left = f" ({', '.join(self.untested)}: not tested)" if self.untested else ""
        return self.headline + left

    @property
    def untested(self) -> tuple[str, ...]:
        """Rungs at or below the one reached that were not tested."""
        return tuple(name for name in RUNGS[: self.rung] if self._of(name).state != "yes")

    def _of(self, name: str) -> Verdict:
        found: Verdict = getattr(self, name)
        return found
