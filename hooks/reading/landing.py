"""Activations on their way from a GPU into memory, while the GPU goes on."""

from collections import deque
from collections.abc import Callable
from typing import final

import torch
from torch import Tensor

__all__ = ["Landing"]

AHEAD = 2**28  # bytes that may be under way; a GPU waits for memory where they are more
Land = Callable[[Tensor], None]
"""Takes what has arrived in memory."""


@final
class Landing:
    """Copies from GPUs into memory that are under way; they arrive in the order of their sending.

    A plain copy makes the GPU wait for the processor at every site. Here a stream of its own moves
    a copy of the values into page-locked memory, and the model runs on meanwhile.
    """

    def __init__(self) -> None:
        self._under_way: deque[tuple[int, Tensor, Callable[[], None], Land]] = deque()
        self._bytes = 0
        self._streams: dict[torch.device, torch.cuda.Stream] = {}

    def send(self, values: Tensor, land: Land) -> None:
        """Begin to move values, which may change after this call.

        Args:
            values: on a GPU.
            land: called with them in memory, by a later call of this or of :meth:`settle`.
        """
        host, wait = self._begun(values)
        size = host.numel() * host.element_size()
        self._under_way.append((size, host, wait, land))
        self._bytes += size
        self.settle(AHEAD)

    def settle(self, most: int = 0) -> None:
        """Hand on what was sent first, until at most so many bytes are under way."""
        while self._under_way and self._bytes > most:
            size, host, wait, land = self._under_way.popleft()
            self._bytes -= size
            wait()
            land(host)

    def _begun(self, values: Tensor) -> tuple[Tensor, Callable[[], None]]:
        """Where the values will be in memory, and what waits until they are."""
        device = values.device
        if device not in self._streams:
            self._streams[device] = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        side = self._streams[device]
        kept = values.clone()  # blocks may write into their inputs
        side.wait_stream(torch.cuda.current_stream(device))
        try:
            host = torch.empty(kept.shape, dtype=kept.dtype, device="cpu", pin_memory=True)
        except RuntimeError:  # the system gives no page-locked memory
            return kept.cpu(), lambda: None
        with torch.cuda.stream(side):
            host.copy_(kept, non_blocking=True)
            arrived = side.record_event()
        kept.record_stream(side)
        return host, arrived.synchronize
