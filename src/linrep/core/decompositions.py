"""Singular values and eigenvalues of any finite matrix.

LAPACK's divide-and-conquer routines, which NumPy calls, do not converge on some matrices of far
less than full rank, such as the values of a grammar's chart. There the slower routines by QR
iterations are taken, which do.
"""

import numpy as np

__all__ = ["eigh", "pinv", "pinv_symmetric", "rank", "singular_values", "svd"]


def svd(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thin singular value decomposition: left vectors, values descending, right vectors as rows.

    Args:
        matrix: ``[m, n]`` finite numbers; the parts are ``[m, k]``, ``[k]`` and ``[k, n]``, with
            ``k`` the smaller side.

    >>> left, sizes, right = svd(np.diag([1.0, 3.0]))
    >>> sizes.tolist(), np.allclose(left * sizes @ right, np.diag([1.0, 3.0]))
    ([3.0, 1.0], True)
    """
    try:
        left, sizes, right = np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:
        from scipy import linalg

        left, sizes, right = linalg.svd(matrix, full_matrices=False, lapack_driver="gesvd")
    return left, sizes, right


def singular_values(matrix: np.ndarray) -> np.ndarray:
    """Singular values, descending: ``[k]`` of an ``[m, n]`` matrix, ``k`` the smaller side."""
    sizes: np.ndarray
    try:
        sizes = np.linalg.svd(matrix, compute_uv=False)
    except np.linalg.LinAlgError:
        sizes = svd(matrix)[1]
    return sizes


def rank(matrix: np.ndarray, tolerance: float | None = None) -> int:
    """Number of singular values above a tolerance; by default the rounding of the largest.

    >>> rank(np.ones((4, 3))), rank(np.zeros((4, 0)))
    (1, 0)
    """
    sizes = singular_values(matrix)
    if tolerance is None:
        unit = max(matrix.shape) * np.finfo(np.float64).eps
        tolerance = float(unit * sizes.max(initial=0.0))
    return int((sizes > tolerance).sum())


def eigh(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of a symmetric matrix, ascending, and their vectors as columns.

    >>> eigh(np.diag([2.0, 1.0]))[0].tolist()
    [1.0, 2.0]
    """
    try:
        values, vectors = np.linalg.eigh(matrix)
    except np.linalg.LinAlgError:
        from scipy import linalg

        values, vectors = linalg.eigh(matrix, driver="ev")
    return values, vectors


def pinv(matrix: np.ndarray, tolerance: float = 1e-15) -> np.ndarray:
    """Pseudoinverse; singular values below this share of the largest count as 0.

    >>> pinv(np.array([[2.0], [0.0]])).tolist()
    [[0.5, 0.0]]
    """
    left, sizes, right = svd(matrix)
    kept = sizes > tolerance * sizes.max(initial=0.0)
    inverse: np.ndarray = (right[kept].T / sizes[kept]) @ left[:, kept].T
    return inverse


def pinv_symmetric(matrix: np.ndarray, tolerance: float) -> np.ndarray:
    """Pseudoinverse of a symmetric matrix; values below this share of the largest count as 0.

    >>> pinv_symmetric(np.diag([2.0, 0.0]), 1e-10).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    values, vectors = eigh(matrix)
    kept = np.abs(values) > tolerance * np.abs(values).max(initial=0.0)
    inverse: np.ndarray = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    return inverse
