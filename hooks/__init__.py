"""Capture that can be trusted: sites, alignment of words and tokens, activations, edits."""

from .activations import Activations
from .capture import capture
from .edits import edit, erase, swap
from .errors import AlignmentError, CaptureError, SelfCheckError, SiteError, StoreError
from .positions import Placed, at_positions
from .readers import from_cache, from_hidden_states
from .steering import steer
from .stream import Streamed, stream

__all__ = [
    "Activations",
    "AlignmentError",
    "CaptureError",
    "Placed",
    "SelfCheckError",
    "SiteError",
    "StoreError",
    "Streamed",
    "at_positions",
    "capture",
    "edit",
    "erase",
    "from_cache",
    "from_hidden_states",
    "steer",
    "stream",
    "swap",
]
