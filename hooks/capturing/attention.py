"""How far attention patterns depend on positions alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...core import checked
from ...models import PlainTransformer
from ..errors import CaptureError
from ..inputs.alignment import Line
from ..inputs.batching import collate
from ..inputs.corpus import as_corpus, inputs_of
from ..paths.module_path import ModulePath
from ..paths.path import Path
from ..reading.prepared import left_alone, prepare
from ..reading.settings import CaptureSettings

__all__ = ["AttentionByPosition", "attention_by_position"]

TOKENS = 4096  # of one batch
LEVEL = 1e-12  # mean squared departure from even attention below which there is none


@final
@dataclass(frozen=True, eq=False)
class AttentionByPosition:
    """Share of the variance of attention patterns that the positions explain.

    Args:
        share: ``[layer, head]`` 1 where which key a query looks at, and how much, is the same in
            every input; about 0 where it depends on the input alone; NaN where a head looks at all
            keys alike.
        whole: the share over all heads together; NaN where all of them look at all keys alike.
        inputs: how many different inputs were read.
        positions: how many tokens of each, at most.
    """

    share: Float[np.ndarray, "layer head"]
    whole: float
    inputs: int
    positions: int

    def __str__(self) -> str:
        told = self.share[np.isfinite(self.share)]
        where = f"at the first {self.positions} tokens of {self.inputs} different inputs"
        if not len(told):
            return f"every head looks at all tokens alike, {where}"
        blocks, heads = self.share.shape
        return (
            f"{self.whole:.3f} of the variance, {told.min():.3f} to {told.max():.3f} by head "
            f"({blocks} blocks of {heads} heads), {where}"
        )


@checked(CaptureError, most={"inputs": 100_000, "positions": 4096})
def attention_by_position(
    model: Any,
    corpus: Any,
    *,
    tokenizer: Any = None,
    inputs: int = 200,
    positions: int = 64,
    special_tokens: bool = True,
) -> AttentionByPosition:
    """How much of the variance of attention patterns is explained by positions alone.

    What varies is how the weights of a query differ from even attention. What positions explain of
    it is known from the other inputs: the weight from position q to position k is guessed as its
    mean over all inputs but the one in hand (of one length, where the model sees what follows).
    In a constructed transformer the patterns depend on positions only, so the share is 1.

    Plain and constructed models are read by forward hooks, others at TransformerLens's
    ``blocks.{n}.attn.hook_pattern``, through a bridge around a copy.

    Args:
        model: whatever :func:`linrep.capture` takes.
        corpus: sentences or texts, as for :func:`linrep.capture`.
        tokenizer: for an instance that is given without one.
        inputs: how many different inputs are read, the first of the corpus.
        positions: how many tokens of each.
        special_tokens: let the tokenizer add its own.

    Raises:
        CaptureError: patterns cannot be read, or no two inputs differ.

    >>> from linrep.models import PlainConfig, PlainTransformer, initialise
    >>> config = PlainConfig(
    ...     vocabulary=["<bos>", "a", "b", "<eos>"], num_hidden_layers=1, num_attention_heads=1
    ... )
    >>> model = initialise(PlainTransformer(config), seed=0)
    >>> found = attention_by_position(model, [["a", "b"], ["b", "b"], ["a", "a"]])
    >>> found.share.shape, found.inputs, found.positions, bool(found.whole < 0.9)
    ((1, 1), 3, 3, True)
    """
    given = inputs_of(as_corpus(corpus))
    with left_alone(model):
        plain = isinstance(getattr(model, "model", model), PlainTransformer)
        settings = CaptureSettings.of(
            path="auto" if plain else "bridge", long_inputs="cut", special_tokens=special_tokens
        )
        subject = prepare(model, settings, tokenizer)
        lines = _different(subject.encode(given, settings).lines, inputs, positions)
        sums: dict[tuple[int, int], _Sums] = {}
        with torch.inference_mode(), _in_sight(subject.path):
            for batch in _batches(lines):
                with _watched(subject.path, _adder(sums)):
                    subject.path.forward(collate(list(batch), subject.path.wiring.pad_id))
    return _shares(sums, subject.path.n_layers, len(lines), max(map(len, lines)))


def _different(lines: Sequence[Line], inputs: int, positions: int) -> list[Line]:
    """Different inputs, cut short.

    Raises:
        CaptureError: there are no two.
    """
    nothing = np.zeros(0, dtype=np.int64)
    known: dict[bytes, Line] = {}
    for line in lines:
        ids = line.ids[:positions]
        if len(known) < inputs and len(ids):
            known.setdefault(ids.tobytes(), Line(ids, nothing, nothing, nothing))
    if len(known) < 2:
        raise CaptureError(
            f"{len(known)} different inputs: that patterns depend on positions only can be seen "
            "where inputs differ; give at least 2"
        )
    return list(known.values())


def _batches(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """Inputs of one length, so that none is padded."""
    by_length: dict[int, list[Line]] = {}
    for line in lines:
        by_length.setdefault(len(line), []).append(line)
    for length, same in sorted(by_length.items()):
        step = max(1, TOKENS // length)
        yield from (same[start : start + step] for start in range(0, len(same), step))


@contextmanager
def _in_sight(path: Path) -> Iterator[None]:
    """Attention computed step by step: fused kernels, BERT's for one, never form a pattern."""
    model, before = path.model, getattr(path.model.config, "_attn_implementation", None)
    if isinstance(path, ModulePath) or before in (None, "eager"):
        yield
        return
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


