"""Is a state used? Exchanges of states whose outcome is known, with every control beside them."""

from ..core import CellScore
from .das import Aligned, align
from .errors import CausalError
from .grammar_pairs import interchange_pairs, pairs_of
from .interchange import interchange
from .minimal_pairs import minimal_pairs
from .pairs import Pairs
from .results import InterchangeResult

__all__ = [
    "Aligned",
    "CausalError",
    "CellScore",
    "InterchangeResult",
    "Pairs",
    "align",
    "interchange",
    "interchange_pairs",
    "minimal_pairs",
    "pairs_of",
]
