"""One line of a comparison, as data."""

from dataclasses import dataclass
from typing import final

from ..core import CellScore
from .meeting import ComparedSubspaces
from .through import Through
from .verdicts import Verdicts

__all__ = ["Row"]


@final
@dataclass(frozen=True)
class Row:
    """One (site, target): the prediction if there is one, the overlap, the exchange, the verdicts.

    ``predicted_use`` is whether theory says that the state is used there; ``tied`` what of that
    which is written here the sentences do not tell the target from, ``own`` whether anything of the
    target itself is; ``through`` the map that carried the prediction here from another basis.
    """

    site: str
    target: str
    verdicts: Verdicts
    subspaces: ComparedSubspaces | None = None
    predicted_accuracy: float | None = None
    predicted_rank: int | None = None
    claim: str = ""
    source: str = ""
    exchange: CellScore | None = None
    predicted_use: bool | None = None
    tied: str = ""
    own: bool = True
    through: Through | None = None

    @property
    def told_apart(self) -> str:
        """Whether the target's pattern is its own, in words; empty where nothing is compared."""
        if self.subspaces is None or not self.subspaces.written:
            return ""
        if not self.tied:
            return "yes"
        return f"no: {'with' if self.own else 'it is that of'} {self.tied}"

    @property
    def mark(self) -> str:
        """On the map: ✓ as predicted, ≈ so is what the target is tied to, ✗ not."""
        if self.subspaces is None:
            return ""
        if self.verdicts.aligned.state == "not tested":
            return " ≈" if self.tied else ""
        if not self.subspaces.as_predicted:
            return " ✗"
        return " ≈" if self.tied else " ✓"
