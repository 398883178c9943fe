"""Training a small causal transformer on the sentences of a language."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Unpack, final, runtime_checkable

from transformers import PreTrainedModel

from ...core import checked
from ..config import word_ids
from .architectures import build, shape_fields, shape_of
from .batches import Batches, batch_ids
from .errors import TrainingError
from .exactness import hold_out
from .folder import SAMPLE, TrainingFolder
from .log import TrainingLog
from .loop import Loop
from .settings import Training, TrainingOptions, asked_of
from .sizes import require_small

__all__ = ["TrainedModel", "train"]


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
        log: loss and KL along the way, and the entropy that no model can go below.
    """

    model: PreTrainedModel
    losses: tuple[float, ...]
    settings: dict[str, Any]
    log: TrainingLog = field(default_factory=lambda: TrainingLog(()))


@checked(TrainingError)
def train(
    grammar: _Language,
    *,
    training: Training | None = None,
    folder: str | os.PathLike[str] | None = None,
    resume: bool = False,
    **options: Unpack[TrainingOptions],
) -> TrainedModel:
    """Train a causal transformer to predict the next token of a language's sentences.

    AdamW with 5 % warm-up and cosine decay, gradients clipped at norm 1. Reproducible to the byte
    on one machine with one number of threads: data, weights and batches come from ``seed``; the
    global generator is unused. Words are tokens, whatever the architecture.

    With a folder, the model and its checkpoints (``checkpoints/step-N``) are ordinary model folders
    that :func:`linrep.load_model` reads, and ``training.json`` holds settings, losses and log. At
    most ten seconds of work, or a twentieth of the time that writing takes, are lost by an
    interruption, at whatever moment; with ``resume`` it goes on from there, and what is in the
    folder in the end is the same to the byte as without the interruption.

    Args:
        grammar: a language with ``sample`` and ``terminals``; with exact probabilities of the next
            token, as a :class:`linrep.Grammar` has, the log has the KL to them.
        training: all options as one object.
        folder: where the model and its checkpoints go; it is new, or to be resumed.
        resume: go on in a folder whose training was interrupted; a finished one is read.
        **options: of the training, by name; further fields of the architecture's configuration too
            (of the plain transformer, ``mlp="relu"``, say; by default it has GELU and norms):
        sentences: size of the training sample.
        steps: optimiser steps at most.
        batch_size: sentences per step.
        learning_rate: peak rate.
        weight_decay: AdamW's.
        seed: of the sample, the weights and the order.
        dtype: of weights and arithmetic.
        measure_every: steps between two rows of the log; 0: at the end alone.
        heldout: sentences, drawn with another seed, on which the KL is measured; 0: none.
        until: stop at the first measurement whose KL is at most this, in nats per token.
        checkpoints: steps at which the model is saved, or a number n for every n-th.
        architecture: ``plain``, or ``gpt2`` or ``llama`` of transformers.
        hidden_size: width of the stream.
        num_hidden_layers: blocks.
        num_attention_heads: heads of each block.
        intermediate_size: hidden neurons of each MLP; by default four widths.
        shape: further fields of the architecture's configuration, by name.

    Raises:
        TrainingError: no sentences, no steps, a sentence longer than the position table, more
            parameters than a small model has, or a folder that cannot be gone on with.

    >>> from types import SimpleNamespace
    >>> corpus = SimpleNamespace(sentences=[("a", "b")] * 8)
    >>> language = SimpleNamespace(terminals=("a", "b"), sample=lambda n, seed=0: corpus)
    >>> run = train(language, steps=30, batch_size=8, hidden_size=16, learning_rate=0.01)
    >>> run.losses[-1] < run.losses[0]
    True
    >>> run.log.rows[-1].step, run.log.note
    (30, 'the language gives no exact probabilities of the next token: loss only')
    """
    asked = asked_of(training, options, shape_fields)
    if folder is None and (asked.saved_at or resume):
        raise TrainingError("checkpoints and resume need a folder: give folder=...")
    blocks = require_small(
        hidden_size=asked.hidden_size,
        num_hidden_layers=asked.num_hidden_layers,
        intermediate_size=asked.intermediate_size,
        architecture=asked.architecture,
    )
    vocabulary = word_ids(list(grammar.terminals))
    drawn = grammar.sample(asked.sentences, seed=asked.seed).sentences
    ids, mask = batch_ids(drawn, vocabulary, eos=True)
    longest = max(ids.shape[1], 2 + max(getattr(grammar, "lengths", ()), default=0))
    shape = shape_of(asked, longest)
    if shape["max_position_embeddings"] < ids.shape[1]:
        raise TrainingError(
            f"the longest sentence needs {ids.shape[1]} positions; max_position_embeddings is "
            f"{shape['max_position_embeddings']}"
        )
    place = None
    if folder is not None:
        digest = hashlib.sha256(repr(vocabulary).encode() + ids.numpy().tobytes()).hexdigest()
        decides = asked.to_dict() | shape | {SAMPLE: digest}
        copies = 4 + len(asked.saved_at)  # the state has the weights and two moments
        place = TrainingFolder(folder, decides, copies, blocks * asked.dtype.itemsize)
        if (note := place.look(resume=resume)) is not None:
            return _finished(place, note, asked, shape)
    held, why = hold_out(grammar, asked.heldout, asked.seed, vocabulary)
    if asked.until is not None and held is None:
        raise TrainingError(f"until needs a KL, and {why}")
    model: Any = build(asked.architecture, vocabulary, shape, asked.seed)
    model.to(dtype=asked.dtype).eval()
    loop = Loop(model, Batches(ids, mask, asked.batch_size, asked.seed), held, asked)
    _work(loop, place, asked)
    floor = None if held is None else held.floor
    log = TrainingLog(tuple(loop.rows), floor, 0 if held is None else held.sentences, why)
    _label(model, asked, loop.step, {"kl": log.kl, "floor": floor})
    if place is not None:
        place.finish(model, {"losses": loop.losses, "log": log.to_dict()})
    return TrainedModel(model.eval(), tuple(loop.losses), _made(asked) | shape, log)


