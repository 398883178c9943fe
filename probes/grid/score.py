"""One cell of a grid of probes: its score, and everything that keeps it honest beside it."""

from dataclasses import dataclass
from typing import final

from ...corpora import TargetKind

__all__ = ["Score"]

NAN = float("nan")


@final
@dataclass(frozen=True)
class Score:
    """One cell of the grid: what was read of one target at one site, and what stands beside it.

    Classes are scored by accuracy, numbers by R2: one less the sum of squared errors over the sum
    of squared deviations from the *training* mean, of a vector after each column was scaled to unit
    variance on the training rows. The interval, chance and every control are in the same units:
    accuracies of classes, R2 of numbers. What is of the other kind is NaN. ``nll`` and
    ``v_information`` are in nats per token.

    Args:
        site: place in the residual stream.
        target: what was probed.
        accuracy: share of the test tokens that are right; NaN for numbers.
        nll: held-out cross-entropy.
        interval: 95 % interval of the score over sentences.
        chance: the best position-only predictor learned on the training part; of numbers no less
            than the training mean, which has R2 0.
        ceiling: the best accuracy possible from what the model has seen.
        shuffled: the same probe, training and test labels exchanged between sentences.
        control_task: the same probe on a random class per word type, the mean of ten draws.
        position: guessing from the position (it is the chance level).
        previous_word: guessing from the word before.
        word_identity: guessing from the word itself.
        next_word: guessing from the word after, where the model may see it.
        n_gram: of numbers, guessing from the last three words, or fewer where these are rare.
        surface: guessing from word, neighbours, position and embedding together, and of spans of
            running texts from their words, letters and length.
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
        validation: score on validation tokens: choose sites by it, never by the test score.
        penalty: chosen on validation sentences: ``C``, ridge's ``alpha`` (by leave-one-out), or the
            discriminant's shrinkage.
        kind: ``"class"`` or ``"number"``.
        r2: of numbers, on the test tokens; NaN for classes.
        spearman: rank correlation of predictions and single numbers; NaN for vectors.
        balanced_accuracy: mean over the classes of the share of each that is right.
        macro_f1: mean over the classes of the harmonic mean of precision and recall.
        auroc: of two classes, the chance that the second scores higher than the first.
        average_precision: of two classes, area under precision over recall, of the second.
        recall_at_1_fpr: of two classes, share of the second that is found while at most one in a
            hundred of the first is taken for it.
        bag_of_words: of spans of running texts, guessing from their words.
        characters: likewise, from pieces of words of one to four letters.
        length: likewise, from the numbers of letters and words.
        collapsed: the probe says one class (or one number) of every test token: never a finding.
        converged: the solver met its tolerance.
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
    n_gram: float = NAN
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
    kind: TargetKind = "class"
    r2: float = NAN
    spearman: float = NAN
    balanced_accuracy: float = NAN
    macro_f1: float = NAN
    auroc: float = NAN
    average_precision: float = NAN
    recall_at_1_fpr: float = NAN
    bag_of_words: float = NAN
    characters: float = NAN
    length: float = NAN
    collapsed: bool = False
    converged: bool = True

    @property
    def value(self) -> float:
        """The score of its kind: accuracy of classes, R2 of numbers."""
        return self.r2 if self.kind == "number" else self.accuracy

    @property
    def share(self) -> float:
        """Share of the way from chance to the ceiling; NaN where chance is the ceiling."""
        return self.share_of(self.value)

    @property
    def share_interval(self) -> tuple[float, float]:
        """The interval of the score on that scale, chance and ceiling taken as known."""
        return self.share_of(self.interval[0]), self.share_of(self.interval[1])

    def share_of(self, accuracy: float) -> float:
        """Any accuracy as a share of the way from chance to the ceiling."""
        way = self.ceiling - self.chance
        return (accuracy - self.chance) / way if way > 1e-9 else NAN
