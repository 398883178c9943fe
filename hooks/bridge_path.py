"""The same places through TransformerLens's bridge, and every other place it names."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, final

from torch import Tensor, nn

from ..models import to_bridge
from .batching import Batch
from .errors import SiteError
from .path import Stop, Tap
from .sites import Site
from .wiring import Wiring, input_device, wire

__all__ = ["BridgePath", "bridged"]


def bridged(model: nn.Module, wiring: Wiring, *, share: bool) -> "BridgePath":
    """The path through a bridge around a copy of ``model``, which stays as it is.

    Args:
        model: a Hugging Face model.
        wiring: its conventions.
        share: the copy has modules of its own, around the same weights (a native bridge changes
            none), so that it costs no memory; otherwise weights of its own as well.
    """
    if not share:
        return BridgePath(to_bridge(model), wiring, untouched=model)
    # Parameters of a subclass (quantised ones) keep more than their values: these are copied.
    same: dict[int, Any] = {
        id(p): nn.Parameter(p.detach(), requires_grad=p.requires_grad)
        for p in model.parameters()
        if type(p) is nn.Parameter
    }
    twin = copy.deepcopy(model, same)
    return BridgePath(to_bridge(twin, keep=False), wiring, untouched=model)


@final
class BridgePath:
    """Reads and edits any hook of a ``TransformerBridge`` that carries the stream's shape.

    Args:
        bridge: the bridge, native (not in compatibility mode).
        wiring: conventions of the model inside (limit, padding id); taken before bridging if
            possible, found here otherwise.
        untouched: the model as it was before it was bridged, if there still is one.
    """

    name = "bridge"

    def __init__(self, bridge: Any, wiring: Wiring | None = None, *, untouched: Any = None) -> None:
        self.bridge = bridge
        self._untouched = untouched
        self.wiring = wire(bridge.original_model) if wiring is None else wiring

    @property
    def source(self) -> str:
        """Which adapter names the places."""
        mode = "compatibility" if getattr(self.bridge, "compatibility_mode", False) else "native"
        return f"TransformerLens bridge of {type(self.model).__name__}, {mode} mode"

    @property
    def model(self) -> Any:
        """The Hugging Face model inside, whose modules the bridge has replaced."""
        return self.bridge.original_model

    @property
    def untouched(self) -> Any:
        """The model as it was before; ``None`` for a bridge that came ready-made."""
        return self._untouched

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return int(self.bridge.cfg.n_layers)

    def missing(self, sites: tuple[str, ...]) -> list[str]:
        """Sites that the bridge has no hook for."""
        known = self.bridge.hook_dict
        return [name for name in sites if name not in known]

    @contextmanager
    def attach(self, taps: Mapping[str, Tap], *, stop: bool = False) -> Iterator[None]:
        """Hang taps on the bridge's hooks; removed on exit.

        Raises:
            SiteError: the bridge has switched the place off.
        """
        places = {name: Site.parse(name) for name in taps}
        on_stream = all(site is not None for site in places.values())
        deepest = max((s.depth for s in places.values() if s is not None), default=None)
        hooks = []
        for name, site in places.items():
            last = stop and on_stream and site is not None and site.depth == deepest
            hooks.append((name, _hook(taps[name], last)))
        with ExitStack() as stack:
            try:
                stack.enter_context(self.bridge.hooks(fwd_hooks=hooks))
            except ValueError as error:  # a place that is switched off
                raise SiteError(f"{', '.join(taps)} cannot be read: {error}") from error
            yield

    def forward(self, batch: Batch) -> Any:
        """Run the bridge (it counts positions along the mask); ``None`` if a tap stopped it."""
        device = input_device(self.model)
        ids = batch.ids.to(device)
        full = bool(batch.mask.all())
        mask = {} if full else {"attention_mask": batch.mask.long().to(device)}
        try:
            return self.bridge(ids, **mask)
        except Stop:
            return None


def _hook(tap: Tap, last: bool) -> Callable[..., Tensor | None]:
    def run(tensor: Tensor, hook: Any) -> Tensor | None:
        del hook  # TransformerLens passes it by this name
        edited = tap(tensor)
        if last:
            raise Stop
        return edited

    return run
