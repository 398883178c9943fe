"""Capture that can be trusted: sites, alignment of words and tokens, activations, edits."""

from .capturing.attention import AttentionByPosition, attention_by_position
from .capturing.capture import capture
from .capturing.positions import Placed, at_positions
from .capturing.stream import Streamed, stream
from .editing.edits import edit, erase, swap
from .editing.steering import steer
from .errors import AlignmentError, CaptureError, SelfCheckError, SiteError, StoreError
from .reading.settings import Reading
from .store.activations import Activations
from .store.readers import from_cache, from_hidden_states

__all__ = [
    "Activations",
    "AlignmentError",
    "AttentionByPosition",
    "CaptureError",
    "Placed",
    "Reading",
    "SelfCheckError",
    "SiteError",
    "StoreError",
    "Streamed",
    "at_positions",
    "attention_by_position",
    "capture",
    "edit",
    "erase",
    "from_cache",
    "from_hidden_states",
    "steer",
    "stream",
    "swap",
]
