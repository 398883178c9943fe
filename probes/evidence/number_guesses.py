"""What can be guessed of a number without activations: from the position, the word, or a neighbour.

And from all of them together with the embedding: ridge regression, as :mod:`.surface` has for
classes.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy import linalg, sparse

from .surface import Surface

__all__ = ["control_numbers", "mean_guess", "n_gram_guess", "surface_numbers"]

PULLS = (0.0, 0.3, 1.0, 3.0, 10.0, 30.0, np.inf)  # rows at the overall mean that each key is given
ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0)  # of the ridge, for columns of zeros and ones
DIRECT = 3000  # columns (or rows) up to which the system is solved at once
STEPS = 100  # of the iterative solver: a baseline needs no digits


def mean_guess(
    keys: Int[np.ndarray, " token"],
    values: Float[np.ndarray, "token column"],
    test_keys: Int[np.ndarray, " test"],
) -> Float[np.ndarray, "test column"]:
    """The mean of each key's training values, drawn towards the mean of all; that for unseen keys.

    A key seen once or twice has a mean that says little: each key is given so many rows at the
    overall mean as leave-one-out over the training rows prefers.

    >>> mean_guess(np.array([0, 0, 1, 1]), np.array([[1.0], [1], [5], [5]]), np.array([0, 7]))
    array([[1.],
           [3.]])
    """
    overall = values.mean(axis=0)
    known, place = np.unique(keys, return_inverse=True)
    place = place.reshape(-1)
    counts = np.bincount(place).astype(np.float64)[:, None]
    sums = np.zeros((len(known), values.shape[1]))
    np.add.at(sums, place, values - overall)
    rest = sums[place] - (values - overall)

    def missed(pull: float) -> float:
        others = counts[place] - 1.0 + pull
        guess = np.divide(rest, others, out=np.zeros_like(rest), where=others > 0)
        return float(np.square(values - overall - guess).sum())

    pull = min(reversed(PULLS), key=missed)  # of equals the mean of all: nothing speaks for less
    found = np.clip(np.searchsorted(known, test_keys), 0, len(known) - 1)
    seen = (known[found] == test_keys)[:, None]
    guess: np.ndarray = overall + np.where(seen, (sums / (counts + pull))[found], 0.0)
    return guess


def n_gram_guess(
    keys: Sequence[Int[np.ndarray, " token"]],
    values: Float[np.ndarray, "train column"],
    train: Int[np.ndarray, " train"],
    asked: Int[np.ndarray, " asked"],
) -> Float[np.ndarray, "asked column"]:
    """The mean after the last words, the last two, the last three, each drawn to the one before.

    Args:
        keys: of every token, from the shortest context to the longest.
        values: of the training rows.
        train: rows that are learned from.
        asked: rows that are guessed.

    >>> one, two = np.array([0, 0, 0, 0]), np.array([0, 1, 0, 1])
    >>> rows, values = np.arange(4), np.array([[1.0], [5.0], [1.0], [5.0]])
    >>> n_gram_guess([one, two], values, rows, rows).round(2).tolist()
    [[1.0], [5.0], [1.0], [5.0]]
    """
    guess = np.zeros((len(asked), values.shape[1]))
    known = np.zeros_like(values)
    for key in keys:
        rest = values - known
        guess += mean_guess(key[train], rest, key[asked])
        known += mean_guess(key[train], rest, key[train])
    return guess


def control_numbers(
    word_keys: Int[np.ndarray, " token"],
    values: Float[np.ndarray, "train column"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "token column"]:
    """A control task: every word type gets the numbers of one training row, drawn at random.

    The analogue of Hewitt and Liang's random classes (2019): R2 on it is what the probe can reach
    by memorising words.
    """
    drawn = rng.integers(0, len(values), size=int(word_keys.max(initial=-1)) + 1)
    numbers: np.ndarray = values[drawn][word_keys]
    return numbers


def surface_numbers(
    surface: Surface,
    train: Int[np.ndarray, " train"],
    validation: Int[np.ndarray, " validation"],
    asked: Int[np.ndarray, " asked"],
    values: tuple[np.ndarray, np.ndarray],
) -> Float[np.ndarray, "asked column"]:
    """Numbers of the rows asked for, by ridge regression on everything on the surface.

    The penalty is chosen on validation rows; without any it is the middle one.

    Args:
        surface: what stands at every token.
        train: rows that are learned from.
        validation: rows on which the penalty is chosen.
        asked: rows that are guessed.
        values: ``[row, column]`` of the training and of the validation rows.
    """
    columns, dense = surface.columns(train), surface.dense(train)

    def rows(which: np.ndarray) -> sparse.csr_matrix:
        parts = [columns[which], sparse.csr_matrix(dense(which))]
        return sparse.csr_matrix(sparse.hstack(parts))

    learned, mean = rows(train), values[0].mean(axis=0)
    path = ALPHAS if len(validation) else (ALPHAS[len(ALPHAS) // 2],)
    fits = _ridge(learned, values[0] - mean, path)
    here = rows(validation)

    def missed(index: int) -> float:
        return float(np.square(here @ fits[index] + mean - values[1]).sum())

    best = min(range(len(path)), key=missed) if len(validation) else 0
    guess: np.ndarray = rows(asked) @ fits[best] + mean
    return guess


def _ridge(X: sparse.csr_matrix, Y: np.ndarray, alphas: Sequence[float]) -> list[np.ndarray]:
    """``[feature, column]`` weights for each penalty; the intercept is the mean of ``Y``."""
    n, width = X.shape
    if min(n, width) > DIRECT:
        from sklearn.linear_model import Ridge

        models = [
            Ridge(alpha, fit_intercept=False, solver="sparse_cg", max_iter=STEPS, tol=1e-3)
            for alpha in alphas
        ]
        return [model.fit(X, Y).coef_.reshape(Y.shape[1], width).T for model in models]
    few = width <= n
    gram = (X.T @ X if few else X @ X.T).toarray()
    right = X.T @ Y if few else Y
    found = []
    for alpha in alphas:
        system = gram + alpha * np.eye(len(gram))
        solved = linalg.cho_solve(linalg.cho_factor(system, lower=True), right)
        found.append(solved if few else X.T @ solved)
    return found
