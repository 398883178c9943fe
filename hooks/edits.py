"""Edits of the residual stream, for as long as a ``with`` block lasts."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..core import Subspace
from ..models import load
from .bridge_path import BridgePath
from .errors import CaptureError, SiteError
from .module_path import ModulePath
from .path import Path, Tap
from .sites import Site

__all__ = ["edit", "erase", "swap"]

Change = Callable[[Float[Tensor, "batch position d_model"]], Tensor]


@contextmanager
def edit(model: Any, changes: Mapping[str, Change], *, where: Any = None) -> Iterator[Any]:
    """Change the stream at sites while the block lasts; the model runs as it always does.

    Guarantee: on leaving, also by an exception, the model is as before.

    Args:
        model: a constructed model, a ``PreTrainedModel`` or a bridge (an instance).
        changes: per site a function from the stream to the stream, ``[batch, position, d_model]``.
        where: ``[batch, position]`` bool (or broadcastable): change only there.

    Yields:
        Any: the model to call.

    Raises:
        SiteError: a site that is a reading only (``resid_mid``), or not there.
        CaptureError: not a model, or a change that alters the shape.

    >>> from linrep.models import PlainConfig, PlainTransformer, initialise
    >>> model = initialise(PlainTransformer(PlainConfig(vocab_size=5)), seed=0)
    >>> ids = torch.tensor([[1, 2]])
    >>> before = model(ids).logits
    >>> with edit(model, {"blocks.0.hook_resid_post": torch.zeros_like}):
    ...     during = model(ids).logits
    >>> torch.equal(before, during), torch.equal(before, model(ids).logits)
    (False, True)
    """
    path = _path(model)
    for site in changes:
        parsed = Site.parse(site)
        if parsed is not None and parsed.layer >= path.n_layers:
            raise SiteError(f"{site} lies outside the model: it has {path.n_layers} blocks")
        if parsed is None or parsed.kind == "mid" or path.missing((site,)):
            raise SiteError(
                f"{site} cannot be edited: give resid_pre or resid_post of one of the "
                f"{path.n_layers} blocks (resid_mid is what the MLP reads, not the stream itself)"
            )
    with path.attach({site: _tap(site, change, where) for site, change in changes.items()}):
        yield load(model).model


@contextmanager
def erase(
    model: Any,
    what: Mapping[str, Any],
    *,
    mean: Mapping[str, np.ndarray] | None = None,
    where: Any = None,
) -> Iterator[Any]:
    """Take subspaces out of the stream while the block lasts.

    The part of each activation inside the subspace is replaced by that of ``mean`` (zero if none
    is given): ``x - P (x - mean)``. An eraser (LEACE, say) is applied as it is.

    Args:
        model: as for :func:`edit`.
        what: per site a :class:`linrep.Subspace`, or a callable on ``[token, d_model]`` arrays.
        mean: per site ``[d_model]``.
        where: ``[batch, position]`` bool: erase only there.

    Yields:
        Any: the model to call.
    """
    changes: dict[str, Change] = {}
    for site, one in what.items():
        centre = None if mean is None else mean.get(site)
        changes[site] = _remove(site, one, centre) if isinstance(one, Subspace) else _apply(one)
    with edit(model, changes, where=where) as ready:
        yield ready


@contextmanager
def swap(
    model: Any,
    what: Mapping[str, Subspace],
    source: Mapping[str, Any],
    *,
    where: Any = None,
) -> Iterator[Any]:
    """Put another run's state into subspaces of the stream while the block lasts.

    ``x - P x + P source``: everything outside the subspace stays.

    Args:
        model: as for :func:`edit`.
        what: per site the subspace.
        source: per site activations ``[batch, position, d_model]`` (or broadcastable) whose part
            inside the subspace is put in.
        where: ``[batch, position]`` bool: swap only there.

    Yields:
        Any: the model to call.

    Raises:
        CaptureError: a site without a source.
    """
    absent = [site for site in what if site not in source]
    if absent:
        raise CaptureError(f"swap needs a source for {', '.join(absent)}: activations to put in")
    changes = {site: _remove(site, one, source[site]) for site, one in what.items()}
    with edit(model, changes, where=where) as ready:
        yield ready


def _remove(site: str, subspace: Subspace, other: Any) -> Change:
    """``x - P (x - other)``, computed in float64."""
    basis = torch.from_numpy(np.array(subspace.basis))
    target = None if other is None else torch.as_tensor(np.asarray(other), dtype=torch.float64)

    def change(stream: Tensor) -> Tensor:
        if stream.shape[-1] != len(basis):
            raise CaptureError(
                f"the subspace has d_model {len(basis)}, the stream at {site} {stream.shape[-1]}"
            )
        x = stream.double()
        away = x if target is None else x - target.to(x.device)
        here = basis.to(x.device)
        return x - (away @ here) @ here.T

    return change


def _apply(eraser: Callable[[np.ndarray], np.ndarray]) -> Change:
    def change(stream: Tensor) -> Tensor:
        flat = stream.detach().double().reshape(-1, stream.shape[-1]).cpu().numpy()
        return torch.from_numpy(np.asarray(eraser(flat))).reshape(stream.shape)

    return change


def _tap(site: str, change: Change, where: Any) -> Tap:
    mask = None if where is None else torch.as_tensor(np.asarray(where), dtype=torch.bool)

    def tap(stream: Tensor) -> Tensor:
        changed = change(stream).to(device=stream.device, dtype=stream.dtype)
        if changed.shape != stream.shape:
            raise CaptureError(
                f"the change at {site} turns {tuple(stream.shape)} into {tuple(changed.shape)}: "
                "it must keep the shape"
            )
        if mask is None:
            return changed
        return torch.where(mask.to(stream.device)[..., None], changed, stream)

    return tap


def _path(model: Any) -> Path:
    if isinstance(model, (ModulePath, BridgePath)):
        return model
    if isinstance(model, str) or hasattr(model, "__fspath__"):
        raise CaptureError(
            "edits need a model that stays: load it first (`linrep.models.load(...).model`)"
        )
    inner = load(model).model
    return BridgePath(inner) if hasattr(inner, "original_model") else ModulePath(inner)
