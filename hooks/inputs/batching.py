"""Lines of like length side by side, within a budget of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, final

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ..errors import CaptureError
from .alignment import Line

__all__ = ["Batch", "budget", "collate", "out_of_memory", "plan", "repeated", "usual"]


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Lines padded to one length.

    Args:
        ids: token ids.
        lines: the lines inside, in order.
        side: where the padding is.
    """

    ids: Int[Tensor, "batch position"]
    lines: tuple[Line, ...]
    side: Literal["left", "right"] = "right"

    @property
    def full(self) -> bool:
        """Nothing is padded."""
        width = self.ids.shape[1]
        return all(len(line.ids) == width for line in self.lines)

    @cached_property
    def mask(self) -> Bool[Tensor, "batch position"]:
        """True on real tokens."""
        lengths = torch.tensor([len(line) for line in self.lines])[:, None]
        place = torch.arange(self.ids.shape[1])
        if self.side == "left":
            return place >= self.ids.shape[1] - lengths
        return place < lengths

    @property
    def offsets(self) -> Int[np.ndarray, " batch"]:
        """Where each line begins: 0, or the width of its left padding."""
        width = self.ids.shape[1]
        pads = np.array([width - len(line) for line in self.lines], dtype=np.int64)
        return pads if self.side == "left" else np.zeros_like(pads)


def budget(d_model: int, accelerator: bool) -> int:
    """Padded tokens per batch when nobody says: enough to hide the cost per call.

    >>> budget(768, accelerator=False), budget(64, accelerator=False)
    (2730, 32768)
    """
    if accelerator:
        return int(np.clip(2**25 // d_model, 4096, 2**17))
    return int(np.clip(2**21 // d_model, 1024, 2**15))


def spare(d_model: int, accelerator: bool) -> int:
    """Padding in a batch that costs about as much as one more call of the model.

    >>> spare(768, accelerator=False), spare(64, accelerator=False)
    (42, 512)
    """
    return 2**21 // d_model if accelerator else 2**15 // d_model


def plan(
    lengths: Sequence[int],
    tokens: int | None = None,
    lines: int | None = None,
    padding: int | None = None,
) -> list[np.ndarray]:
    """Batches of line indices, longest lines first.

    Longest first: if memory is short, it shows at once. Ties keep the corpus' order, so a plan
    depends on its arguments alone. A line longer than ``tokens`` gets a batch of its own.

    Args:
        lengths: tokens of each line.
        tokens: of a batch at most, padded ones among them.
        lines: of a batch at most.
        padding: padded tokens of a batch at most.

    Raises:
        CaptureError: a limit is not positive.

    >>> [b.tolist() for b in plan([3, 5, 5, 2], tokens=10)]
    [[1, 2], [0, 3]]
    >>> [b.tolist() for b in plan([3, 5, 5, 2], tokens=10, padding=0)]
    [[1, 2], [0], [3]]
    """
    for limit in (tokens, lines):
        if limit is not None and limit < 1:
            raise CaptureError(f"a batch holds at least one; received batch_size {limit}")
    sizes = np.asarray(lengths, dtype=np.int64)
    order = np.argsort(-sizes, kind="stable")
    batches: list[np.ndarray] = []
    begin = 0
    while begin < len(order):
        width = max(1, int(sizes[order[begin]]))
        room = len(order) if tokens is None else max(1, tokens // width)
        room = room if lines is None else min(room, lines)
        if padding is not None:  # the sum of what lines are shorter grows from line to line
            wasted = np.cumsum(width - sizes[order[begin : begin + room]])
            room = max(1, int(np.searchsorted(wasted, padding, side="right")))
        batches.append(order[begin : begin + room])
        begin += room
    return batches


def usual(lengths: Sequence[int], d_model: int, *, accelerator: bool) -> list[np.ndarray]:
    """Batches where nobody says how many lines one holds.

    Args:
        lengths: tokens of each line.
        d_model: width of the model.
        accelerator: it does not run on the processor.

    >>> [b.tolist() for b in usual([3, 90, 2], 768, accelerator=False)]
    [[1], [0, 2]]
    """
    limits = budget(d_model, accelerator), spare(d_model, accelerator)
    return plan(lengths, tokens=limits[0], padding=limits[1])


def collate(lines: Sequence[Line], pad_id: int, side: Literal["left", "right"] = "right") -> Batch:
    """Pad lines to the longest.

    >>> from .alignment import encode_vocabulary
    >>> lines = encode_vocabulary([["a", "a"], ["a"]], ["<bos>", "a"]).lines
    >>> collate(lines, pad_id=9, side="left").ids.tolist()
    [[0, 1, 1], [9, 0, 1]]
    """
    lengths = [len(line) for line in lines]
    shape = len(lines), max(lengths)
    if min(lengths) == shape[1]:  # nothing to pad
        ids = np.concatenate([line.ids for line in lines], dtype=np.int64).reshape(shape)
        return Batch(torch.from_numpy(ids), tuple(lines), side)
    ids = np.full(shape, pad_id, dtype=np.int64)
    for i, (line, length) in enumerate(zip(lines, lengths, strict=True)):
        here = slice(0, length) if side == "right" else slice(shape[1] - length, shape[1])
        ids[i, here] = line.ids
    return Batch(torch.from_numpy(ids), tuple(lines), side)


def out_of_memory(error: BaseException) -> bool:
    """Whether this exception says that memory ran out, on whatever device.

    >>> out_of_memory(MemoryError()), out_of_memory(ValueError("shape"))
    (True, False)
    """
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in said or "can't allocate memory" in said
    )


def repeated(batch: Batch, copies: int) -> Batch:
    """Copies of a batch, one after the other, as one."""
    return Batch(batch.ids.repeat(copies, 1), batch.lines * copies, batch.side)
