"""What theory says a probe will find: one claim per (site, target)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, final

from .arguments import checked
from .errors import LinrepError
from .subspace import Subspace

__all__ = ["Positions", "Prediction", "PredictionError", "by_tokens", "height_target"]

Positions = Literal["all", "boundary", "bos"]
"""``boundary``: tokens that end the target's span; ``all``: every token; ``bos``: position 0."""


class PredictionError(LinrepError):
    """A prediction contradicts itself."""


@checked(PredictionError)
def height_target(height: int) -> str:
    """Name of the target "ancestor at this height", used by probes, predictions and reports.

    >>> height_target(2)
    'height 2'
    """
    return f"height {height}"


@final
@checked(PredictionError)
@dataclass(frozen=True)
class Prediction:
    """One claim of a construction about one target at one site.

    Args:
        site: a place in the residual stream, TransformerLens's name
            (``blocks.1.hook_resid_post``).
        target: what the probe recovers (``height 2``; ``layer 1 unit 0``).
        subspace: where the state is written (kind ``pattern``) or read (kind ``readout``).
        written: whether the state has been written at this site; ``False`` is a prediction too:
            a probe must find nothing there beyond the null.
        positions: the tokens the claim is about.
        rank: dimensions in which the target's class means vary.
        accuracy: predicted accuracy of a linear probe in 0..1, ``None`` where theory names none.
        claim: short name of the claim, ``P1`` say.
        source: paper and section of the proof.
        used: whether the model's output still depends on the subspace at this site: an interchange
            there changes it (``True``), or changes nothing at all (``False``, also where nothing is
            written yet); ``None`` where theory does not say.
        exact: whether an interchange there gives the counterfactual exactly; ``None`` where theory
            does not say.
        tied: what, of that which is written here, a corpus does not tell the target's values from,
            in words; empty where it tells them apart.
        own: whether anything of the target itself is written here; ``False`` where all that is
            found is of what it is tied to.

    Raises:
        PredictionError: a field contradicts another.
    """

    site: str
    target: str
    subspace: Subspace
    written: bool
    positions: Positions
    rank: int
    accuracy: float | None = None
    claim: str = ""
    source: str = ""
    used: bool | None = None
    exact: bool | None = None
    tied: str = ""
    own: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.rank <= self.subspace.dim:
            raise PredictionError(
                f"rank is a whole number from 0 to the {self.subspace.dim} dimensions of the "
                f"subspace; received {self.rank}"
            )
        if self.exact and self.used is False:
            raise PredictionError(
                "exact=True says that an exchange of the state gives the exact counterfactual, "
                "used=False that the model does not use it: leave one of them out"
            )
        if self.accuracy is not None and not 0.0 <= self.accuracy <= 1.0:
            raise PredictionError(f"accuracy lies in 0..1; received {self.accuracy}")

    @property
    def ambiguous(self) -> bool:
        """Whether what was read need not tell the target, so that no accuracy follows (P6)."""
        return self.accuracy is None and "P6" in self.claim.split("+")


def by_tokens(
    predictions: Iterable[Prediction], probed: object
) -> tuple[list[Prediction], list[Prediction]]:
    """Predictions about the tokens that are probed, and those about others.

    Args:
        predictions: claims.
        probed: ``"all"`` or ``"boundary"``; where tokens were chosen otherwise, every claim counts.
    """
    told = list(predictions)
    if probed not in ("all", "boundary"):
        return told, []
    same = [(claim.positions == "boundary") == (probed == "boundary") for claim in told]
    return (
        [claim for claim, here in zip(told, same, strict=True) if here],
        [claim for claim, here in zip(told, same, strict=True) if not here],
    )
