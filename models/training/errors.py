"""The one error of training."""

from ...core import LinrepError

__all__ = ["TrainingError"]


class TrainingError(LinrepError):
    """There is nothing to train on, or the settings contradict each other."""
