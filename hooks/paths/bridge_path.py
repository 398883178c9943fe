"""The same places through TransformerLens's bridge, and every other place it names."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, final

import torch
from torch import Tensor, nn

from ...models import to_bridge
from ..errors import SiteError
from ..inputs.batching import Batch
from .path import OwnPass, Tap, model_running
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

    Raises:
        SiteError: the bridge cannot run at all.
    """
    if share:
        # Parameters of a subclass (quantised ones) keep more than their values: these are copied.
        same: dict[int, Any] = {
            id(p): nn.Parameter(p.detach(), requires_grad=p.requires_grad)
            for p in model.parameters()
            if type(p) is nn.Parameter
        }
        bridge = to_bridge(copy.deepcopy(model, same), keep=False)
    else:
        bridge = to_bridge(model)
    path = BridgePath(bridge, wiring, untouched=model)
    path.find_post_norm()
    return path


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
        self._post_norm: frozenset[int] | None = None
        self._pass = OwnPass()
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
            hook = _hook(taps[name], self._pass.stop if last else None)
            hooks.append((self._place(name, site), hook))
        with ExitStack() as stack:
            try:
                stack.enter_context(self.bridge.hooks(fwd_hooks=hooks))
            except ValueError as error:  # a place that is switched off
                raise SiteError(
                    f"{', '.join(taps)} cannot be read ({error}): ask for resid_pre or resid_post"
                ) from error
            yield

    def find_post_norm(self) -> frozenset[int]:
        """Blocks whose second norm comes behind the MLP; runs one token, once.

        Raises:
            SiteError: the bridge cannot run at all.
        """
        if self._post_norm is None:
            self._post_norm = _post_norm_blocks(self.bridge)
        return self._post_norm

    def _place(self, name: str, site: Site | None) -> str:
        """TransformerLens's name of a site.

        Its ``hook_resid_mid`` is the input of the block's second norm. In post-norm blocks (BERT)
        that norm comes behind the MLP, so there the MLP's own input is the stream in the middle.

        Raises:
            SiteError: a post-norm block whose MLP has no such place.
        """
        if site is None or site.kind != "mid":
            return name
        if site.layer not in self.find_post_norm():
            return name
        inside = f"blocks.{site.layer}.mlp.hook_in"
        if inside not in self.bridge.hook_dict:
            raise SiteError(
                f"{name} cannot be read: the block's second norm comes behind its MLP, and "
                f"TransformerLens names no place in front of the MLP ({inside})"
            )
        return inside

    def forward(self, batch: Batch) -> Any:
        """Run the bridge (it counts positions along the mask); ``None`` if a tap stopped it."""
        device = input_device(self.model)
        ids = batch.ids.to(device)
        mask = {} if batch.full else {"attention_mask": batch.mask.long().to(device)}
        with self._pass, model_running(self.model):
            return self.bridge(ids, **mask)
        return None


def _hook(tap: Tap, stop: Callable[[], None] | None) -> Callable[..., Tensor | None]:
    def run(tensor: Tensor, hook: Any) -> Tensor | None:
        del hook  # TransformerLens passes it by this name
        edited = tap(tensor)
        if stop is not None:
            stop()
        return edited

    return run


def _post_norm_blocks(bridge: Any) -> frozenset[int]:
    """Blocks whose second norm runs behind their MLP, found by running one token.

    Raises:
        SiteError: the bridge does not run.
    """
    order: list[tuple[int, str]] = []

    def note(layer: int, part: str) -> Callable[..., None]:
        return lambda *_: order.append((layer, part))

    token = torch.zeros((1, 1), dtype=torch.long, device=input_device(bridge.original_model))
    with ExitStack() as stack:
        for layer, block in enumerate(getattr(bridge, "blocks", ())):
            for part in ("ln2", "mlp"):
                whole = block.submodules.get(part)
                for module in () if whole is None else (whole, *whole.submodules.values()):
                    handle = module.register_forward_pre_hook(note(layer, part))
                    stack.callback(handle.remove)
        try:
            with torch.inference_mode():
                bridge(token)
        except (RuntimeError, ValueError, TypeError, AttributeError, LookupError) as error:
            raise SiteError(
                f"TransformerLens's bridge of {type(bridge.original_model).__name__} does not run "
                f"({str(error).splitlines()[0][:120]}), so only resid_pre and resid_post can be "
                'reached: ask for these, with path="modules" or "auto"'
            ) from error
    first = dict(reversed(order))
    normed = {layer for layer, part in order if part == "ln2"}
    return frozenset(layer for layer, part in first.items() if part == "mlp" and layer in normed)
