"""Is a state used? Exchanges of states whose outcome is known, with every control beside them."""

from ..core import CellScore
from .das import Aligned, align
from .dosing import Dose, DoseResponse, dose_response
from .erased import ErasureResult, ErasureRow
from .erasing import erasure_effects
from .errors import CausalError
from .grammar_pairs import interchange_pairs, pairs_of
from .interchange import interchange
from .isolation import IsolationRow
from .minimal_pairs import minimal_pairs
from .options import Exchange
from .pairs import Pairs
from .results import InterchangeResult

__all__ = [
    "Aligned",
    "CausalError",
    "CellScore",
    "Dose",
    "DoseResponse",
    "ErasureResult",
    "ErasureRow",
    "Exchange",
    "InterchangeResult",
    "IsolationRow",
    "Pairs",
    "align",
    "dose_response",
    "erasure_effects",
    "interchange",
    "interchange_pairs",
    "minimal_pairs",
    "pairs_of",
]
