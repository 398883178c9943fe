"""Parts of a network with random weights."""

from operator import mul

import numpy as np

from ..errors import NetworkError
from .parts import Parts
from .sizes import Whole, Wholes, read_ranks, read_size, read_widths

__all__ = ["random_parts", "require_room"]

_MOST = 2 * 10**9  # numbers of one network, 16 GB


def random_parts(
    n_inputs: Whole, widths: Wholes, rank: Wholes, n_outputs: Whole, seed: Whole
) -> Parts:
    """Independent normal weights; see :func:`random_network`.

    Raises:
        NetworkError: a size or rank below 1, or ranks that do not fit the widths.
    """
    n_inputs, n_outputs = read_size("n_inputs", n_inputs), read_size("n_outputs", n_outputs)
    sizes = read_widths(widths)
    if not sizes:
        raise NetworkError("widths names at least one layer; received none")
    ranks = read_ranks(rank, sizes)
    reads = [n_inputs, *sizes]
    pieces = [max(of_units) * width for of_units, width in zip(ranks, sizes, strict=True)]
    require_room(sum(map(mul, pieces, reads)) + n_outputs * sizes[-1])
    rng = np.random.default_rng(read_size("seed", seed, 0))
    weights, biases, inputs = [], [], n_inputs
    for width, of_units in zip(sizes, ranks, strict=True):
        scale = inputs**-0.5
        weights.append([scale * rng.standard_normal((r, inputs)) for r in of_units])
        biases.append([scale * rng.standard_normal(r) for r in of_units])
        inputs = width
    scale = inputs**-0.5
    readout = scale * rng.standard_normal((n_outputs, inputs))
    return Parts(weights, biases, readout, scale * rng.standard_normal(n_outputs))


def require_room(numbers: int) -> None:
    """Refuse a network of more numbers than can be held.

    Raises:
        NetworkError: with their number.
    """
    if numbers > _MOST:
        raise NetworkError(
            f"a network of {float(min(numbers, 10**300)):.3g} numbers does not fit in memory: "
            "take fewer or smaller layers"
        )
