"""Probes on plain arrays: statistics, solvers, controls, uncertainty, subspaces, erasure."""

from importlib import import_module
from typing import TYPE_CHECKING

from ..core import Subspace
from .erasure import Eraser
from .errors import ProbeError
from .grid import probe
from .nulls import OverlapNull, overlap_null
from .patterns import pattern_subspace, readout_subspace
from .results import HeldOut, ProbeResults, Score
from .splits import Split, split_by_group
from .statistics import Statistics
from .uncertainty import benjamini_hochberg, paired_test

if TYPE_CHECKING:
    from .discriminant import DifferenceOfMeans, DiscriminantProbe
    from .linear_probe import LinearProbe
    from .nonlinear import MLPProbe, NeighbourProbe
    from .positions_probe import PositionsProbe
    from .rank_limited import RankCurve, RankLimitedProbe, rank_curve
    from .ridge import RidgeProbe
    from .soft import SoftProbe

# scikit-learn takes a second to load: only who asks for an estimator waits for it.
_ESTIMATORS = {
    "DifferenceOfMeans": "discriminant",
    "DiscriminantProbe": "discriminant",
    "LinearProbe": "linear_probe",
    "MLPProbe": "nonlinear",
    "NeighbourProbe": "nonlinear",
    "PositionsProbe": "positions_probe",
    "RankCurve": "rank_limited",
    "RankLimitedProbe": "rank_limited",
    "RidgeProbe": "ridge",
    "SoftProbe": "soft",
    "rank_curve": "rank_limited",
}

__all__ = [
    "DifferenceOfMeans",
    "DiscriminantProbe",
    "Eraser",
    "HeldOut",
    "LinearProbe",
    "MLPProbe",
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
    "Statistics",
    "Subspace",
    "benjamini_hochberg",
    "overlap_null",
    "paired_test",
    "pattern_subspace",
    "probe",
    "rank_curve",
    "readout_subspace",
    "split_by_group",
]


def __getattr__(name: str) -> object:
    home = _ESTIMATORS.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)
