"""How many cells the soft network shows: what is left of exact cells at a finite temperature."""

import numpy as np

from ...constructions import SoftNetwork, confident_bracket, n_confident, n_resolved
from ...piecewise import random_network, regions_in_plane
from ...reports import Check, Study
from . import figures
from .answer import answer

__all__ = ["softness"]

WARM = "the warmest softmax shows at most half of the cells"
BAND = "how many cells have confident heads is what exact margins predict, but for 2 % at most"


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
                "cells that the soft network shows, as a share of all, coldest",
                resolved[-1] / cells.n_cells, ">=", 0.99,
                "the coldest softmax shows 99 % of the cells or more",
            ),
            Check(
                "cells that the soft network shows, as a share of all, warmest",
                resolved[0] / cells.n_cells, "<=", 0.5, WARM,
            ),
            Check(
                "cells in which every head is confident, as a share of all, coldest",
                confident[-1] / cells.n_cells, ">=", 0.99,
                "in the coldest softmax every head gives one piece 99 % of its weight, in 99 % of "
                "the cells or more",
            ),
            Check(
                "confident cells more or fewer than predicted, as a share of all",
                outside, "<=", 0.02, BAND,
            ),
        ),
        {
            "model": f"the soft network of a maxout network whose plane has {cells.n_cells} cells",
            "lambda": rates.tolist(), "resolved": resolved, "cells": cells.n_cells,
        },
    )  # fmt: skip
