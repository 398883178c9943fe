"""Probes that may read only a few directions, and how accuracy grows with their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from ...core import checked
from ...core.arguments import shown
from ..errors import ProbeError
from ..evidence.splits import split_by_group
from ..geometry.patterns import directions
from ..geometry.statistics import Statistics
from ..inputs.labels import encode
from ..solvers.logistic import LogisticProblem, fit_logistic
from ..solvers.rotation import Rotation
from .base import ProbeEstimator, check_positive, check_whole

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RankCurve", "RankLimitedProbe", "rank_curve"]


@final
class RankLimitedProbe(ProbeEstimator):
    """Logistic probe on the best ``rank`` discriminant directions: weights of that rank.

    Args:
        rank: directions it may read; all (classes minus one) by default.
        C: inverse penalty on the projected, unit-noise features.
        shrinkage: of the scatter inside the classes; by default the oracle-approximating one.
    """

    def __init__(self, rank: Any = None, *, C: Any = 1.0, shrinkage: Any = None) -> None:
        self.rank = rank
        self.C = C
        self.shrinkage = shrinkage

    def fit(self, X: Any, y: Any) -> "RankLimitedProbe":
        """Fit on ``[token, feature]`` rows and ``[token]`` classes.

        Raises:
            ProbeError: the rank is no positive whole number, or C not positive.
        """
        x, codes = self._checked(X, y)
        check_positive(C=self.C)
        if self.rank is not None:
            check_whole(rank=self.rank)
        if not isinstance(self.shrinkage, Real | None):
            raise ProbeError(
                f"shrinkage lies in 0..1, or is None; received {shown(self.shrinkage)}"
            )
        shrinkage: Any = self.shrinkage
        return self._settle(codes, *_projected(x, codes, shrinkage))

    def _settle(
        self, codes: np.ndarray, rotation: Rotation, readers: np.ndarray, seen: np.ndarray
    ) -> "RankLimitedProbe":
        """Fit on what the first ``rank`` readers see."""
        readers, seen = readers[:, : self.rank], seen[:, : self.rank]
        (fit,) = fit_logistic(
            seen,
            [LogisticProblem(codes, len(self.classes_), float(self.C))],
            variances=np.ones(readers.shape[1]),
        )
        self._keep(rotation, fit.weights @ readers.T, fit.intercepts)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class ``[token, class]``."""
        probabilities: np.ndarray = np.exp(self._log_softmax(X))
        return probabilities


def _projected(
    x: np.ndarray, codes: np.ndarray, shrinkage: float | None = None
) -> tuple[Rotation, np.ndarray, np.ndarray]:
    """Rotation, discriminant directions by falling strength, and what each row shows of them."""
    rotation = Rotation.fit(x)
    rotated = rotation(x)
    found = directions(Statistics.from_arrays(rotated, codes), shrinkage=shrinkage)
    return rotation, found.readout, (rotated @ found.readout).astype(rotated.dtype)


@final
@dataclass(frozen=True)
class RankCurve:
    """Held-out accuracy of rank-limited probes.

    Args:
        ranks: directions allowed.
        accuracy: accuracy at each rank, on sentences not trained on.
        error: standard error of each accuracy over sentences.
        chosen: smallest rank within one standard error of the best. It is chosen on these very
            accuracies, so the accuracy at ``chosen`` is optimistic: score it on other sentences.
    """

    ranks: tuple[int, ...]
    accuracy: tuple[float, ...]
    error: tuple[float, ...]
    chosen: int

    def to_frame(self) -> "pd.DataFrame":
        """One row per rank."""
        import pandas as pd

        return pd.DataFrame({"rank": self.ranks, "accuracy": self.accuracy, "error": self.error})


@checked(ProbeError)
def rank_curve(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    ranks: Sequence[int] | None = None,
    C: float | int = 1.0,
    seed: int = 0,
) -> RankCurve:
    """Accuracy against rank on held-out groups.

    The groups that give the accuracies also choose the rank: the curve describes, it is no test of
    the rank chosen. For that keep further groups out of ``X``.

    Args:
        X: ``[token, d_model]`` activations.
        y: ``[token]`` classes; undefined tokens (``""``, NaN) are left out.
        groups: ``[token]`` ids that must not be split.
        ranks: to try; by default 1, 2, 4, ... up to classes minus one.
        C: inverse penalty.
        seed: of the split.

    Raises:
        ProbeError: lengths differ, or a rank is not positive.
    """
    x, ids = np.asarray(X), np.asarray(groups)
    labels, _ = encode(y)
    if x.ndim != 2 or not ids.shape == labels.shape == (len(x),):
        raise ProbeError(
            "activations are [token, d_model], with one label and one group per token; received "
            f"{x.shape}, {labels.shape} and {ids.shape}"
        )
    x, ids, labels = (part[labels >= 0] for part in (x, ids, labels))
    most = min(len(np.unique(labels)) - 1, x.shape[1])
    wanted = sorted(set(ranks)) if ranks is not None else _doubling(most)
    if not wanted:
        raise ProbeError("no rank to try: ranks are positive whole numbers")
    for rank in wanted:
        check_whole(rank=rank)
    check_positive(C=C)
    split = split_by_group(ids, labels, fractions=(0.75, 0.0, 0.25), seed=seed)
    accuracy, error = [], []
    first = RankLimitedProbe(wanted[-1], C=C)
    rows, codes = first._checked(x[split.train], labels[split.train])
    learned = _projected(rows, codes)  # shared by all ranks
    for rank in wanted:
        probe = clone(first).set_params(rank=rank)
        probe.classes_, probe.n_features_in_ = first.classes_, first.n_features_in_
        probe._settle(codes, *learned)
        right = (probe.predict(x[split.test]) == labels[split.test]).astype(np.float64)
        accuracy.append(float(right.mean()))
        error.append(_standard_error(right, ids[split.test]))
    best = int(np.argmax(accuracy))
    chosen = next(
        rank
        for rank, value in zip(wanted, accuracy, strict=True)
        if value >= accuracy[best] - error[best]
    )
    return RankCurve(tuple(wanted), tuple(accuracy), tuple(error), chosen)


def _doubling(most: int) -> list[int]:
    ranks = [1 << power for power in range(max(most, 1).bit_length()) if 1 << power <= most]
    return sorted({*ranks, max(most, 1)})


def _standard_error(right: np.ndarray, groups: np.ndarray) -> float:
    _, index = np.unique(groups, return_inverse=True)
    residual = np.bincount(index, weights=right - right.mean())
    n = len(residual)
    return float(np.sqrt(np.square(residual).sum() * n / max(n - 1, 1)) / len(right))
