"""A way through a model on which places can be read and edited."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from .batching import Batch
from .wiring import Wiring

__all__ = ["Path", "Stop", "Tap"]

Tap = Callable[[Tensor], Tensor | None]
"""Sees the stream ``[batch, position, d_model]``; returns what replaces it, or ``None``."""


class Stop(Exception):
    """Raised by the deepest tap when nothing behind it is wanted; never leaves this package."""


@runtime_checkable
class Path(Protocol):
    """Two implementations, equal in their numbers: forward hooks and the TransformerLens bridge."""

    name: str
    """``modules`` or ``bridge``."""

    wiring: Wiring
    """The model's blocks, positions and limits."""

    @property
    def source(self) -> str:
        """Where the places' names come from, in words for the manifest."""
        ...

    @property
    def model(self) -> Any:
        """The Hugging Face model inside."""
        ...

    @property
    def untouched(self) -> Any:
        """The model before anything was replaced in it; ``None`` if nobody has it any more."""
        ...

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        ...

    def missing(self, sites: tuple[str, ...]) -> list[str]:
        """Those of ``sites`` that this path cannot reach."""
        ...

    def attach(
        self, taps: Mapping[str, Tap], *, stop: bool = False
    ) -> AbstractContextManager[None]:
        """Hang taps on sites; all are gone on exit, whatever happens inside.

        With ``stop`` the forward pass ends at the deepest of them (see :class:`Stop`).
        """
        ...

    def forward(self, batch: Batch) -> Any:
        """Run the model on a batch as its own code would have it (mask, positions)."""
        ...
