"""The words of a report, one line each, for a reader who did not run it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from .values import plural

if TYPE_CHECKING:
    from .record import Run, Study

__all__ = ["WORDS", "words_of"]

WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("site", "a named place in the residual stream; “block 3” is blocks.3.hook_resid_post, the "
     "stream after that block; “embedding” is what enters the first block"),
    ("target", "what a probe has to recover of each {token}: one class, or one number (or a vector "
     "of numbers){heights}"),
    ("accuracy", "share of held-out {tokens} whose class the probe names; {sentences} of the test "
     "part are never seen in training"),
    ("R²", "the score of numbers: one less the sum of squared errors on held-out {tokens} over the "
     "sum of squared deviations from the mean of the training part; of a vector after each column "
     "was scaled to unit variance there. 1 is exact, 0 is as good as that mean, below 0 worse. "
     "What stands beside it (interval, chance, every control) is R² as well"),
    ("Spearman", "rank correlation of the probe's numbers with the true ones"),
    ("balanced accuracy, macro F1", "means over the classes: of the share of each that is right, "
     "and of the harmonic mean of precision and recall"),
    ("AUROC, average precision, recall at 1 % false positives", "of two classes, from the order in "
     "which the probe puts the held-out {tokens}; the second class (by name) is what is found"),
    ("collapsed", "the probe says the same of every held-out {token}; that is never a finding"),
    ("interval", "95 % interval of the accuracy, or of R², resampling held-out {sentences}"),
    ("ceiling", "the best accuracy that any classifier of any kind can reach on the same {tokens} "
     "from what the model has seen there; computed exactly from the grammar, for this model: its "
     "random-weight twin may have seen other words at the same site"),
    ("chance", "accuracy of the best guess from the position in the {line} alone{alone}; of "
     "numbers, R² of the mean at the position, or 0 where that is less"),
    ("way to the ceiling", "(accuracy − chance) / (ceiling − chance)"),
    ("surface", "the best that word, its neighbours (the next one where the model can see it), "
     "position and embedding give together: one logistic regression of all (ridge regression for "
     "numbers), or one of them where that does better on validation {sentences}; for numbers also "
     "the last three words"),
    ("last three words", "of numbers, guessing their mean after the same three words in training, "
     "drawn towards that after the last two and the last one (an n-gram model)"),
    ("bag of words, characters, length", "of spans of running texts, guessing from their words "
     "(TF-IDF), from pieces of words of one to four letters, and from the numbers of letters and "
     "words; they are part of the surface"),
    ("unseen", "the score on the held-out {tokens} whose word{or_text} never occurs in training"),
    ("untrained models", "the same probe on the same architecture with fresh random weights: the "
     "highest of as many draws as the settings say (twins)"),
    ("control task", "the same probe on random classes, one per word type (Hewitt and Liang 2019), "
     "or for numbers on those of a random {token}, one per word type; the mean of several draws; "
     "selectivity is the score minus this"),
    ("codelength", "bits to send the labels with the probe, learned online (Voita and Titov 2020); "
     "less is better"),
    ("p, q", "permutation test of the score, shuffling labels, each cell alone; q is the share "
     "of false finds (Benjamini and Hochberg 1995)"),
    ("p_family, p_untrained, p_surface, p_embedding, p_unseen, p_perfect, p_control", "p-values "
     "that hold for all cells of the grid together (Westfall and Young 1993): of the probe being "
     "no better than shuffled labels, one more untrained model, the surface, the "
     "embedding, chance at unseen words, of a probe without any error being no better than the "
     "surface, and of control tasks on the way to their ceiling. All but "
     "the last decide the verdicts; probe and rival are compared on the same held-out groups"),
    ("pattern", "the directions in which activations move when the class changes: differences of "
     "the classes' means, all targets estimated jointly; of numbers, the coefficients of "
     "regressing activations on the values"),
    ("overlap", "mean squared cosine of the principal angles between two subspaces; 1 as soon as "
     "the smaller lies in the larger, so the share of each in the other stands beside it"),
    ("null", "overlap that random subspaces of the same dimensions reach: their mean, and the "
     "upper end that fewer than 5 % of pages exceed at any compared cell"),
    ("still read by a later layer", "what theory says of a constructed model: whether anything "
     "that the output depends on still reads the state here. Where nothing does, the state can be "
     "found as predicted, and changing it changes nothing"),
    ("best", "read best: the site of highest score on validation {sentences}; the score shown "
     "is that of the test {sentences}, which had no part in the choice"),
    ("decodable", "above chance, above shuffled labels, and above what untrained models of this "
     "shape give, their spread over seeds included"),
    ("selective", "decodable, and more than the surface gives, on all {tokens} and on those whose "
     "words occur in training; also at words never trained on, "
     "where there are enough. Otherwise it is “not beyond the word”"),
    ("aligned", "the learned pattern meets the predicted subspace with an overlap of 0.9 or more, "
     "beyond every null; a smaller overlap beyond the nulls is “partly aligned”, which is no rung"),
    ("up to a map", "of a model with a basis of its own: aligned with what a linear map from the "
     "constructed model's stream carries here; where the state lies is then known as far as that "
     "map is right, which its R² on held-out {sentences} says"),
    ("exchange", "the state of a span's last token, inside the subspace, is replaced by that of "
     "the same sentence with another span of equal length; what should then come next is known "
     "exactly from the grammar"),
    ("effect share", "how far an exchange brings the model along the way from no edit (0) to what "
     "it says when it reads the other sentence itself (1), in divergence from the exact answer"),
    ("whole state, placebo, drawn, twin", "the same exchange of all dimensions, the most that any "
     "subspace can do; of a random subspace, moved equally far; of subspaces drawn from the "
     "states; and in a model with random weights"),
    ("LEACE, equal variance", "what erasing is held to: the least change after which no linear "
     "probe finds the target, and a random subspace that takes out about as much variance"),
    ("causal", "used: the exchange goes at least 0.05 of the way, further than random "
     "subspaces, the placebo and a random-weight twin, no less than subspaces drawn from the "
     "states, and leaves pairs with equal labels in peace. A state can be present and not used"),
)  # fmt: skip


TRANSFER: Final = (
    "carries over",
    "a probe that was trained on one data set is above chance (the share of the most frequent "
    "class; 0 of R²) and above a model with random weights on another, at all pairs together",
)


def words_of(run: "Run") -> list[tuple[str, str]]:
    """The words that the pages of a run use, in the language of its targets.

    What a run has nothing of is left out: no nonterminals where there is no grammar, no exchanges
    where no states were exchanged.

    Args:
        run: what is shown.
    """
    words = _language(run)
    kept = [
        (word, meaning.format_map(words))
        for word, meaning in WORDS
        if word not in _ASKED or any(map(_ASKED[word], run.studies))
    ]
    return [*kept, TRANSFER] if any(study.transfers for study in run.studies) else kept


def _language(run: "Run") -> dict[str, str]:
    """What rows, and what is never divided, are called."""
    pieces = list(dict.fromkeys(study.piece for study in run.studies))
    piece = pieces[0] if len(pieces) == 1 else "token"
    grammatical = piece == "token"
    texts = not grammatical and not any(study.names for study in run.studies)
    return {
        "token": piece,
        "tokens": plural(piece),
        "sentences": "groups" if texts else "sentences",
        "line": "text" if texts else "sentence",
        "alone": ", which for whole texts is the commonest class" if texts else "",
        "or_text": " (or text)" if texts else "",
        "heights": ", such as the nonterminal above it at a given height" if grammatical else "",
    }


def _measured(*names: str) -> Callable[["Study"], bool]:
    """Whether a study has one of these columns."""

    def has(study: "Study") -> bool:
        return any(row.get(name) is not None for row in study.scores.rows for name in names)

    return has


def _met(study: "Study") -> bool:
    return any(row.subspaces is not None for row in study.comparison.rows)


def _carried(study: "Study") -> bool:
    return any(row.through is not None for row in study.comparison.rows)


def _exchanged(study: "Study") -> bool:
    return any(row.exchange is not None for row in study.comparison.rows)


def _classes(study: "Study") -> bool:
    return any(row.get("kind") != "number" for row in study.scores.rows)


_ASKED: Final[Mapping[str, Callable[[Any], bool]]] = {
    "R²": _measured("r2"),
    "Spearman": _measured("spearman"),
    "balanced accuracy, macro F1": _classes,
    "AUROC, average precision, recall at 1 % false positives": _measured("auroc"),
    "ceiling": _measured("ceiling"),
    "way to the ceiling": _measured("ceiling"),
    "bag of words, characters, length": _measured("bag_of_words"),
    "unseen": _measured("unseen"),
    "codelength": _measured("codelength"),
    "overlap": _met,
    "null": _met,
    "still read by a later layer": _met,
    "aligned": _met,
    "up to a map": _carried,
    "exchange": _exchanged,
    "effect share": _exchanged,
    "whole state, placebo, drawn, twin": _exchanged,
    "causal": _exchanged,
}
