"""Linear probes that look at several positions, weighted by position alone.

Allen-Zhu and Li 2023 (arXiv:2305.13673), section 4.1: the state of token ``t`` is read from
``sum_s w[t, s] x_s``, where the weights depend on the positions ``t`` and ``s`` only, never on
what stands there. The function of the activations stays linear, so what it finds is linearly
written, if spread over positions. Its scores are not comparable with those of a probe that sees
one token.
"""

from typing import Any, final

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from ..errors import ProbeError
from ..evidence.splits import split_by_group
from ..inputs.labels import encode
from ..inputs.reading import as_array
from ..solvers.rotation import Rotation
from .base import check_rate, check_seed, check_truth, check_whole
from .sklearn_input import require_fitted

__all__ = ["PositionsProbe"]


@final
class PositionsProbe(BaseEstimator):  # type: ignore[misc]  # untyped base
    """Multi-head linear probe: ``heads`` weightings of positions, one linear map for each.

    The weights of a head are ``softmax_s(a[t] . b[s])`` over the positions of the sentence (over
    those up to ``t`` if ``causal``), with ``a`` and ``b`` learned per position and head.

    Args:
        heads: weightings.
        width: dimensions of ``a`` and ``b``.
        causal: look at no later position.
        epochs: passes at most.
        patience: passes without a better validation loss before it stops.
        batch: sentences per step.
        learning_rate: of Adam.
        seed: of initial weights, of the order of sentences and of the validation part.
    """

    def __init__(
        self,
        heads: Any = 4,
        *,
        width: Any = 16,
        causal: Any = False,
        epochs: Any = 60,
        patience: Any = 8,
        batch: Any = 32,
        learning_rate: Any = 1e-2,
        seed: Any = 0,
    ) -> None:
        self.heads = heads
        self.width = width
        self.causal = causal
        self.epochs = epochs
        self.patience = patience
        self.batch = batch
        self.learning_rate = learning_rate
        self.seed = seed

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sentence_ids: npt.ArrayLike
    ) -> "PositionsProbe":
        """Fit on whole sentences.

        Args:
            X: ``[token, d_model]`` activations, each sentence's rows in order.
            y: ``[token]`` classes; undefined (``""``, NaN) tokens are seen but not learned from.
            sentence_ids: ``[token]`` ids.

        Returns:
            The probe itself.

        Raises:
            ProbeError: lengths differ, a value is not finite, fewer than two classes, fewer than
                two sentences with a label, or no positive size.
        """
        x, ids = _checked(X, sentence_ids)
        codes, self.classes_ = encode(y)
        if len(x) != len(codes):
            raise ProbeError(
                f"lengths differ: {len(x)} rows and {len(codes)} labels; give one for each row"
            )
        if len(self.classes_) < 2:
            raise ProbeError("one class only: a probe needs at least two classes")
        check_whole(
            heads=self.heads, width=self.width, epochs=self.epochs, patience=self.patience,
            batch=self.batch,
        )  # fmt: skip
        check_rate(self.learning_rate)
        check_truth(causal=self.causal)
        check_seed(self.seed)
        rows = _sentences(ids)
        self.longest_ = rows.shape[1]
        # A sentence without a label has no loss: it neither trains nor stops.
        rows = rows[((rows >= 0) & (codes[np.maximum(rows, 0)] >= 0)).any(axis=1)]
        if len(rows) < 2:
            raise ProbeError(
                f"{len(rows)} sentence(s) hold a label: at least two are needed, one to learn from "
                "and one to stop by"
            )
        split = split_by_group(np.arange(len(rows)), fractions=(0.9, 0.1, 0.0), seed=self.seed)
        learned = rows[split.train]
        self.rotation_ = Rotation.fit(x[learned[learned >= 0]])
        top = float(self.rotation_.variances.max(initial=1.0))
        self.spread_ = np.sqrt(self.rotation_.variances + 1e-3 * top)
        self.weights_ = self._train(self._features(x), codes, rows, split.train)
        return self

    def predict(self, X: npt.ArrayLike, sentence_ids: npt.ArrayLike) -> np.ndarray:
        """Class of each token ``[token]``.

        Raises:
            ProbeError: a sentence is longer than all training sentences, or activations are not
                what the probe was fitted on.
        """
        require_fitted(self)
        x, ids = _checked(X, sentence_ids)
        if x.shape[1] != len(self.rotation_.mean):
            raise ProbeError(
                f"activations are [token, {len(self.rotation_.mean)}]; received shape {x.shape}"
            )
        rows = _sentences(ids)
        if rows.shape[1] > self.longest_:
            raise ProbeError(
                f"a sentence of {rows.shape[1]} tokens is longer than any seen in training "
                f"({self.longest_}): its later positions have no weights"
            )
        rows = np.pad(rows, ((0, 0), (0, self.longest_ - rows.shape[1])), constant_values=-1)
        import torch

        weights = [torch.from_numpy(weight) for weight in self.weights_]
        with torch.no_grad():
            scores = self._forward(torch.from_numpy(self._features(x)), rows, weights).numpy()
        chosen = np.empty(len(x), dtype=np.int64)
        chosen[rows[rows >= 0]] = scores.argmax(axis=-1)[rows >= 0]
        return np.array(self.classes_)[chosen]

    def position_weights(self) -> np.ndarray:
        """``[head, position, position]``: what each head looks at, in a sentence of full length."""
        require_fitted(self)
        import torch

        rows = np.arange(self.longest_)[None, :]
        with torch.no_grad():
            looks: np.ndarray = self._looks(rows, [torch.from_numpy(w) for w in self.weights_])[
                0
            ].numpy()
        return looks

    def _features(self, x: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = (self.rotation_(x) / self.spread_).astype(np.float32)
        return scaled

    def _train(
        self, features: np.ndarray, codes: np.ndarray, rows: np.ndarray, train: np.ndarray
    ) -> list[np.ndarray]:
        import torch

        generator = torch.Generator().manual_seed(self.seed)

        def fresh(*shape: int, scale: float) -> Any:
            return (torch.randn(*shape, generator=generator) * scale).requires_grad_()

        d, k = features.shape[1], len(self.classes_)
        queries = fresh(self.heads, self.longest_, self.width, scale=1.0)
        keys = fresh(self.heads, self.longest_, self.width, scale=1.0)
        maps = fresh(self.heads, d, k, scale=0.1 / np.sqrt(max(d * self.heads, 1)))
        bias = torch.zeros(k, requires_grad=True)
        weights = [queries, keys, maps, bias]
        optimiser = torch.optim.Adam(weights, lr=float(self.learning_rate))
        x, known, held = torch.from_numpy(features), np.flatnonzero(train), np.flatnonzero(~train)
        best, best_loss, waited = [w.detach().clone() for w in weights], np.inf, 0
        for _ in range(self.epochs):
            order = known[torch.randperm(len(known), generator=generator).numpy()]
            for start in range(0, len(order), self.batch):
                optimiser.zero_grad()
                loss = self._loss(x, codes, rows[order[start : start + self.batch]], weights)
                loss.backward()
                optimiser.step()
            with torch.no_grad():
                value = float(self._loss(x, codes, rows[held], weights))
            if value < best_loss - 1e-5:
                best, best_loss, waited = [w.detach().clone() for w in weights], value, 0
            else:
                waited += 1
            if waited >= self.patience:
                break
        return [weight.numpy() for weight in best]

    def _loss(self, x: Any, codes: np.ndarray, rows: np.ndarray, weights: list[Any]) -> Any:
        import torch

        scores = self._forward(x, rows, weights)
        wanted = np.where(rows >= 0, codes[np.maximum(rows, 0)], -1)
        return torch.nn.functional.cross_entropy(
            scores.flatten(0, 1), torch.from_numpy(wanted.ravel()), ignore_index=-1
        )

    def _forward(self, x: Any, rows: np.ndarray, weights: list[Any]) -> Any:
        """Scores ``[sentence, position, class]``."""
        import torch

        batch = x[torch.from_numpy(np.maximum(rows, 0))]
        mixed = torch.einsum("bhts,bsd->bhtd", self._looks(rows, weights), batch)
        return torch.einsum("bhtd,hdk->btk", mixed, weights[2]) + weights[3]

    def _looks(self, rows: np.ndarray, weights: list[Any]) -> Any:
        """Weights ``[sentence, head, position, position]``; 0 on padding."""
        import torch

        raw = torch.einsum("htw,hsw->hts", weights[0], weights[1]) / self.width**0.5
        seen = torch.from_numpy(rows >= 0)[:, None, None, :]
        if self.causal:
            seen = seen & torch.ones(rows.shape[1], rows.shape[1], dtype=torch.bool).tril()
        return raw[None].masked_fill(~seen, -1e9).softmax(dim=-1)


def _checked(X: npt.ArrayLike, sentence_ids: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Activations and ids as arrays of one length.

    Raises:
        ProbeError: activations are no finite matrix, or ids no vector as long.
    """
    x = as_array(X, "activations are a numeric matrix [token, d_model]")
    ids = as_array(sentence_ids, "sentence ids are one per row")
    if x.ndim != 2 or x.dtype.kind not in "fiub":
        raise ProbeError(
            f"activations are a numeric matrix [token, d_model]; received {x.dtype} of shape "
            f"{x.shape}"
        )
    if ids.shape != (len(x),):
        raise ProbeError(
            f"lengths differ: {len(x)} rows and sentence ids of shape {ids.shape}; give one id for "
            "each row"
        )
    if not np.isfinite(x).all():
        raise ProbeError("activations hold NaN or infinite values: drop those sentences")
    return x, ids


def _sentences(ids: np.ndarray) -> np.ndarray:
    """Rows of each sentence ``[sentence, position]``, padded with -1."""
    _, index = np.unique(ids, return_inverse=True)
    order = np.argsort(index, kind="stable")
    counts = np.bincount(index)
    place = np.arange(len(ids)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = np.full((len(counts), int(counts.max(initial=0))), -1, dtype=np.int64)
    rows[index[order], place] = order
    return rows
