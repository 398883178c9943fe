"""Edits of the residual stream, for as long as a ``with`` block lasts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core import Subspace, checked
from ...models import load
from ..errors import CaptureError, SiteError
from ..paths.bridge_path import BridgePath
from ..paths.module_path import ModulePath
from ..paths.path import Path, Tap
from ..paths.sites import Site
from ..reading.prepared import left_alone
from .given import fitted, numbers
from .where import Change, Where

__all__ = ["edit", "erase", "swap"]


@checked(CaptureError)
@contextmanager
def edit(model: Any, changes: Mapping[str, Change], *, where: Any = None) -> Iterator[Any]:
    """Change the stream at sites while the block lasts; the model runs as it always does.

    Guarantee: on leaving, also by an exception, the model is as before.

    Rules for ``where`` mean the same positions with and without a cache, also under ``generate``:
    ``"prompt"`` are the positions the model was given, ``"generated"`` those it made itself,
    ``"last"`` is the last token of each prompt. Outside ``generate``, a pass with an empty cache is
    a prompt. The function then sees only the chosen positions (of ``"generated"``, as many as a
    pass holds: let it treat each position by itself).

    Args:
        model: a constructed model, a ``PreTrainedModel`` or a bridge (an instance).
        changes: per site a function from the stream to the stream, ``[batch, position, d_model]``.
        where: a rule (``"all"`` is the default), or a mask ``[batch, position]`` of exactly the
            stream's shape, for passes over whole inputs.

    Yields:
        Any: the model to call.

    Raises:
        SiteError: a site that is a reading only (``resid_mid``), or not there.
        CaptureError: not a model, a change that alters the shape, or a mask of another shape.

    >>> from linrep.models import PlainConfig, PlainTransformer, initialise
    >>> model = initialise(PlainTransformer(PlainConfig(vocab_size=5)), seed=0)
    >>> ids = torch.tensor([[1, 2]])
    >>> before = model(ids).logits
    >>> with edit(model, {"blocks.0.hook_resid_post": torch.zeros_like}):
    ...     during = model(ids).logits
    >>> torch.equal(before, during), torch.equal(before, model(ids).logits)
    (False, True)
    """
    places = Where(where)
    with left_alone(model):
        path = _path(model)
        _check_sites(path, changes)
        taps = {site: _tap(site, change, places) for site, change in changes.items()}
        ready = load(model).model
        with places.following(path, ready), path.attach(taps):
            yield ready


def _check_sites(path: Path, sites: Iterable[str]) -> None:
    for site in sites:
        parsed = Site.parse(site)
        if parsed is not None and parsed.layer >= path.n_layers:
            raise SiteError(f"{site} lies outside the model: it has {path.n_layers} blocks")
        if parsed is None or parsed.kind == "mid" or path.missing((site,)):
            raise SiteError(
                f"{site} cannot be edited: give resid_pre or resid_post of one of the "
                f"{path.n_layers} blocks (only the MLP reads resid_mid: the stream passes it by)"
            )


@checked(CaptureError)
@contextmanager
def erase(
    model: Any,
    what: Mapping[str, Any],
    *,
    mean: Mapping[str, Any] | None = None,
    where: Any = None,
) -> Iterator[Any]:
    """Take subspaces out of the stream while the block lasts.

    The part of each activation inside the subspace is replaced by that of ``mean`` (zero if none
    is given): ``x - P (x - mean)``. An eraser (LEACE, say) is applied as it is.

    Args:
        model: as for :func:`edit`.
        what: per site a :class:`linrep.Subspace`, or a callable on ``[token, d_model]`` arrays.
        mean: per site ``[d_model]``, a tensor or an array.
        where: as for :func:`edit`.

    Yields:
        Any: the model to call.
    """
    changes: dict[str, Change] = {}
    for site, one in what.items():
        centre = None if mean is None else mean.get(site)
        changes[site] = (
            _remove(site, one, f"the mean at {site}", centre)
            if isinstance(one, Subspace)
            else _apply(site, one)
        )
    with edit(model, changes, where=where) as ready:
        yield ready


@checked(CaptureError)
@contextmanager
def swap(
    model: Any,
    what: Mapping[str, Any],
    source: Mapping[str, Any],
    *,
    where: Any = None,
) -> Iterator[Any]:
    """Put another run's state into subspaces of the stream while the block lasts.

    ``x - P x + P source``: everything outside the subspace stays.

    Args:
        model: as for :func:`edit`.
        what: per site the :class:`linrep.Subspace`.
        source: per site activations ``[batch, position, d_model]`` of the positions that are
            changed (tensors of any dtype, arrays), whose part inside the subspace is put in. Batch
            and position may be 1, the same for all; so is ``[d_model]``. Under a rule these are
            the chosen positions alone: under ``"last"`` one for each input.
            :func:`linrep.hooks.at_positions` makes them from a capture.
        where: as for :func:`edit`.

    Yields:
        Any: the model to call.

    Raises:
        CaptureError: a site without a source or without a subspace.
    """
    absent = [site for site in what if site not in source]
    if absent:
        raise CaptureError(f"swap needs a source for {', '.join(absent)}: activations to put in")
    given = {site: numbers(f"the source at {site}", source[site]) for site in what}
    for site, one in what.items():
        if not isinstance(one, Subspace):
            raise CaptureError(
                f"swap needs a linrep.Subspace at {site}; received {type(one).__name__}"
            )
    changes = {
        site: _remove(site, one, f"the source at {site}", given[site]) for site, one in what.items()
    }
    with edit(model, changes, where=where) as ready:
        yield ready


def _remove(site: str, subspace: Subspace, what: str, other: Any) -> Change:
    """``x - P (x - other)``, computed in float64."""
    basis = torch.from_numpy(np.array(subspace.basis))
    target = None if other is None else numbers(what, other)

    def change(stream: Tensor) -> Tensor:
        if stream.shape[-1] != len(basis):
            raise CaptureError(
                f"the subspace has d_model {len(basis)}, the stream at {site} {stream.shape[-1]}: "
                "give a subspace of this model at this site"
            )
        x = stream.double()
        away = x if target is None else x - fitted(what, target, stream)
        here = basis.to(x.device)
        return x - (away @ here) @ here.T

    return change


def _apply(site: str, eraser: Callable[[np.ndarray], Any]) -> Change:
    def change(stream: Tensor) -> Tensor:
        flat = stream.detach().double().reshape(-1, stream.shape[-1]).cpu().numpy()
        erased = numbers(f"what the eraser at {site} returns", eraser(flat))
        if erased.shape != flat.shape:
            raise CaptureError(
                f"the eraser at {site} turns {flat.shape} into {tuple(erased.shape)}: it must keep "
                "the shape [token, d_model]"
            )
        return erased.reshape(stream.shape)

    return change


def _tap(site: str, change: Change, places: Where) -> Tap:
    def checked(stream: Tensor) -> Tensor:
        changed = change(stream)
        if not isinstance(changed, Tensor) or changed.shape != stream.shape:
            shape = tuple(changed.shape) if isinstance(changed, Tensor) else type(changed).__name__
            raise CaptureError(
                f"the change at {site} turns {tuple(stream.shape)} into {shape}: it must return a "
                "tensor and keep the shape"
            )
        return changed.to(device=stream.device, dtype=stream.dtype)

    return lambda stream: places.apply(site, checked, stream)


def _path(model: Any) -> Path:
    if isinstance(model, (ModulePath, BridgePath)):
        return model
    if isinstance(model, str) or hasattr(model, "__fspath__"):
        raise CaptureError(
            "edits need a model that stays: load it first (`linrep.models.load(...).model`)"
        )
    inner = load(model).model
    return BridgePath(inner) if hasattr(inner, "original_model") else ModulePath(inner)
