"""What probes must find in a maxout transformer: which piece of a unit is active, and where."""

from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np

from ...core import Prediction, Subspace
from ...piecewise import MaxoutNetwork
from .layout import MaxoutLayout, piece_target

__all__ = ["PieceReadout", "predict_pieces", "readouts"]

_SOURCE = "arXiv 2603.03084 (construction: pieces of layer l are affine in X before attention l)"


@final
@dataclass(frozen=True, eq=False)
class PieceReadout:
    """The affine functions whose argmax is the active piece, in the residual stream.

    A linear probe's class weights may all shift together, so only differences are predicted:
    parallel to ``weight[j] - weight[k]``.

    Args:
        layer: layer, from 1.
        unit: unit, from 0.
        site: where X holds what the layer reads.
        weight: ``[piece, d_model]``.
        bias: ``[piece]``.
    """

    layer: int
    unit: int
    site: str
    weight: np.ndarray
    bias: np.ndarray

    @property
    def target(self) -> str:
        """Name of the target."""
        return piece_target(self.layer, self.unit)

    @property
    def differences(self) -> dict[tuple[int, int], np.ndarray]:
        """``(j, k) -> [d_model]`` predicted direction of the class weights' difference."""
        pairs = combinations(range(len(self.weight)), 2)
        return {(j, k): self.weight[j] - self.weight[k] for j, k in pairs}

    def __call__(self, acts: np.ndarray) -> np.ndarray:
        """Predicted piece ``[point]`` for activations ``[point, d_model]`` of any token."""
        return np.asarray((acts @ self.weight.T + self.bias).argmax(axis=1))


def readouts(net: MaxoutNetwork, layout: MaxoutLayout) -> list[PieceReadout]:
    """One per unit of rank 2 or more, at ``resid_mid`` of the block before its attention."""
    made = []
    for number, layer in enumerate(net.layers, 1):
        site = f"blocks.{number - 1}.hook_resid_mid"
        for unit in range(layer.width):
            rank = int(layer.ranks[unit])
            if rank < 2:
                continue
            weight = np.zeros((rank, layout.d_model))
            weight[:, : layer.n_inputs] = layer.weight[unit, :rank]
            made.append(PieceReadout(number, unit, site, weight, layer.bias[unit, :rank].copy()))
    return made


def predict_pieces(net: MaxoutNetwork, layout: MaxoutLayout) -> list[Prediction]:
    """Predictions "active piece": read linearly from X until its attention overwrites X.

    Two sites per unit: ``resid_mid`` of block ``l - 1``, and ``resid_post`` of the same block,
    where X is the same and Z holds the pieces. Elsewhere a probe may still find some of it (units
    are functions of one input), so nothing is claimed there; see the layer profile.

    Use: the block's MLP reads X at ``resid_mid``, for units that the output depends on. Behind it
    the pieces are computed and the next attention puts new activations in X's place, so that an
    exchange of X on all tokens changes nothing any more, though a probe reads the piece there.
    """
    predictions = []
    matter = _units_that_matter(net)
    for readout in readouts(net, layout):
        differences = np.stack(list(readout.differences.values()), axis=1)
        if not differences.any():
            continue
        subspace = Subspace(differences, kind="readout", provenance=f"W differences, {_SOURCE}")
        for site in (readout.site, readout.site.replace("resid_mid", "resid_post")):
            predictions.append(
                Prediction(
                    site=site,
                    target=readout.target,
                    subspace=subspace,
                    written=True,
                    positions="all",
                    rank=subspace.dim,
                    accuracy=1.0,
                    claim="active piece",
                    source=_SOURCE,
                    used=(readout.layer, readout.unit) in matter and site == readout.site,
                )
            )
    return predictions


def _units_that_matter(net: MaxoutNetwork) -> set[tuple[int, int]]:
    """(layer, unit) on which the output depends: some path of weights other than 0 leads there."""
    read = np.abs(net.affine[0]).sum(axis=0) > 0
    found = set()
    for number, layer in reversed(list(enumerate(net.layers, 1))):
        found |= {(number, int(unit)) for unit in np.flatnonzero(read)}
        weight = np.zeros(layer.n_inputs, dtype=bool)
        for unit in np.flatnonzero(read):
            pieces = layer.weight[unit, : int(layer.ranks[unit])]
            weight |= np.abs(pieces).sum(axis=0) > 0
        read = weight
    return found
