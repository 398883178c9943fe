"""What erasing did, as typed results."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ErasureResult", "ErasureRow"]


@final
@dataclass(frozen=True)
class ErasureRow:
    """What one way of erasing does.

    Args:
        arm: ``none``, ``subspace``, ``random`` (equal dimension), ``variance`` (random, of about
            equal variance removed) or ``leace``; of random ones the mean of several.
        removed: share of the variance at the site that is taken out.
        loss: cross-entropy of the next token, nats.
        kl: divergence of the output from the unedited one, nats per token.
        decodability: (site, target) -> accuracy, at this and all later sites, of probes that were
            fitted there on unedited activations; held-out sentences.
    """

    arm: str
    removed: float
    loss: float
    kl: float
    decodability: Mapping[tuple[str, str], float]


@final
@dataclass(frozen=True)
class ErasureResult:
    """All ways of erasing one target at one site, side by side.

    Args:
        site: where it was erased.
        target: what.
        dim: dimensions of the subspace.
        rows: the unedited model first.
        chance: target -> share of its most frequent class.
    """

    site: str
    target: str
    dim: int
    rows: tuple[ErasureRow, ...]
    chance: Mapping[str, float]

    def to_frame(self) -> "pd.DataFrame":
        """One row per arm, later site and target."""
        import pandas as pd

        lines = []
        for row in self.rows:
            plain = {k: v for k, v in asdict(row).items() if k != "decodability"}
            for (site, target), accuracy in row.decodability.items():
                lines.append(
                    plain
                    | {"site": site, "target": target, "accuracy": accuracy}
                    | {"chance": self.chance[target]}
                )
        return pd.DataFrame(lines)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, float_format=lambda x: f"{x:.3f}"))
