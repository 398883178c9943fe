"""Ceilings: exact posteriors of what a layer has seen."""

import numpy as np
import pytest

from linrep.grammars import Grammar, Tree, corpus_of_trees, families
from linrep.grammars.ceilings import ceilings_of, windows_by_level

SITES = ("blocks.0.hook_resid_pre", *(f"blocks.{i}.hook_resid_post" for i in range(4)))


def by_hand(corpus, height, window):
    """Slow twin: the share of the commonest label among equal (position, last tokens)."""
    counts: dict[tuple, dict[str, int]] = {}
    keys = []
    words, labels = corpus.words, corpus.labels(height)
    for token, position in enumerate(corpus.positions):
        seen = tuple(words[token - min(position, window - 1) : token + 1])
        keys.append((int(position), seen))
        table = counts.setdefault(keys[-1], {})
        table[labels[token]] = table.get(labels[token], 0) + 1
    return np.array([max(counts[k].values()) / sum(counts[k].values()) for k in keys])


@pytest.fixture(scope="module")
def corpus():
    return families.random_hierarchy(n_symbols=4, n_rules=3, depth=3, seed=1).sample(4000, seed=0)


def test_windows_are_longest_yields(corpus):
    assert windows_by_level(corpus.grammar) == (1, 2, 4, 8)
    ragged = Grammar.from_text("S -> A B\nA -> 'a' | 'a' 'a' 'a'\nB -> 'b' A")
    assert windows_by_level(ragged) == (1, 3, 4, 7)


def test_a_layer_sees_its_window_until_it_writes_the_state(corpus):
    cells = ceilings_of(corpus, SITES, (1, 2), sight="construction", boundary=True)
    ends = corpus.boundary(2)
    for block, window in enumerate((1, 2)):
        exact = cells[SITES[block], "height 2"][ends]
        counted = by_hand(corpus, 2, window)[ends]
        # counted on the sample itself: over 100 tokens per context, so a standard error below 0.05
        # each and below 0.01 in the mean over more than ten contexts
        assert exact.mean() == pytest.approx(counted.mean(), abs=0.02)
    for site in SITES[2:]:
        assert np.allclose(cells[site, "height 2"][ends], 1.0, rtol=0, atol=1e-12)


def test_ceilings_rise_with_the_layers(corpus):
    cells = ceilings_of(corpus, SITES, (1, 2), sight="construction", boundary=True)
    ends = corpus.boundary(2)
    means = [cells[site, "height 2"][ends].mean() for site in SITES]
    assert means == sorted(means)
    assert means[0] < means[1] < means[2]


def test_other_models_see_the_prefix_or_the_sentence(corpus):
    causal = ceilings_of(corpus, SITES[:1], (2,), sight="causal", boundary=False)
    both = ceilings_of(corpus, SITES[:1], (2,), sight="bidirectional", boundary=False)
    prefix, sentence = causal[SITES[0], "height 2"], both[SITES[0], "height 2"]
    assert np.allclose(prefix, corpus.max_posterior(2, given="prefix"))
    assert sentence.mean() == pytest.approx(1.0, abs=1e-12)  # one shape, one parent per body
    assert prefix.mean() < 0.99


def test_a_model_that_sees_the_sentence_has_no_ceiling_where_nodes_end():
    """The sentence leaves the border open here, and that a node ends tells which one it is."""
    ragged = Grammar.from_text("S -> A B\nA -> 'a' | 'a' 'a'\nB -> 'a' | 'a' 'a'")
    corpus = ragged.sample(500, seed=0)
    ends = corpus.boundary(1)
    posterior = corpus.max_posterior(1, given="sentence")[ends]
    told = {}
    for place, label in zip(
        zip(np.diff(corpus.offsets)[corpus.sentence_ids[ends]], corpus.positions[ends],
            strict=True),
        corpus.labels(1)[ends], strict=True,
    ):  # fmt: skip
        told.setdefault(place, []).append(label)
    right = sum(max(labels.count(x) for x in set(labels)) for labels in told.values())
    assert right / ends.sum() > posterior.mean() + 0.05
    cells = ceilings_of(corpus, SITES[:1], (1,), sight="bidirectional", boundary=True)
    assert np.isnan(cells[SITES[0], "height 1"]).all()


def test_a_treebank_has_no_ceiling():
    trees = corpus_of_trees([Tree("S", (Tree("A", ("a",)), Tree("B", ("b",))))])
    assert ceilings_of(trees, SITES, (1,), sight="causal", boundary=False) is None


def test_where_layers_are_not_levels_the_wider_ceiling_serves():
    """Three children are binarised, so the first block has not seen a whole node of height 1."""
    wide = Grammar.from_text("S -> A A\nA -> 'a' 'b' 'c' | 'a' 'a' 'a' | B 'b' 'b'\nB -> 'c'")
    corpus = wide.sample(50, seed=0)
    cells = ceilings_of(corpus, SITES, (1,), sight="construction", boundary=True)
    expected = corpus.max_posterior(1, given="boundary")
    assert np.allclose(cells[SITES[0], "height 1"], expected, equal_nan=True)
