"""Proof on entry that the activations about to be kept are the model's own."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import CaptureError, SelfCheckError
from ..inputs.alignment import Encoding
from ..inputs.batching import out_of_memory
from ..reading.prepared import PreparedModel
from .effects import edits, norms, sees_next
from .recompute import (
    CheckedInputs,
    batched,
    kernel,
    own_arithmetic,
    reference,
    singles,
    with_stream,
)

__all__ = ["TOLERANCE", "Check", "self_check"]

Check = Literal["special", "arithmetic", "reference", "kernel", "batch", "padding", "edit"]

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 1e-1}
"""Largest relative error of one token's activation, per dtype of the model.

About 1000 units of rounding of float32, 20 of float16 and 25 of bfloat16, which the depth of a
network multiplies. float64 is held to float32's rounding, because many models compute norms,
rotary angles and softmax in float32 whatever their weights are. The mistakes looked for shift
activations by 1e-2 and more."""

PADDED = ("batch", "padding")
ALONE = "skipped: inputs are read one at a time, without padding"

_CAUSES = {
    "arithmetic": "a layer whose function another package has changed, or a fault of the library "
    'that computes it faster; pass arithmetic="model"',
    "reference": "the tensor read there is not the residual stream (another entry of a tuple, a "
    "stream after a norm), or the inputs differ from what the model makes itself of bare ids "
    "(position ids, a mask), or TransformerLens's bridge computes something else than the model "
    '(then capture resid_pre and resid_post with path="modules")',
    "kernel": "the attention kernel computes something else than plain (eager) attention: a wrong "
    "mask or scale; load the model with another attn_implementation",
    "batch": "padding reaches real tokens (the attention mask is dropped or ignored by the "
    "kernel), or words are picked at wrong positions. A model that does not heed the mask is read "
    "one input at a time, without padding: pass batch_size=1",
    "padding": "positions are counted from the left edge instead of along the attention mask, or "
    "the kernel ignores the mask, or makes NaN of rows that are all padding. A model that cannot "
    'be left-padded is captured right-padded: pass check=("reference", "kernel", "batch", "edit")',
}


def self_check(
    subject: PreparedModel,
    encoding: Encoding,
    check: bool | Sequence[str] = True,
    *,
    alone: bool = False,
) -> dict[str, Any]:
    """Compare several ways to the same activations on a few short inputs.

    ``special``: at most one BOS, in front, and no word on a special token. ``arithmetic``: layers
    that are computed faster give what their own code gives. ``reference``: single
    inputs through the hooks equal ``output_hidden_states`` of the untouched model's own forward
    pass on bare ids, where its meaning is clear (not the last entry, which some models norm); a
    bridge is compared around every block, whatever the sites. ``kernel``: that
    pass under eager attention. ``batch``: batched and right-padded equals single. ``padding``:
    left-padded equals right-padded. ``edit``: a change at each site changes the output, and not
    the other inputs of the batch.

    Args:
        subject: the model, ready to be read.
        encoding: inputs, of which a few are taken.
        check: whether to check, or the names of the checks.
        alone: inputs are read one at a time, so that there is no padding to be checked.

    Returns:
        dict[str, Any]: the largest relative error of each check (or why it was skipped), and for
        each site whether a norm has been applied to it; also, as ``sees_next``, whether a token
        sees the one after it.

    Raises:
        SelfCheckError: two ways disagree; names the check, the site and the likely cause.
        CaptureError: an unknown check, or a model that cannot be run on a few short inputs.
        RuntimeError: never, it is caught.
        MemoryError: never, it is caught.
    """
    try:
        return _checked(subject, encoding, check, alone)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise CaptureError(
            f"memory ran out while {subject.name} was checked on a few short inputs: use a larger "
            "machine, or a smaller model"
        ) from error


def _checked(
    subject: PreparedModel, encoding: Encoding, check: bool | Sequence[str], alone: bool
) -> dict[str, Any]:
    """What :func:`self_check` finds.

    Raises:
        CaptureError: an unknown check.
    """
    names: tuple[str, ...] = get_args(Check)
    wanted: tuple[str, ...] = names if check is True else () if check is False else tuple(check)
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise CaptureError(f"unknown checks {unknown}: there are {', '.join(names)}")
    sample = CheckedInputs.of(encoding)
    found: dict[str, Any] = {
        "norms": norms(subject, sample),
        "sees_next": sees_next(subject, sample),
    }
    if not wanted:
        return {**found, "run": "no"}
    if "special" in wanted:
        found["special"] = _special(subject, encoding)
    tolerance = TOLERANCE.get(subject.path.model.dtype, 1e-1)
    watched = with_stream(subject, sample) if "reference" in wanted else subject
    single = singles(watched, sample)
    ways: dict[str, Callable[[], dict[str, Tensor] | str]] = {
        "arithmetic": lambda: own_arithmetic(subject, sample),
        "reference": lambda: reference(watched, sample),
        "kernel": lambda: kernel(subject, sample),
        "batch": lambda: batched(subject, sample, "right"),
        "padding": lambda: batched(subject, sample, "left"),
    }
    for name, way in ways.items():
        if name in wanted:
            other = ALONE if alone and name in PADDED else way()
            found[name] = (
                other if isinstance(other, str) else _worst(name, single, other, tolerance)
            )
    if "edit" in wanted:
        found["edit"] = edits(subject, sample.lines[-1])
    return found


def _special(subject: PreparedModel, encoding: Encoding) -> str:
    bos = getattr(subject.tokenizer, "bos_token_id", None)
    for i, line in enumerate(encoding.lines):
        if bos is not None and len(line) > 1 and line.ids[0] == bos == line.ids[1]:
            raise SelfCheckError(
                f"input {i} begins with BOS twice: the text holds one already and the tokenizer "
                "adds another; pass special_tokens=False"
            )
        outside = (line.start < line.front) | (line.stop > len(line) - line.back)
        if outside.any():
            raise SelfCheckError(
                f"word {int(line.rows[outside.argmax()])} stands on a special token of input {i}: "
                "words and tokens are out of step"
            )
    return "passed"


def _worst(
    check: str, ours: dict[str, Tensor], other: dict[str, Tensor], tolerance: float
) -> float:
    worst = 0.0
    for site, theirs in other.items():
        error = relative_error(ours[site], theirs)
        if not error <= tolerance:
            raise SelfCheckError(
                f"self-check {check!r} failed at {site}: the activations differ by {error:.2g} of "
                f"their size, beyond rounding ({tolerance:.0e}). Likely cause: {_CAUSES[check]}"
            )
        worst = max(worst, error)
    return float(f"{worst:.1e}")


def relative_error(
    ours: Float[Tensor, "token d_model"], theirs: Float[Tensor, "token d_model"]
) -> float:
    """Largest distance of a token's two activations over their length.

    Tokens much shorter than the typical one count with a hundredth of its length, so that rounding
    on a stream that happens to be near zero is no error.
    """
    size = theirs.norm(dim=-1)
    floor = max(float(size.median()) / 100, torch.finfo(torch.float32).tiny)
    distance = (ours - theirs).norm(dim=-1)
    return float((distance / size.clamp(min=floor)).max())
