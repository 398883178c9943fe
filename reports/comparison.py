"""The comparison of what probes learned with what theory predicted, and the verdicts on it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, final, runtime_checkable

import numpy as np

from ..core import LinrepError, Prediction, Subspace, checked
from ..probes import overlap_null
from .values import number
from .verdicts import Verdict, Verdicts, decodable, selective

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["ComparedSubspaces", "Comparison", "ComparisonError", "ProbeGrid", "Row", "compare"]

NO_BASIS = (
    "no construction shares this basis: theory predicts ranks, the order of layers and ceilings "
    "here, not directions"
)
ELSEWHERE = "predicted at {} tokens only, and other tokens are probed here"
NO_PATTERN = (
    "there is no pattern to compare: the class means do not differ, or other states fix the class"
)
NO_INTERVENTION = "nothing was erased or swapped in this run"
AGREEMENT = 0.99
"""Overlap from which a written subspace counts as found: the rest is sampling noise of class
means, which the demo measures at 1e-3 and below."""


class ComparisonError(LinrepError):
    """Results and predictions cannot be laid beside each other."""


@runtime_checkable
class ProbeGrid(Protocol):
    """What a comparison needs of :class:`linrep.probes.ProbeResults`."""

    @property
    def patterns(self) -> Mapping[tuple[str, str], Subspace]:
        """The learned pattern of each (site, target) that has one."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the grid; ``word_types``, if there, is the number of distinct words."""

    @property
    def covariances(self) -> Mapping[str, np.ndarray]:
        """Site -> ``[d_model, d_model]`` covariance of the activations."""

    def to_frame(self) -> "pd.DataFrame":
        """One row per (site, target)."""


@final
@dataclass(frozen=True)
class ComparedSubspaces:
    """Numbers about one learned and one predicted subspace; overlaps are mean squared cosines."""

    written: bool
    overlap: float
    contains_learned_in_predicted: float
    contains_predicted_in_learned: float
    null_mean: float
    null_high: float
    null_covariance_high: float
    angle_max: float
    dim_learned: int
    dim_predicted: int
    d_model: int

    @property
    def beyond_null(self) -> bool:
        """Whether the overlap exceeds the 95th percentile of every null."""
        return self.overlap > max(self.null_high, self.null_covariance_high)

    @property
    def as_predicted(self) -> bool:
        """Found where written; at the null's level where not."""
        return self.overlap >= AGREEMENT if self.written else not self.beyond_null


@final
@dataclass(frozen=True)
class Row:
    """One (site, target): the prediction if there is one, the overlap, the verdicts."""

    site: str
    target: str
    verdicts: Verdicts
    subspaces: ComparedSubspaces | None = None
    predicted_accuracy: float | None = None
    predicted_rank: int | None = None
    claim: str = ""
    source: str = ""


