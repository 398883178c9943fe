"""Probes on plain arrays: statistics, solvers, controls, uncertainty, subspaces, erasure."""

from importlib import import_module
from typing import TYPE_CHECKING

from ..core import Subspace
from .bases.mapping import linear_maps
from .bases.maps import BaseMaps
from .directing import directions_of
from .errors import ProbeError
from .evidence.intervals import benjamini_hochberg, paired_test
from .evidence.splits import Split, split_by_group
from .examples.values import ExampleNode, Examples, ExampleTarget, ExampleText, WordAnswer
from .examples.view import ExamplesView
from .geometry.class_means import Direction
from .geometry.erasure import Eraser
from .geometry.gathering import gather_statistics
from .geometry.nulls import OverlapNull, overlap_null
from .geometry.number_patterns import number_patterns
from .geometry.patterns import pattern_subspace, readout_subspace
from .geometry.statistics import Statistics
from .grid.held_out import HeldOut, HeldOutNumbers
from .grid.options import Evidence, Splitting
from .grid.probe import probe
from .grid.results import ProbeResults
from .grid.score import Score
from .invariants import Invariants, measure_invariants
from .transfer import transfer
from .transferred import Moved, Transfer

if TYPE_CHECKING:
    from .estimators.discriminant import DifferenceOfMeans, DiscriminantProbe
    from .estimators.linear_probe import LinearProbe
    from .estimators.nonlinear import MLPProbe, NeighbourProbe
    from .estimators.positions_probe import PositionsProbe
    from .estimators.rank_limited import RankCurve, RankLimitedProbe, rank_curve
    from .estimators.ridge import RidgeProbe
    from .estimators.soft import SoftProbe

# scikit-learn takes a second to load: only who asks for an estimator waits for it.
_ESTIMATORS = {
    "DifferenceOfMeans": "estimators.discriminant",
    "DiscriminantProbe": "estimators.discriminant",
    "LinearProbe": "estimators.linear_probe",
    "MLPProbe": "estimators.nonlinear",
    "NeighbourProbe": "estimators.nonlinear",
    "PositionsProbe": "estimators.positions_probe",
    "RankCurve": "estimators.rank_limited",
    "RankLimitedProbe": "estimators.rank_limited",
    "RidgeProbe": "estimators.ridge",
    "SoftProbe": "estimators.soft",
    "rank_curve": "estimators.rank_limited",
}

__all__ = [
    "BaseMaps",
    "DifferenceOfMeans",
    "Direction",
    "DiscriminantProbe",
    "Eraser",
    "Evidence",
    "ExampleNode",
    "ExampleTarget",
    "ExampleText",
    "Examples",
    "ExamplesView",
    "HeldOut",
    "HeldOutNumbers",
    "Invariants",
    "LinearProbe",
    "MLPProbe",
    "Moved",
    "NeighbourProbe",
    "OverlapNull",
    "PositionsProbe",
    "ProbeError",
    "ProbeResults",
    "RankCurve",
    "RankLimitedProbe",
    "RidgeProbe",
    "Score",
    "SoftProbe",
    "Split",
    "Splitting",
    "Statistics",
    "Subspace",
    "Transfer",
    "WordAnswer",
    "benjamini_hochberg",
    "directions_of",
    "gather_statistics",
    "linear_maps",
    "measure_invariants",
    "number_patterns",
    "overlap_null",
    "paired_test",
    "pattern_subspace",
    "probe",
    "rank_curve",
    "readout_subspace",
    "split_by_group",
    "transfer",
]


def __getattr__(name: str) -> object:
    home = _ESTIMATORS.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)
