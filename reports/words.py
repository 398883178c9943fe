"""The words of a report, one line each, for a reader who did not run it."""

from typing import Final

__all__ = ["WORDS"]

WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("site", "a named place in the residual stream; “block 3” is blocks.3.hook_resid_post, the "
     "stream after that block; “embedding” is what enters the first block"),
    ("target", "what a probe has to recover: one class per token, such as the nonterminal above "
     "it at a given height, or one number (or a vector of numbers) per token; in a treebank height "
     "1 is the part of speech, 2 the parent phrase, 3 the phrase above, and so on"),
    ("accuracy", "share of held-out tokens whose class the probe names; sentences of the test part "
     "are never seen in training"),
    ("R²", "the score of numbers: one less the sum of squared errors on held-out tokens over the "
     "sum of squared deviations from the mean of the training part; of a vector after each column "
     "was scaled to unit variance there. 1 is exact, 0 is as good as that mean, below 0 worse. "
     "What stands beside it (interval, chance, every control) is R² as well"),
    ("Spearman", "rank correlation of the probe's numbers with the true ones"),
    ("balanced accuracy, macro F1", "means over the classes: of the share of each that is right, "
     "and of the harmonic mean of precision and recall"),
    ("AUROC, average precision, recall at 1 % false positives", "of two classes, from the order in "
     "which the probe puts the held-out tokens; the second class (by name) is what is found"),
    ("collapsed", "the probe says the same of every held-out token; that is never a finding"),
    ("interval", "95 % interval of the accuracy, or of R², resampling held-out sentences"),
    ("ceiling", "the best accuracy that any classifier of any kind can reach on the same tokens "
     "from what the model has seen there; computed exactly from the grammar, for this model: its "
     "random-weight twin may have seen other words at the same site"),
    ("chance", "accuracy of the best guess from the position in the sentence alone; of numbers, "
     "R² of the mean at the position, or 0 where that is less"),
    ("way to the ceiling", "(accuracy − chance) / (ceiling − chance)"),
    ("surface", "the best that word, its neighbours (the next one where the model can see it), "
     "position and embedding give together: one logistic regression of all (ridge regression for "
     "numbers), or one of them where that does better on validation sentences"),
    ("bag of words, characters, length", "of spans of running texts, guessing from their words "
     "(TF-IDF), from pieces of words of one to four letters, and from the numbers of letters and "
     "words; they are part of the surface"),
    ("unseen", "the score on the held-out tokens whose word never occurs in training"),
    ("random weights", "the same probe on the same architecture with fresh random weights: the "
     "highest of as many draws as the settings say (twins)"),
    ("control task", "the same probe on random classes, one per word type (Hewitt and Liang 2019), "
     "or for numbers on those of a random token, one per word type; the mean of several draws; "
     "selectivity is the score minus this"),
    ("codelength", "bits to send the labels with the probe, learned online (Voita and Titov 2020); "
     "less is better"),
    ("p, q", "permutation test of the score, shuffling labels, each cell alone; q is the share "
     "of false finds (Benjamini and Hochberg 1995)"),
    ("p_family, p_untrained, p_surface, p_embedding, p_unseen, p_control", "p-values "
     "that hold for all cells of the grid together (Westfall and Young 1993): of the probe being "
     "no better than shuffled labels, one more untrained model, the surface, the "
     "embedding, chance at unseen words, and control tasks on the way to their ceiling. All but "
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
    ("best", "read best: the site of highest score on validation sentences; the score shown "
     "is that of the test sentences, which had no part in the choice"),
    ("decodable", "above chance, above shuffled labels, and above what untrained models of this "
     "shape give, their spread over seeds included"),
    ("selective", "decodable, and more than the surface gives, on all tokens and on those whose "
     "words occur in training; also at words never trained on, "
     "where there are enough. Otherwise it is “not beyond the word”"),
    ("aligned", "the learned pattern meets the predicted subspace with an overlap of 0.9 or more, "
     "beyond every null; a smaller overlap beyond the nulls is “partly aligned”, which is no rung"),
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
