"""One target's preconditioned L-BFGS, fed with products that several targets share."""

import copy
from typing import final

import numpy as np
from jaxtyping import Float

from ...core.decompositions import eigh
from .cross_entropy import along, in_line, own_places
from .problem import LogisticProblem

__all__ = ["Descent"]

MEMORY = 12
SUFFICIENT = 1e-4  # Nocedal and Wright 2006, section 3.1
LEVEL = 0.25  # a step ends where the line's slope is as flat: looks along it cost no product
MAX_TRIALS = 25
REFRESH = 4  # after as many passes the class moment moves slowly: refreshed every so often


@final
class Descent:
    """State of one minimisation: weights, logits, gradient, memory of past steps.

    The caller alternates :meth:`direction` (then multiplies it with the features), :meth:`search`
    (takes those products, moves along them) and :meth:`receive` (takes the new gradient). The
    first round, whose step is the start itself, goes the same way.
    """

    def __init__(self, problem: LogisticProblem, variances: Float[np.ndarray, " feature"]) -> None:
        d = len(variances)
        self.n_classes = problem.n_classes
        self.left_out = np.flatnonzero(problem.codes < 0)
        codes = np.maximum(problem.codes, 0)
        self.places = own_places(codes)
        self.n = len(problem.codes) - len(self.left_out)
        self.floor = problem.floor
        self.tolerance, self.penalty = problem.tolerance, self._penalty(problem.C)
        self.spread = np.append(variances.astype(np.float64), 1.0)
        start = np.zeros((self.n_classes, d + 1))
        counts = np.bincount(codes, minlength=self.n_classes)
        counts[0] -= len(self.left_out)
        # A class without examples starts one pseudo-count away from minus infinity.
        prior = np.log(np.maximum(counts, 0.5) / self.n)
        start[:, -1] = prior - prior.mean()
        if problem.start is not None:
            start[:, :-1], start[:, -1] = problem.start
        self.point = self.step = self.gradient = start
        self.passes = 0
        self.converged = False
        self.stuck = False
        self.gains: list[float] = []
        self.history: list[tuple[np.ndarray, np.ndarray, float]] = []

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

    def kept(self) -> "Descent":
        """A copy that stays where it is when this one goes on."""
        other = copy.copy(self)
        other.logits = self.logits.copy()
        return other

    def again(self, C: float, tolerance: float) -> None:
        """Go on from here to the optimum of another penalty; what steps have taught is kept.

        The penalty is a known quadratic: objective, gradient and the gradients' changes of past
        steps are those of the new one after a sum, without a pass over the features.
        """
        more = self._penalty(C) - self.penalty
        self.penalty, self.tolerance = self.penalty + more, tolerance
        self.objective += 0.5 * more * float(np.square(self.point[:, :-1]).sum())
        self.gradient = self.gradient.copy()
        self.gradient[:, :-1] += more * self.point[:, :-1]
        past, self.history, self.gains = self.history, [], []
        for moved, change, _ in past:
            changed = change.copy()
            changed[:, :-1] += more * moved[:, :-1]
            self._remember(moved, changed)
        self.converged = self.stuck = False
        self.bends = self._bends()
        self._prepare()

    def direction(self) -> Float[np.ndarray, "class feature"]:
        """The weights' part of the next step; the intercepts' part stays here."""
        return self.step[:, :-1]

    def search(
        self, moves: Float[np.ndarray, "class token"], residual: Float[np.ndarray, "class token"]
    ) -> None:
        """Move along the step whose product with the features is ``moves``.

        Args:
            moves: used up.
            residual: receives the probabilities less the one-hot classes where the step ends.
        """
        moves += self.step[:, -1:].astype(moves.dtype)
        moves[:, self.left_out] = 0.0
        self.residual = residual
        if not self.passes:
            self.logits = moves.copy()
            loss, _ = self._along(None, 0.0)
            self.objective = loss + 0.5 * self.penalty * float(np.square(self.weights).sum())
            self.passes = 1
            residual[:, self.left_out] = 0.0
            return
        size, value = self._line(moves)
        residual[:, self.left_out] = 0.0
        if value > self.objective + self._noise(moves):
            self.stuck = True
            return
        self.gains.append(self.objective - value)
        self.moved = size * self.step
        self.point = self.point + self.moved
        if size != 1.0:
            moves *= moves.dtype.type(size)
        self.logits += moves
        self.objective = value
        self.passes += 1

    def receive(self, product: Float[np.ndarray, "class feature"]) -> None:
        """Take the gradient's product with the features at the new point."""
        if self.stuck:
            del self.residual
            return
        gradient = np.empty_like(self.point)
        gradient[:, :-1] = product / self.n + self.penalty * self.point[:, :-1]
        gradient[:, -1] = self.residual.sum(axis=1, dtype=np.float64) / self.n
        if self.passes > 1:
            self._remember(self.moved, gradient - self.gradient)
        self.gradient = gradient
        if self.passes <= REFRESH or self.passes % REFRESH == 0:
            self.class_moment = self._class_moment()
            self.bends = self._bends()
        del self.residual
        self._prepare()

    def _penalty(self, C: float) -> float:
        """Of two classes scikit-learn penalises the vector w1 - w0: twice the pair's squares."""
        return (2.0 if self.n_classes == 2 else 1.0) / (C * self.n)

    def _noise(self, moves: np.ndarray) -> float:
        """What rounding may add to the objective."""
        return 8 * float(np.finfo(moves.dtype).eps) * abs(self.objective)

    def _along(self, moves: np.ndarray | None, size: float) -> tuple[float, float]:
        """Mean cross-entropy and slope there, of the rows that are learned from.

        The others keep logits of zero: each adds the logarithm of the classes, and no slope.
        """
        loss, slope = along(self.logits, moves, size, self.places, self.residual)
        return (loss - len(self.left_out) * np.log(self.n_classes)) / self.n, slope / self.n

    def _line(self, moves: np.ndarray) -> tuple[float, float]:
        """How far to go, and the objective there: by the secant of slopes, between bounds."""
        slope = float(np.vdot(self.gradient, self.step))
        weights, step = self.point[:, :-1], self.step[:, :-1]
        linear, square = float((weights * step).sum()), float(np.square(step).sum())
        base = 0.5 * self.penalty * float(np.square(weights).sum())
        noise = self._noise(moves)
        low, falling, high, ahead = 0.0, slope, np.inf, 1.0
        for _ in range(MAX_TRIALS):
            size = ahead
            loss, rise = self._along(moves, size)
            value = loss + base + self.penalty * (size * linear + 0.5 * size**2 * square)
            rise += self.penalty * (linear + size * square)
            enough = value <= self.objective + SUFFICIENT * size * slope + noise
            if enough and abs(rise) <= LEVEL * abs(slope):
                break
            if enough and rise < 0.0:
                low, falling = size, rise
                ahead = size * slope / (slope - rise) if rise > slope else np.inf
            else:
                high = size
                ahead = low - (size - low) * falling / (rise - falling) if rise > 0.0 else low
            if np.isfinite(high):
                inner = 0.1 * (high - low)
                ahead = min(max(ahead, low + inner), high - inner)
            else:
                ahead = min(max(ahead, 1.5 * size), 4.0 * size)
        return size, value

    def _remember(self, moved: np.ndarray, change: np.ndarray) -> None:
        """Keep what a step has taught of the curvature."""
        curvature = float(np.vdot(change, moved))
        if curvature > 1e-12 * float(np.square(moved).sum()):
            self.history = [*self.history[1 - MEMORY :], (moved, change, 1.0 / curvature)]

    def _prepare(self) -> None:
        """Next step by the two-loop recursion; stop when it promises too little.

        The preconditioner ``P`` knows the mean curvature of the classes and takes rows for alike,
        so it is off by a factor: steps are scaled by what the last one has seen (Nocedal and Wright
        2006, equation 7.20). The promise is the larger one, with that factor and without.
        It needs the first loop alone: with ``q`` as that leaves the gradient ``g``, the inverse
        Hessian ``H`` of their equation 7.16 gives ``g H g = q P q + sum of share^2 / inverse``.
        """
        gradient, shares, scale, seen = self.gradient.copy(), [], 1.0, 0.0
        room = np.empty_like(gradient)
        for moved, change, inverse in reversed(self.history):
            share = inverse * float(np.vdot(moved, gradient))
            gradient -= np.multiply(share, change, out=room)
            shares.append(share)
            seen += share**2 / inverse
        if self.history:
            _, change, inverse = self.history[-1]
            scale = 1.0 / (inverse * float(np.vdot(change, self._precondition(change))))
        step = self._precondition(gradient)
        promise = 0.5 * (max(scale, 1.0) * float(np.vdot(gradient, step)) + seen)
        step *= scale
        for (moved, change, inverse), share in zip(self.history, reversed(shares), strict=True):
            more = share - inverse * float(np.vdot(change, step))
            step += np.multiply(more, moved, out=room)
        left = max(promise, self._left())
        if left <= self.tolerance * max(self.objective, self.floor) or promise <= 1e-14:
            self.converged = True
        self.promise, self.step = promise, -step

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
        _, vectors = self.class_moment
        inside = vectors.T @ gradient
        inside /= self.bends
        product: np.ndarray = vectors @ inside
        return product

    def _bends(self) -> np.ndarray:
        """``A (x) S + penalty``, which is diagonal in the two eigenbases."""
        values, _ = self.class_moment
        bends: np.ndarray = values[:, None] * self.spread
        bends[:, :-1] += self.penalty
        # The intercepts are not penalised: a floor keeps the shift that changes nothing finite.
        bends[:, -1] += 1e-6 / self.n_classes
        return bends

    def _class_moment(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues and vectors of the mean of ``diag(p) - p p^T``; uses the residual up."""
        probabilities = self.residual
        # A row that is left out becomes one-hot, whose moment is zero.
        in_line(probabilities)[self.places] += 1.0
        second = (probabilities @ probabilities.T).astype(np.float64) / self.n
        # Probabilities sum to 1, so the rows of the second moment sum to the first.
        values, vectors = eigh(np.diag(second.sum(axis=1)) - second)
        return np.maximum(values, 0.0), vectors
