"""What is written down along training."""

from dataclasses import asdict, dataclass
from typing import Any, final

import pandas as pd

from ...core import checked
from ...core.arguments import shown
from .errors import TrainingError

__all__ = ["LogRow", "TrainingLog"]


@final
@checked(TrainingError)
@dataclass(frozen=True)
class LogRow:
    """One measurement.

    Args:
        step: optimiser steps done.
        loss: mean cross-entropy of the batches since the measurement before, nats per token.
        kl: mean divergence of the model from the language's exact distribution of the next token
            (the end included), over held-out sentences, in nats per token; ``None`` where the
            language gives no exact distribution.
    """

    step: int
    loss: float
    kl: float | None


@final
@checked(TrainingError)
@dataclass(frozen=True)
class TrainingLog:
    """The measurements of a training, and what no model can go below.

    Args:
        rows: in the order of steps.
        floor: mean entropy of the exact distributions over the same held-out tokens, in nats per
            token: the model's cross-entropy there is this floor plus its KL. ``None`` where the
            language gives no exact distribution.
        heldout: sentences held out.
        note: why there is no KL; empty where there is.

    >>> log = TrainingLog((LogRow(100, 0.9, 0.1), LogRow(200, 0.7, 0.01)), floor=0.69, heldout=256)
    >>> log.kl
    0.01
    >>> log.to_frame()
       step  loss    kl
    0   100   0.9  0.10
    1   200   0.7  0.01
    """

    rows: tuple[LogRow, ...]
    floor: float | None = None
    heldout: int = 0
    note: str = ""

    @property
    def kl(self) -> float | None:
        """The last KL."""
        return self.rows[-1].kl if self.rows else None

    def to_frame(self) -> pd.DataFrame:
        """A table with a row per measurement."""
        return pd.DataFrame([asdict(row) for row in self.rows], columns=["step", "loss", "kl"])

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"rows": [asdict(row) for row in self.rows]}

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> "TrainingLog":
        """Back from JSON.

        Raises:
            TrainingError: it is no log.

        >>> log = TrainingLog((LogRow(1, 0.5, None),), note="no exact probabilities")
        >>> TrainingLog.from_dict(log.to_dict()) == log
        True
        """
        try:
            rows = tuple(LogRow(**row) for row in given["rows"])
            return cls(**given | {"rows": rows})
        except (KeyError, TypeError) as error:
            raise TrainingError(
                f"a log of a training is what TrainingLog.to_dict gives; received {shown(given)}"
            ) from error
