"""What crosses more than one seam: errors, subspaces, predictions, progress."""

from .errors import LinrepError
from .prediction import Positions, Prediction, PredictionError, height_target
from .progress import progress
from .subspace import Kind, Subspace, SubspaceError

__all__ = [
    "Kind",
    "LinrepError",
    "Positions",
    "Prediction",
    "PredictionError",
    "Subspace",
    "SubspaceError",
    "height_target",
    "progress",
]
