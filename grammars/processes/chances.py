"""Probabilities of a process: whether they are some, where they settle, drawing from them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from ...core.decompositions import svd
from ...core.texts import encodable
from ..errors import LanguageError

__all__ = ["are_probabilities", "check_matrices", "check_names", "draw", "stationary"]

SUM = 1e-9  # distance from 1 that probabilities written as decimals may leave in their sum


def check_names(matrices: np.ndarray, terminals: tuple[str, ...], states: tuple[str, ...]) -> None:
    """Tokens and states are told apart, and as many as the matrices say.

    Raises:
        LanguageError: they are not.
    """
    for what, names, size in (
        ("terminals", terminals, matrices.shape[0]),
        ("states", states, matrices.shape[1]),
    ):
        if len(names) != size or len(set(names)) != size or size == 0:
            raise LanguageError(
                f"{what} are one different name for each of the {size} that transitions, of shape "
                f"{matrices.shape}, have; received {names!r:.200}"
            )
        if not all(name and encodable(name) for name in names):
            raise LanguageError(
                f"{what} are texts that are not empty and that a file can hold; received "
                f"{names!a:.200}"
            )


def check_matrices(matrices: np.ndarray, states: Sequence[str]) -> None:
    """From every state the probabilities of tokens and next states sum to 1.

    Raises:
        LanguageError: they do not; the message names the state.
    """
    rows = np.moveaxis(matrices, 0, 1).reshape(len(states), -1)
    for state, row, good in zip(states, rows, are_probabilities(rows), strict=True):
        if not good:
            raise LanguageError(
                f"from state {state!r} the probabilities of tokens and next states are numbers in "
                f"0..1 with sum 1; received the sum {row.sum():.12g} of {row.tolist()!r:.200}"
            )


def are_probabilities(rows: Float[np.ndarray, "row choice"]) -> Bool[np.ndarray, " row"]:
    """Which rows hold no negative number and sum to 1.

    >>> are_probabilities(np.array([[0.5, 0.5], [1.5, -0.5], [np.nan, 1.0]])).tolist()
    [True, False, False]
    """
    inside = ((rows >= 0) & (rows <= 1 + SUM)).all(axis=1)
    near = np.zeros(len(rows), dtype=bool)
    near[inside] = np.abs(rows[inside].sum(axis=1) - 1) <= SUM
    return near


def stationary(matrices: Float[np.ndarray, "symbol state state"]) -> Float[np.ndarray, " state"]:
    """The one distribution of states that a step leaves as it is.

    Raises:
        LanguageError: there are several: parts of the process never reach each other.

    >>> stationary(np.array([[[0.5, 0.5], [1.0, 0.0]]])).round(4).tolist()
    [0.6667, 0.3333]
    """
    moves = matrices.sum(axis=0).T - np.eye(matrices.shape[1])
    _, sizes, rows = svd(moves)
    if (sizes <= SUM).sum() != 1:
        raise LanguageError(
            "the process has several stationary distributions, as some states never lead to others "
            "and back: give start, the probabilities of the states before the first token"
        )
    found: np.ndarray = np.abs(rows[-1]) / np.abs(rows[-1]).sum()
    found[found < SUM] = 0.0  # states that are left for good
    found /= found.sum()
    return found


def draw(
    rows: Float[np.ndarray, "row choice"], rng: np.random.Generator
) -> Int[np.ndarray, " row"]:
    """One choice of each row, with these probabilities.

    >>> draw(np.array([[0.0, 1.0, 0.0]] * 3), np.random.default_rng(0)).tolist()
    [1, 1, 1]
    """
    sums = np.cumsum(rows, axis=1)
    total = sums[:, -1]
    level = np.minimum(rng.random(len(rows)) * total, np.nextafter(total, 0.0))
    chosen: np.ndarray = (sums <= level[:, None]).sum(axis=1)
    return chosen
