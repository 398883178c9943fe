"""What exchanges leave of other targets, at the edited site and at all later ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch

from ..hooks.inputs.batching import budget
from ..hooks.paths.sites import Site
from ..hooks.reading.prepared import PreparedModel
from ..probes.evidence.intervals import bootstrap_weights
from .arms import Arm, arms_of
from .exchange import Cells
from .kept import Keeps, Watch
from .pairs import Pairs
from .placing import inputs_of, positions_of
from .running import Runner
from .work import PairBatch, batch_of, by_length, picked

__all__ = ["IsolationRow", "isolation_of", "least_kept"]

ARMS = ("edit", "whole")
"""Edits whose isolation is measured: the exchange, and the whole state, which carries others."""


@final
@dataclass(frozen=True)
class IsolationRow:
    """What one exchange leaves of one other target.

    Read are all tokens from the span's last one on, at the edited site and at all later ones of
    those asked for, by probes fitted on unedited states. A prediction has to stay wherever the
    other target stands below the exchanged one or the labels of the pair are equal; of targets
    above, where the counterfactual's own run says what the base says.

    Args:
        site: of the exchange.
        target: what was exchanged.
        other: what was looked at.
        n: predictions that have to stay.
        n_groups: base sentences with any.
        kept: share of them that stay.
        low: lower end of its interval, resampling base sentences.
        high: upper end.
        kept_whole: the same where the whole state is exchanged, other targets with it.
        accuracy_before: share of right predictions without an edit.
        accuracy_after: with the exchange.
    """

    site: str
    target: str
    other: str
    n: int
    n_groups: int
    kept: float
    low: float
    high: float
    kept_whole: float
    accuracy_before: float
    accuracy_after: float


def isolation_of(
    subject: PreparedModel,
    pairs: Pairs,
    cells: Cells,
    watch: Watch,
    *,
    bootstrap: int,
    seed: int,
    **how: Any,
) -> tuple[IsolationRow, ...]:
    """One row per edited site and other target that is decoded there or later.

    Args:
        subject: the model.
        pairs: made of a corpus.
        cells: per site what is exchanged.
        watch: the other targets.
        bootstrap: resamples of base sentences.
        seed: of these.
        how: as for the exchange itself.
    """
    rows = []
    for site, arms in _keeps_of(subject, pairs, cells, watch, **how).items():
        for other, keeps in arms["edit"].items():
            if keeps.total.sum() > 0:
                whole = arms["whole"][other]
                low, high = _interval(keeps, np.asarray(pairs.groups), bootstrap, seed)
                rows.append(
                    IsolationRow(
                        site, pairs.target, other, int(keeps.total.sum()),
                        len(set(np.asarray(pairs.groups)[keeps.total > 0].tolist())),
                        _share(keeps.kept, keeps), low, high, _share(whole.kept, whole),
                        _share(keeps.before, keeps), _share(keeps.after, keeps),
                    )
                )  # fmt: skip
    return tuple(rows)


def least_kept(rows: tuple[IsolationRow, ...], site: str, target: str) -> dict[str, Any]:
    """The fields of a cell: those of the other target that is kept least.

    >>> least_kept((), "blocks.0.hook_resid_post", "height 1")
    {}
    """
    own = [row for row in rows if (row.site, row.target) == (site, target)]
    if not own:
        return {}
    least = min(own, key=lambda row: row.kept)
    return {
        "isolation": least.kept,
        "isolation_low": least.low,
        "isolation_high": least.high,
        "isolation_whole": least.kept_whole,
        "isolation_of": least.other,
    }


def _share(counts: np.ndarray, keeps: Keeps) -> float:
    return float(counts.sum() / keeps.total.sum())


def _interval(keeps: Keeps, groups: np.ndarray, draws: int, seed: int) -> tuple[float, float]:
    """Percentile bootstrap over base sentences."""
    some = keeps.total > 0
    index = np.unique(groups[some], return_inverse=True)[1]
    n = int(index.max()) + 1
    if draws < 1 or n < 2:
        return float("nan"), float("nan")
    weights = bootstrap_weights(n, draws, np.random.default_rng(seed)).astype(np.float64)
    kept, total = (
        weights @ np.bincount(index, weights=counts[some], minlength=n)
        for counts in (keeps.kept, keeps.total)
    )
    low, high = np.quantile(kept / total, [0.025, 0.975])
    return float(low), float(high)


@torch.no_grad()
def _keeps_of(
    subject: PreparedModel,
    pairs: Pairs,
    cells: Cells,
    watch: Watch,
    *,
    last_only: bool,
    batch_size: int | None,
    resume: bool,
) -> Mapping[str, Mapping[str, Mapping[str, Keeps]]]:
    """Per edited site, arm and other target what stayed, pair by pair.

    Args:
        subject: the model.
        pairs: made of a corpus, of one target: the source has the base's length.
        cells: per site what is exchanged.
        watch: the other targets.
        last_only: the span's last token alone, or all of the span.
        batch_size: pairs per batch; ``None`` by tokens.
        resume: begin passes at the edited site where possible.
    """
    runner, inputs = Runner(subject, resume=resume), inputs_of(subject, pairs, last_only)
    order = sorted(cells, key=_depth)
    batches = by_length(
        [len(line) for line in inputs.base],
        inputs.begins,
        budget(subject.d_model, accelerator=False),
        batch_size,
    )
    few = batches[0][:8]
    runner.try_out(batch_of(runner, inputs.base, few), *positions_of([inputs.read[i] for i in few]))
    found: dict[str, dict[str, dict[str, list[Keeps]]]] = {
        site: {arm: {other: [] for other in watch.labels} for arm in ARMS} for site in order
    }
    arms: dict[str, dict[str, Arm]] = {
        site: arms_of(cells[site][0], {}, np.zeros((1, subject.d_model)), 0, 0) for site in order
    }
    for chosen in batches:
        work = PairBatch.begin(runner, inputs, order, chosen, None, keep=False)
        watched = [
            np.asarray(inputs.base[i].stop, dtype=np.int64)[pairs.base_at[i][-1] :] - 1
            for i in chosen
        ]
        places = positions_of(watched)
        base = watch.read(chosen, {x: picked(y, *places) for x, y in work.streams.items()})
        asked, _ = runner.states(
            batch_of(runner, inputs.asked, chosen), order, places[0][:1], places[1][:1]
        )
        source = watch.read(chosen, {x: picked(y, *places) for x, y in asked.items()})
        for site in order:
            later = watch.sites_from(site, order)
            for arm in ARMS if later else ():
                states = work.states_after(site, arms[site][arm], later, *places)
                said = watch.read(chosen, states)
                for other, keeps in watch.count(chosen, base, source, said).items():
                    found[site][arm][other].append(keeps)
    back = np.concatenate(batches)
    return {
        site: {
            arm: {other: Keeps.joined(parts, back) for other, parts in by_other.items() if parts}
            for arm, by_other in by_arm.items()
        }
        for site, by_arm in found.items()
    }


def _depth(site: str) -> tuple[int, int]:
    place = Site.parse(site)
    assert place is not None  # noqa: S101 - sites are checked before
    return place.depth
