"""Where active pieces are linearly decodable, through the ordinary pipeline and its controls."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...constructions import MaxoutTransformer, PointCorpus, piece_target
from ...hooks import Activations
from ...models import random_twin
from ...piecewise import random_network, tent
from ...probes import LinearProbe, probe
from ...reports import Check, Study, compare
from ..scores import scores_of
from .answer import answer

__all__ = ["class_weights", "folds_beyond", "staircase"]


TWINS, PERMUTATIONS, INTERVALS = 5, 99, 200
"""Untrained models, shuffles of the labels and resamples of intervals; tiny sizes have none."""
STAIRS = "at its own layer each piece is told almost without error"
DRAWN = "the pieces of a network with drawn weights are told almost without error"


def staircase(tiny: bool, seed: int) -> Study:
    """Active pieces of the tent through the ordinary pipeline, with both controls."""
    depth, points = (7, 2000) if tiny else (10, 6000)
    t = MaxoutTransformer.from_network(tent(depth), (0, 1), inverse_temperature=1e5, causal=True)
    x = t.box.sample(points, seed)
    corpus = PointCorpus(x)
    sites = [f"blocks.{block}.hook_resid_mid" for block in range(depth + 1)]
    twins = [_random(t, seed + number) for number in range(1 if tiny else TWINS)]
    acts, *random_acts = (
        Activations.from_arrays(model.activations(x, sites), corpus) for model in (t, *twins)
    )
    names = [piece_target(layer, 0) for layer in range(1, depth + 1)]
    labels = t.targets(x)
    results = probe(
        acts,
        corpus,
        targets=labels | _shuffled(labels, names, seed),
        controls=("random_weights",),
        random_weights=random_acts,
        permutations=0 if tiny else PERMUTATIONS,
        bootstrap=0 if tiny else INTERVALS,
        seed=seed,
    )
    found = _grid(results, sites, names)
    shuffled = _grid(results, sites, [f"shuffled {name}" for name in names])
    random = _grid(results, sites, names, "random_weights")
    steps = np.array([found[layer][layer] for layer in range(depth)])
    rest = np.array([a for i, row in enumerate(found) for j, a in enumerate(row) if i != j])
    hard = folds_beyond(t.layout.d_model, depth)
    coin = 4 * 0.5 / math.sqrt(0.2 * points)
    cosine, accuracy = class_weights(tiny, seed)
    return answer(
        "staircase",
        "Where is the active piece linearly decodable?",
        f"The tent folded {depth} times, {points} random inputs, probes scored on a fifth of them "
        f"({depth} pieces at {depth + 1} sites). Which piece of layer l is active is an affine "
        "question to the stream before attention l (on the axis: resid_mid of block l - 1): a "
        "staircase. Elsewhere an affine question is one threshold on an input folded too seldom "
        "or too often. It could be right three times in four (layer 2's piece goes A, B, B, A "
        "along the input); the fitted probes reach less. Shuffled labels are at chance everywhere. "
        "The same transformer with random weights keeps its input, and the piece of layer l is a "
        "function of the input that changes 2^(l-1) times: the first layers' can be decoded there "
        "too (the first is affine in the input itself, whatever the weights). "
        f"Pieces that change more often than the stream has dimensions ({t.layout.d_model}), "
        f"those of layers {hard[0]} to {depth}, are at chance there: only the constructed weights "
        "explain them. The last two rows are of another network, not of that control: a maxout "
        "network of rank 3 with drawn weights, made a transformer. The theory predicts not only "
        "that its pieces j and k can be told apart but along which direction, W_j - W_k.",
        None,
        (
            Check("lowest accuracy on the stairs", float(steps.min()), ">=", 0.97, STAIRS),
            Check(
                "highest accuracy elsewhere", float(rest.max()), "<=", 0.75 + coin,
                "elsewhere one threshold on the stream is right three times in four at most, up to "
                "four standard errors",
            ),
            Check(
                "shuffled labels, largest distance from 1/2",
                _from_chance(shuffled), "<=", coin,
                "shuffled labels are at chance, within four standard errors of a fair coin",
            ),
            Check(
                f"random weights, layers {hard[0]} to {depth}, largest distance from 1/2",
                _from_chance([random[layer - 1] for layer in hard]), "<=", coin,
                "with random weights these layers' pieces are at chance as well",
            ),
            Check(
                "random weights, layer 1, lowest accuracy", min(random[0]), ">=", 0.97,
                "the first layer's piece is affine in the input: random weights tell it too",
            ),
            Check(
                "cosine of class-weight differences and W_j - W_k", cosine, ">=", 0.99,
                "probes read along the directions that theory predicts",
            ),
            Check("accuracy of the probes of that network", accuracy, ">=", 0.99, DRAWN),
        ),
        {
            "model": f"a tent folded {depth} times, as a transformer", "blocks": depth + 1,
            "width of the stream": t.layout.d_model, "inputs": points,
            "layers beyond random weights": hard,
        },
        scores=scores_of(results),
        comparison=compare(results, t.predictions, seed=seed),
        names=_called(names),
    )  # fmt: skip


def _called(names: Sequence[str]) -> dict[str, str]:
    """Targets as a page calls them: every layer of the tent has one unit."""
    told = {name: f"active piece of layer {layer}" for layer, name in enumerate(names, start=1)}
    return told | {f"shuffled {name}": f"shuffled labels of layer {layer}"
                   for layer, name in enumerate(names, start=1)}  # fmt: skip


def _random(t: MaxoutTransformer, seed: int) -> MaxoutTransformer:
    """The same transformer with random weights."""
    random_model: Any = random_twin(t.model, seed)
    return MaxoutTransformer(random_model, t.layout, t.box)


def folds_beyond(d_model: int, depth: int) -> list[int]:
    """Layers of the tent whose active piece changes more often than a stream has dimensions.

    The piece of layer ``l`` changes ``2 ** (l - 1)`` times along the input. A linear probe adds up
    ``d_model`` functions of that one number and a constant. Were they a Chebyshev system, as
    powers are, the sum would have at most ``d_model`` zeros: too few to follow. That is what to
    expect of smooth random functions, no theorem about them; hence the check by measurement.

    >>> folds_beyond(23, 10)
    [6, 7, 8, 9, 10]
    """
    return [layer for layer in range(1, depth + 1) if 2 ** (layer - 1) > d_model]


def class_weights(tiny: bool, seed: int) -> tuple[float, float]:
    """Probes of a random network's pieces: lowest cosine with ``W_j - W_k``, lowest accuracy.

    A direction is judged where data can show it: pieces are active on one point in twenty at
    least, and are the two largest on as many. Two pieces that never meet are told apart by the
    third between them.
    """
    points = 2000 if tiny else 4000
    net = random_network(4, [6, 6], 3, seed=seed + 1)
    t = MaxoutTransformer.from_network(net, (-1, 1), inverse_temperature=1000.0, causal=True)
    x = t.box.sample(points, seed)
    targets = t.targets(x)
    values = {
        piece_target(layer, unit): of_layer[:, unit]
        for layer, of_layer in enumerate(net.pieces(x), 1)
        for unit in range(of_layer.shape[1])
    }
    cosines: list[float] = []
    scores: list[float] = []
    for readout in t.readouts:
        labels = targets[readout.target]
        classes, counts = np.unique(labels, return_counts=True)
        if len(classes) < 2 or counts.min() < 0.05 * points:
            continue
        acts = t.activations(x, [readout.site])[readout.site]
        acts = acts[:, np.ptp(acts, axis=0) > 0]  # X; the rest of the stream is constant
        fitted = LinearProbe(C=1e4, standardize=False).fit(acts, labels)
        scores.append(float(fitted.score(acts, labels)))
        weights = dict(zip(classes, _per_class(fitted.coef_), strict=True))
        leaders = np.sort(np.argsort(values[readout.target], axis=1)[:, -2:], axis=1)
        for (j, k), direction in readout.differences.items():
            meet = float((leaders == sorted((j, k))).all(axis=1).mean())
            if str(j) in weights and str(k) in weights and meet >= 0.05:
                gap = weights[str(j)] - weights[str(k)]
                wanted = direction[: len(gap)]
                cosines.append(float(gap @ wanted / np.linalg.norm(gap) / np.linalg.norm(wanted)))
    # Nothing to judge by must not pass for agreement.
    return min(cosines, default=math.nan), min(scores, default=math.nan)


def _shuffled(
    labels: Mapping[str, np.ndarray], names: Sequence[str], seed: int
) -> dict[str, np.ndarray]:
    shuffle = np.random.default_rng(seed).permutation
    return {f"shuffled {name}": shuffle(labels[name]) for name in names}


def _per_class(coefficients: np.ndarray) -> np.ndarray:
    """One row per class: two classes share a row, that of their difference."""
    if len(coefficients) > 1:
        return coefficients
    return np.stack([np.zeros_like(coefficients[0]), coefficients[0]])


def _from_chance(shares: Sequence[Sequence[float]]) -> float:
    return float(np.abs(np.array(shares) - 0.5).max())


def _grid(
    results: Any, sites: Sequence[str], names: Sequence[str], field: str = "accuracy"
) -> list[list[float]]:
    return [[float(getattr(results.score(site, n), field)) for site in sites] for n in names]
