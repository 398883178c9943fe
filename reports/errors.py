"""The error of records that contradict themselves."""

from ..core import LinrepError

__all__ = ["RecordError"]


class RecordError(LinrepError):
    """A record contradicts itself."""
