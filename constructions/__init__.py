"""Weights from theory: grammars compiled into transformers, with what probes must find in them."""

from importlib import import_module
from typing import TYPE_CHECKING

from .errors import ConstructionError

if TYPE_CHECKING:
    from .grammar.guarantee import Guarantee
    from .grammar.program.coordinates import Coordinate, Registry
    from .grammar.settings import ConstructionSettings
    from .grammar.sizes.accounting import Accounting
    from .grammar.transformer import GrammarTransformer
    from .maxout.accounting import MaxoutAccounting
    from .maxout.error import (
        MaxoutError,
        gap_constant,
        inverse_temperatures,
        norm_bound,
        signed_bound,
    )
    from .maxout.interchange import choose_piece, interchange, soft_interchange
    from .maxout.layout import MaxoutLayout, piece_target
    from .maxout.points import PointCorpus
    from .maxout.predictions import PieceReadout
    from .maxout.soft import SoftNetwork, confident_bracket, n_confident, n_resolved
    from .maxout.transformer import MaxoutTransformer

# PyTorch takes seconds to load: settings, and the command line's help, do without.
_HOMES = {
    "Accounting": "grammar.sizes.accounting",
    "Coordinate": "grammar.program.coordinates",
    "GrammarTransformer": "grammar.transformer",
    "Guarantee": "grammar.guarantee",
    "MaxoutAccounting": "maxout.accounting",
    "MaxoutError": "maxout.error",
    "MaxoutLayout": "maxout.layout",
    "MaxoutTransformer": "maxout.transformer",
    "PieceReadout": "maxout.predictions",
    "PointCorpus": "maxout.points",
    "Registry": "grammar.program.coordinates",
    "ConstructionSettings": "grammar.settings",
    "SoftNetwork": "maxout.soft",
    "choose_piece": "maxout.interchange",
    "confident_bracket": "maxout.soft",
    "gap_constant": "maxout.error",
    "interchange": "maxout.interchange",
    "inverse_temperatures": "maxout.error",
    "n_confident": "maxout.soft",
    "n_resolved": "maxout.soft",
    "norm_bound": "maxout.error",
    "piece_target": "maxout.layout",
    "signed_bound": "maxout.error",
    "soft_interchange": "maxout.interchange",
}

__all__ = [
    "Accounting",
    "ConstructionError",
    "ConstructionSettings",
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


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value
