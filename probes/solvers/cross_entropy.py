"""Cross-entropy of logits moved along a line, a few rows at a time."""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["along"]

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
        residual: receives the probabilities less the one-hot classes.

    >>> logits, codes, room = np.zeros((2, 1)), np.array([1]), np.empty((2, 1))
    >>> loss, slope = along(logits, np.array([[0.0], [1.0]]), 0.0, codes, room)
    >>> round(loss, 3), slope, room.T.tolist()
    (0.693, -0.5, [[0.5, -0.5]])
    """
    k, n = logits.shape
    loss = slope = 0.0
    most = max(CACHED // k, 64)
    size = logits.dtype.type(size)
    for start in range(0, n, most):
        here = slice(start, min(start + most, n))
        moved, own, true = residual[:, here], logits[:, here], codes[here]
        place = true, np.arange(len(true))
        if moves is None:
            np.subtract(own, own.max(axis=0), out=moved)
        else:
            np.multiply(moves[:, here], size, out=moved)
            moved += own
            moved -= moved.max(axis=0)
        loss -= float(moved[place].sum(dtype=np.float64))
        np.exp(moved, out=moved)
        total = moved.sum(axis=0)
        loss += float(np.log(total).sum(dtype=np.float64))
        moved /= total
        moved[place] -= 1.0
        if moves is not None:
            slope += float(np.einsum("kn,kn->", moved, moves[:, here]))
    return loss, slope
