"""Regions of a trained transformer along lines in its input, beside a maxout network's.

A maxout network has regions, and a transformer built from it shows them the better, the colder its
attention. A trained transformer is smooth: its straight pieces are counted to within a distance,
and the sides that its neurons and heads are on, by samples. See
docs/decisions/086-beliefs-and-pieces.md for what these counts mean.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from pydantic import Field

from ...constructions import MaxoutTransformer
from ...core import checked, progress
from ...grammars import families
from ...models import PlainTransformer, batch_ids, random_twin, train
from ...piecewise import (
    MaxoutNetwork,
    pattern_runs,
    random_network,
    regions_on_segment,
    straight_pieces,
    zigzag,
)
from ...reports import Check, Comparison, DrawnLine, Picture, Run, Scores, Study, refuse_occupied
from ...reports.values import Json, plain
from ..manifest import versions
from ..settings_base import Settings, SettingsError
from .answered import Answered, written
from .lines import along, at_temperature, stream_before

__all__ = ["PiecewiseSettings", "piecewise"]

QUESTION = (
    "Attention and feed-forward layers can compute any continuous piecewise linear map "
    "(arXiv:2603.03084), with exponentially many regions. How many straight pieces does a "
    "transformer show along a line in its input: one made of a maxout network as its attention "
    "cools, a trained one, and one with random weights?"
)
MADE = (
    "A transformer made of a maxout network, along a line in its inputs. Straight pieces to "
    "within a share of the outputs' range, of the soft map and of the hard one; as the distance "
    "between the maps falls below that share, the first must lie between the second's numbers "
    "for the share less the distance and the share plus it."
)
TRAINED = (
    "A transformer trained on a random hierarchy, its stream at one position moved from one "
    "sentence's to another's, before a block; outputs are the logits at the last position. At the "
    "inverse temperature 1 the model is as it was trained; larger ones multiply the scores of its "
    "attention. Counts are means over lines, and from below: what changes and changes back "
    "between two samples is missed."
)


class PiecewiseSettings(Settings):
    """Sizes of the experiment.

    Args:
        points: samples of each line.
        lines: lines for each model, block and temperature.
        share: of the outputs' range along a line that pieces may be away.
        rates: inverse temperatures of the maxout network's transformer.
        scales: inverse temperatures of the trained one, in units of its own.
        steps: of training.
        blocks: before which the trained model's stream is moved.
        shape: fields of :class:`linrep.PlainConfig` for the trained model.
        seed: of everything random.
    """

    points: int = Field(default=1001, ge=3, le=100_000)
    lines: int = Field(default=8, ge=1)
    share: float = Field(default=0.01, gt=0, lt=1)
    rates: tuple[float, ...] = (3.0, 10.0, 30.0, 100.0, 1000.0, 10_000.0)
    scales: tuple[float, ...] = (1.0, 4.0, 16.0, 64.0, 1e3, 1e5)
    steps: int = Field(default=1500, ge=1)
    blocks: tuple[int, ...] = (0, 1)
    shape: Mapping[str, Any] = {"mlp": "relu", "num_hidden_layers": 3}
    seed: int = Field(default=0, ge=0, le=2**32 - 1)


TINY: Mapping[str, Any] = {
    "points": 201, "lines": 1, "rates": (10.0, 1e4), "scales": (1.0,), "steps": 20, "blocks": (0,),
    "shape": {"mlp": "relu", "num_hidden_layers": 2, "hidden_size": 16},
}  # fmt: skip


class Counts(NamedTuple):
    """What was counted along one line: pieces, and cells of neurons, of heads, of both."""

    pieces: float
    neurons: float
    heads: float
    cells: float
    again: float  # cells, from every second sample


@checked(SettingsError)
def piecewise(
    settings: PiecewiseSettings | None = None,
    *,
    tiny: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Answered:
    """Count straight pieces of made, trained and random transformers along lines; two minutes.

    Args:
        settings: sizes; the other arguments but ``out`` then say nothing.
        tiny: seconds instead.
        seed: of everything random.
        out: a folder for the run and its page.

    Returns:
        One row for each model, place and temperature.

    Raises:
        LinrepError: the folder holds something, or a setting cannot be met.
    """
    if out is not None:
        refuse_occupied(out)
    how = settings or PiecewiseSettings(**(TINY if tiny else {}), seed=seed)
    nets = {
        "zigzag": (zigzag(2, 2 if tiny else 3), np.zeros(1), np.ones(1)),
        "random maxout": (
            random_network(3, [6, 6], 3, seed=how.seed), np.full(3, -1.0), np.full(3, 1.0)
        ),
    }  # fmt: skip
    parts = [_made(name, *given, how) for name, given in nets.items()]
    parts.append(_trained(how))
    run = Run(
        "Straight pieces", QUESTION,
        {"experiment": "piecewise", **{k: plain(v) for k, v in how.model_dump().items()}},
        versions(), tuple(study for study, _ in parts),
    )  # fmt: skip
    return written(
        Answered("piecewise", tuple(row for _, found in parts for row in found), run), out
    )


def _made(
    name: str, net: MaxoutNetwork, a: np.ndarray, b: np.ndarray, how: PiecewiseSettings
) -> tuple[Study, list[Mapping[str, Json]]]:
    """A maxout network's transformer at falling temperatures, beside the exact regions."""
    exact = regions_on_segment(net, a, b)
    t = np.linspace(0, 1, how.points)
    x = a + t[:, None] * (b - a)
    hard = net(x)
    eps = how.share * float(np.ptp(hard, axis=0).max())
    wanted = len(straight_pieces(t, hard, eps))
    counts: dict[float, tuple[int, int, float]] = {}
    outside = 0
    for rate in how.rates:
        model = MaxoutTransformer.from_network(net, (-1, 1), inverse_temperature=rate)
        soft = model(x)
        delta = float(np.abs(soft - hard).max())
        pieces = len(straight_pieces(t, soft, eps))
        low = len(straight_pieces(t, hard, eps + delta))
        high = len(straight_pieces(t, hard, eps - delta)) if delta < eps else how.points
        outside += not low <= pieces <= high
        chosen = np.concatenate([each.argmax(-1) for each in model.soft.weights(x)], axis=1)
        counts[rate] = pieces, pattern_runs(chosen), delta / eps
    rows: list[Mapping[str, Json]] = [
        _row(name, "input", rate, Counts(pieces, 0, heads, heads, 0), exact.n_linear_regions)
        for rate, (pieces, heads, _) in counts.items()
    ]
    rows.append(
        _row(name, "input", None, Counts(wanted, 0, exact.n_cells, exact.n_cells, 0),
             exact.n_linear_regions)
    )  # fmt: skip
    x_axis = tuple(map(float, how.rates))
    picture = Picture(
        "Straight pieces of the soft map against the inverse temperature, beside the hard map's.",
        "inverse temperature", "straight pieces", "x",
        (
            DrawnLine("soft map", x_axis, tuple(float(c[0]) for c in counts.values())),
            DrawnLine(f"hard map, {wanted} to within the same distance", (x_axis[0], x_axis[-1]),
                 (float(wanted),) * 2, dotted=True),
            DrawnLine("argmax of attention, cells met", x_axis,
                 tuple(float(c[1]) for c in counts.values())),
        ),
    )  # fmt: skip
    facts: dict[str, Json] = {
        "exact cells, linear regions": f"{exact.n_cells}, {exact.n_linear_regions}",
        "pieces of the hard map": wanted,
        "distance between the maps, in units of that allowed": ", ".join(
            f"{c[2]:.3g} at {rate:g}" for rate, c in counts.items()
        ),
    }
    checks = (
        Check("temperatures at which the count lies outside its bracket", float(outside), "<=", 0.0,
              "maps that are near each other need nearly the same pieces"),
        Check("coldest: pieces less those of the hard map", abs(rows[-2]["pieces"] - wanted),  # type: ignore[operator]
              "<=", 0.0, "the count arrives at that of the hard map"),
    )  # fmt: skip
    return _study(name, MADE, facts, checks, picture), rows


