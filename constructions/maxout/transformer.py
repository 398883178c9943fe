"""Maxout networks as transformers: attention takes the maximum, MLPs are the affine maps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import torch
from torch import Tensor

from ...core import Prediction, checked
from ...core.folders import new_folder
from ...models import PlainTransformer, to_bridge
from ...piecewise import AnyNetwork, Box, MaxoutNetwork, as_box, as_network
from ...piecewise.networks.arraylike import ArrayLike
from .accounting import MaxoutAccounting, measure_sizes
from .error import MaxoutError, inverse_temperatures, norm_bound, signed_bound
from .folder import read_folder
from .layout import MaxoutLayout, piece_target
from .points import read_inputs
from .predictions import PieceReadout, predict_pieces, readouts
from .ranges import check_temperatures, soft_reach
from .readback import read_network, read_temperatures
from .soft import SoftNetwork, uniform
from .weights import block_of, write_weights

__all__ = ["MaxoutTransformer"]

Outside = Literal["error", "allow"]
_BATCH = 4096  # inputs in one pass


@final
@checked(MaxoutError)
@dataclass(frozen=True, eq=False, repr=False)
class MaxoutTransformer:
    """A transformer that computes a maxout network with every maximum a softmax average.

    ``d_model = 2 n + T``, one head of dimension 1 per unit, ``T`` tokens (the largest rank),
    ``L + 1`` blocks; the size does not depend on the error, only the query biases do. The model is
    an ordinary Hugging Face model; inputs enter as embeddings (:meth:`embed`).

    Args:
        model: the transformer.
        layout: where everything lies in its residual stream.
        box: inputs it was built for.

    >>> from linrep.piecewise import tent
    >>> t = MaxoutTransformer.from_network(tent(3), box=(0, 1), eps=1e-3)
    >>> bool(np.abs(t([[0.3]]) - tent(3)([[0.3]])).max() <= t.error_bound())
    True
    """

    model: PlainTransformer
    layout: MaxoutLayout
    box: Box

    @classmethod
    def from_network(
        cls,
        net: AnyNetwork,
        box: object,
        eps: float | None = None,
        *,
        inverse_temperature: float | Sequence[float] | None = None,
        split: str = "uniform",
        causal: bool = False,
        dtype: torch.dtype = torch.float64,
    ) -> "MaxoutTransformer":
        """Construct the weights.

        Guarantee: on the box the transformer equals the soft recursion up to rounding, and with
        ``eps`` differs from the network by at most ``eps`` (plus rounding of the dtype).

        Args:
            net: the network, or a ``torch.nn.Sequential`` that is one.
            box: ``(lo, hi)``, scalars for every input, or arrays.
            eps: largest sup error, 1e-3 if nothing is given; temperatures follow (signed bound).
            inverse_temperature: one for all layers, or one per layer, instead of ``eps``.
            split: how layers share ``eps``: ``uniform``, ``split`` or ``sqrt``.
            causal: build for a causal mask (more tokens).
            dtype: number format of the weights.

        Raises:
            MaxoutError: both ``eps`` and temperatures, a temperature the dtype cannot hold (with
                the largest or smallest allowed), pieces too large for the dtype, another dtype.
            BoxError: an empty or inverted box, or one that does not fit.
        """
        net = as_network(net)
        made_box = as_box(box, net.n_inputs)
        if eps is not None and inverse_temperature is not None:
            raise MaxoutError("give eps or inverse_temperature, not both: each sets the other")
        lam = (
            inverse_temperatures(net, 1e-3 if eps is None else eps, split)
            if inverse_temperature is None
            else list(uniform(net, inverse_temperature))
        )
        layout = MaxoutLayout.of(net, causal)
        reaches = soft_reach(net, made_box)
        check_temperatures(net, layout, reaches, lam, dtype)
        model = write_weights(net, layout, reaches, lam, dtype)
        lo, hi = made_box.ends
        model.config.linrep = {
            "construction": "maxout",
            "layout": layout.to_json(),
            "box": [lo.tolist(), hi.tolist()],
        }
        return cls(model, layout, made_box)

    @property
    def inverse_temperatures(self) -> tuple[float, ...]:
        """One per layer, read from the weights."""
        return read_temperatures(self.model, self.layout)

    def to_maxout(self) -> MaxoutNetwork:
        """The network in the weights (hardmax attention computes exactly this one)."""
        return read_network(self.model, self.layout)

    @property
    def soft(self) -> SoftNetwork:
        """The soft recursion with this model's weights and temperatures, in float64."""
        return SoftNetwork(self.to_maxout(), self.inverse_temperatures)

    def embed(self, x: ArrayLike | Tensor, *, outside: Outside = "error") -> Tensor:
        """``[point, token, d_model]`` for ``model(inputs_embeds=...)``: x in X, on every token.

        Raises:
            MaxoutError: the inputs are no numbers or have another shape, or ``outside`` is
                neither of the two.
            BoxError: an input lies outside the box (unless ``outside="allow"``).
        """
        given = read_inputs(x, self.layout.n_inputs)
        if outside == "error":
            self.box.require(given.detach().double().cpu().numpy())
        weight = self.model.posn.weight
        stream = torch.zeros(
            len(given),
            self.layout.tokens,
            self.layout.d_model,
            dtype=weight.dtype,
            device=weight.device,
        )
        stream[:, :, : self.layout.n_inputs] = given.to(weight)[:, None]
        return stream

    def __call__(self, x: Any, *, hardmax: bool = False, outside: Outside = "error") -> Any:
        """Outputs ``[point, output]``: an array for arrays, a tensor for a tensor.

        Args:
            x: ``[point, input]``.
            hardmax: attention picks the largest piece: the network itself, up to rounding.
            outside: ``"allow"`` skips the check of the box; bounds then say nothing.

        Raises:
            MaxoutError: the inputs have another shape.
            BoxError: an input lies outside the box.
        """
        stream = self.embed(x, outside=outside)
        token = self.layout.readout_token
        with torch.set_grad_enabled(isinstance(x, Tensor) and x.requires_grad), self._mode(hardmax):
            rows = [
                self.model(inputs_embeds=part).logits[:, token]
                for part in torch.split(stream, _BATCH)
                if len(part)
            ]
        out = torch.cat(rows) if rows else stream.new_zeros(0, self.layout.n_outputs)
        return out if isinstance(x, Tensor) else out.double().cpu().numpy()

    def attention(self, x: ArrayLike) -> list[np.ndarray]:
        """Per layer the attention weights ``[point, unit, piece]``, as the reading token has them.

        Raises:
            MaxoutError: the inputs have another shape.
            BoxError: an input lies outside the box.
        """
        names = [f"blocks.{n}.attn.hook_pattern" for n in range(1, self.layout.blocks)]
        cache, patterns = self._capture(x, names), []
        for number, name in enumerate(names, 1):
            group = self.layout.group(number)
            rows = cache[name][:, : self.layout.widths[number - 1], self.layout.readout_token]
            patterns.append(rows[..., group.start : group.stop])
        return patterns

    def activations(
        self, x: ArrayLike, sites: Sequence[str], *, every_token: bool = False
    ) -> dict[str, np.ndarray]:
        """The residual stream through TransformerLens, one row per input.

        Args:
            x: ``[point, input]``.
            sites: TransformerLens's names, ``blocks.0.hook_resid_mid``.
            every_token: give ``[point, token, d_model]``, not the reading token's
                ``[point, d_model]``.

        Raises:
            MaxoutError: the inputs have another shape, or the model has no such site.
            BoxError: an input lies outside the box.
        """
        cache = self._capture(x, list(sites))
        if every_token:
            return cache
        return {site: rows[:, self.layout.readout_token] for site, rows in cache.items()}

    def _capture(self, x: ArrayLike, names: list[str]) -> dict[str, np.ndarray]:
        bridge, found, stream = self.bridge, [], self.embed(x)
        unknown = [name for name in names if name not in bridge.hook_dict]
        if unknown:
            last = self.layout.blocks - 1
            raise MaxoutError(f"no site {unknown[0]!r}; try blocks.0..{last}.hook_resid_mid")
        points = len(stream)
        if not points:  # the bridge cannot run without a row
            stream = stream.new_zeros(1, *stream.shape[1:])
        with torch.no_grad():
            for part in torch.split(stream, _BATCH):
                _, cache = bridge.run_with_cache(part, names_filter=lambda name: name in names)
                found.append({name: cache[name].double().cpu().numpy() for name in names})
        return {name: np.concatenate([part[name] for part in found])[:points] for name in names}

    def error_bound(self, method: Literal["signed", "norm"] = "signed") -> float:
        """Bound on ``|t(x) - network(x)|`` over all inputs, without rounding of the dtype.

        Raises:
            MaxoutError: ``method`` is neither of the two.
        """
        net, lam = self.to_maxout(), self.inverse_temperatures
        if method == "norm":
            return norm_bound(net, lam)
        return float(np.abs(signed_bound(net, lam)).max())

    def error_interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Per output ``(lo, hi)`` with ``lo <= t(x) - network(x) <= hi``: the signed bound."""
        return signed_bound(self.to_maxout(), self.inverse_temperatures)

    def accounting(self) -> MaxoutAccounting:
        """Sizes counted in the weights, beside the formulas."""
        return measure_sizes(self.model, self.to_maxout(), self.layout)

    @property
    def predictions(self) -> list[Prediction]:
        """What a probe must find, for every unit of rank 2 or more."""
        return predict_pieces(self.to_maxout(), self.layout)

    @property
    def readouts(self) -> list[PieceReadout]:
        """The predicted readers of active pieces: class weights up to a common shift."""
        return readouts(self.to_maxout(), self.layout)

    def targets(self, x: ArrayLike) -> dict[str, np.ndarray]:
        """Active piece of every unit of the exact network, as text: ``{target: [point]}``."""
        return {
            piece_target(number, unit): pattern[:, unit].astype(str)
            for number, pattern in enumerate(self.to_maxout().pattern(x), 1)
            for unit in range(pattern.shape[1])
        }

    @cached_property
    def bridge(self) -> Any:
        """One bridge, made at first use, for this object's own runs; it keeps no hook."""
        return self.to_bridge()

    def to_bridge(self) -> Any:
        """The model as a new TransformerLens bridge (a copy; this model stays as it is)."""
        return to_bridge(self.model)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write an ordinary Hugging Face folder."""
        self.model.save_pretrained(new_folder(folder, MaxoutError))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "MaxoutTransformer":
        """Read what :meth:`save_pretrained` wrote.

        Raises:
            MaxoutError: no folder there, or it holds another kind of model.
        """
        return cls(*read_folder(folder))

    @contextmanager
    def _mode(self, hardmax: bool) -> Iterator[None]:
        """Switch attention, and switch it back whatever happens."""
        heads: list[Any] = [block_of(self.model, n).attn for n in range(self.layout.blocks)]
        before = [head.hardmax for head in heads]
        try:
            for head in heads:
                head.hardmax = hardmax or head.hardmax
            yield
        finally:
            for head, was in zip(heads, before, strict=True):
                head.hardmax = was

    def __repr__(self) -> str:
        lam = ", ".join(f"{rate:.3g}" for rate in self.inverse_temperatures)
        return f"MaxoutTransformer({self.to_maxout()!r}, inverse temperatures {lam})"
