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
    ("random weights", "the same probe on the same architecture with fresh random weights, "
     "the best of as many draws as the settings say (twins)"),
    ("control task", "the same probe on random classes, one per word type (Hewitt and Liang 2019); "
     "selectivity is accuracy minus this"),
    ("codelength", "bits to send the labels with the probe, learned online (Voita and Titov 2020); "
     "less is better"),
    ("p, q", "permutation test of the accuracy, shuffling labels; p over all cells holds for all "
     "cells of the grid together (Westfall and Young 1993) and decides, q is the share of false "
     "finds (Benjamini and Hochberg 1995)"),
    ("pattern", "the directions in which activations move when the class changes: differences of "
     "the classes' means, all targets estimated jointly"),
    ("overlap", "mean squared cosine of the principal angles between two subspaces; 1 as soon as "
     "the smaller lies in the larger, so the share of each in the other stands beside it"),
    ("null", "overlap that random subspaces of the same dimensions reach: mean and 95th "
     "percentile"),
    ("decodable", "the interval lies above chance and above the strongest baseline; p over "
     "all cells is at most 0.05"),
    ("selective", "decodable, and better than on the control task"),
    ("aligned", "the learned pattern meets the predicted subspace beyond every null"),
    ("causal", "erasing the subspace removes the state and little else"),
)  # fmt: skip
