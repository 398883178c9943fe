"""How many regions a network can have: upper bounds, and what depth is known to reach."""

from math import comb, prod

from ...core import checked
from ...core.arguments import shown
from ..errors import NetworkError
from ..networks.given import AnyNetwork, as_network
from ..networks.sizes import Whole, Wholes, is_list, read_ranks, read_size, read_widths

__all__ = [
    "is_relu",
    "lines_bound",
    "maxout_bound",
    "relu_bound",
    "relu_reach",
    "upper_bound",
    "zaslavsky",
]


@checked(NetworkError)
def zaslavsky(n_hyperplanes: Whole, n_inputs: Whole) -> int:
    """Regions of hyperplanes in general position; no arrangement has more.

    Source: Zaslavsky 1975, Memoirs AMS 154. One layer of ReLU units has at most as many.

    Raises:
        NetworkError: a size that is no whole number, or is negative.

    >>> zaslavsky(3, 2)
    7
    """
    n_hyperplanes = read_size("n_hyperplanes", n_hyperplanes, 0)
    n_inputs = read_size("n_inputs", n_inputs, 0)
    return sum(comb(n_hyperplanes, j) for j in range(min(n_hyperplanes, n_inputs) + 1))


@checked(NetworkError)
def lines_bound(n_lines: Whole, multiplicities: Wholes = ()) -> int:
    """Regions of a convex box cut by lines: ``1 + lines + sum over inner points (mult - 1)``.

    Args:
        n_lines: distinct lines that meet the interior of the box.
        multiplicities: for each point of the interior where lines cross, how many (2 or more).

    Raises:
        NetworkError: a size that is no whole number, or is negative.

    >>> lines_bound(3, [2, 2, 2]), lines_bound(3, [3])
    (7, 6)
    """
    if not is_list(multiplicities):
        raise NetworkError(
            f"multiplicities are a list of whole numbers; received {shown(multiplicities)}"
        )
    through = [read_size("a multiplicity", m, 2) for m in multiplicities]
    return 1 + read_size("n_lines", n_lines, 0) + sum(m - 1 for m in through)


@checked(NetworkError)
def relu_bound(widths: Wholes, n_inputs: Whole) -> int:
    """At most this many linear regions for a ReLU network; exact maximum for one input.

    Sum over ``J`` of ``prod_l C(n_l, j_l)`` with ``j_l <= min(n_0, n_1 - j_1, .., n_l)``.
    Source: Serra, Tjandraatmadja, Ramalingam 2018, arXiv 1711.02114, Theorem 1.

    Raises:
        NetworkError: a size that is no whole number, or is negative.

    >>> relu_bound([3], 2), relu_bound([2, 2], 1)
    (7, 9)
    """
    table: dict[int, int] = {read_size("n_inputs", n_inputs, 0): 1}
    for width in read_widths(widths):
        following: dict[int, int] = {}
        for dim, count in table.items():
            for j in range(min(dim, width) + 1):
                left = min(dim, width - j)
                following[left] = following.get(left, 0) + count * comb(width, j)
        table = following
    return sum(table.values())


@checked(NetworkError)
def maxout_bound(widths: Wholes, ranks: Wholes, n_inputs: Whole) -> int:
    """At most this many linear regions for a maxout network.

    ``prod_l sum_{j <= d_l} e_j(p_1 - 1, .., p_n - 1)``, ``d_l = min(n_0 .. n_{l-1})``, ``e_j`` the
    elementary symmetric polynomial: ``C(n, j) (p - 1)**j`` for equal ranks. Source: Montúfar,
    Ren, Zhang 2022, SIAM J. Appl. Algebra Geom. 6(4), arXiv 2104.08135.

    Args:
        widths: units per layer.
        ranks: one rank for all, one per layer, or one per unit of each layer.
        n_inputs: dimension of the inputs (2 for a planar slice).

    Raises:
        NetworkError: a size that is no whole number or too small, ranks that do not fit the widths.

    >>> maxout_bound([3], 3, 2), maxout_bound([2] * 3, 2, 1)
    (19, 27)
    """
    sizes = read_widths(widths)
    # Terms beyond the number of units are zero.
    dim, bound = min(read_size("n_inputs", n_inputs, 0), *sizes[:1], 10**9), 1
    for width, of_units in zip(sizes, read_ranks(ranks, sizes), strict=True):
        symmetric = [1] + [0] * dim
        for rank in of_units:
            for j in range(dim, 0, -1):
                symmetric[j] += (rank - 1) * symmetric[j - 1]
        bound *= sum(symmetric)
        dim = min(dim, width)
    return bound


@checked(NetworkError)
def relu_reach(widths: Wholes, n_inputs: Whole) -> int:
    """The best ReLU network of these widths has at least this many regions; a given one need not.

    ``prod_{l < L} floor(n_l / n_0)**n_0 * sum_{j <= n_0} C(n_L, j)``. Source: Montúfar, Pascanu,
    Cho, Bengio 2014, arXiv 1402.1869, Theorem 4. Never a test of a given network.

    Raises:
        NetworkError: no layer, a hidden layer narrower than the input, or a size that is no whole
            number.

    >>> relu_reach([4, 4], 2)
    44
    """
    n_inputs, sizes = read_size("n_inputs", n_inputs), read_widths(widths)
    if not sizes or min(sizes) < n_inputs:
        raise NetworkError(
            f"the statement needs every width >= the {n_inputs} inputs; received {sizes}"
        )
    folds = prod(int((n // n_inputs) ** n_inputs) for n in sizes[:-1])
    return folds * zaslavsky(sizes[-1], n_inputs)


@checked(NetworkError)
def is_relu(net: AnyNetwork) -> bool:
    """Every unit is ``max(z, 0)``: rank 2 with one piece identically zero."""
    return all(
        bool((layer.ranks == 2).all())
        and bool(((layer.weight == 0).all(axis=2) & (layer.bias == 0)).any(axis=1).all())
        for layer in as_network(net).layers
    )


@checked(NetworkError)
def upper_bound(net: AnyNetwork, dim: Whole | None = None) -> int:
    """The smallest bound above that covers this network on inputs (or a slice) of ``dim``.

    >>> from ..networks.families import zigzag
    >>> upper_bound(zigzag(3, 4))
    625
    """
    net = as_network(net)
    n: int = net.n_inputs if dim is None else min(read_size("dim", dim, 0), net.n_inputs)
    bound: int = maxout_bound(net.widths, net.ranks, n)
    return min(bound, relu_bound(net.widths, n)) if is_relu(net) else bound
