"""Groups of one true and one false text: which comes first means nothing, so p-values hold."""

import numpy as np
import pytest

from linrep import Corpus, probe
from linrep.probes.evidence.permutation import LabelNull


def paired(n=80, signal=2.0, seed=0):
    """Two texts a group, the true one first, and activations that know it, or do not."""
    rng = np.random.default_rng(seed)
    truth = np.tile([1, 0], n)
    acts = rng.standard_normal((2 * n, 12)) + signal * truth[:, None]
    texts = [f"text {i}" for i in range(2 * n)]
    corpus = Corpus.from_texts(texts, targets={"truth": truth}, groups=np.arange(2 * n) // 2)
    return acts, corpus


@pytest.mark.parametrize(("signal", "found"), [(2.0, True), (0.0, False)])
def test_a_label_that_every_group_has_both_ways_is_tested(signal, found):
    acts, corpus = paired(signal=signal)
    from linrep import Activations

    made = Activations.from_arrays({"blocks.0.hook_resid_post": acts}, corpus)
    score = probe(made, permutations=200, bootstrap=0).scores[0]
    assert (score.p <= 0.05) == found
    assert (
        score.shuffled < 0.75
    )  # labels that stayed where they were would reach what the probe does


def test_p_values_are_uniform_where_there_is_nothing_to_find():
    rng = np.random.default_rng(0)
    groups, sentences = np.repeat(np.arange(20), 2), np.arange(40)
    codes = np.tile([1, 0], 20)
    values = []
    for _ in range(200):
        null = LabelNull.draw(codes, groups, np.zeros(40, int), 99, rng, sentences=sentences)
        values.append(null.p_value(rng.integers(0, 2, 40)))
    assert np.mean(np.array(values) <= 0.05) < 0.1
    assert 0.4 < np.mean(values) < 0.7
