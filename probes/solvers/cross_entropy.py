"""Cross-entropy of logits moved along a line, a few rows at a time."""

import numpy as np
from jaxtyping import Float, Int

from ..errors import ProbeError

__all__ = ["along", "in_line", "own_places"]

CACHED = 2**18  # logits of the rows worked on together: they stay in the processor's cache


def along(
    logits: Float[np.ndarray, "class token"],
    moves: Float[np.ndarray, "class token"] | None,
    size: float,
    places: Int[np.ndarray, " token"],
    residual: Float[np.ndarray, "class token"],
) -> tuple[float, float]:
    """Summed cross-entropy (nats) at ``logits + size * moves``, and its slope in ``size``.

    Args:
        logits: where the line starts.
        moves: where it goes; ``None``: nowhere.
        size: how far.
        places: of each row's own class, as :func:`own_places` gives them.
        residual: receives the probabilities less the one-hot classes; in C order.

    Raises:
        ProbeError: ``residual`` is in another order.

    >>> logits, places, room = np.zeros((2, 1)), own_places(np.array([1])), np.empty((2, 1))
    >>> loss, slope = along(logits, np.array([[0.0], [1.0]]), 0.0, places, room)
    >>> round(loss, 3), slope, room.T.tolist()
    (0.693, -0.5, [[0.5, -0.5]])
    """
    k, n = logits.shape
    loss = slope = 0.0
    most = max(CACHED // k, 64)
    size = logits.dtype.type(size)
    numbers = in_line(residual)
    for start in range(0, n, most):
        here = slice(start, min(start + most, n))
        moved, own, true = residual[:, here], logits[:, here], places[here]
        if moves is None:
            np.subtract(own, own.max(axis=0), out=moved)
        elif size == 1:  # the first look along a line, and most often the last
            np.add(moves[:, here], own, out=moved)
            moved -= moved.max(axis=0)
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


def in_line(scores: Float[np.ndarray, "class token"]) -> Float[np.ndarray, " _"]:
    """All scores in one line; writing to it writes to the scores, which lie in C order.

    NumPy picks numbers by one index faster than by two.

    Raises:
        ProbeError: they do not, and the line would be a copy.

    >>> in_line(np.array([[1.0, 2.0], [3.0, 4.0]]))[own_places(np.array([1, 0]))].tolist()
    [3.0, 2.0]
    """
    if not scores.flags.c_contiguous:
        raise ProbeError("scores [class, token] lie in C order: pass np.ascontiguousarray of them")
    return scores.reshape(-1)


def own_places(codes: Int[np.ndarray, " token"]) -> Int[np.ndarray, " token"]:
    """Where each row's own class stands among the scores in one line."""
    # Codes may be narrow integers, which a large product would overflow.
    places: np.ndarray = codes.astype(np.int64) * len(codes) + np.arange(len(codes))
    return places
