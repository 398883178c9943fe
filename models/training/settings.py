"""What a training is asked to do, as one object or by the names of its fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, final, get_args

import torch

from ...core import checked
from ...core.options import settled
from .errors import TrainingError
from .sizes import COUNTED

__all__ = ["Architecture", "Training", "TrainingOptions", "asked_of"]

Architecture = Literal["plain", "gpt2", "llama"]


class TrainingOptions(TypedDict, total=False):
    """Keywords of :func:`linrep.train`: the fields of :class:`Training`."""

    sentences: int
    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    seed: int
    dtype: torch.dtype
    measure_every: int
    heldout: int
    until: float | None
    checkpoints: int | Sequence[int]
    architecture: Architecture
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int | None
    shape: Mapping[str, Any] | None


@final
@checked(TrainingError)
@dataclass(frozen=True)
class Training:
    """Everything that decides what a training gives.

    Args:
        sentences: size of the training sample.
        steps: optimiser steps at most; the rate falls to zero over them.
        batch_size: sentences per step.
        learning_rate: peak rate.
        weight_decay: AdamW's.
        seed: of the sample, the weights and the order.
        dtype: of weights and arithmetic.
        measure_every: steps between two rows of the log; 0: at the end alone.
        heldout: sentences, drawn with another seed, on which the KL is measured; 0: none.
        until: stop at the first measurement whose KL is at most this, in nats per token.
        checkpoints: steps at which the model is saved, or a number n for every n-th; 0 or none:
            only the last. They need a folder.
        architecture: ``plain`` (:class:`linrep.models.PlainTransformer`), or ``gpt2`` or ``llama``
            of transformers, made from their configuration.
        hidden_size: width of the stream.
        num_hidden_layers: blocks.
        num_attention_heads: heads of each block.
        intermediate_size: hidden neurons of each MLP; by default four widths.
        shape: further fields of the architecture's configuration, by name.

    Raises:
        TrainingError: a setting is impossible.

    >>> Training(steps=100, checkpoints=50).saved_at
    (50, 100)
    """

    sentences: int = 4096
    steps: int = 1000
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    seed: int = 0
    dtype: torch.dtype = torch.float32
    measure_every: int = 100
    heldout: int = 256
    until: float | None = None
    checkpoints: int | Sequence[int] = ()
    architecture: Architecture = "plain"
    hidden_size: int = 64
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    intermediate_size: int | None = None
    shape: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        least = {name: getattr(self, name) for name in ("sentences", "steps", "batch_size")}
        if min(least.values()) < 1:
            raise TrainingError(
                "sentences, steps and batch_size are at least 1; received "
                f"{', '.join(map(str, least.values()))}"
            )
        if max(*least.values(), self.heldout, self.measure_every) > COUNTED:
            raise TrainingError(
                f"sentences, steps and batch_size are at most {COUNTED:,}; received "
                f"{', '.join(map(str, least.values()))}: take fewer"
            )
        for name in ("measure_every", "heldout"):
            if getattr(self, name) < 0:
                raise TrainingError(f"{name} is 0 or more; received {getattr(self, name)}")
        for name, most in (("learning_rate", 1e6), ("weight_decay", 1e6), ("until", 1e6)):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= most:
                raise TrainingError(f"{name} lies in 0..1e6; received {value}")
        if self.until is not None and not (self.heldout and self.measure_every):
            raise TrainingError(
                "until needs measurements along the way: give heldout and measure_every of 1 or "
                f"more; received {self.heldout} and {self.measure_every}"
            )
        if not self.dtype.is_floating_point:
            raise TrainingError(f"weights are floating-point numbers; received {self.dtype}")
        self._check_checkpoints()

    def _check_checkpoints(self) -> None:
        """Refuse checkpoints that never come.

        Raises:
            TrainingError: a step outside the training.
        """
        if isinstance(self.checkpoints, int):
            if not 0 <= self.checkpoints <= self.steps:
                raise TrainingError(
                    f"checkpoints every n steps have n in 0..{self.steps}, the number of steps; "
                    f"received {self.checkpoints}"
                )
            return
        wrong = [step for step in self.checkpoints if not 0 <= step <= self.steps]
        if wrong:
            raise TrainingError(
                f"checkpoints are steps in 0..{self.steps} (0: before the first); received "
                f"{wrong[:5]}"
            )

    @property
    def saved_at(self) -> tuple[int, ...]:
        """Steps of the checkpoints, in order."""
        if isinstance(self.checkpoints, int):
            every = self.checkpoints
            return tuple(range(every, self.steps + 1, every)) if every else ()
        return tuple(sorted(set(self.checkpoints)))

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; a change of any of these makes another training.

        >>> Training().to_dict()["dtype"]
        'torch.float32'
        """
        names = [name for name in self.__dataclass_fields__ if name != "shape"]
        told = {name: getattr(self, name) for name in names} | dict(self.shape or {})
        return told | {"dtype": str(self.dtype), "checkpoints": list(self.saved_at)}


def asked_of(training: Training | None, options: Mapping[str, Any], known: Any) -> Training:
    """The object given, with the fields named replaced; other names belong to the shape.

    Args:
        training: what came as ``training=``.
        options: fields by name.
        known: given an architecture, the names of the fields of its configuration.

    Raises:
        TrainingError: no such field, of the training or of the shape.
    """
    base = Training() if training is None else training
    architecture = options.get("architecture", getattr(base, "architecture", "plain"))
    fields = set(known(architecture) if architecture in get_args(Architecture) else ())
    fields -= set(Training.__dataclass_fields__)
    shaped = {name: value for name, value in options.items() if name in fields}
    rest = {name: value for name, value in options.items() if name not in fields}
    if shaped and isinstance(base, Training):
        rest["shape"] = {**(base.shape or {}), **(rest.get("shape") or {}), **shaped}

    return settled("train", "training", Training, training, rest, TrainingError)
