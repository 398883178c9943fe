"""Is a state used? Exchanges of states whose outcome is known, with every control beside them."""

from ..core import CellScore
from .errors import CausalError
from .grammar_pairs import interchange_pairs, pairs_of
from .interchange import interchange
from .pairs import Pairs
from .results import InterchangeResult

__all__ = [
    "CausalError",
    "CellScore",
    "InterchangeResult",
    "Pairs",
    "interchange",
    "interchange_pairs",
    "pairs_of",
]
