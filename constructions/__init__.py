"""Weights from theory: grammars compiled into transformers, with what probes must find in them."""

from .accounting import Accounting
from .errors import ConstructionError
from .grammar_transformer import GrammarTransformer
from .guarantee import Guarantee
from .maxout_accounting import MaxoutAccounting
from .maxout_error import (
    MaxoutError,
    gap_constant,
    inverse_temperatures,
    norm_bound,
    signed_bound,
)
from .maxout_interchange import choose_piece, interchange, soft_interchange
from .maxout_layout import MaxoutLayout, piece_target
from .maxout_points import PointCorpus
from .maxout_predictions import PieceReadout
from .maxout_soft import SoftNetwork, confident_bracket, n_confident, n_resolved
from .maxout_transformer import MaxoutTransformer
from .registry import Coordinate, Registry
from .settings import Settings

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
