"""What can be read off the surface: the word, its neighbours, the position and the embedding.

Of spans of running texts also their words, their letters and their length. One logistic regression
of all of them together. Whatever a probe reads beyond it is no property of the words at hand taken
one by one.
"""

from dataclasses import dataclass, field
from threading import Lock
from typing import final

import numpy as np
from jaxtyping import Float, Int
from scipy import optimize, sparse, special

from ..inputs.blocks import Blocks
from ..solvers.rotation import Rotation
from .texts import TextColumns

__all__ = ["WIDEST", "Surface"]

INVERSE_PENALTIES = (0.1, 1.0, 10.0)  # as scikit-learn's C, for columns of zeros and ones
STEPS = 20  # of the descent, at each penalty, from the last one's end: a baseline needs no digits
KEPT = 5  # steps that tell the descent how the objective bends
TURNED = 4096  # rows whose numbers stay in the processor's cache
WIDEST = 128  # leading dimensions of the embedding; the rest stands in its own column of the grid


@final
@dataclass(frozen=True, eq=False)
class Surface:
    """What stands at every token, as columns.

    Args:
        keys: ``[token]`` numbers each: word, word before, word after where the model sees it,
            position; -1 for none.
        embedding: ``[token, d]`` the model's embedding, in the same order, if it was captured.
        texts: of spans of running texts what their characters tell.
    """

    keys: tuple[np.ndarray, ...]
    embedding: Blocks | None
    texts: tuple[TextColumns, ...] = ()
    _learned: dict[bytes, Rotation] = field(default_factory=dict, repr=False)
    _learning: Lock = field(default_factory=Lock, repr=False)

    def alone(self, part: TextColumns) -> "Surface":
        """What one part of the texts tells by itself."""
        return Surface((), None, (part,))

    def guess(
        self,
        train: Int[np.ndarray, " train"],
        validation: Int[np.ndarray, " validation"],
        asked: Int[np.ndarray, " asked"],
        codes: tuple[np.ndarray, np.ndarray],
        n_classes: int,
    ) -> Int[np.ndarray, " asked"]:
        """Classes of the rows asked for.

        The penalty is chosen on validation rows; without any it is scikit-learn's default.

        Args:
            train: rows that are learned from.
            validation: rows on which the penalty is chosen.
            asked: rows that are guessed.
            codes: classes of the training and of the validation rows, -1 for one not learned.
            n_classes: classes that are learned.
        """
        if n_classes == 1:
            return np.zeros(len(asked), dtype=np.int64)
        columns = self.columns(train)
        dense = self.dense(train)
        known = validation[codes[1] >= 0]
        wanted = codes[1][codes[1] >= 0]
        path = INVERSE_PENALTIES if len(known) else (1.0,)
        fit = _Fit(columns[train], dense(train), codes[0], n_classes)
        weights, best, least = fit.start(), None, np.inf
        for C in path:
            weights = fit.solve(weights, C)
            loss = 0.0
            if len(known):
                logits = fit.logits(weights, columns[known], dense(known))
                chosen = logits[np.arange(len(known)), wanted]
                loss = float((special.logsumexp(logits, axis=1) - chosen).mean())
            if best is None or loss < least:
                best, least = weights, loss
        assert best is not None  # noqa: S101 - the path has an entry
        logits = fit.logits(best, columns[asked], dense(asked))
        guess: np.ndarray = logits.argmax(axis=1)
        return guess

    def columns(self, train: np.ndarray) -> sparse.csr_matrix:
        """A column of zeros and ones for every word, neighbour and position of the training rows.

        And those of texts.
        """
        parts = [part.columns(train) for part in self.texts]
        for keys in self.keys:
            known = np.unique(keys[train])
            place = np.clip(np.searchsorted(known, keys), 0, len(known) - 1)
            rows = np.flatnonzero(known[place] == keys)
            ones = np.ones(len(rows))
            shape = (len(keys), len(known))
            parts.append(sparse.csr_matrix((ones, (rows, place[rows])), shape=shape))
        return sparse.csr_matrix(sparse.hstack(parts))

    def dense(self, train: np.ndarray) -> "_Dense":
        """What makes the embedding's leading columns of rows, learned on the training rows."""
        if self.embedding is None:
            return _Dense(None, None)
        key = train.tobytes()
        with self._learning:  # targets on the same rows share it, on whatever thread
            if key not in self._learned:
                self._learned[key] = Rotation.fit(self.embedding.part(train)).leading(WIDEST)
            return _Dense(self.embedding, self._learned[key])


