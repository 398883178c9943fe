"""What soft attention shows of the exact cells, temperature by temperature."""

import numpy as np

from ...constructions import SoftNetwork, confident_bracket, n_confident, n_resolved
from ...piecewise import random_network, regions_in_plane
from ...reports import Check, Study
from . import figures
from .answer import answer

__all__ = ["softness"]


def softness(tiny: bool, seed: int) -> Study:
    """What is left of the exact cells at a finite temperature."""
    net = random_network(2, [5, 5] if tiny else [10, 10], 3, seed=seed)
    cells = regions_in_plane(net, (-2, 2))
    rates = np.logspace(1, 6, 6 if tiny else 16)
    centres = cells.plane.points(cells.centres)
    resolved, confident, brackets = [], [], []
    for rate in rates:
        soft = SoftNetwork(net, (float(rate),) * net.depth)
        resolved.append(n_resolved(soft, cells))
        confident.append(n_confident(soft, centres, 0.01))
        brackets.append(confident_bracket(net, centres, float(rate), 0.01))
    outside = max(
        max(low - found, found - high, 0) / cells.n_cells
        for found, (low, high) in zip(confident, brackets, strict=True)
    )
    return answer(
        "softness",
        "How many cells does the soft network show?",
        "The transformer is smooth and has no regions. Two counts say how close it comes: cells "
        "whose affine map the soft Jacobian shows at an inner point, and cells in which every head "
        "gives one piece 99 % of its weight, which exact margins predict (the band; it is exact "
        "for one layer, and soft errors of the layers below blur it). Both rise to the exact "
        "count.",
        figures.softness(rates, resolved, confident, brackets, cells.n_cells),
        (
            Check(
                "share of the cells whose affine map is seen, at the lowest temperature",
                resolved[-1] / cells.n_cells, ">=", 0.99,
                "cold attention shows all cells, or all but slivers",
            ),
            Check(
                "share of the cells whose affine map is seen, at the highest temperature",
                resolved[0] / cells.n_cells, "<=", 0.5, "warm attention shows few of them",
            ),
            Check(
                "share of the cells with 99 % of attention on one piece, at the lowest temperature",
                confident[-1] / cells.n_cells, ">=", 0.99,
                "cold attention decides for one piece in all cells, or all but slivers",
            ),
            Check(
                "share of the cells by which that count leaves the predicted band", outside, "<=",
                0.02, "at every temperature as many cells are decided as the margins predict",
            ),
        ),
        {"lambda": rates.tolist(), "resolved": resolved, "cells": cells.n_cells},
    )  # fmt: skip
