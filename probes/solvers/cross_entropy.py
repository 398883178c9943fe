"""Cross-entropy of logits moved along a line, a few rows at a time."""

import numpy as np
from jaxtyping import Float, Int

from ..errors import ProbeError

__all__ = ["along", "own_classes"]

CACHED = 2**18  # logits of the rows worked on together: they stay in the processor's cache


def along(
    logits: Float[np.ndarray, "class token"],
    moves: Float[np.ndarray, "class token"] | None,
    size: float,
    codes: Int[np.ndarray, " token"],
    residual: Float[np.ndarray, "class token"],
) -> tuple[float, float]:
    """Summed cross-entropy (nats) at ``logits + size * moves``, and its slope in ``size``.

    Args:
        logits: where the line starts.
        moves: where it goes; ``None``: nowhere.
        size: how far.
        codes: class of each row.
        residual: receives the probabilities less the one-hot classes; in C order.

    Raises:
        ProbeError: ``residual`` is in another order.

    >>> logits, codes, room = np.zeros((2, 1)), np.array([1]), np.empty((2, 1))
    >>> loss, slope = along(logits, np.array([[0.0], [1.0]]), 0.0, codes, room)
    >>> round(loss, 3), slope, room.T.tolist()
    (0.693, -0.5, [[0.5, -0.5]])
    """
    k, n = logits.shape
    loss = slope = 0.0
    most = max(CACHED // k, 64)
    size = logits.dtype.type(size)
    numbers, own_class = own_classes(residual, codes)
    for start in range(0, n, most):
        here = slice(start, min(start + most, n))
        moved, own, true = residual[:, here], logits[:, here], own_class[here]
        if moves is None:
            np.subtract(own, own.max(axis=0), out=moved)
        else:
            np.multiply(moves[:, here], size, out=moved)
            moved += own
            moved -= moved.max(axis=0)
        loss -= float(numbers.take(true).sum(dtype=np.float64))
        np.exp(moved, out=moved)
        total = moved.sum(axis=0)
        loss += float(np.log(total).sum(dtype=np.float64))
        moved /= total
        numbers[true] -= 1.0
        if moves is not None:
            slope += float(np.einsum("kn,kn->", moved, moves[:, here]))
    return loss, slope


def own_classes(
    scores: Float[np.ndarray, "class token"], codes: Int[np.ndarray, " token"]
) -> tuple[Float[np.ndarray, " _"], Int[np.ndarray, " token"]]:
    """All scores in one line, and where each row's own class stands in it.

    NumPy picks numbers by one index faster than by two. Writing to the line writes to the scores,
    which lie in C order.

    Raises:
        ProbeError: they do not, and the line would be a copy.

    >>> line, places = own_classes(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 0]))
    >>> line[places].tolist()
    [3.0, 2.0]
    """
    if not scores.flags.c_contiguous:
        raise ProbeError("scores [class, token] lie in C order: pass np.ascontiguousarray of them")
    # Codes may be narrow integers, which a large product would overflow.
    return scores.reshape(-1), codes.astype(np.int64) * len(codes) + np.arange(len(codes))
