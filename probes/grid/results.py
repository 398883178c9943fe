"""What a grid of probes found: scores with everything that keeps them honest beside them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any, final

import numpy as np
from jaxtyping import Float, Int

from ...core import Subspace, checked
from ..errors import ProbeError
from ..evidence.intervals import paired_test

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["HeldOut", "ProbeResults", "Score"]

NAN = float("nan")


@final
@dataclass(frozen=True)
class Score:
    """One cell of the grid: accuracies in 0..1, ``nll`` and ``v_information`` in nats per token.

    Args:
        site: place in the residual stream.
        target: what was probed.
        accuracy: share of the test tokens that are right.
        nll: held-out cross-entropy.
        interval: 95 % interval of the accuracy over sentences.
        chance: the best position-only predictor learned on the training part.
        ceiling: the best accuracy possible from what the model has seen.
        shuffled: the same probe, training and test labels exchanged between sentences.
        control_task: the same probe on a random class per word type, the mean of ten draws.
        position: guessing from the position (it is the chance level).
        previous_word: guessing from the word before.
        word_identity: guessing from the word itself.
        next_word: guessing from the word after, where the model may see it.
        surface: guessing from word, neighbours, position and embedding together.
        unseen: accuracy on the test tokens whose word does not occur in the training part.
        embedding: the same probe at the embedding.
        random_weights: the same probe on random weights, the best of the twins given.
        selectivity: ``accuracy - control_task``.
        codelength: online code of the training labels, in bits.
        control_codelength: that of the control task.
        v_information: entropy of the classes less ``nll``.
        p: permutation p-value of the accuracy, by test sentence: predictions stay, labels move.
        q: false discovery rate over all cells of the grid.
        p_family: p-value against shuffled labels that holds for all cells of the grid together
            (Westfall and Young), as the following do.
        p_untrained: that one more untrained model reads as much; needs three twins.
        p_surface: that the score is no more than ``surface``; or, on the tokens whose word occurs
            in the training part, no more than ``surface`` or ``word_identity`` there.
        p_perfect: what ``p_surface`` would be of a probe without any error: where that is large,
            nothing can be told from the surface.
        p_embedding: that it is no more than ``embedding``.
        p_control: that its share of the way to its ceiling is no more than that of control tasks.
        p_unseen: that on words unseen in training it is no more than chance there.
        n_train: training tokens.
        n_test: test tokens.
        n_classes: classes learned.
        n_groups: test groups.
        n_unseen: test tokens whose word does not occur in the training part.
        n_twins: random-weight twins.
        validation: accuracy on validation tokens: choose sites by it, never by ``accuracy``.
        penalty: chosen on validation sentences: ``C``, ridge's ``alpha`` (by leave-one-out), or the
            discriminant's shrinkage.
    """

    site: str
    target: str
    accuracy: float
    nll: float = NAN
    interval: tuple[float, float] = (NAN, NAN)
    chance: float = NAN
    ceiling: float = NAN
    shuffled: float = NAN
    control_task: float = NAN
    position: float = NAN
    previous_word: float = NAN
    word_identity: float = NAN
    next_word: float = NAN
    surface: float = NAN
    unseen: float = NAN
    embedding: float = NAN
    random_weights: float = NAN
    selectivity: float = NAN
    codelength: float = NAN
    control_codelength: float = NAN
    v_information: float = NAN
    p: float = NAN
    q: float = NAN
    p_family: float = NAN
    p_untrained: float = NAN
    p_surface: float = NAN
    p_perfect: float = NAN
    p_embedding: float = NAN
    p_control: float = NAN
    p_unseen: float = NAN
    n_train: int = 0
    n_test: int = 0
    n_classes: int = 0
    n_groups: int = 0
    n_unseen: int = 0
    n_twins: int = 0
    validation: float = NAN
    penalty: float = NAN

    @property
    def share(self) -> float:
        """Share of the way from chance to the ceiling; NaN where there is no way to go."""
        return self.share_of(self.accuracy)

    @property
    def share_interval(self) -> tuple[float, float]:
        """The interval of the accuracy on that scale, chance and ceiling taken as known."""
        return self.share_of(self.interval[0]), self.share_of(self.interval[1])

    def share_of(self, accuracy: float) -> float:
        """Any accuracy as a share of the way from chance to the ceiling."""
        way = self.ceiling - self.chance
        return (accuracy - self.chance) / way if way > 1e-9 else NAN


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
    """

    rows: Int[np.ndarray, " test"]
    predicted: Int[np.ndarray, " test"]
    true: Int[np.ndarray, " test"]
    log_probability: Float[np.ndarray, " test"]
    groups: Int[np.ndarray, " test"]
    classes: tuple[str, ...]
    shares: Float[np.ndarray, " class"]

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
class ProbeResults:
    """A grid of sites and targets.

    Args:
        scores: one per cell, sites outermost.
        patterns: ``(site, target)`` to the subspace in which class means move, estimated jointly
            with the other targets.
        readouts: the directions a linear discriminant reads.
        held_out: what each probe said of each test token.
        covariances: per site the covariance of the training activations, for nulls.
        settings: everything that made the numbers, JSON-able.
        notes: what was not tested or left out, and why.
    """

    scores: tuple[Score, ...]
    patterns: Mapping[tuple[str, str], Subspace]
    readouts: Mapping[tuple[str, str], Subspace]
    held_out: Mapping[tuple[str, str], HeldOut]
    covariances: Mapping[str, np.ndarray]
    settings: Mapping[str, Any]
    notes: tuple[str, ...]

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
        """The first site of highest validation accuracy: test sentences have no say in it.

        Raises:
            ProbeError: there is no such target, or there was no validation token.
        """
        cells = [score for score in self.scores if score.target == target]
        if not cells:
            raise ProbeError(f"no target {target!r}: there are {self.targets}")
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

        return accuracy_figure(self)

    def _held(self, site: str, target: str) -> HeldOut:
        self.score(site, target)
        return self.held_out[site, target]

    def _repr_html_(self) -> str:
        columns = [
            "site",
            "target",
            "accuracy",
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