def _trained(how: PiecewiseSettings) -> tuple[Study, list[Mapping[str, Json]]]:
    """A trained transformer and one of random weights, along the same lines."""
    grammar = families.random_hierarchy(n_symbols=4, n_rules=2, depth=3, seed=how.seed)
    model = train(grammar, sentences=4096, steps=how.steps, seed=how.seed, **how.shape).model
    models: dict[str, Any] = {"trained": model, "random weights": random_twin(model, seed=how.seed)}
    lines = list(_lines(grammar, model, how))
    rows: list[Mapping[str, Json]] = []
    again: list[float] = []
    drawn = []
    for name, given in models.items():
        for block in how.blocks:
            means = []
            for rate in progress([*how.scales, None], f"{name}, block {block}"):
                found = [_counted(at_temperature(given, rate), block, line, how) for line in lines]
                mean = Counts(*np.mean(found, axis=0).tolist())
                means.append(mean.pieces)
                again.append(mean.again / mean.cells)
                rows.append(_row(name, f"block {block}", rate, mean, None))
            drawn.append(DrawnLine(f"{name}, before block {block}", how.scales, tuple(means[:-1])))
    picture = Picture(
        "Straight pieces along a line, the mean over lines, against the inverse temperature.",
        "inverse temperature, in units of the model's own", "straight pieces", "x", tuple(drawn),
    )  # fmt: skip
    facts: dict[str, Json] = {
        "training steps": how.steps, "lines": len(lines), "samples of a line": how.points,
        "cells from every second sample, as a share, least": round(min(again), 3),
    }  # fmt: skip
    return _study("trained", TRAINED, facts, (), picture), rows


