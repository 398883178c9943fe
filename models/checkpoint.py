"""Reads a checkpoint of weights and accounts for every one, or says in one line what is wrong."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from transformers import PreTrainedModel

from ..core import LinrepError

__all__ = ["Checkpoint", "LoadError", "custom_code", "explained", "read_checkpoint"]

_WHOLE = "save or fetch the model again, whole"
_RESTORE = "restore config.json, which is of another model or was changed"
_BLOCKS, _WEIGHTS = 10_000, 10_000_000  # up to these, drawing what is missing takes a moment
_SHOWN = 6  # weights named in a message


class LoadError(LinrepError):
    """What was given is not a model that can be loaded."""


@final
@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model whose body holds the file's weights, every one of them.

    Args:
        model: the model, in eval mode.
        drawn: weights of its language-model head that the file lacks, drawn from a fixed seed.
        unused: weights of the file that the model has no place for.
    """

    model: PreTrainedModel
    drawn: tuple[str, ...]
    unused: tuple[str, ...]


def custom_code(name: str, part: str, auto: str) -> str:
    """Why a model or tokenizer that needs Python code of its own is refused, and the way out."""
    return (
        f"the {part} of {name!r} needs Python code that comes with it, and linrep runs no such "
        f"code: if you trust it, load the {part} yourself in Python, "
        f"`{auto}.from_pretrained({name!r}, trust_remote_code=True)`, and pass that instance"
    )


@contextmanager
def explained(
    what: str,
    remedy: str | Callable[[], str],
    known: Callable[[Exception], LoadError | None] = lambda _: None,
) -> Iterator[None]:
    """Turn whatever a library raises over a foreign file into one sentence.

    Args:
        what: what cannot be done, the beginning of the sentence.
        remedy: its end; a function is called only if something went wrong.
        known: may have something better to say of an error.

    Raises:
        LoadError: anything failed inside.
    """
    try:
        yield
    except LoadError:
        raise
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise LoadError(f"{what}: it does not fit into memory; choose a smaller model") from error
    except Exception as error:
        better = known(error)
        if better is not None:
            raise better from error
        if isinstance(error, ImportError):
            end = "install the package that it needs"
        else:
            end = remedy if isinstance(remedy, str) else remedy()
        raise LoadError(f"{what}: {_first_line(error)}; {end}") from error


def read_checkpoint(name: str, kind: Any, config: Any, options: dict[str, Any]) -> Checkpoint:
    """Load the weights of a folder or hub id into a class of models.

    A head that the file lacks is drawn from a fixed seed, which leaves the residual stream as it
    is; torch's global generator is left as it was.

    Args:
        name: folder or hub id.
        kind: the class, a ``PreTrainedModel``.
        config: the configuration read there.
        options: passed on to ``from_pretrained``.

    Raises:
        LoadError: no model can be made from the configuration, or the weights cannot be read, do
            not fit, or some of the model's body are missing.
    """
    _measure(name, kind, config)
    with explained(
        f"the weights of {name!r} cannot be read",
        f"they are missing or damaged: {_WHOLE}",
        lambda error: _known(error, name, kind, options),
    ):
        model, info = _load(name, kind, options)
    missing = sorted(info["missing_keys"])
    body = [weight for weight in missing if _in_body(model, weight)]
    if body:
        everything = len(model.state_dict())
        raise LoadError(
            f"{name!r} lacks {len(body)} of the {everything} weights of {kind.__name__}, random "
            f"numbers would stand in for them: {_some(body)}; the weights are incomplete, or "
            f"config.json is of another model: {_WHOLE}"
        )
    return Checkpoint(model.eval(), tuple(missing), tuple(sorted(info["unexpected_keys"])))