def _work(loop: Loop, place: TrainingFolder | None, asked: Training) -> None:
    """Run the loop; with a folder, from where it stands, with checkpoints and states.

    Raises:
        KeyboardInterrupt: it was interrupted; the folder says where it stands.
        SystemExit: likewise.
    """
    if place is None:
        loop.run(lambda: None)
        return
    place.open(loop)

    def saved() -> None:
        if loop.step in asked.saved_at:
            _label(loop.model, asked, loop.step, {})
            place.checkpoint(loop.model, loop.step)
        place.keep(loop)

    try:
        saved()
        loop.run(saved)
    except (KeyboardInterrupt, SystemExit):
        if loop.whole:
            place.keep(loop, now=True)
        raise


def _label(model: Any, asked: Training, step: int, found: dict[str, Any]) -> None:
    """Write into the configuration what made the weights."""
    model.config.linrep = {"training": _made(asked) | {"step": step} | found}


def _made(asked: Training) -> dict[str, Any]:
    """What is said of a training beside the shape."""
    names = ("sentences", "steps", "batch_size", "seed", "learning_rate", "weight_decay")
    told = {name: getattr(asked, name) for name in names}
    return told | {"dtype": str(asked.dtype), "architecture": asked.architecture}


def _finished(
    place: TrainingFolder, note: dict[str, Any], asked: Training, shape: dict[str, Any]
) -> TrainedModel:
    """A training that was finished before."""
    from ..load import load

    place.clear()
    model = load(place.path).model
    log = TrainingLog.from_dict(note["log"])
    return TrainedModel(model, tuple(note["losses"]), _made(asked) | shape, log)
