"""How a pass computes what its layers define: as the model's code does, or by faster functions."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, final

import torch
from torch import nn

from .gelu import GELUS, gelu
from .linear import ENOUGH, OUTPUTS, has_faster_linear, linear, plain

__all__ = ["Arithmetic", "FasterLayers"]

Arithmetic = Literal["auto", "model"]
"""``auto``: the faster function where there is one; ``model``: what the model's own code calls."""


OWN = "the model's own code"


@final
class FasterLayers:
    """Layers of a model that compute the same function faster while a pass runs.

    Large float32 products of linear layers are made by oneDNN where the processor is faster so
    (:mod:`linrep.hooks.paths.linear`), and the tanh form of GELU in one pass
    (:mod:`linrep.hooks.paths.gelu`). Seen are layers that are of these classes themselves, not of
    subclasses. All else goes the usual way: other dtypes and devices, passes that record gradients,
    cast by themselves, or are watched by a mode of PyTorch's.

    Args:
        model: its layers get another ``forward`` for the while, and have their own again after.
        arithmetic: ``model`` leaves them alone, and so does ``auto`` where nothing is won.
        enough: multiplications of a product from which on oneDNN is asked.

    >>> layer, rows = nn.Linear(512, 512), torch.ones(64, 512)
    >>> with torch.inference_mode():
    ...     own = layer(rows)
    ...     with FasterLayers(layer).running():
    ...         other = layer(rows)
    >>> bool((own - other).abs().max() < 1e-4), "forward" in vars(layer)
    (True, False)
    """

    def __init__(
        self, model: nn.Module, arithmetic: Arithmetic = "auto", *, enough: int | None = None
    ) -> None:
        least = ENOUGH if enough is None else enough
        layers = list(model.modules()) if arithmetic == "auto" else []
        self._linear = tuple(
            (layer, partial(linear, layer, OUTPUTS[type(layer)], least))
            for layer in (layers if has_faster_linear() else ())
            if type(layer) in OUTPUTS
        )
        self._gelus = tuple((each, partial(gelu, each)) for each in layers if type(each) in GELUS)
        # As for the model's own dtype, its first weight speaks for all.
        self._in_memory = plain(next(model.parameters(), None))

    @property
    def said(self) -> str:
        """Who computes, in words for the manifest.

        >>> FasterLayers(nn.Linear(4, 4), "model").said
        "the model's own code"
        """
        kinds = {type(layer) for layer, _ in self._faster()}
        parts = []
        if kinds & OUTPUTS.keys() and any(plain(layer.weight) for layer, _ in self._linear):
            parts.append("large products by oneDNN (AMD processor with AVX-512)")
        if kinds & set(GELUS) and self._in_memory:
            parts.append("GELU in one pass")
        return ", ".join([*parts, "all else by the model's code"] if parts else [OWN])

    @property
    def replaces(self) -> bool:
        """Whether anything is computed faster here and now."""
        return self.said != OWN

    def _faster(self) -> tuple[tuple[nn.Module, partial[Any]], ...]:
        """Layers that a pass which began now would compute faster."""
        if _watched():
            return ()
        by_onednn = self._linear if torch.backends.mkldnn.enabled else ()
        return tuple(
            (layer, new)
            for layer, new in (*by_onednn, *self._gelus)
            if type(layer).forward is _AS_WRITTEN.get(type(layer))
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """While a pass runs. Layers that have another ``forward`` already keep it."""
        layers = self._faster() if torch.is_inference_mode_enabled() else ()
        mine = [(vars(layer), new) for layer, new in layers if "forward" not in vars(layer)]
        try:
            for names, new in mine:
                names["forward"] = new  # past nn.Module.__setattr__, which looks for parameters
            yield
        finally:
            for names, new in mine:
                if names.get("forward") is new:
                    del names["forward"]


def _as_written(kind: type[nn.Module]) -> Any:
    """A layer's ``forward`` if it stands in the file of its class: others may have put another."""
    code = getattr(kind.forward, "__code__", None)
    return kind.forward if code and code.co_filename == inspect.getfile(kind) else None


def _watched() -> bool:
    """Whether somebody looks at, replaces or casts what PyTorch computes."""
    private: Any = torch._C
    return bool(
        private._len_torch_function_stack()
        or private._len_torch_dispatch_stack()
        or torch.is_autocast_enabled("cpu")
    )


_AS_WRITTEN = {kind: _as_written(kind) for kind in (*OUTPUTS, *GELUS)}
