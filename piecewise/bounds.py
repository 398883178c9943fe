"""How many regions a network can have: upper bounds, and what depth is known to reach."""

from collections.abc import Sequence
from math import comb, prod

from .errors import NetworkError
from .network import MaxoutNetwork

__all__ = [
    "is_relu",
    "lines_bound",
    "maxout_bound",
    "relu_bound",
    "relu_reach",
    "upper_bound",
    "zaslavsky",
]

Ranks = int | Sequence[int | Sequence[int]]


def zaslavsky(n_hyperplanes: int, n_inputs: int) -> int:
    """Regions of hyperplanes in general position; no arrangement has more.

    Source: Zaslavsky 1975, Memoirs AMS 154. One layer of ReLU units has at most as many.

    >>> zaslavsky(3, 2)
    7
    """
    return sum(comb(n_hyperplanes, j) for j in range(n_inputs + 1))


def lines_bound(n_lines: int, multiplicities: Sequence[int] = ()) -> int:
    """Regions of a convex box cut by lines: ``1 + lines + sum over inner points (mult - 1)``.

    Args:
        n_lines: distinct lines that meet the interior of the box.
        multiplicities: for each point of the interior where lines cross, how many.

    >>> lines_bound(3, [2, 2, 2]), lines_bound(3, [3])
    (7, 6)
    """
    return 1 + n_lines + sum(m - 1 for m in multiplicities)


def relu_bound(widths: Sequence[int], n_inputs: int) -> int:
    """At most this many linear regions for a ReLU network; exact maximum for one input.

    Sum over ``J`` of ``prod_l C(n_l, j_l)`` with ``j_l <= min(n_0, n_1 - j_1, .., n_l)``.
    Source: Serra, Tjandraatmadja, Ramalingam 2018, arXiv 1711.02114, Theorem 1.

    >>> relu_bound([3], 2), relu_bound([2, 2], 1)
    (7, 9)
    """
    table: dict[int, int] = {n_inputs: 1}
    for width in widths:
        following: dict[int, int] = {}
        for dim, count in table.items():
            for j in range(min(dim, width) + 1):
                left = min(dim, width - j)
                following[left] = following.get(left, 0) + count * comb(width, j)
        table = following
    return sum(table.values())


def maxout_bound(widths: Sequence[int], ranks: Ranks, n_inputs: int) -> int:
    """At most this many linear regions for a maxout network.

    ``prod_l sum_{j <= d_l} e_j(p_1 - 1, .., p_n - 1)``, ``d_l = min(n_0 .. n_{l-1})``, ``e_j`` the
    elementary symmetric polynomial: ``C(n, j) (p - 1)**j`` for equal ranks. Source: Montúfar,
    Ren, Zhang 2022, SIAM J. Appl. Algebra Geom. 6(4), arXiv 2104.08135.

    Args:
        widths: units per layer.
        ranks: one rank for all, one per layer, or one per unit of each layer.
        n_inputs: dimension of the inputs (2 for a planar slice).

    Raises:
        NetworkError: ranks that do not fit the widths.

    >>> maxout_bound([3], 3, 2), maxout_bound([2] * 3, 2, 1)
    (19, 27)
    """
    of_layers = [ranks] * len(widths) if isinstance(ranks, int) else list(ranks)
    if len(of_layers) != len(widths):
        raise NetworkError(f"received ranks for {len(of_layers)} layers, widths of {len(widths)}")
    dim, bound = n_inputs, 1
    for width, of_layer in zip(widths, of_layers, strict=True):
        of_units = [of_layer] * width if isinstance(of_layer, int) else list(of_layer)
        if len(of_units) != width:
            raise NetworkError(f"received {len(of_units)} ranks for a layer of {width} units")
        symmetric = [1] + [0] * dim
        for rank in of_units:
            for j in range(dim, 0, -1):
                symmetric[j] += (rank - 1) * symmetric[j - 1]
        bound *= sum(symmetric)
        dim = min(dim, width)
    return bound


def relu_reach(widths: Sequence[int], n_inputs: int) -> int:
    """The best ReLU network of these widths has at least this many regions; a given one need not.

    ``prod_{l < L} floor(n_l / n_0)**n_0 * sum_{j <= n_0} C(n_L, j)``. Source: Montúfar, Pascanu,
    Cho, Bengio 2014, arXiv 1402.1869, Theorem 4. Never a test of a given network.

    Raises:
        NetworkError: no layer, or a hidden layer narrower than the input.

    >>> relu_reach([4, 4], 2)
    44
    """
    if not widths or min(widths) < n_inputs:
        raise NetworkError(
            f"the statement needs every width >= the {n_inputs} inputs; received {list(widths)}"
        )
    folds = prod(int((n // n_inputs) ** n_inputs) for n in widths[:-1])
    return folds * zaslavsky(widths[-1], n_inputs)


def is_relu(net: MaxoutNetwork) -> bool:
    """Every unit is ``max(z, 0)``: rank 2 with one piece identically zero."""
    return all(
        bool((layer.ranks == 2).all())
        and bool(((layer.weight == 0).all(axis=2) & (layer.bias == 0)).any(axis=1).all())
        for layer in net.layers
    )


def upper_bound(net: MaxoutNetwork, dim: int | None = None) -> int:
    """The smallest bound above that covers this network on inputs (or a slice) of ``dim``.

    >>> from .families import zigzag
    >>> upper_bound(zigzag(3, 4))
    625
    """
    n: int = net.n_inputs if dim is None else min(dim, net.n_inputs)
    bound: int = maxout_bound(net.widths, net.ranks, n)
    return min(bound, relu_bound(net.widths, n)) if is_relu(net) else bound
