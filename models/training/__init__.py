"""Training small transformers on the sentences of a language: measured, resumable."""

from .batches import batch_ids
from .errors import TrainingError
from .fit import TrainedModel, train
from .folder import steps_done
from .log import LogRow, TrainingLog
from .settings import Architecture, Training, TrainingOptions
from .sizes import require_small

__all__ = [
    "Architecture",
    "LogRow",
    "TrainedModel",
    "Training",
    "TrainingError",
    "TrainingLog",
    "TrainingOptions",
    "batch_ids",
    "require_small",
    "steps_done",
    "train",
]
