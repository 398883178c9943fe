"""The subspaces in which activations move with numbers: regression of activations on the values.

Where activations are a linear map of the values (and of anything that does not go with them), the
coefficients of the regression *are* the columns of that map. Several targets are taken together:
then a target's pattern is the movement that the others do not explain.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from jaxtyping import Float

from ...core import Subspace, checked
from ...core.decompositions import eigh, pinv_symmetric, svd
from ..errors import ProbeError
from ..inputs.columns import common_scale, feature_matrix
from .statistics import Statistics

__all__ = ["number_moves", "number_patterns"]

DEPENDENT = 1e-9  # share of a target's variance below which the rest of it is rounding
RESOLUTION = float(np.finfo(np.float32).eps)  # share of the whole that float32 activations resolve


@checked(ProbeError)
def number_patterns(X: npt.ArrayLike, targets: Mapping[str, npt.ArrayLike]) -> dict[str, Subspace]:
    """The pattern of each target, all targets estimated jointly.

    Args:
        X: ``[token, d_model]`` activations.
        targets: by name ``[token]`` or ``[token, column]`` finite numbers.

    Returns:
        By name the span of the coefficients of the target's columns. Combinations of columns that
        the other targets determine on these tokens, and columns that do not vary, say nothing:
        a pattern of no dimensions is one that cannot be told here, or is not written.

    Raises:
        ProbeError: lengths differ, or a value is not finite.

    >>> rng = np.random.default_rng(0)
    >>> Y = rng.standard_normal((200, 2))
    >>> X = Y @ np.array([[1.0, 0, 0, 0], [0, 1.0, 1.0, 0]])
    >>> found = number_patterns(X, {"first": Y[:, 0], "both": Y})
    >>> found["first"].dim, found["both"].dim
    (0, 1)
    >>> number_patterns(X, {"first": Y[:, 0]})["first"].d_model
    4
    """
    features = feature_matrix(X)
    factor = float(common_scale(features))  # a subspace has no size
    features = features if factor == 1.0 else features * factor
    tables = {name: _unit_columns(name, values) for name, values in targets.items()}
    statistics = Statistics.from_arrays(features, tables)
    beside = len(tables) > 1
    return {
        name: Subspace(
            number_moves(statistics, name),
            "pattern",
            f"pattern of {name} from {statistics.n} tokens, by regression on its values"
            + (f", jointly with {', '.join(o for o in tables if o != name)}" if beside else ""),
        )
        for name in tables
    }


def number_moves(statistics: Statistics, target: str) -> Float[np.ndarray, "feature rank"]:
    """Movement of the features with one target, given all other targets of the statistics.

    Args:
        statistics: of features and targets.
        target: the one wanted.

    Returns:
        Orthogonal directions of length one, strongest first.
    """
    block = statistics.block(target)
    own = np.zeros(len(statistics.mean_z), dtype=bool)
    own[block] = True
    zz, xz = statistics.scatter_zz, statistics.scatter_xz
    bridge = pinv_symmetric(zz[np.ix_(~own, ~own)], 1e-10)
    shared = bridge @ zz[~own][:, own]
    rest_zz = zz[own][:, own] - zz[own][:, ~own] @ shared
    rest_xz = xz[:, own] - xz[:, ~own] @ shared
    values, vectors = eigh(0.5 * (rest_zz + rest_zz.T))
    free = values > DEPENDENT * max(float(np.diag(zz[own][:, own]).max(initial=0.0)), 1e-300)
    # Movements along uncorrelated combinations of the columns, each of length one over the tokens:
    # smaller than the whole by what float32 resolves is what rounding leaves of nothing.
    moves = rest_xz @ (vectors[:, free] / np.sqrt(values[free]))
    directions, sizes, _ = svd(moves)
    whole = np.sqrt(max(float(np.trace(statistics.scatter_xx)), 0.0))
    return directions[:, sizes > max(RESOLUTION * whole, 1e-300)]


def _unit_columns(name: str, values: npt.ArrayLike) -> np.ndarray:
    """``[token, column]`` columns of one spread; the span does not depend on it.

    Raises:
        ProbeError: they are no finite numbers.
    """
    array = np.asarray(values)
    table = array[:, None] if array.ndim == 1 else array
    if table.ndim != 2 or table.dtype.kind not in "fiub" or not np.isfinite(table).all():
        raise ProbeError(
            f"target {name!r} is [token] or [token, column] finite numbers; received "
            f"{array.dtype} of shape {array.shape}: drop the tokens where it is undefined"
        )
    largest = np.abs(table).max(axis=0, initial=0.0).astype(np.float64)
    table = table / np.where(largest > 0, largest, 1.0)
    spread = table.std(axis=0)
    scaled: np.ndarray = (table - table.mean(axis=0)) / np.where(spread > 1e-14, spread, np.inf)
    return scaled
