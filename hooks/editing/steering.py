"""Steering: push the stream along a direction while a block lasts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...core import Subspace, checked
from ..errors import CaptureError
from ..paths.wiring import input_device
from ..store.activations import Activations
from .edits import edit
from .given import numbers
from .where import Change

__all__ = ["Operation", "steer", "unit_vector"]

Operation = Literal["add", "project_out", "clamp"]


@checked(CaptureError)
@contextmanager
def steer(
    model: Any,
    directions: Mapping[str, Any],
    *,
    strength: Any,
    norm: Any = None,
    operation: str = "add",
    where: Any = None,
) -> Iterator[Any]:
    """Move the stream at sites along a direction while the block lasts.

    With ``d`` the direction at unit length and ``a`` the strength times the mean norm of the stream
    at that site: ``add`` gives ``x + a d``; ``clamp`` makes the part along ``d`` equal to ``a d``;
    ``project_out`` takes the share ``strength`` of that part away (1: all of it) and needs no norm.

    Guarantee: at strength 0 ``add`` and ``project_out`` leave every bit of the stream as it is;
    under ``generate`` the result is the same with and without a cache; on leaving, also by an
    exception, the model is as before.

    Args:
        model: as for :func:`linrep.edit`.
        directions: per site ``[d_model]``, of any length but 0: a difference of means, say.
        strength: in units of the mean norm, either sign; one number, or one per site.
        norm: the mean norm of the stream: a number, one per site, a capture that has these sites
            (the mean over its words), or token ids ``[batch, position]`` without padding on which
            it is measured before the block begins (the mean over all positions, the first included,
            whose norm is often far above the others').
        operation: ``add``, ``project_out`` or ``clamp``.
        where: as for :func:`linrep.edit`.

    Yields:
        Any: the model to call.

    Raises:
        CaptureError: an unknown operation, a direction without length, a strength or norm that is
            missing or no number.

    >>> from linrep.models import PlainConfig, PlainTransformer, initialise
    >>> model = initialise(PlainTransformer(PlainConfig(vocab_size=5)), seed=0)
    >>> ids, site = torch.tensor([[1, 2]]), "blocks.0.hook_resid_post"
    >>> with steer(model, {site: np.eye(16)[0]}, strength=0.5, norm=ids) as steered:
    ...     pushed = steered(ids).logits
    >>> torch.equal(pushed, model(ids).logits)
    False
    """
    if operation not in get_args(Operation):
        raise CaptureError(
            f"operation is one of {', '.join(get_args(Operation))}; received {operation!r}"
        )
    units = {site: unit_vector(site, given) for site, given in directions.items()}
    sizes = _per_site("strength", strength, units)
    lengths = dict.fromkeys(units, 1.0)
    if operation != "project_out":
        lengths = _norms(model, norm, units)
    changes = {
        site: _along(site, unit, operation, sizes[site], sizes[site] * lengths[site])
        for site, unit in units.items()
    }
    with edit(model, changes, where=where) as ready:
        yield ready


def unit_vector(site: str, given: Any) -> Float[Tensor, " d_model"]:
    """A direction at unit length.

    Raises:
        CaptureError: it is no vector, or has no direction.
    """
    if isinstance(given, Subspace):
        raise CaptureError(
            f"the direction at {site} is a Subspace, whose sign is arbitrary: give a vector "
            "[d_model], or take the subspace out with linrep.erase"
        )
    vector = numbers(f"the direction at {site}", given)
    length = float(vector.norm()) if vector.ndim == 1 else 0.0
    if not (0 < length < float("inf")):
        raise CaptureError(
            f"the direction at {site} is a vector [d_model] of finite length above 0; received "
            f"shape {tuple(vector.shape)}, length {float(vector.norm()):g}"
        )
    return vector / length


def _per_site(what: str, given: Any, sites: Mapping[str, Any]) -> dict[str, float]:
    """One finite number for each site.

    Raises:
        CaptureError: there is none.
    """
    found = {}
    for site in sites:
        one = given.get(site) if isinstance(given, Mapping) else given
        value = numbers(f"{what} at {site}", one)
        if value.numel() != 1 or not bool(torch.isfinite(value).all()):
            raise CaptureError(f"{what} is a finite number, or one per site; received {one!r}")
        found[site] = float(value)
    return found


def _norms(model: Any, norm: Any, sites: Mapping[str, Any]) -> dict[str, float]:
    """Mean norm of the stream at each site, given or measured.

    Raises:
        CaptureError: it is missing, or not positive.
    """
    if norm is None:
        raise CaptureError(
            "strength counts in mean norms of the stream: give norm, as numbers, as a capture, or "
            "as token ids [batch, position] to measure it on"
        )
    if isinstance(norm, Activations):
        found = {
            site: float(
                np.linalg.norm(np.asarray(norm[site], np.float64)[norm.kept], axis=1).mean()
            )
            for site in sites
        }
    elif getattr(norm, "ndim", 0) == 2:
        found = _measured(model, norm, sites)
    else:
        found = _per_site("norm", norm, sites)
    for site, value in found.items():
        if not (0 < value < float("inf")):
            raise CaptureError(f"the mean norm at {site} is {value:g}; expected one above 0")
    return found


def _is_whole(ids: Any) -> bool:
    kind = str(getattr(ids, "dtype", ""))
    return "int" in kind


def _measured(model: Any, ids: Any, sites: Mapping[str, Any]) -> dict[str, float]:
    """Mean norms on these inputs.

    Raises:
        CaptureError: these are no token ids.
    """
    tokens = torch.as_tensor(ids).long() if _is_whole(ids) else torch.as_tensor(ids)
    if tokens.is_floating_point() or tokens.is_complex() or tokens.numel() == 0:
        raise CaptureError(
            f"norm is measured on token ids [batch, position]; received {tokens.dtype} of shape "
            f"{tuple(tokens.shape)}"
        )
    found: dict[str, float] = {}

    def measure(site: str) -> Change:
        def see(stream: Tensor) -> Tensor:
            found[site] = float(stream.detach().double().norm(dim=-1).mean())
            return stream

        return see

    with torch.inference_mode(), edit(model, {site: measure(site) for site in sites}) as ready:
        inner = getattr(ready, "original_model", ready)
        ready(tokens.to(input_device(inner)))
    return found


def _along(
    site: str, unit: Float[Tensor, " d_model"], operation: str, strength: float, length: float
) -> Change:
    def change(stream: Tensor) -> Tensor:
        if stream.shape[-1] != len(unit):
            raise CaptureError(
                f"the direction at {site} has d_model {len(unit)}, the stream {stream.shape[-1]}: "
                "give a direction of this model at this site"
            )
        if strength == 0 and operation != "clamp":
            return stream
        x, d = stream.double(), unit.to(stream.device)
        if operation == "add":
            return x + length * d
        part = (x @ d)[..., None]
        return x - strength * part * d if operation == "project_out" else x + (length - part) * d

    return change
