"""What a grid of probes found: scores with everything that keeps them honest beside them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, final

import numpy as np

from ...core import Subspace, checked
from ..errors import ProbeError
from ..evidence.intervals import paired_test
from ..examples.values import Examples
from ..examples.view import ExamplesView, about
from ..geometry.class_means import Direction
from .held_out import HeldOut, HeldOutNumbers
from .score import Score

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["ProbeResults"]


@final
@dataclass(frozen=True, eq=False)
class ProbeResults:
    """A grid of sites and targets.

    Args:
        scores: one per cell, sites outermost.
        patterns: ``(site, target)`` to the subspace in which class means move, estimated jointly
            with the other targets or with all states of the stream, as ``settings["patterns"]``
            says; of numbers that in which activations move with the values.
        readouts: the directions a linear discriminant reads; of numbers the ridge weights.
        held_out: what each probe said of each test token.
        covariances: per site the covariance of the training activations, for nulls.
        settings: everything that made the numbers, JSON-able.
        notes: what was not tested or left out, and why.
        directions: differences of class means, of the method ``"means"``: of two classes one, from
            the first to the second by name; of several one for each class, from all others.
        ceilings: ``(site, target)`` to ``[token]`` largest posteriors, where they are known.
        chance_patterns: ``(site, target)`` to ordered bases ``[d_model, rank]``, one for each
            exchange of labels between sentences: the patterns of a target without a state.
        fold_patterns: ``(site, target)`` to orthonormal bases ``[d_model, rank]`` of the pattern
            without one part of the groups each, where they were asked for.
        learned_from: ``[token]`` True for rows from which patterns were learned; maps between
            bases are learned from others (:func:`linrep.linear_maps`).
        examples: a few texts of the test part with what every probe said of their words; ``None``
            where none were asked for, or rows have no words.
    """

    scores: tuple[Score, ...]
    patterns: Mapping[tuple[str, str], Subspace]
    readouts: Mapping[tuple[str, str], Subspace]
    held_out: Mapping[tuple[str, str], HeldOut | HeldOutNumbers]
    covariances: Mapping[str, np.ndarray]
    settings: Mapping[str, Any]
    notes: tuple[str, ...]
    directions: Mapping[tuple[str, str], tuple[Direction, ...]] = field(default_factory=dict)
    ceilings: Mapping[tuple[str, str], np.ndarray] = field(default_factory=dict)
    chance_patterns: Mapping[tuple[str, str], tuple[np.ndarray, ...]] = field(default_factory=dict)
    fold_patterns: Mapping[tuple[str, str], tuple[np.ndarray, ...]] = field(default_factory=dict)
    learned_from: np.ndarray | None = None
    examples: Examples | None = None

    def __repr__(self) -> str:
        """One line: what was probed where; the numbers are in ``to_frame()``."""
        return f"ProbeResults(of {list(self.targets)} at {list(self.sites)})"

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites in the order probed."""
        return tuple(dict.fromkeys(score.site for score in self.scores))

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets in the order probed."""
        return tuple(dict.fromkeys(score.target for score in self.scores))

    @checked(ProbeError)
    def score(self, site: str, target: str) -> Score:
        """One cell.

        Raises:
            ProbeError: there is no such cell.
        """
        for score in self.scores:
            if (score.site, score.target) == (site, target):
                return score
        raise ProbeError(
            f"no cell ({site!r}, {target!r}): sites {self.sites}, targets {self.targets}"
        )

    @checked(ProbeError)
    def best_site(self, target: str) -> str:
        """The first site of highest validation score: test sentences have no say in it.

        Raises:
            ProbeError: there is no such target, or there was no validation token.
        """
        cells = [score for score in self.scores if score.target == target]
        if not cells:
            known = ", ".join(self.targets)
            raise ProbeError(f"no target {target!r} was probed: ask for one of {known}")
        if any(np.isnan(cell.validation) for cell in cells):
            raise ProbeError(f"target {target!r} has no validation tokens to choose by")
        return max(cells, key=lambda cell: cell.validation).site

    @checked(ProbeError)
    def compare_sites(self, target: str, first: str, second: str, *, seed: int = 0) -> float:
        """Two-sided p-value that one target is read equally well at two sites.

        Raises:
            ProbeError: there is no such cell.
        """
        a, b = self._held(first, target), self._held(second, target)
        return paired_test(a.right, b.right, a.groups, seed=seed)

    def to_frame(self) -> "pd.DataFrame":
        """One row per cell, one column per field of :class:`Score`, and ``share``."""
        import pandas as pd

        return pd.DataFrame([{**asdict(score), "share": score.share} for score in self.scores])

    def plot(self) -> "go.Figure":
        """Accuracy over sites, one line per target, beside what was measured of its baselines."""
        from .figures import accuracy_figure

        return accuracy_figure(self.scores)

    @checked(ProbeError)
    def explore(self, target: str | None = None, site: str | None = None) -> ExamplesView:
        """Held-out texts under their trees, coloured by what a probe said of each word.

        A slider moves through the sites, lists choose the target and the true label; texts where
        the probe is wrong but confident stand first. No text of the training part is shown.

        Args:
            target: shown first; by default the first.
            site: shown first; by default where that target is read best on validation data.

        Returns:
            The view, which a notebook shows; nothing is loaded from a network.

        Raises:
            ProbeError: no examples were kept, or there is no such target or site among them.

        >>> from linrep import Corpus, probe
        >>> texts = [f"{'ab'[i % 2]} {i}" for i in range(40)]
        >>> corpus = Corpus.from_texts(texts, targets={"letter": [text[0] for text in texts]})
        >>> found = probe({"block 0": np.eye(2)[[0, 1] * 20]}, corpus, targets=["letter"])
        >>> found.explore("letter")
        ExamplesView(8 texts, ['letter'])
        """
        if self.examples is None:
            raise ProbeError(
                "no examples were kept: probe with a corpus that has words, and examples= above 0"
            )
        told = {
            (score.site, score.target): about(
                "R²" if score.kind == "number" else "accuracy", score.value, score.interval,
                score.n_test, ("chance", score.chance),
            )
            for score in self.scores
        }  # fmt: skip
        return ExamplesView(self.examples, told, {}, target, site)

    def _held(self, site: str, target: str) -> HeldOut | HeldOutNumbers:
        self.score(site, target)
        return self.held_out[site, target]

    def _repr_html_(self) -> str:
        kinds = {score.kind for score in self.scores}
        columns = [
            "site",
            "target",
            *(["accuracy"] if "class" in kinds else []),
            *(["r2"] if "number" in kinds else []),
            "interval",
            "chance",
            "ceiling",
            "surface",
            "p_family",
        ]
        if not all(np.isnan(score.random_weights) for score in self.scores):
            columns.insert(-1, "random_weights")
        table = self.to_frame()[columns].to_html(index=False, float_format="{:.3f}".format)
        return table + "".join(f"<p><small>{escape(note)}</small></p>" for note in self.notes)