def _lines(
    grammar: Any, model: Any, how: PiecewiseSettings
) -> Iterator[tuple[torch.Tensor, torch.Tensor, int]]:
    """Pairs of sentences that differ at a position before the last, and that position."""
    sentences = [*dict.fromkeys(grammar.sample(50 * how.lines + 50, seed=how.seed + 1).sentences)]
    rng = np.random.default_rng(how.seed)
    words = list(model.config.vocabulary)
    for _ in range(how.lines):
        first = sentences[rng.integers(len(sentences))]
        position = int(rng.integers(1, len(first)))  # 0 is BOS
        others = [other for other in sentences if other[position - 1] != first[position - 1]]
        second = others[rng.integers(len(others))]
        ids = batch_ids([first, second], words)[0]
        yield ids[:1], ids[1:], position


def _counted(
    model: PlainTransformer, block: int, line: tuple[Any, Any, int], how: PiecewiseSettings
) -> Counts:
    first, second, position = line
    ends = stream_before(model, block, first), stream_before(model, block, second)
    found = along(model, block, ends, position, how.points)
    eps = how.share * float(np.ptp(found.logits, axis=0).max())
    both = np.concatenate([found.signs, found.chosen], axis=1)
    return Counts(
        len(straight_pieces(found.t, found.logits, eps)), pattern_runs(found.signs),
        pattern_runs(found.chosen), pattern_runs(both), pattern_runs(both[::2]),
    )  # fmt: skip


def _row(
    model: str, place: str, rate: float | None, counts: Counts, exact: int | None
) -> Mapping[str, Json]:
    return {
        "model": model, "line in": place, "inverse temperature": "hard" if rate is None else rate,
        "pieces": counts.pieces, "neurons' cells": counts.neurons or None,
        "heads' cells": counts.heads, "exact regions": exact,
    }  # fmt: skip


def _study(
    name: str, about: str, facts: Mapping[str, Json], checks: Sequence[Check], picture: Picture
) -> Study:
    return Study(
        name, about, facts, Scores(()), Comparison(()), checks=tuple(checks), pictures=(picture,)
    )
