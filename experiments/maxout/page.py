"""Maxout networks as transformers: equal, within the bound, exponentially many regions, probed.

One study per question; :func:`run` writes a run folder: ``linrep maxout --out FOLDER``.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...constructions import (
    MaxoutTransformer,
    interchange,
    soft_interchange,
)
from ...core import progress
from ...piecewise import (
    Plane,
    random_network,
    regions_in_plane,
    regions_on_segment,
    tent,
    upper_bound,
    zigzag,
)
from ...reports import Check, Run, Study, refuse_occupied, write_run
from ...reports.values import Json
from ..manifest import versions
from . import errors as errors, figures as figures
from .answer import answer
from .softness import softness
from .staircase import staircase

__all__ = ["as_run", "run"]


QUESTION = (
    "Attention takes the maximum, feed-forward layers are token-wise affine maps "
    "(arXiv:2603.03084): is a maxout network a transformer? The weights here are constructed, so "
    "every answer is known."
)


EQUAL = "it computes the network of soft maxima, up to rounding"
ROUNDED = "it does so in float32, up to the rounding of that"
HARD = "with hard maxima in its attention the transformer computes the maxout network itself"
BOUNDED = "with soft maxima it is off by no more than the signed bound allows"
ATTAINED = "for the absolute value that bound is attained"
CHOSEN = "attention prefers the piece that the soft recursion prefers, at every head and point"
SILU = "a ReLU network equals its form in SiLU units, up to rounding"
EXCHANGED = "one unit exchanged for that of another input changes both alike"
FALLS = "the largest error falls like 1/lambda"
FALLS_TWICE = "the mean error falls like 1/lambda^2"
FEWER = "there are no more cells than the bound allows"
PIECES = "width 2 and rank p reach (2p - 1)^L linear pieces at depth L, exactly"
SLOWER = (
    "with random weights of the same size the logarithm of the number of pieces grows by less "
    "than half of log 3 a layer"
)


def run(out: str | Path, *, tiny: bool = False, seed: int = 0) -> Run:
    """Answer every question; a run folder that is checked, compared and reported like any other.

    Args:
        out: folder, new or empty.
        tiny: small sizes, for a test.
        seed: of networks, points and probes.

    Raises:
        LinrepError: the folder holds something.
    """
    folder = refuse_occupied(out)
    questions = (equality, slice_of_regions, growth, softness, staircase)
    studies = [ask(tiny, seed) for ask in progress(questions, "maxout", unit="question")]
    made = as_run(studies, tiny=tiny, seed=seed)
    write_run(made, folder)
    return made


def as_run(studies: Sequence[Study], *, tiny: bool, seed: int) -> Run:
    """Answers as one run."""
    settings: dict[str, Json] = {"experiment": "maxout", "tiny": tiny, "seed": seed}
    return Run("Maxout networks as transformers", QUESTION, settings, versions(), tuple(studies))


def equality(tiny: bool, seed: int) -> Study:
    """Transformer, soft recursion and network; the error against its bound."""
    rng = np.random.default_rng(seed)
    recursion = hardmax = share = single = exchanged = 0.0
    wrong = 0
    n_networks, n_points = 5 if tiny else 100, 200
    for index in range(n_networks):
        widths = rng.integers(1, 6, size=rng.integers(1, 4)).tolist()
        ranks = [rng.integers(1, 5, size=n).tolist() for n in widths]
        net = random_network(int(rng.integers(1, 4)), widths, ranks, seed=seed + index)
        t = MaxoutTransformer.from_network(net, (-1, 1), eps=0.01)
        x = t.box.sample(n_points, seed)
        y, exact = t(x), net(x)
        recursion = max(recursion, float(np.abs(y - t.soft(x)).max()))
        hardmax = max(hardmax, float(np.abs(t(x, hardmax=True) - exact).max()))
        share = max(share, float(np.abs(y - exact).max() / max(t.error_bound(), 1e-9)))
        if index % 10 == 0:  # TransformerLens's bridge takes a while
            chosen = zip(t.attention(x), t.soft.weights(x), strict=True)
            wrong += sum(int((a.argmax(-1) != b.argmax(-1)).sum()) for a, b in chosen)
        narrow = MaxoutTransformer.from_network(net, (-1, 1), eps=0.01, dtype=torch.float32)
        soft = narrow.soft(x)
        single = max(single, float(np.abs(narrow(x) - soft).max() / max(1, np.abs(soft).max())))
    other = t.box.sample(200, seed + 1)
    changed = interchange(t, x, other, 1, 0)
    exchanged = float(np.abs(changed - soft_interchange(t, x, other, 1, 0)).max())
    rates = np.array([1e2, 1e3, 1e4, 1e5])
    sup, bound, mean = errors.measured(random_network(1, [6, 6], 3, seed=3), rates)
    slope = float(np.polyfit(np.log(rates), np.log(sup), 1)[0])
    slope_mean = float(np.polyfit(np.log(rates[:2]), np.log(mean[:2]), 1)[0])
    return answer(
        "equality",
        "Is the transformer the network?",
        "Attention takes a soft maximum, so the transformer equals the recursion in which every "
        "maximum is a softmax average, and its error falls with the inverse temperature: the "
        "largest error like 1/lambda, the mean error like its square. The signed bound holds "
        f"everywhere, on {n_networks} random networks at {n_points} points each. Two rows ask "
        "about the inside: at how many heads and points attention prefers another piece than the "
        "soft recursion does, and how far apart transformer and recursion are when one unit is "
        "exchanged for that of another input in both.",
        figures.errors(rates, sup, bound, mean),
        (
            Check(
                "largest difference of the hardmax transformer and the network",
                hardmax,
                "<=",
                1e-10,
                HARD,
            ),
            Check("largest error as a share of the signed bound", share, "<=", 1.0 + 1e-9, BOUNDED),
            Check(
                "largest difference of transformer and soft recursion, float64",
                recursion,
                "<=",
                1e-10,
                EQUAL,
            ),
            Check("largest relative difference in float32", single, "<=", 1e-5, ROUNDED),
            Check("the same for |x|", errors.share_of_absolute(), ">=", 0.999, ATTAINED),
            Check("heads that attend to another piece", float(wrong), "<=", 0.0, CHOSEN),
            Check(
                "largest difference of a ReLU network and its SiLU form",
                errors.silu_difference(seed),
                "<=",
                1e-12,
                SILU,
            ),
            Check(
                "largest difference with a unit exchanged in both",
                exchanged,
                "<=",
                1e-12,
                EXCHANGED,
            ),
            Check(
                "distance of the slope of the largest error from -1",
                abs(slope + 1),
                "<=",
                0.05,
                FALLS,
            ),
            Check(
                "distance of the slope of the mean error from -2",
                abs(slope_mean + 2),
                "<=",
                0.1,
                FALLS_TWICE,
            ),
        ),
        {
            "model": f"{n_networks} maxout networks with random weights, each made a transformer",
            "inputs": n_points,
            "lambda": rates.tolist(),
            "sup": sup,
            "bound": bound,
            "mean": mean,
        },
    )


def slice_of_regions(tiny: bool, seed: int) -> Study:
    """The cells of a plane through the inputs, coloured by affine map."""
    width = 6 if tiny else 16
    net = random_network(5, [width] * 3, 3, seed=seed)
    directions = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 2)))[0].T
    found = regions_in_plane(
        net, Plane(np.zeros(5), directions[0], directions[1], (-2, -2), (2, 2))
    )
    counts, wider, bound = found.counts, found.counts_at_100_tol, upper_bound(net, dim=2)
    return answer(
        "slice",
        "What does a slice of the input space look like?",
        f"A plane through the five inputs of a random maxout network (three layers of {width} "
        f"units, rank 3): {counts.cells} activation cells, {counts.linear_regions} linear regions, "
        f"{counts.affine_maps} affine maps, exactly. Cells of one affine map have one colour; "
        "there are 24 colours, so they repeat, and neighbours of one colour may have different "
        f"maps. No network of these widths has more than {bound:.3g} cells, a bound that depth "
        "makes loose.",
        figures.cells(found, "The plane through the inputs, each cell coloured by its affine map."),
        (
            Check(
                "counts moved by 100 x the tolerance",
                float(counts != wider),
                "<=",
                0.0,
                "with a tolerance a hundred times as large the same cells are counted",
            ),
            Check(
                "area not covered",
                abs(float(found.areas.sum()) / 16 - 1),
                "<=",
                1e-12,
                f"the {counts.cells} cells that were counted tile the window",
            ),
            Check("cells as a share of the upper bound", counts.cells / bound, "<=", 1.0, FEWER),
        ),
        {
            "model": f"a maxout network with random weights, 5 inputs, three layers of {width} "
            "units, each the maximum of 3 affine functions",
            "counts": list(counts),
            "upper_bound": bound,
        },
    )


def growth(tiny: bool, seed: int) -> Study:
    """Pieces against depth: constructed networks reach the theorem's slope, random ones do not."""
    depths = list(range(1, 4 if tiny else 7))
    families = {"tent, rank 2": (tent, 2.0)}
    for rank in (2, 3):
        families[f"zigzag, rank {rank}"] = (_zigzag(rank), 2.0 * rank - 1)
    lines: dict[str, tuple[list[int], float]] = {}
    gaps: list[float] = []
    for name, (build, laps) in families.items():
        nets = [build(depth) for depth in depths]
        found = [regions_on_segment(net, 0, 1).n_linear_regions for net in nets]
        t = MaxoutTransformer.from_network(nets[-1], (0, 1), inverse_temperature=100.0)
        read_back = t.to_maxout()
        gaps.append(regions_on_segment(read_back, 0, 1).n_linear_regions - found[-1])
        gaps.append(float(np.abs(np.log(found) - np.log(laps) * np.array(depths)).max()))
        lines[name] = (found, laps)
    draws = range(3 if tiny else 20)
    typical = [
        float(np.mean([_random_pieces(depth, seed + draw) for draw in draws])) for depth in depths
    ]
    pace = float(np.polyfit(depths, np.log(typical), 1)[0])
    return answer(
        "growth",
        "Does the number of regions grow exponentially with depth?",
        "Width 2 and rank p reach (2p - 1)^L linear pieces on a line, the largest number possible; "
        "the transformer's hardmax network, read back from its weights, has as many. The maximum "
        "is reached by construction: networks of the same size with random weights (the mean of "
        f"{len(draws)}) grow with less than half the slope of the slowest zigzag, log 3, if at "
        "all.",
        figures.growth(depths, lines, typical),
        (
            Check(
                "largest distance of log pieces from L log(2p - 1)",
                float(np.max(np.abs(gaps))),
                "<=",
                1e-9,
                PIECES,
            ),
            Check("log pieces a layer, random", pace, "<=", 0.5 * math.log(3), SLOWER),
        ),
        {
            "model": f"maxout networks of width 2 and depth 1 to {depths[-1]}, constructed and "
            "random",
            "depth": depths,
            "random": typical,
        }
        | {name: found for name, (found, _) in lines.items()},
    )


def _zigzag(rank: int) -> Any:
    return lambda depth: zigzag(rank, depth)


def _random_pieces(depth: int, seed: int) -> int:
    net = random_network(1, [2] * depth, 2, seed=seed)
    return regions_on_segment(net, -3, 3).n_linear_regions
