"""The comparison of what probes learned with what theory predicted, and the verdicts on it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, final, runtime_checkable

import numpy as np

from ..core import CellScore, Prediction, Subspace, checked
from ..core.caching import cached_property
from ..core.limits import MOST_DRAWS
from ..probes.geometry.nulls import Anisotropy
from .meeting import ComparedSubspaces, ComparisonError, Null, aligned, meet
from .overlap import overlap_figure
from .row import Row
from .rungs import constant, decodable, selective
from .theory import Theory, carried_theory, direct_theory
from .through import Through, through_verdict
from .use import UNREAD, causal
from .verdicts import Verdict, Verdicts

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["ComparedSubspaces", "Comparison", "ComparisonError", "ProbeGrid", "Row", "compare"]

NO_INTERVENTION = "no states of these targets were exchanged"


@runtime_checkable
class ProbeGrid(Protocol):
    """What a comparison needs of :class:`linrep.probes.ProbeResults`."""

    @property
    def patterns(self) -> Mapping[tuple[str, str], Subspace]:
        """The learned pattern of each (site, target) that has one."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the grid.

        Read are, where there, ``word_types`` (the number of distinct words) and ``remedy`` (what to
        do where test groups are too few).
        """

    @property
    def covariances(self) -> Mapping[str, np.ndarray]:
        """Site -> ``[d_model, d_model]`` covariance of the activations."""

    def to_frame(self) -> "pd.DataFrame":
        """One row per (site, target)."""


@runtime_checkable
class Exchanges(Protocol):
    """What a comparison needs of :class:`linrep.causal.InterchangeResult`."""

    @property
    def cells(self) -> Mapping[tuple[str, str], CellScore]:
        """(site, target) -> what the exchange of its learned pattern did."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and why."""


@final
@dataclass(frozen=True)
class Comparison:
    """Rows in the order of the results; immutable, and rebuilt from a run's files."""

    rows: tuple[Row, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
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
        return overlap_figure(self.rows)

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
        "share": None if row.exchange is None else row.exchange.share,
        "predicted_use": row.predicted_use,
        "tied": row.tied,
        "own": row.own,
        **_map_columns(row.through),
        **answers,
        "rung": row.verdicts.rung,
        "word": row.verdicts.word,
        "claim": row.claim,
        "source": row.source,
    }


def _map_columns(said: Through | None) -> dict[str, object]:
    """Numbers of the map, in columns of their own."""
    return {} if said is None else {f"map_{name}": value for name, value in vars(said).items()}


@checked(ComparisonError, most={"draws": MOST_DRAWS})
def compare(
    results: ProbeGrid,
    predictions: Iterable[Prediction] = (),
    *,
    elsewhere: Iterable[Prediction] = (),
    exchanges: Any = None,
    through: Any = None,
    draws: int = 200,
    level: float = 0.05,
    seed: int = 0,
) -> Comparison:
    """Lay learned patterns beside predicted ones and answer each rung.

    There are three nulls: random subspaces of the whole stream, random subspaces drawn from the
    activations' own covariance, and patterns of labels that sentences have exchanged. Their upper
    ends hold for all compared cells together (Bonferroni). A learned pattern is aligned from an
    overlap of 0.9 on; less than that, but beyond the nulls, is partly aligned, which is no rung.

    Predictions about other tokens than those probed are named, not compared. Predicted readouts
    are left aside: a pattern and a readout differ under correlated noise.

    A model in another basis is compared ``through`` linear maps: predictions about the constructed
    model are carried into the probed one's stream, and what is said holds up to the map. There is
    a fourth null then: overlaps of the same kind through maps to untrained models, and through
    maps of exchanged sentences.

    Args:
        results: a grid of probes.
        predictions: claims of a construction; empty for models whose basis no theory shares.
        elsewhere: further predictions about other tokens, where the grid does not say which tokens
            were probed.
        exchanges: what :func:`linrep.interchange` found for the learned patterns; without it the
            fourth rung is not tested. Its p-values are held to the level over all cells that are
            decodable, since no other can reach that rung.
        through: what :func:`linrep.linear_maps` found between the probed model and the
            constructed one that the predictions are about, on rows from which no pattern was
            learned.
        draws: random subspaces per null.
        level: chance that a page says something false at a rung, over all cells together.
        seed: of the random subspaces.

    Returns:
        One row per (site, target) of the results, in their order.

    Raises:
        ComparisonError: two predictions contradict each other, a prediction names a site or
            target that was not probed, dimensions differ, or maps and patterns were learned from
            the same rows.
    """
    word_types = results.settings.get("word_types")
    scores = [
        {str(name): value for name, value in row.items()}
        for row in results.to_frame().to_dict("records")
    ]
    cells = [(str(row["site"]), str(row["target"])) for row in scores]
    theory = (
        direct_theory(predictions, elsewhere, cells, results.settings.get("positions"))
        if through is None
        else carried_theory(through, predictions, cells, results, level)
    )
    claims = theory.claims
    met = sum(cell in claims and cell in results.patterns for cell in cells)
    null = Null(draws, level / max(met, 1), seed)
    chance = getattr(results, "chance_patterns", {})  # a grid of one's own may lack them
    parts = getattr(results, "fold_patterns", {})
    permutations = results.settings.get("permutations")
    remedy = str(results.settings.get("remedy", "give more"))
    read = [
        decodable(score, level=level, permutations=permutations, remedy=remedy) for score in scores
    ]
    done, part, reason = _exchanged(exchanges, cells, read, level)
    rows = []
    streams: dict[str, Anisotropy] = {}
    for score, cell, first in zip(scores, cells, read, strict=True):
        learned, claim = results.patterns.get(cell), claims.get(cell)
        covariance = results.covariances[cell[0]]
        found = None
        if learned is not None and claim is not None:
            if cell[0] not in streams:
                streams[cell[0]] = Anisotropy.of(covariance, len(covariance))
            found = meet(
                learned, claim, streams[cell[0]], null, chance.get(cell, ()), parts.get(cell, ())
            )
        found, said = theory.held(cell, found, learned, null.level)
        second = selective(
            score, word_types=word_types, features=len(covariance), level=level, remedy=remedy
        )
        theirs = None if said else claim  # theory does not say what a trained model uses
        verdicts = Verdicts(
            decodable=first,
            selective=second,
            aligned=_aligned(theory, cell, found, said, score, first, second),
            causal=_used(first, done.get(cell), part, theirs, reason),
        )
        row = _row(cell, verdicts, found, claim, done.get(cell), score.get("ceiling"))
        rows.append(row if said is None else replace(row, through=said, predicted_accuracy=None))
    return Comparison(
        tuple(rows), {"draws": draws, "level": level, "seed": seed, "word_types": word_types}
    )