@contextmanager
def _watched(path: Path, see: Callable[[int, Tensor], None]) -> Iterator[None]:
    """Hand every block's pattern ``[batch, head, query, key]`` to ``see``.

    Raises:
        CaptureError: a block has no such place.
    """
    if isinstance(path, ModulePath):
        with ExitStack() as stack:
            for number, block in enumerate(path.wiring.blocks):

                def hook(*call: Any, number: int = number) -> None:
                    see(number, call[-1][1])

                stack.callback(block.get_submodule("attn").register_forward_hook(hook).remove)
            yield
        return
    names = [f"blocks.{number}.attn.hook_pattern" for number in range(path.n_layers)]
    if absent := path.missing(tuple(names)):
        raise CaptureError(
            f"TransformerLens names no {absent[0]} in this model: its blocks have no attention "
            "pattern that can be read"
        )

    def tap(number: int) -> Callable[[Tensor], None]:
        return lambda pattern: see(number, pattern)

    with path.attach({name: tap(number) for number, name in enumerate(names)}):
        yield


@final
class _Sums:
    """Sums over inputs of the weights and of their squares (mutable)."""

    def __init__(self, heads: int) -> None:
        self.count = np.zeros(0)  # [query] inputs so long
        self.total = np.zeros((heads, 0, 0))
        self.square = np.zeros((heads, 0, 0))

    def add(self, pattern: Float[np.ndarray, "batch head query key"]) -> None:
        """Weights of a batch of inputs of one length."""
        grow = max(0, pattern.shape[-1] - len(self.count))
        self.count = np.pad(self.count, (0, grow))
        wider = ((0, 0), (0, grow), (0, grow))
        self.total, self.square = np.pad(self.total, wider), np.pad(self.square, wider)
        n = pattern.shape[-1]
        self.count[:n] += len(pattern)
        self.total[:, :n, :n] += pattern.sum(axis=0)
        self.square[:, :n, :n] += np.square(pattern).sum(axis=0)

    def parts(self, causal: bool) -> tuple[np.ndarray, np.ndarray, float]:
        """Per head: what positions leave, and what departs from even attention; and how many."""
        n = len(self.count)
        told = self.count > 1
        many = np.where(told, self.count, 2.0)[None, :, None]
        keys = (np.arange(n) + 1.0 if causal else np.full(n, float(n)))[None, :, None]
        allowed = told[:, None] & (np.tri(n, dtype=bool) if causal else np.ones((n, n), bool))
        mean = self.total / many
        around = np.maximum(self.square - many * mean**2, 0.0) * (many / (many - 1)) ** 2
        even = np.maximum(self.square - 2 * self.total / keys + many / keys**2, 0.0)
        weights = float((many[0] * allowed).sum())
        return (around * allowed).sum((1, 2)), (even * allowed).sum((1, 2)), weights


def _adder(sums: dict[tuple[int, int], _Sums]) -> Callable[[int, Tensor], None]:
    """Takes patterns; those of models that see what follows are summed by length."""

    def add(number: int, pattern: Tensor) -> None:
        held = pattern.detach().double().cpu().numpy()
        ahead = bool(np.triu(held, 1).any())
        key = number, held.shape[-1] if ahead else 0
        sums.setdefault(key, _Sums(held.shape[1])).add(held)

    return add


def _shares(
    sums: dict[tuple[int, int], _Sums], blocks: int, inputs: int, positions: int
) -> AttentionByPosition:
    """Shares of all heads.

    Raises:
        CaptureError: no pattern was seen.
    """
    if not sums:
        raise CaptureError(
            "no block formed an attention pattern in the forward pass: give a model whose "
            "attention TransformerLens reads"
        )
    heads = max(one.total.shape[0] for one in sums.values())
    left, even = np.zeros((blocks, heads)), np.zeros((blocks, heads))
    weights = np.zeros((blocks, 1))
    for (number, length), one in sums.items():
        rest, around, count = one.parts(causal=not length)
        left[number, : len(rest)] += rest
        even[number, : len(around)] += around
        weights[number] += count
    looks = even > LEVEL * np.maximum(weights, 1.0)
    share = np.where(looks, 1.0 - left / np.where(looks, even, 1.0), np.nan)
    whole = 1.0 - float(left[looks].sum() / even[looks].sum()) if looks.any() else float("nan")
    return AttentionByPosition(share, whole, inputs, positions)
