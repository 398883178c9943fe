"""Chart values beside the stream: what is identified on a corpus, learned and predicted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
from jaxtyping import Float

from ..core import Prediction, Subspace, progress
from ..core.decompositions import rank, svd
from ..corpora.targets import Target
from ..grammars import Corpus
from ..hooks import Activations
from .chart_work import MOST, ChartWork

if TYPE_CHECKING:
    from ..constructions import GrammarTransformer

__all__ = ["ChartCell", "ChartFindings", "blocks_of", "chart_cells", "chart_findings"]

TRAIN = 0.7  # of the sentences
CONSTANT = 1e-12  # spread relative to size below which values are constant up to rounding
SEEN = 1e-9  # share of the stream's movement below which a direction is rounding, at least
ROUNDINGS = 64  # units of rounding that count as such


@final
@dataclass(frozen=True, eq=False)
class ChartFindings:
    """What a corpus tells about where chart values are written.

    Args:
        targets: the values, those that are constant on the corpus left out.
        patterns: (site, target) -> learned pattern of what is identified.
        predictions: the same combinations of named directions, one claim per site and target.
        reasons: target -> which of its values are not told apart, and why; also of the constant
            ones.
        note: which sentences they are of, where not of all.
    """

    targets: tuple[Target, ...]
    patterns: Mapping[tuple[str, str], Subspace]
    predictions: tuple[Prediction, ...]
    reasons: Mapping[str, str]
    note: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """The reasons as sentences for a page."""
        told = [f"{target}: {reason}." for target, reason in self.reasons.items() if reason]
        return (*([self.note] if self.note else ()), *told)


@final
@dataclass(frozen=True)
class ChartCell:
    """One site and target: how well the values are read, and how learned and predicted meet.

    Args:
        site: of the stream.
        target: the values.
        written: whether theory finds any of the identified values here.
        r2: share of the values' variance that a linear map of the stream explains on held-out
            sentences, at tokens whose stream moves as training sentences show; NaN where the values
            are constant there.
        overlap: of the learned with the predicted subspace; 0 where one has no dimension.
        learned: dimensions found.
        predicted: dimensions that theory names here.
        moving: dimensions in which the values vary on the corpus.
        complete: whether every one of the values is written here in full.
        reason: which are not told apart, and why.
    """

    site: str
    target: str
    written: bool
    r2: float
    overlap: float
    learned: int
    predicted: int
    moving: int
    complete: bool
    reason: str


def blocks_of(site: str) -> int | None:
    """Blocks that are complete at a site; ``None`` inside a block.

    >>> blocks_of("blocks.0.hook_resid_pre"), blocks_of("blocks.2.hook_resid_post")
    (0, 3)
    """
    parts = site.split(".")
    if len(parts) != 3 or parts[2] not in ("hook_resid_pre", "hook_resid_post"):
        return None
    return int(parts[1]) + (parts[2] == "hook_resid_post")


def chart_findings(acts: Activations, corpus: Corpus, made: "GrammarTransformer") -> ChartFindings:
    """Patterns of every chart value of a constructed model, beside its named directions.

    The stream is regressed on all values that any coordinate holds, copies, gates and position
    included; both sides are taken through the combinations that the corpus identifies.

    Args:
        acts: activations of the corpus.
        corpus: sentences of the model's grammar.
        made: the model.
    """
    rows, note = _rows(acts, corpus, made)
    work = ChartWork(made, corpus.sentences, rows, acts[acts.sites[0]].dtype)
    patterns, claims = {}, []
    named = {(p.site, p.target): p for p in made.chart.predictions}
    targets = made.chart.targets(corpus)
    reasons = {t.name: work.shared.combinations(t.name).reason for t in targets}
    told = [t for t in targets if work.shared.combinations(t.name).moving]
    for site in progress(acts.sites, "chart values", unit="site"):
        blocks = blocks_of(site)
        if blocks is None:
            continue
        here = work.site(acts[site][rows], blocks)
        for target in told:
            learned, predicted = here.learned(target.name), here.predicted(target.name)
            place = predicted if predicted.dim else here.place(target.name)
            if learned.dim:
                patterns[site, target.name] = learned
            base = next(p for key, p in named.items() if key[1] == target.name)
            base = named.get((site, target.name), base)
            tied, own = here.tied(target.name) if predicted.dim else ("", True)
            claims.append(
                replace(
                    base,
                    site=site,
                    subspace=place,
                    written=predicted.dim > 0,
                    rank=place.dim,
                    tied=tied,
                    own=own,
                )
            )
    return ChartFindings(tuple(told), patterns, tuple(claims), reasons, note)


def _rows(acts: Activations, corpus: Corpus, made: "GrammarTransformer") -> tuple[np.ndarray, str]:
    """Tokens that the regression is of, and what is said where these are not all.

    Of many rows and many columns a singular value decomposition takes hours; the first sentences
    determine as many combinations as they have tokens.
    """
    kept = np.asarray(acts.kept).copy()
    if len(made.registry) <= MOST or kept.sum() <= MOST:
        return kept, ""
    first = np.searchsorted(np.cumsum(kept), MOST, side="right")
    chosen = kept & (corpus.sentence_ids < corpus.sentence_ids[first])
    some = len(np.unique(corpus.sentence_ids[chosen]))
    return chosen, (
        f"Patterns of chart values are regressed on the first {some} sentences ({chosen.sum()} "
        f"tokens): the model has {len(made.registry)} coordinates."
    )


def chart_cells(
    acts: Activations,
    corpus: Corpus,
    made: "GrammarTransformer",
    *,
    found: ChartFindings | None = None,
    seed: int = 0,
) -> list[ChartCell]:
    """R2 and overlap of every chart target at every site.

    Args:
        acts: activations of the corpus.
        corpus: sentences of the model's grammar.
        made: the model.
        found: what :func:`chart_findings` says of them, if it is known already.
        seed: of the division of sentences into two parts.
    """
    found = chart_findings(acts, corpus, made) if found is None else found
    sentences = np.random.default_rng(seed).permutation(len(corpus))
    first = np.isin(corpus.sentence_ids, sentences[: round(TRAIN * len(corpus))])
    kept = np.asarray(acts.kept)
    cells = []
    for claim in found.predictions:
        target = next(t for t in found.targets if t.name == claim.target)
        learned = found.patterns.get((claim.site, claim.target))
        unit = float(np.finfo(acts[claim.site].dtype).eps)
        stream = np.asarray(acts[claim.site], dtype=np.float64)
        cells.append(
            ChartCell(
                claim.site,
                claim.target,
                claim.written,
                held_out_r2(
                    stream[first & kept], target.values[first & kept],
                    stream[~first & kept], target.values[~first & kept], unit,
                ),
                learned.overlap(claim.subspace) if learned is not None else 0.0,
                learned.dim if learned is not None else 0,
                claim.subspace.dim if claim.written else 0,
                _rank(target.values[kept]),
                claim.accuracy == 1.0,
                found.reasons[claim.target],
            )
        )  # fmt: skip
    return cells


def held_out_r2(
    x: Float[np.ndarray, "row d_model"],
    y: Float[np.ndarray, "row column"],
    new_x: Float[np.ndarray, "new d_model"],
    new_y: Float[np.ndarray, "new column"],
    unit: float = float(np.finfo(np.float64).eps),
) -> float:
    """R2 of least squares on new rows, each column in units of its spread; NaN where constant.

    New rows in which the stream moves in directions that no training row shows are left out: least
    squares says nothing about these.

    Args:
        x: the stream at training rows.
        y: the numbers there.
        new_x: the stream at new rows.
        new_y: the numbers there.
        unit: relative rounding of the stream: directions in which it moves no more are not seen.
    """
    seen_from = max(SEEN, ROUNDINGS * unit)
    spread = y.std(axis=0)
    told = spread > CONSTANT * np.abs(y).max(axis=0, initial=0.0)
    if not told.any():
        return float("nan")
    centre, middle = x.mean(axis=0), y.mean(axis=0)
    left, sizes, right = svd(x - centre)
    seen = sizes > seen_from * sizes.max(initial=0.0)
    left, sizes, right = left[:, seen], sizes[seen], right[seen]
    moved = new_x - centre
    inside = moved @ right.T
    outside = np.linalg.norm(moved - inside @ right, axis=1)
    known = outside <= seen_from * np.linalg.norm(new_x, axis=1).max(initial=0.0)
    aim = ((new_y - middle)[:, told] / spread[told])[known]
    solved = (left.T @ (y - middle)[:, told] / spread[told]) / sizes[:, None]
    rest = aim - inside[known] @ solved
    still = len(aim) * (CONSTANT * float(np.abs(aim).max(initial=0.0))) ** 2
    whole = float(np.square(aim - aim.mean(axis=0)).sum()) if len(aim) else 0.0
    return 1.0 - float(np.square(rest).sum()) / whole if whole > still else float("nan")


def _rank(values: np.ndarray) -> int:
    return rank(values - values.mean(axis=0)) if len(values) else 0
