"""The words of a report, one line each, for a reader who did not run it."""

from typing import Final

__all__ = ["WORDS"]

WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("site", "a named place in the residual stream; “block 3” is blocks.3.hook_resid_post, the "
     "stream after that block; “embedding” is what enters the first block"),
    ("target", "what a probe has to recover: one class per token, such as the nonterminal above "
     "it at a given height; in a treebank height 1 is the part of speech, 2 the parent phrase, 3 "
     "the phrase above, and so on"),
    ("accuracy", "share of held-out tokens whose class the probe names; sentences of the test part "
     "are never seen in training"),
    ("interval", "95 % interval of the accuracy, resampling held-out sentences"),
    ("ceiling", "the best accuracy that any classifier of any kind can reach on the same tokens "
     "from what the model has seen there; computed exactly from the grammar, for this model: its "
     "random-weight twin may have seen other words at the same site"),
    ("chance", "accuracy of the best guess from the position in the sentence alone"),
    ("way to the ceiling", "(accuracy − chance) / (ceiling − chance)"),
    ("surface", "the best that word, its neighbours (the next one where the model can see it), "
     "position and embedding give together: one logistic regression of all, or of one of them "
     "where that does better on validation sentences"),
    ("unseen", "accuracy on the held-out tokens whose word never occurs in training"),
    ("random weights", "the same probe on the same architecture with fresh random weights: the "
     "highest of as many draws as the settings say (twins)"),
    ("control task", "the same probe on random classes, one per word type (Hewitt and Liang 2019), "
     "the mean of ten draws; selectivity is accuracy minus this"),
    ("codelength", "bits to send the labels with the probe, learned online (Voita and Titov 2020); "
     "less is better"),
    ("p, q", "permutation test of the accuracy, shuffling labels, each cell alone; q is the share "
     "of false finds (Benjamini and Hochberg 1995)"),
    ("p_family, p_untrained, p_surface, p_embedding, p_unseen, p_control", "p-values "
     "that hold for all cells of the grid together (Westfall and Young 1993): of the probe being "
     "no better than shuffled labels, one more untrained model, the surface, the "
     "embedding, chance at unseen words, and control tasks on the way to their ceiling. All but "
     "the last decide the verdicts; probe and rival are compared on the same held-out groups"),
    ("pattern", "the directions in which activations move when the class changes: differences of "
     "the classes' means, all targets estimated jointly"),
    ("overlap", "mean squared cosine of the principal angles between two subspaces; 1 as soon as "
     "the smaller lies in the larger, so the share of each in the other stands beside it"),
    ("null", "overlap that random subspaces of the same dimensions reach: their mean, and the "
     "upper end that fewer than 5 % of pages exceed at any compared cell"),
    ("still read by a later layer", "what theory says of a constructed model: whether anything "
     "that the output depends on still reads the state here. Where nothing does, the state can be "
     "found as predicted, and changing it changes nothing"),
    ("best", "read best: the site of highest accuracy on validation sentences; the accuracy shown "
     "is that of the test sentences, which had no part in the choice"),
    ("decodable", "above chance, above shuffled labels, and above what untrained models of this "
     "shape give, their spread over seeds included"),
    ("selective", "decodable, and more than the surface gives, on all tokens and on those whose "
     "words occur in training; also at words never trained on, "
     "where there are enough. Otherwise it is “not beyond the word”"),
    ("aligned", "the learned pattern meets the predicted subspace with an overlap of 0.9 or more, "
     "beyond every null; a smaller overlap beyond the nulls is “partly aligned”, which is no rung"),
    ("causal", "erasing the subspace removes the state and little else"),
)  # fmt: skip
