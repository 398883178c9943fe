"""Pictures of the maxout experiment, as plain data."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...piecewise import PlaneRegions
from ...reports import DrawnLine, Picture, Polygon

__all__ = ["cells", "errors", "growth", "softness"]


def errors(
    rates: np.ndarray, sup: Sequence[float], bound: Sequence[float], mean: Sequence[float]
) -> Picture:
    """Error against inverse temperature, with its bound."""
    named = {"signed bound": bound, "largest error": sup, "mean error": mean}
    return Picture(
        "Error of the soft network against the inverse temperature, beside its bound.",
        "inverse temperature", "error", "both",
        tuple(
            DrawnLine(name, tuple(rates.tolist()), tuple(values)) for name, values in named.items()
        ),
    )  # fmt: skip


def growth(
    depths: Sequence[int],
    lines: Mapping[str, tuple[Sequence[int], float]],
    typical: Sequence[float],
) -> Picture:
    """Pieces against depth on a log axis, with the theorem's slope dotted."""
    x = tuple(map(float, depths))
    drawn = []
    for name, (found, laps) in lines.items():
        drawn.append(DrawnLine(name, x, tuple(map(float, found))))
        slope = tuple(float(laps) ** depth for depth in depths)
        drawn.append(DrawnLine(f"slope log {laps:g}", x, slope, dotted=True))
    drawn.append(DrawnLine("random weights, width 2, rank 2 (mean)", x, tuple(typical)))
    return Picture(
        "Linear pieces against the number of layers; dotted, what theory says.",
        "layers", "linear pieces", "y", tuple(drawn),
    )  # fmt: skip


def softness(
    rates: np.ndarray,
    resolved: Sequence[int],
    confident: Sequence[int],
    brackets: Sequence[tuple[int, int]],
    exact: int,
) -> Picture:
    """Cells that the soft network shows, against inverse temperature."""
    x = tuple(rates.tolist())
    low, high = (tuple(map(float, ends)) for ends in zip(*brackets, strict=True))
    return Picture(
        "Cells that the soft network shows, beside the exact count.",
        "inverse temperature", "cells", "x",
        (
            DrawnLine("band predicted from margins", x, low, dotted=True),
            DrawnLine("band, upper end", x, high, dotted=True, filled=True),
            DrawnLine("confident cells", x, tuple(map(float, confident))),
            DrawnLine("resolved cells", x, tuple(map(float, resolved))),
            DrawnLine(f"exact count {exact}", (x[0], x[-1]), (float(exact),) * 2, dotted=True),
        ),
    )  # fmt: skip


def cells(regions: PlaneRegions, caption: str) -> Picture:
    """Each cell of a plane; cells of one affine map have one colour."""
    colour = np.random.default_rng(0).permutation(int(regions.affine_map.max()) + 1)
    drawn = []
    for number, label in enumerate(regions.affine_map):
        corners = regions.vertices[regions.offsets[number] : regions.offsets[number + 1]]
        x, y = corners.T.tolist()
        drawn.append(Polygon(tuple(x), tuple(y), int(colour[label])))
    return Picture(caption, "s", "t", cells=tuple(drawn))
