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
from ..probes.geometry.value_movements import movements
from ..probes.geometry.value_patterns import Movements

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
    """

    targets: tuple[Target, ...]
    patterns: Mapping[tuple[str, str], Subspace]
    predictions: tuple[Prediction, ...]
    reasons: Mapping[str, str]

    @property
    def notes(self) -> tuple[str, ...]:
        """The reasons as sentences for a page."""
        return tuple(f"{target}: {reason}." for target, reason in self.reasons.items() if reason)


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
    work = _Work(acts, corpus, made)
    patterns, claims = {}, []
    named = {(p.site, p.target): p for p in made.chart.predictions}
    targets = made.chart.targets(corpus)
    reasons = {t.name: work.shared.combinations(t.name).reason for t in targets}
    told = [t for t in targets if work.shared.combinations(t.name).moving]
    for site in progress(acts.sites, "chart values", unit="site"):
        blocks = blocks_of(site)
        if blocks is None:
            continue
        here = work.site(site, blocks)
        for target in told:
            learned, predicted, place = here.meet(target.name)
            if learned.dim:
                patterns[site, target.name] = learned
            base = next(p for key, p in named.items() if key[1] == target.name)
            base = named.get((site, target.name), base)
            claims.append(
                replace(
                    base,
                    site=site,
                    subspace=predicted if predicted.dim else place,
                    written=predicted.dim > 0,
                    rank=predicted.dim if predicted.dim else place.dim,
                )
            )
    return ChartFindings(tuple(told), patterns, tuple(claims), reasons)


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


@final
class _Work:
    """Values of a corpus, and how they move together; shared by sites where none is half done."""

    def __init__(self, acts: Activations, corpus: Corpus, made: "GrammarTransformer") -> None:
        self.acts, self.corpus, self.made = acts, corpus, made
        self.kept = np.asarray(acts.kept)
        self.dtype = np.asarray(acts[acts.sites[0]][:1]).dtype
        self.values = made.chart.values.of(corpus.sentences)[self.kept]
        places = corpus.positions[self.kept] + 1
        self.places = np.unique(places)
        self.at = (places[:, None] == self.places).astype(np.float64)
        self._known: dict[tuple[int, ...], Movements] = {}

    @property
    def shared(self) -> Movements:
        """Movements of the final values."""
        return self.movements((), 0)

    def movements(self, partly: tuple[int, ...], blocks: int) -> Movements:
        """Movements of the final values, and of what is written in part."""
        key = (*partly, blocks) if partly else ()
        if key not in self._known:
            chart = self.made.chart
            half = np.zeros((len(self.values), 0))
            if partly:
                half = chart.values.of(self.corpus.sentences, partly, blocks)[self.kept]
            coordinates = range(len(self.made.registry))
            names = [str(c) for c in self.made.registry]
            for target in chart.groups:
                group = chart.groups[target]
                for c, name in zip(group, chart.names(group), strict=True):
                    names[c] = f"{name} ({target})"
            names += [f"position {t}" for t in self.places.tolist()]
            names += [f"{self.made.registry[c]}, half done" for c in partly]
            values = np.hstack([self.values[:, list(coordinates)], self.at, half])
            self._known[key] = movements(values, chart.groups, names, dtype=self.dtype)
        return self._known[key]

    def site(self, site: str, blocks: int) -> "_Site":
        """One site's projections and directions."""
        values = self.made.chart.values
        partly = tuple(c for c in range(len(self.made.registry)) if values.partly(c, blocks))
        return _Site(self, site, blocks, partly)


@final
class _Site:
    """One site: its stream along every movement, and what each column adds to it."""

    def __init__(self, work: _Work, site: str, blocks: int, partly: tuple[int, ...]) -> None:
        chart = work.made.chart
        self.moves = work.movements(partly, blocks)
        stream = np.asarray(work.acts[site], dtype=np.float64)[work.kept]
        longest = float(np.linalg.norm(stream, axis=1).max(initial=0.0))
        self.rounding = float(np.finfo(work.dtype).eps) * longest
        self.projections = self.moves.projections(stream)
        everything = range(len(work.made.registry))
        beside = [chart.basis.positions(work.places.tolist()), chart.basis.directions(partly)]
        self.directions = np.vstack([chart.directions(everything, blocks), *beside])
        self.named = np.vstack([chart.basis.directions(everything), *beside])

    def meet(self, target: str) -> tuple[Subspace, Subspace, Subspace]:
        """Learned, predicted here, and where the values will be when all are written."""
        learned = self.moves.learned(target, self.projections, self.rounding)
        predicted = self.moves.predicted(target, self.directions, self.rounding)
        return learned, predicted, self.moves.predicted(target, self.named, self.rounding)
