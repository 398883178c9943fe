"""What crosses more than one seam: errors, subspaces, predictions, engines, progress."""

from .arguments import checked
from .claims import CLAIMS
from .direction_files import read_directions, write_directions
from .directions import DirectionError, Directions
from .disk import DiskError, refuse_full, writing
from .edited import ErasedRow, SteeredRow
from .engine import Engine, EngineError, Shared
from .engines import make_engine, running
from .errors import LinrepError
from .exchange import CellScore
from .invariant import Invariant, InvariantError, judged
from .paths import PathError, as_path
from .prediction import Positions, Prediction, PredictionError, height_target
from .progress import progress
from .subspace import Kind, Subspace, SubspaceError
from .yaml_text import YamlError, read_yaml

__all__ = [
    "CLAIMS",
    "CellScore",
    "DirectionError",
    "Directions",
    "DiskError",
    "Engine",
    "EngineError",
    "ErasedRow",
    "Invariant",
    "InvariantError",
    "Kind",
    "LinrepError",
    "PathError",
    "Positions",
    "Prediction",
    "PredictionError",
    "Shared",
    "SteeredRow",
    "Subspace",
    "SubspaceError",
    "YamlError",
    "as_path",
    "checked",
    "height_target",
    "judged",
    "make_engine",
    "progress",
    "read_directions",
    "read_yaml",
    "refuse_full",
    "running",
    "write_directions",
    "writing",
]
