"""What a logistic probe is asked to learn."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int

__all__ = ["LogisticProblem"]


@final
@dataclass(frozen=True)
class LogisticProblem:
    """One target: a class code for every row, and how strongly weights are penalised.

    Args:
        codes: ``[token]`` class of each row, in ``0..n_classes - 1``; -1 for a row that is not
            learned from: it counts nowhere, and may be another target's.
        n_classes: number of classes.
        C: scikit-learn's inverse penalty; larger is freer.
        tolerance: stop when the decrease still possible is below this share of the objective...
        floor: ... or of as many nats, if the objective is smaller.
        start: weights ``[class, feature]`` and intercepts ``[class]`` to start from.
    """

    codes: Int[np.ndarray, " token"]
    n_classes: int
    C: float = 1.0
    tolerance: float = 1e-5
    floor: float = 0.0
    start: tuple[np.ndarray, np.ndarray] | None = None
