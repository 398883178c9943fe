"""Activations on their way from a GPU into memory, while the GPU goes on."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import final

import torch
from torch import Tensor

__all__ = ["AHEAD", "Landing"]

AHEAD = 2**28  # bytes that may be under way; the model waits where they are more
Land = Callable[[Tensor], None]
"""Takes what has arrived in memory."""


@final
class Landing:
    """Copies from GPUs into memory that are under way, and what is done with them there.

    A plain copy makes the GPU wait for the processor at every site, and the processor for the GPU.
    Here a stream of its own moves a copy of the values into page-locked memory, and a thread takes
    them from there, in the order of their sending, while the model runs on.
    """

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._under_way: deque[tuple[int, Future[None]]] = deque()
        self._bytes = 0
        self._streams: dict[torch.device, torch.cuda.Stream] = {}

    def send(self, values: Tensor, land: Land) -> None:
        """Begin to move values, which may change after this call.

        Args:
            values: on a GPU.
            land: called with them in memory, on the thread. What it raises, a later call of this or
                of :meth:`settle` raises.
        """
        host, wait = self._begun(values)

        def arrive() -> None:
            wait()
            land(host)

        self._queue(host.numel() * host.element_size(), arrive)
        self.settle(AHEAD)

    def then(self, work: Callable[[], None]) -> None:
        """Do something after all that was sent has arrived: at once, if nothing is under way."""
        if self._under_way:
            self._queue(0, work)
        else:
            work()

    def settle(self, most: int | None = None) -> None:
        """Wait until at most so many bytes are under way; without a number until nothing is."""
        while self._under_way and (most is None or self._bytes > most):
            size, done = self._under_way.popleft()
            self._bytes -= size
            done.result()

    def _queue(self, size: int, work: Callable[[], None]) -> None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="linrep-landing")
        self._under_way.append((size, self._thread.submit(work)))
        self._bytes += size

    def _begun(self, values: Tensor) -> tuple[Tensor, Callable[[], None]]:
        """Where the values will be in memory, and what waits until they are."""
        device = values.device
        if device not in self._streams:
            self._streams[device] = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        side = self._streams[device]
        kept = values.clone()  # blocks may write into their inputs
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            host = torch.empty(kept.shape, dtype=kept.dtype, pin_memory=True)
            host.copy_(kept, non_blocking=True)
            arrived = side.record_event()
        kept.record_stream(side)
        return host, arrived.synchronize
