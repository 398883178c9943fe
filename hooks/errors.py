"""What can go wrong between a model and its activations, one class per kind of mistake."""

from ..core import LinrepError

__all__ = ["AlignmentError", "CaptureError", "SelfCheckError", "SiteError", "StoreError"]


class CaptureError(LinrepError):
    """The request cannot be carried out on this model or this machine."""


class SiteError(CaptureError):
    """A site's name is unknown, or the model has no such place."""


class AlignmentError(CaptureError):
    """Words cannot be laid over the model's tokens."""


class SelfCheckError(CaptureError):
    """The activations would be wrong: two ways to compute them disagree."""


class StoreError(CaptureError):
    """A store of activations is damaged, incomplete, or belongs to something else."""
