"""Plain forward hooks on an untouched model: its own weights, its own attention kernel."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from ..errors import CaptureError
from ..inputs.batching import Batch
from .path import OwnPass, Tap, model_running
from .sites import Site
from .wiring import Wiring, input_device, wire

__all__ = ["ModulePath", "model_inputs", "replaced", "stream_of"]


def model_inputs(wiring: Wiring, batch: Batch) -> dict[str, Any]:
    """Arguments of the forward pass: ids, mask and, where the model takes them, positions.

    Without padding nothing but the ids is passed, so the model takes its fastest kernel. With
    padding on either side, positions are counted along the mask, unless the model counts its own
    from the padding id (RoBERTa).
    """
    device = input_device(wiring.body)
    inputs: dict[str, Any] = {"input_ids": batch.ids.to(device)}
    if not batch.full:
        mask = batch.mask.long().to(device)
        inputs["attention_mask"] = mask
        if wiring.positions == "mask":
            inputs["position_ids"] = (mask.cumsum(-1) - 1).clamp(min=0)
    return inputs


def stream_of(output: Any) -> Tensor:
    """The residual stream in what a block returns: a tensor, or the first of a tuple or list.

    Raises:
        CaptureError: neither.
    """
    found = output[0] if isinstance(output, (tuple, list)) and output else output
    if not isinstance(found, Tensor):
        raise CaptureError(
            f"a block returned {type(output).__name__}; expected a tensor, or a tuple or list that "
            "begins with one: this model needs an adapter in TransformerLens"
        )
    return found


def replaced(output: Any, stream: Tensor) -> Any:
    """The block's output with another stream in it, of the same form."""
    if isinstance(output, list):
        return [stream, *output[1:]]
    return (stream, *output[1:]) if isinstance(output, tuple) else stream


@final
class ModulePath:
    """Reads and edits ``resid_pre`` and ``resid_post`` by forward hooks.

    Args:
        model: any Hugging Face model; nothing in it is changed.
        wiring: its blocks and conventions; found by
            :func:`linrep.hooks.paths.wiring.wire` if not given.
        inputs: makes the forward pass's arguments from a batch.
        unpack: takes the stream out of a block's output.

    ``inputs`` and ``unpack`` exist for models with conventions of their own; whoever passes them
    answers for them, and the self-check looks.
    """

    name = "modules"

    def __init__(
        self,
        model: nn.Module,
        wiring: Wiring | None = None,
        *,
        inputs: Callable[[Wiring, Batch], dict[str, Any]] = model_inputs,
        unpack: Callable[[Any], Tensor] = stream_of,
    ) -> None:
        self._model = model
        self.wiring = wire(model) if wiring is None else wiring
        self._inputs, self._unpack = inputs, unpack
        self._pass = OwnPass()
        takes = inspect.signature(self.wiring.body.forward).parameters
        self._options = {"use_cache": False} if "use_cache" in takes else {}

    @property
    def source(self) -> str:
        """Where the blocks were found."""
        return f"forward hooks on {self.wiring.path!r} ({self.wiring.source})"

    @property
    def model(self) -> Any:
        """The model itself."""
        return self._model

    @property
    def untouched(self) -> Any:
        """The model itself: hooks replace nothing."""
        return self._model

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return len(self.wiring.blocks)

    def missing(self, sites: tuple[str, ...]) -> list[str]:
        """Sites other than ``resid_pre`` and ``resid_post``."""
        parsed = {name: Site.parse(name) for name in sites}
        return [name for name, site in parsed.items() if site is None or site.kind == "mid"]

    @contextmanager
    def attach(self, taps: Mapping[str, Tap], *, stop: bool = False) -> Iterator[None]:
        """Hang taps on blocks; removed on exit.

        Raises:
            CaptureError: a site that this path does not reach.
        """
        places = {name: Site.parse(name) for name in taps}
        deepest = max((s.depth for s in places.values() if s is not None), default=None)
        with ExitStack() as stack:
            for name, site in places.items():
                if site is None or site.kind == "mid":
                    raise CaptureError(
                        f"site {name!r} is not reached by forward hooks on blocks: ask for "
                        "resid_pre or resid_post, or capture with path='bridge'"
                    )
                last = stop and site.depth == deepest
                handle = self._hang(site, taps[name], last)
                stack.callback(handle.remove)
            yield

    def forward(self, batch: Batch) -> Any:
        """Run the model's body; ``None`` if a tap stopped it."""
        inputs = self._inputs(self.wiring, batch)
        with self._pass, model_running(self._model):
            return self.wiring.body(**inputs, **self._options)
        return None

    def _hang(self, site: Site, tap: Tap, last: bool) -> torch.utils.hooks.RemovableHandle:
        block, stop = self.wiring.blocks[site.layer], self._pass.stop if last else None
        if site.kind == "post":
            return block.register_forward_hook(partial(_after, tap, self._unpack, stop))
        return block.register_forward_pre_hook(partial(_before, tap, stop), with_kwargs=True)


def _after(
    tap: Tap,
    unpack: Callable[[Any], Tensor],
    stop: Callable[[], None] | None,
    _: nn.Module,
    __: Any,
    output: Any,
) -> Any:
    edited = tap(unpack(output))
    if stop is not None:
        stop()
    return None if edited is None else replaced(output, edited)


def _before(
    tap: Tap,
    stop: Callable[[], None] | None,
    _: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    stream = args[0] if args else kwargs["hidden_states"]
    edited = tap(stream)
    if stop is not None:
        stop()
    if edited is None:
        return None
    if args:
        return (edited, *args[1:]), kwargs
    return args, {**kwargs, "hidden_states": edited}
