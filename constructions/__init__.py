"""Weights from theory: grammars compiled into transformers, with what probes must find in them."""

from .errors import ConstructionError
from .grammar.guarantee import Guarantee
from .grammar.program.coordinates import Coordinate, Registry
from .grammar.settings import Settings
from .grammar.sizes.accounting import Accounting
from .grammar.transformer import GrammarTransformer
from .maxout.accounting import MaxoutAccounting
from .maxout.error import MaxoutError, gap_constant, inverse_temperatures, norm_bound, signed_bound
from .maxout.interchange import choose_piece, interchange, soft_interchange
from .maxout.layout import MaxoutLayout, piece_target
from .maxout.points import PointCorpus
from .maxout.predictions import PieceReadout
from .maxout.soft import SoftNetwork, confident_bracket, n_confident, n_resolved
from .maxout.transformer import MaxoutTransformer

__all__ = [
    "Accounting",
    "ConstructionError",
    "Coordinate",
    "GrammarTransformer",
    "Guarantee",
    "MaxoutAccounting",
    "MaxoutError",
    "MaxoutLayout",
    "MaxoutTransformer",
    "PieceReadout",
    "PointCorpus",
    "Registry",
    "Settings",
    "SoftNetwork",
    "choose_piece",
    "confident_bracket",
    "gap_constant",
    "interchange",
    "inverse_temperatures",
    "n_confident",
    "n_resolved",
    "norm_bound",
    "piece_target",
    "signed_bound",
    "soft_interchange",
]