def _largest(rows: Float[np.ndarray, "row class"]) -> Float[np.ndarray, " row"]:
    """Largest number of each row. NumPy takes the maximum of many short rows one by one."""
    found = np.empty(len(rows), rows.dtype)
    for start in range(0, len(rows), TURNED):
        here = slice(start, start + TURNED)
        np.max(np.ascontiguousarray(rows[here].T), axis=0, out=found[here])
    return found


@final
@dataclass(frozen=True, eq=False)
class _Dense:
    """Leading directions of the standardised embedding; no columns without one."""

    embedding: Blocks | None
    rotation: Rotation | None

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        if self.embedding is None or self.rotation is None:
            return np.zeros((len(rows), 0), np.float32)
        return self.rotation(self.embedding.part(rows)).astype(np.float32)


class _Fit:
    """Multinomial logistic regression on sparse and dense columns side by side.

    Scikit-learn's objective, as everywhere here: mean cross-entropy plus ``|W|^2 / (2 C n)``.
    The descent goes in units in which every column bends the objective alike: a word that stands
    once and one that stands a thousand times are learned in as many steps. Rows are float32,
    sums of them and the descent float64.
    """

    def __init__(
        self, columns: sparse.csr_matrix, dense: np.ndarray, codes: np.ndarray, n_classes: int
    ) -> None:
        self.codes, self.k = codes, n_classes
        self.columns, self.dense = columns.astype(np.float32), dense
        self.rows, self.across = sparse.csr_matrix(self.columns.T), np.ascontiguousarray(dense.T)
        self.shape = (columns.shape[1] + dense.shape[1] + 1, n_classes)
        squares = (columns.multiply(columns).sum(axis=0), np.square(dense).sum(axis=0), len(codes))
        self.squares = np.concatenate([np.asarray(each, dtype=float).ravel() for each in squares])

    def start(self) -> np.ndarray:
        return np.zeros(self.shape)

    def logits(
        self, weights: np.ndarray, columns: sparse.csr_matrix, dense: np.ndarray
    ) -> Float[np.ndarray, "row class"]:
        wide, kind = columns.shape[1], np.float32
        found: np.ndarray = columns.astype(kind) @ weights[:wide].astype(kind)
        found += dense @ weights[wide:-1].astype(kind)
        found += weights[-1].astype(kind)
        return found

    def solve(self, start: np.ndarray, C: float) -> np.ndarray:
        n, wide = len(self.codes), self.columns.shape[1]
        here = np.arange(n)
        # Where all classes are alike likely, a column's squares bend the objective by this share.
        bend = self.squares * (1 - 1 / self.k) / self.k
        bend[:-1] += 1 / C
        unit = np.sqrt(n / bend)[:, None]

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights = flat.reshape(self.shape) * unit
            shares = self.logits(weights, self.columns, self.dense)
            shares -= _largest(shares)[:, None]
            value = -float(shares[here, self.codes].sum(dtype=np.float64))
            np.exp(shares, out=shares)
            total = shares.sum(axis=1, keepdims=True)
            value += float(np.log(total).sum(dtype=np.float64))
            value += float(np.square(weights[:-1]).sum()) / (2 * C)
            shares /= total
            shares[here, self.codes] -= 1.0
            gradient = np.empty(self.shape)
            gradient[:wide] = self.rows @ shares
            gradient[wide:-1] = self.across @ shares
            gradient[-1] = shares.sum(axis=0, dtype=np.float64)
            gradient[:-1] += weights[:-1] / C
            gradient *= unit / n
            return value / n, gradient.ravel()

        found = optimize.minimize(
            objective, (start / unit).ravel(), jac=True, method="L-BFGS-B",
            options={"maxiter": STEPS, "maxcor": KEPT},
        )  # fmt: skip
        solved: np.ndarray = found.x.reshape(self.shape) * unit
        return solved