@final
@dataclass(frozen=True)
class Comparison:
    """Rows in the order of the results; immutable, and rebuilt from a run's files."""

    rows: tuple[Row, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdicts(self) -> Mapping[tuple[str, str], Verdicts]:
        """(site, target) -> the four verdicts."""
        return {(row.site, row.target): row.verdicts for row in self.rows}

    def to_frame(self) -> "pd.DataFrame":
        """One row per (site, target); what does not apply is NaN or ``None``."""
        import pandas as pd

        names = list(ComparedSubspaces.__dataclass_fields__)
        return pd.DataFrame([_flat(row, names) for row in self.rows])

    def plot(self) -> "go.Figure":
        """Overlap of learned and predicted subspace, site by target."""
        from .figures import overlap_figure

        return overlap_figure(self)

    def _repr_html_(self) -> str:
        frame = self.to_frame()[["site", "target", "overlap", "null_high", "rung"]]
        frame["verdict"] = [row.verdicts.sentence for row in self.rows]  # as on the command line
        return str(frame.to_html(index=False, float_format=lambda x: f"{x:.3f}"))


def _flat(row: Row, names: Sequence[str]) -> dict[str, object]:
    found = asdict(row.subspaces) if row.subspaces else dict.fromkeys(names)
    answers = {name: verdict["state"] for name, verdict in asdict(row.verdicts).items()}
    return {
        "site": row.site,
        "target": row.target,
        **found,
        "as_predicted": row.subspaces.as_predicted if row.subspaces else None,
        "predicted_accuracy": row.predicted_accuracy,
        "predicted_rank": row.predicted_rank,
        **answers,
        "rung": row.verdicts.rung,
        "word": row.verdicts.word,
        "claim": row.claim,
        "source": row.source,
    }


@checked(ComparisonError)
def compare(
    results: ProbeGrid,
    predictions: Iterable[Prediction] = (),
    *,
    elsewhere: Iterable[Prediction] = (),
    draws: int = 200,
    seed: int = 0,
) -> Comparison:
    """Lay learned patterns beside predicted ones and answer each rung.

    There are two nulls: random subspaces of the whole stream, and random subspaces drawn from the
    activations' own covariance, which is harder to beat.

    Predicted readouts are left aside: a pattern and a readout differ under correlated noise.

    Args:
        results: a grid of probes.
        predictions: claims of a construction; empty for models whose basis no theory shares.
        elsewhere: predictions about other tokens than those probed; named, not compared.
        draws: random subspaces per null.
        seed: of the random subspaces.

    Returns:
        One row per (site, target) of the results, in their order.

    Raises:
        ComparisonError: two predictions contradict each other, a prediction names a site or
            target that was not probed, or dimensions differ.
    """
    claims = _by_cell(predictions)
    others = {(p.site, p.target): ELSEWHERE.format(p.positions) for p in elsewhere}
    word_types = results.settings.get("word_types")
    scores = [
        {str(name): value for name, value in row.items()}
        for row in results.to_frame().to_dict("records")
    ]
    cells = [(str(row["site"]), str(row["target"])) for row in scores]
    _refuse_strangers(claims, cells)
    rows = []
    for score, cell in zip(scores, cells, strict=True):
        learned, claim = results.patterns.get(cell), claims.get(cell)
        covariance = results.covariances[cell[0]]
        found = None
        if learned is not None and claim is not None:
            found = _meet(learned, claim, covariance, draws, seed)
        verdicts = Verdicts(
            decodable=decodable(score, permutations=results.settings.get("permutations")),
            selective=selective(score, word_types=word_types, features=len(covariance)),
            aligned=_aligned(found, claimed=claim is not None, elsewhere=others.get(cell)),
            causal=Verdict("not tested", NO_INTERVENTION),
        )
        rows.append(_row(cell, verdicts, found, claim))
    return Comparison(tuple(rows), {"draws": draws, "seed": seed, "word_types": word_types})


def _row(
    cell: tuple[str, str],
    verdicts: Verdicts,
    found: ComparedSubspaces | None,
    claim: Prediction | None,
) -> Row:
    if claim is None:
        return Row(*cell, verdicts)
    return Row(
        *cell, verdicts, found, claim.accuracy, claim.rank, claim=claim.claim, source=claim.source
    )


def _by_cell(predictions: Iterable[Prediction]) -> dict[tuple[str, str], Prediction]:
    claims: dict[tuple[str, str], Prediction] = {}
    for claim in predictions:
        if claim.subspace.kind != "pattern":
            continue
        cell = (claim.site, claim.target)
        if cell in claims:
            raise ComparisonError(
                f"two predictions about {claim.target} at {claim.site}: {claims[cell].claim!r} and "
                f"{claim.claim!r}; compare them one at a time"
            )
        claims[cell] = claim
    return claims


def _refuse_strangers(
    claims: Mapping[tuple[str, str], Prediction], cells: Sequence[tuple[str, str]]
) -> None:
    if claims and not set(claims) & set(cells):
        sites = sorted({site for site, _ in claims})
        raise ComparisonError(
            f"no prediction is about a (site, target) that was probed: predictions name the sites "
            f"{', '.join(sites[:4])}; probed were {', '.join(sorted({s for s, _ in cells})[:4])}"
        )


def _meet(
    learned: Subspace,
    claim: Prediction,
    covariance: np.ndarray,
    draws: int,
    seed: int,
) -> ComparedSubspaces:
    predicted = claim.subspace
    if learned.d_model != predicted.d_model:
        raise ComparisonError(
            f"{claim.target} at {claim.site}: the activations have {learned.d_model} dimensions, "
            f"the prediction {predicted.d_model}; they come from different models"
        )
    angles = learned.angles(predicted)
    mean, high = _null(learned, predicted, None, draws, seed)
    harder = _null(learned, predicted, covariance, draws, seed)[1]
    return ComparedSubspaces(
        written=claim.written,
        overlap=learned.overlap(predicted),
        contains_learned_in_predicted=predicted.contains(learned),
        contains_predicted_in_learned=learned.contains(predicted),
        null_mean=mean,
        null_high=high,
        null_covariance_high=harder,
        angle_max=float(angles[-1]) if angles.size else float("nan"),
        dim_learned=learned.dim,
        dim_predicted=predicted.dim,
        d_model=learned.d_model,
    )


def _null(
    learned: Subspace, predicted: Subspace, covariance: np.ndarray | None, draws: int, seed: int
) -> tuple[float, float]:
    """Mean and 95th percentile of the overlap of random subspaces with the predicted one."""
    if not learned.dim or not predicted.dim:
        return 0.0, 0.0
    null = overlap_null(
        learned.dim, predicted.dim, covariance=covariance, fixed=predicted, n=draws, seed=seed
    )
    return null.mean, null.high


def _aligned(
    found: ComparedSubspaces | None, *, claimed: bool, elsewhere: str | None = None
) -> Verdict:
    if found is None:
        return Verdict("not tested", NO_PATTERN if claimed else elsewhere or NO_BASIS)
    overlap = f"overlap {number(found.overlap)}"
    bar = number(max(found.null_high, found.null_covariance_high))
    where = "where theory writes the state" if found.written else "where theory writes nothing"
    if not found.beyond_null:
        return Verdict("no", f"{overlap} is no more than chance ({bar}), {where}")
    reason = f"{overlap}, random subspaces {bar}, {where}"
    return Verdict("yes", reason) if found.written else Verdict("no", f"{reason}: refuted")