def _load(name: str, kind: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    with torch.random.fork_rng(devices=[]), _without_report():
        torch.manual_seed(0)  # a missing head is drawn from here; restored by fork_rng
        loaded: tuple[Any, dict[str, Any]] = kind.from_pretrained(
            name, output_loading_info=True, trust_remote_code=False, weights_only=True, **options
        )
    return loaded


def _known(error: Exception, name: str, kind: Any, options: dict[str, Any]) -> LoadError | None:
    """What to say of a file with more than weights in it, or with weights of other shapes."""
    if "weights_only" in str(error):  # torch's own advice is to run what is in the file
        return LoadError(
            f"the weights of {name!r} cannot be read: their file is damaged, or it holds other "
            f"Python objects than tensors, which are not read: {_WHOLE}, as model.safetensors"
        )
    if "mismatch" not in str(error):
        return None
    wrong = [
        f"{weight} is {tuple(theirs)}, expected {tuple(ours)}"
        for weight, theirs, ours in sorted(_misfits(name, kind, options))
    ]
    return LoadError(
        f"{len(wrong) or 'some'} weights of {name!r} have other shapes than its config.json says"
        f"{': ' * bool(wrong)}{_some(wrong)}; {_RESTORE}"
    )


def _misfits(name: str, kind: Any, options: dict[str, Any]) -> set[tuple[str, Any, Any]]:
    """Weights, their shapes in the file and in the model, which itself is thrown away."""
    try:
        _, info = _load(name, kind, {**options, "ignore_mismatched_sizes": True})
    except Exception:  # transformers cannot go on past some of them; the refusal stands
        return set()
    found: set[tuple[str, Any, Any]] = info["mismatched_keys"]
    return found


def _measure(name: str, kind: Any, config: Any) -> None:
    """Make the model without memory, and refuse one that is too big to be in the folder's files.

    Otherwise random numbers for all that is missing would be drawn before it is noticed.

    Raises:
        LoadError: no such model can be made, or it has more weights than the files have bits.
    """
    bits = 8 * sum(
        file.stat().st_size
        for pattern in ("*.safetensors", "*.bin")
        for file in Path(name).glob(pattern)
    )
    layers = getattr(config, "num_hidden_layers", 0)
    size = layers if isinstance(layers, int) else 0  # a block has a weight at least
    with explained(f"no {kind.__name__} can be made from the config.json of {name!r}", _RESTORE):
        if size <= max(bits, _BLOCKS):
            with torch.device("meta"), torch.random.fork_rng(devices=[]):
                model = kind(config)
            size = sum(p.numel() for n, p in model.named_parameters() if _in_body(model, n))
            bits = max(bits, _WEIGHTS) if bits else 0
    if bits and size > bits:
        raise LoadError(
            f"{name!r} does not hold the {kind.__name__} of {size:.3g} weights or more that its "
            f"config.json speaks of: its files are too small; {_RESTORE}, or {_WHOLE}"
        )


def _in_body(model: Any, weight: str) -> bool:
    """Whether the residual stream depends on a weight: all but the language-model head's do."""
    prefix = str(getattr(model, "base_model_prefix", ""))
    split = bool(prefix) and isinstance(getattr(model, prefix, None), torch.nn.Module)
    return weight.startswith(f"{prefix}.") if split else True


@contextmanager
def _without_report() -> Iterator[None]:
    """Drop transformers' warnings of missing weights in this thread: all are accounted for here."""
    logger, thread = logging.getLogger("transformers.modeling_utils"), threading.get_ident()

    def passes(record: logging.LogRecord) -> bool:
        said = str(record.msg)
        return record.thread != thread or not ("LOAD REPORT" in said or "seem corrupted" in said)

    logger.addFilter(passes)
    try:
        yield
    finally:
        logger.removeFilter(passes)


def _some(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _first_line(error: Exception) -> str:
    """The first line of a message; of a setting's, the second as well, which says why."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = " ".join(lines[: 2 if lines and "alidation error" in lines[0] else 1])
    return (said or type(error).__name__).rstrip(".:;!")
