"""A way through a model on which places can be read and edited."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, final, runtime_checkable

from torch import Tensor

from ...core import LinrepError
from ..errors import CaptureError
from ..inputs.batching import Batch, out_of_memory
from .wiring import Wiring

__all__ = ["OwnPass", "Path", "Stop", "Tap", "model_running"]

Tap = Callable[[Tensor], Tensor | None]
"""Sees the stream ``[batch, position, d_model]``; returns what replaces it, or ``None``."""


class Stop(Exception):
    """Raised by the deepest tap when nothing behind it is wanted; never leaves this package."""


@final
class OwnPass:
    """A path's own forward pass, which alone may be stopped.

    Taps hang while other code may run the model too (what a stream's words are given to, say):
    such a pass goes on to its end.

    >>> own = OwnPass()
    >>> own.stop()
    >>> with own:
    ...     own.stop()
    """

    def __init__(self) -> None:
        self.runs = False

    def __enter__(self) -> "OwnPass":
        self.runs = True
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self.runs = False
        return kind is not None and issubclass(kind, Stop)

    def stop(self) -> None:
        """End the pass, if it runs.

        Raises:
            Stop: it does.
        """
        if self.runs:
            raise Stop


@contextmanager
def model_running(model: Any) -> Iterator[None]:
    """Turn what a model's own code raises into one sentence; memory is the caller's business.

    Raises:
        CaptureError: the model cannot be run.
        Exception: a tap's own, or memory that ran out.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (Stop, LinrepError)) or out_of_memory(error):
            raise
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CaptureError(
            f"{type(model).__name__} fails when it is run ({type(error).__name__}: {said:.200}): "
            "its configuration is damaged or of another model, or this version of transformers "
            "has a fault; run it by itself on a few token ids to see where"
        ) from error


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
