"""One target's preconditioned L-BFGS, fed with products that several targets share."""

from typing import final

import numpy as np
from jaxtyping import Float

from ...core.decompositions import eigh
from .problem import LogisticProblem

__all__ = ["Descent"]

MEMORY = 12
SUFFICIENT, CURVATURE = 1e-4, 0.9  # Nocedal and Wright 2006, section 3.1, quasi-Newton values
MAX_TRIALS = 25
REFRESH = 4  # after as many passes the class moment moves slowly: refreshed every so often


@final
class Descent:
    """State of one minimisation: weights, logits, gradient, memory of past steps.

    The caller alternates :meth:`direction` (then multiplies it with the features), :meth:`search`
    (takes those products, moves along them) and :meth:`receive` (takes the new gradient).
    """

    def __init__(
        self,
        problem: LogisticProblem,
        features: Float[np.ndarray, "token feature"],
        variances: Float[np.ndarray, " feature"],
    ) -> None:
        n, d = features.shape
        self.n_classes = problem.n_classes
        self.codes = problem.codes
        # Of two classes scikit-learn penalises the one vector w1 - w0: twice the pair's squares.
        self.penalty = (2.0 if problem.n_classes == 2 else 1.0) / (problem.C * n)
        self.tolerance, self.floor = problem.tolerance, problem.floor
        self.variances = variances.astype(np.float64)
        self.rows = np.arange(n)
        self.dtype = features.dtype
        self.point = np.zeros((self.n_classes, d + 1))
        counts = np.bincount(self.codes, minlength=self.n_classes)
        # A class without examples starts one pseudo-count away from minus infinity.
        prior = np.log(np.maximum(counts, 0.5) / n)
        self.point[:, -1] = prior - prior.mean()
        if problem.start is not None:
            self.point[:, :-1], self.point[:, -1] = problem.start
        self.logits = self._logits_at_start(features)
        self.passes = 1
        self.converged = False
        self.stuck = False
        self.gains: list[float] = []
        self.history: list[tuple[np.ndarray, np.ndarray, float]] = []
        self.objective, self.residual, _ = self._evaluate(self.logits, None)
        self.objective += 0.5 * self.penalty * float(np.square(self.point[:, :-1]).sum())
        self.probabilities_moment = self._class_moment()
        self.gradient = self._full_gradient(self.residual @ features)
        self.step = np.zeros_like(self.point)
        self._prepare()

    @property
    def done(self) -> bool:
        """Nothing more to gain, or no step goes down."""
        return self.converged or self.stuck

    @property
    def weights(self) -> Float[np.ndarray, "class feature"]:
        """Weights of the features."""
        return self.point[:, :-1].copy()

    @property
    def intercepts(self) -> Float[np.ndarray, " class"]:
        """Intercepts."""
        return self.point[:, -1].copy()

    def direction(self) -> Float[np.ndarray, "class feature"]:
        """The weights' part of the next step; the intercepts' part stays here."""
        return self.step[:, :-1]

    def search(self, moves: Float[np.ndarray, "class token"]) -> None:
        """Move along the step whose product with the features is ``moves``."""
        moves = moves + self.step[:, -1:].astype(self.dtype)
        slope = float((self.gradient * self.step).sum())
        weights, step = self.point[:, :-1], self.step[:, :-1]
        linear, square = float((weights * step).sum()), float(np.square(step).sum())
        old = self.objective
        low, high, size = 0.0, np.inf, 1.0
        noise = 8 * float(np.finfo(self.dtype).eps) * abs(old)
        for _ in range(MAX_TRIALS):
            logits = self.logits + np.asarray(size, self.dtype) * moves
            loss, residual, rise = self._evaluate(logits, moves)
            base = 0.5 * self.penalty * float(np.square(weights).sum())
            value = loss + base + self.penalty * (size * linear + 0.5 * size**2 * square)
            rise += self.penalty * (linear + size * square)
            if value > old + SUFFICIENT * size * slope + noise:
                high = size
            elif rise < CURVATURE * slope:
                low = size
            else:
                break
            size = 0.5 * (low + high) if np.isfinite(high) else 2.0 * size
        if value > old + noise:
            self.stuck = True
            return
        self.gains.append(old - value)
        self.moved = size * self.step
        self.point = self.point + self.moved
        self.logits, self.residual, self.objective = logits, residual, value
        self.passes += 1

    def receive(self, product: Float[np.ndarray, "class feature"]) -> None:
        """Take the gradient's product with the features at the new point."""
        if self.stuck:
            return
        gradient = self._full_gradient(product)
        change = gradient - self.gradient
        curvature = float((change * self.moved).sum())
        if curvature > 1e-12 * float(np.square(self.moved).sum()):
            self.history = [*self.history[1 - MEMORY :], (self.moved, change, 1.0 / curvature)]
        self.gradient = gradient
        if self.passes <= REFRESH or self.passes % REFRESH == 0:
            self.probabilities_moment = self._class_moment()
        self._prepare()

    def _prepare(self) -> None:
        """Next step by the two-loop recursion; stop when it promises too little."""
        gradient = self.gradient.copy()
        shares = []
        for moved, change, scale in reversed(self.history):
            share = scale * float((moved * gradient).sum())
            gradient -= share * change
            shares.append(share)
        step = self._precondition(gradient)
        for (moved, change, scale), share in zip(self.history, reversed(shares), strict=True):
            step += moved * (share - scale * float((change * step).sum()))
        promise = 0.5 * float((step * self.gradient).sum())
        left = max(promise, self._left())
        if left <= self.tolerance * max(self.objective, self.floor) or promise <= 1e-14:
            self.converged = True
        self.step = -step

    def _left(self) -> float:
        """Decrease still to come if steps go on shrinking as the last two did (Aitken).

        Where steps shrink slowly, along separable classes say, the model promises too little;
        where each halves what the last one gained, it can be trusted.
        """
        if len(self.gains) < 2 or self.gains[-1] < 0.5 * self.gains[-2]:
            return 0.0
        before, last = self.gains[-2:]
        return last**2 / (before - last) if last < before else last

    def _precondition(self, gradient: np.ndarray) -> np.ndarray:
        """Multiply by ``(A (x) S + penalty)^-1`` in the two eigenbases."""
        values, vectors = self.probabilities_moment
        inside = vectors.T @ gradient
        scale = np.outer(values, np.append(self.variances, 1.0))
        scale[:, :-1] += self.penalty
        # The intercepts are not penalised: a floor keeps the shift that changes nothing finite.
        scale[:, -1] += 1e-6 / self.n_classes
        product: np.ndarray = vectors @ (inside / scale)
        return product

    def _full_gradient(self, product: np.ndarray) -> np.ndarray:
        gradient = np.empty_like(self.point)
        gradient[:, :-1] = product / len(self.rows) + self.penalty * self.point[:, :-1]
        gradient[:, -1] = self.residual.sum(axis=1, dtype=np.float64) / len(self.rows)
        return gradient

    def _class_moment(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues and vectors of the mean of ``diag(p) - p p^T``."""
        self.residual[self.codes, self.rows] += 1.0
        second = (self.residual @ self.residual.T).astype(np.float64) / len(self.rows)
        self.residual[self.codes, self.rows] -= 1.0
        # Probabilities sum to 1, so the rows of the second moment sum to the first.
        values, vectors = eigh(np.diag(second.sum(axis=1)) - second)
        return np.maximum(values, 0.0), vectors

    def _evaluate(
        self, logits: np.ndarray, moves: np.ndarray | None
    ) -> tuple[float, np.ndarray, float]:
        """Mean cross-entropy, ``p - y`` and the slope along ``moves``, without the penalty."""
        n = len(self.rows)
        top = logits.max(axis=0)
        residual = np.subtract(logits, top)
        right = residual[self.codes, self.rows].sum(dtype=np.float64)
        np.exp(residual, out=residual)
        total = residual.sum(axis=0)
        loss = float((np.log(total).sum(dtype=np.float64) - right) / n)
        residual /= total
        residual[self.codes, self.rows] -= 1.0
        slope = 0.0 if moves is None else float(np.vdot(residual, moves)) / n
        return loss, residual, slope

    def _logits_at_start(self, features: np.ndarray) -> np.ndarray:
        weights = self.point[:, :-1].astype(self.dtype)
        logits = np.zeros((self.n_classes, len(self.rows)), self.dtype)
        if weights.any():
            logits = weights @ features.T
        shifted: np.ndarray = logits + self.point[:, -1:].astype(self.dtype)
        return shifted
