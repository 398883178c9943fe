"""One line of a comparison, as data."""

from dataclasses import dataclass
from typing import final

from ..core import CellScore
from .meeting import ComparedSubspaces
from .verdicts import Verdicts

__all__ = ["Row"]


@final
@dataclass(frozen=True)
class Row:
    """One (site, target): the prediction if there is one, the overlap, the exchange, the verdicts.

    ``predicted_use`` is whether theory says that the state is used there.
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
