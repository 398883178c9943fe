"""Training the plain transformer on the sentences of a grammar."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from ..core import LinrepError, checked, progress
from .config import PlainConfig, word_ids
from .transformer import PlainTransformer
from .twin import initialise

__all__ = ["TrainedModel", "TrainingError", "batch_ids", "require_small", "train"]

MOST = 200_000_000  # parameters: with gradients and AdamW's two moments 3.2 GB in float32
COUNTED = 10**8  # sentences or steps that could ever be worked off
_IGNORED = -100  # the label PyTorch's cross-entropy skips


class TrainingError(LinrepError):
    """There is nothing to train on, or the settings contradict each other."""


@runtime_checkable
class _Corpus(Protocol):
    @property
    def sentences(self) -> Sequence[Sequence[str]]: ...


@runtime_checkable
class _Language(Protocol):
    @property
    def terminals(self) -> Sequence[str]: ...

    def sample(self, n: int, seed: int = 0) -> _Corpus: ...


@final
@dataclass(frozen=True, eq=False)
class TrainedModel:
    """What training returns.

    Args:
        model: the trained model, in eval mode.
        losses: mean next-token cross-entropy of each step's batch, in nats.
        settings: what made it.
    """

    model: PlainTransformer
    losses: tuple[float, ...]
    settings: dict[str, Any]


@checked(TrainingError)
def batch_ids(
    sentences: Sequence[Sequence[str]], vocabulary: Sequence[str], *, eos: bool = False
) -> tuple[Int[Tensor, "batch position"], Int[Tensor, "batch position"]]:
    """Token ids with BOS in front (and EOS behind if asked), padded right, and their mask.

    Raises:
        TrainingError: a word is not in the vocabulary.

    >>> ids, mask = batch_ids([["a"], ["b", "a"]], word_ids(["a", "b"]))
    >>> ids.tolist(), mask.tolist()
    ([[0, 1, 3], [0, 2, 1]], [[1, 1, 0], [1, 1, 1]])
    """
    index = {word: i for i, word in enumerate(vocabulary)}
    bos, end = 0, len(vocabulary) - 1
    unknown = sorted({word for sentence in sentences for word in sentence} - set(index))
    if unknown:
        raise TrainingError(
            f"words outside the vocabulary: {unknown[:5]}; it has {list(vocabulary)[:8]}"
        )
    longest = 1 + max((len(sentence) for sentence in sentences), default=0) + eos
    ids = torch.full((len(sentences), longest), end)
    mask = torch.zeros_like(ids)
    for row, sentence in enumerate(sentences):
        tokens = [bos, *(index[word] for word in sentence), *([end] if eos else [])]
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    return ids, mask


@checked(TrainingError)
def train(
    grammar: _Language,
    *,
    sentences: int = 4096,
    steps: int = 1000,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.01,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    **shape: Any,
) -> TrainedModel:
    """Train a causal transformer to predict the next token of a grammar's sentences.

    AdamW with 5 % warm-up and cosine decay, gradients clipped at norm 1. Reproducible to the byte
    on one machine: data, weights and batches come from ``seed``; the global generator is unused.

    Args:
        grammar: a language with ``sample`` and ``terminals``.
        sentences: size of the training sample.
        steps: optimiser steps.
        batch_size: sentences per step.
        learning_rate: peak rate.
        weight_decay: AdamW's.
        seed: of the sample, the weights and the order.
        dtype: of weights and arithmetic.
        **shape: fields of :class:`PlainConfig` (default: width 64, 4 layers, 4 heads, GELU, norms).

    Raises:
        TrainingError: no sentences, no steps, a sentence longer than the position table, or more
            parameters than a small model has.

    >>> from types import SimpleNamespace
    >>> corpus = SimpleNamespace(sentences=[("a", "b")] * 8)
    >>> language = SimpleNamespace(terminals=("a", "b"), sample=lambda n, seed=0: corpus)
    >>> run = train(language, steps=30, batch_size=8, hidden_size=16, learning_rate=0.01)
    >>> run.losses[-1] < run.losses[0]
    True
    """
    if min(sentences, steps, batch_size) < 1:
        raise TrainingError(
            f"sentences, steps and batch_size are at least 1; received {sentences}, {steps}, "
            f"{batch_size}"
        )
    for name, value in (("learning_rate", learning_rate), ("weight_decay", weight_decay)):
        if not 0 <= value <= 1e6:
            raise TrainingError(f"{name} lies in 0..1e6; received {value}")
    if max(sentences, steps, batch_size) > COUNTED:
        raise TrainingError(
            f"sentences, steps and batch_size are at most {COUNTED:,}; received {sentences}, "
            f"{steps}, {batch_size}: take fewer"
        )
    require_small(**shape)
    vocabulary = word_ids(list(grammar.terminals))
    ids, mask = batch_ids(grammar.sample(sentences, seed=seed).sentences, vocabulary, eos=True)
    defaults: dict[str, Any] = {
        "hidden_size": 64,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "mlp": "gelu",
    }
    longest = max(ids.shape[1], 2 + max(getattr(grammar, "lengths", ()), default=0))
    defaults |= {"layer_norm": True, "max_position_embeddings": longest}
    settings = defaults | {"intermediate_size": 4 * shape.get("hidden_size", 64)} | shape
    if settings["max_position_embeddings"] < ids.shape[1]:
        raise TrainingError(
            f"the longest sentence needs {ids.shape[1]} positions; max_position_embeddings is "
            f"{settings['max_position_embeddings']}"
        )
    model = initialise(PlainTransformer(PlainConfig(vocabulary=vocabulary, **settings)), seed)
    _cast(model, dtype)
    order = np.random.default_rng(seed)
    losses = _optimise(model, ids, mask, order, steps, batch_size, learning_rate, weight_decay)
    made: dict[str, Any] = {
        "sentences": sentences,
        "steps": steps,
        "batch_size": batch_size,
        "seed": seed,
    }
    made |= {"learning_rate": learning_rate, "weight_decay": weight_decay, "dtype": str(dtype)}
    model.config.linrep = {"training": made}
    return TrainedModel(_cast(model, dtype), tuple(losses), made | settings)


def _cast(model: Any, dtype: torch.dtype) -> Any:
    """The model in this dtype, in eval mode."""
    return model.to(dtype=dtype).eval()


def _optimise(
    model: PlainTransformer,
    ids: Int[Tensor, "sentence position"],
    mask: Int[Tensor, "sentence position"],
    order: np.random.Generator,
    steps: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
) -> list[float]:
    """The loop; returns the loss of every step."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    warm = max(1, steps // 20)
    losses = []
    for step in progress(range(steps), "training", unit="step"):
        rate = min(1.0, (step + 1) / warm) * 0.5 * (1 + np.cos(np.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * rate
        rows = torch.from_numpy(order.integers(0, len(ids), min(batch_size, len(ids))))
        longest = int(mask[rows].sum(1).max())
        batch, kept = ids[rows, :longest], mask[rows, :longest]
        logits = model(batch[:, :-1], attention_mask=kept[:, :-1]).logits
        labels = batch[:, 1:].masked_fill(kept[:, 1:] == 0, _IGNORED)
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), ignore_index=_IGNORED
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    return losses


def require_small(*, hidden_size: int = 64, num_hidden_layers: int = 4, **more: Any) -> int:
    """How many parameters the blocks have; what would take all memory is refused before any is.

    Raises:
        TrainingError: too many parameters.

    >>> require_small(hidden_size=10, num_hidden_layers=2)
    2400
    """
    inner = more.get("intermediate_size", 4 * hidden_size)
    size = int(num_hidden_layers * (4 * hidden_size**2 + 2 * hidden_size * inner))
    if size > MOST:
        raise TrainingError(
            f"{num_hidden_layers} blocks of width {hidden_size} have about {size:,} parameters; "
            f"this trainer is for small models, of at most {MOST:,}: choose fewer layers or a "
            "smaller width"
        )
    return size
