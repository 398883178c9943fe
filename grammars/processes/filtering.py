"""What is known of a hidden state after each token: Bayes' rule, and its average over sentences.

A belief is a row of probabilities of the states. After a token it is the row times the token's
matrix, divided by its sum, which is the probability of the token.
"""

import numpy as np
from jaxtyping import Float, Int

from ..errors import TooLarge

__all__ = ["beliefs_after", "distinct", "entropies", "reachable"]

SAME = 1e-9  # beliefs nearer than this are one: rounding is about 1e-16 a token, and contracts
_MOST = 500_000  # distinct beliefs, at most


def beliefs_after(
    transitions: Float[np.ndarray, "symbol state state"],
    start: Float[np.ndarray, " state"],
    tokens: Int[np.ndarray, "sentence position"],
) -> tuple[Float[np.ndarray, "sentence read state"], Float[np.ndarray, "sentence position"]]:
    """Beliefs before any token and after each, and the probability of each token given the earlier.

    From a token on that cannot occur, beliefs are NaN and probabilities 0.

    Args:
        transitions: probability of a token and the next state, given the state.
        start: belief before any token.
        tokens: indices of tokens.

    >>> coin = np.array([[[0.5]], [[0.5]]])
    >>> beliefs_after(coin, np.ones(1), np.array([[0, 1]]))[1].tolist()
    [[0.5, 0.5]]
    """
    n, length = tokens.shape
    beliefs = np.empty((n, length + 1, len(start)))
    probability = np.empty((n, length))
    beliefs[:, 0] = start
    for place in range(length):
        moved = np.einsum("ns,nst->nt", beliefs[:, place], transitions[tokens[:, place]])
        total = moved.sum(axis=1)
        probability[:, place] = np.nan_to_num(total)
        beliefs[:, place + 1] = np.divide(
            moved, total[:, None], out=np.full_like(moved, np.nan), where=total[:, None] > 0
        )
    return beliefs, probability


def reachable(
    transitions: Float[np.ndarray, "symbol state state"],
    start: Float[np.ndarray, " state"],
    most: int,
) -> list[tuple[Float[np.ndarray, "belief state"], Float[np.ndarray, " belief"]]]:
    """Per number of tokens read, 0 to ``most``: the beliefs that occur, and how probable each is.

    Raises:
        TooLarge: more than two million beliefs after so many tokens.
    """
    layers = [(start[None], np.ones(1))]
    for _ in range(most):
        beliefs, weights = layers[-1]
        if len(beliefs) * len(transitions) > _MOST:
            raise TooLarge(
                f"more than {_MOST:,} different beliefs occur within {most} tokens; take fewer "
                "tokens"
            )
        moved = np.einsum("bs,vst->bvt", beliefs, transitions).reshape(-1, len(start))
        total = moved.sum(axis=1)
        shares = np.repeat(weights, len(transitions)) * total
        kept = total > 0
        layers.append(_merged(moved[kept] / total[kept, None], shares[kept]))
    return layers


def _merged(
    beliefs: Float[np.ndarray, "row state"], weights: Float[np.ndarray, " row"]
) -> tuple[Float[np.ndarray, "belief state"], Float[np.ndarray, " belief"]]:
    """Equal beliefs as one, with the sum of their weights."""
    keys = np.round(beliefs / SAME)
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return beliefs[first], np.bincount(place.reshape(-1), weights=weights)


def distinct(beliefs: Float[np.ndarray, "row state"]) -> Float[np.ndarray, "belief state"]:
    """The beliefs without repetitions, in the order of their first appearance."""
    first = np.unique(np.round(beliefs / SAME), axis=0, return_index=True)[1]
    return beliefs[np.sort(first)]


def entropies(
    transitions: Float[np.ndarray, "symbol state state"],
    start: Float[np.ndarray, " state"],
    most: int,
) -> Float[np.ndarray, " read"]:
    """``[read]`` entropy of the next token in nats, given all tokens so far, for 0 to ``most``."""
    found = []
    for beliefs, weights in reachable(transitions, start, most):
        following = beliefs @ transitions.sum(axis=2).T
        terms = following * np.log(np.where(following > 0, following, 1.0))
        found.append(float(-weights @ terms.sum(axis=1)))
    return np.array(found)
