"""What probes said of every test token."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

__all__ = ["HeldOut", "HeldOutNumbers"]


@final
@dataclass(frozen=True, eq=False)
class HeldOut:
    """What one probe said of each test token.

    Args:
        rows: ``[test]`` rows of the corpus.
        predicted: ``[test]`` code of the class predicted.
        true: ``[test]`` code of the true class, -1 for a class that was not learned.
        log_probability: ``[test]`` of the true class, nats; NaN where there is none.
        groups: ``[test]`` sentence keys.
        classes: names of the codes.
        shares: ``[class]`` of the training tokens: what is known without activations.
        confidence: ``[test]`` log-probability (nats) of the class predicted; NaN where there is
            none.
    """

    rows: Int[np.ndarray, " test"]
    predicted: Int[np.ndarray, " test"]
    true: Int[np.ndarray, " test"]
    log_probability: Float[np.ndarray, " test"]
    groups: Int[np.ndarray, " test"]
    classes: tuple[str, ...]
    shares: Float[np.ndarray, " class"]
    confidence: Float[np.ndarray, " test"]

    @property
    def information(self) -> Float[np.ndarray, " test"]:
        """Pointwise V-information in nats: what the activations add to the class shares.

        Ethayarajh et al. 2022 (arXiv:2110.08420), equation 4; NaN where there is no probability.
        """
        with np.errstate(divide="ignore"):
            prior = np.log(self.shares)
        gained: np.ndarray = self.log_probability - prior[np.maximum(self.true, 0)]
        return gained

    @property
    def right(self) -> Float[np.ndarray, " test"]:
        """1 where the prediction is right, else 0."""
        out: np.ndarray = (self.predicted == self.true).astype(np.float64)
        return out


@final
@dataclass(frozen=True, eq=False)
class HeldOutNumbers:
    """What one probe said of each test token, of a number target.

    Args:
        rows: ``[test]`` rows of the corpus.
        predicted: ``[test, column]`` what the probe said.
        true: ``[test, column]`` the numbers.
        credit: ``[test]`` one for each token, of which the mean is R2.
        groups: ``[test]`` sentence keys.
        columns: names of the columns that vary in training; others are not learned.
    """

    rows: Int[np.ndarray, " test"]
    predicted: Float[np.ndarray, "test column"]
    true: Float[np.ndarray, "test column"]
    credit: Float[np.ndarray, " test"]
    groups: Int[np.ndarray, " test"]
    columns: tuple[str, ...]

    @property
    def right(self) -> Float[np.ndarray, " test"]:
        """Credits: what right and wrong are of classes."""
        return self.credit