def _aligned(
    theory: Theory,
    cell: tuple[str, str],
    found: ComparedSubspaces | None,
    said: Through | None,
    score: Mapping[str, Any],
    first: Verdict,
    second: Verdict,
) -> Verdict:
    """The third answer."""
    claim, still = theory.claims.get(cell), constant(score)
    if said is not None and claim is not None:
        return still or through_verdict(found, said, first, second, claim)
    return aligned(
        found,
        claimed=claim is not None,
        absent=claim is not None and not claim.written and claim.positions == "all",
        still=still,
        elsewhere=theory.elsewhere.get(cell),
        claim=claim,
    )


def _used(
    first: Verdict, done: CellScore | None, level: float, claim: Prediction | None, why: str
) -> Verdict:
    """The fourth answer; where nothing can be read there is no state of the target to use."""
    if first.state == "no" and done is not None:
        return Verdict("not tested", UNREAD)
    return causal(done, level=level, claim=claim, why=why)


def _exchanged(
    given: Any, cells: Sequence[tuple[str, str]], read: Sequence[Verdict], level: float
) -> tuple[Mapping[tuple[str, str], CellScore], float, str]:
    """The exchanges by cell, each one's share of the level, and why others have none.

    Raises:
        ComparisonError: they are no exchanges.
    """
    if given is None:
        return {}, level, NO_INTERVENTION
    if not isinstance(given, Exchanges):
        raise ComparisonError(
            f"exchanges are what linrep.interchange returns; received {type(given).__name__}"
        )
    done = {cell: row for cell, row in given.cells.items() if cell in set(cells)}
    candidates = sum(
        cell in done and verdict.state == "yes" for cell, verdict in zip(cells, read, strict=True)
    )
    reason = "; ".join(given.notes) or "there is no pattern here whose states could be exchanged"
    return done, level / max(candidates, 1), reason


def _row(
    cell: tuple[str, str],
    verdicts: Verdicts,
    found: ComparedSubspaces | None,
    claim: Prediction | None,
    done: CellScore | None,
    ceiling: Any,
) -> Row:
    if claim is None:
        return Row(*cell, verdicts, exchange=done)
    accuracy = claim.accuracy
    if claim.claim == "P6" and isinstance(ceiling, float) and not math.isnan(ceiling):
        accuracy = ceiling  # posteriors are written: a probe reaches what can be known
    return Row(
        *cell, verdicts, found, accuracy, claim.rank, claim=claim.claim, source=claim.source,
        exchange=done, predicted_use=claim.used, tied=claim.tied, own=claim.own,
    )  # fmt: skip
