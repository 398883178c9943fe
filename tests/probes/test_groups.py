"""Documents stay whole, equal texts never stand on both sides, and what depends on it holds."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.probes import ProbeError, probe, split_by_group
from linrep.probes.evidence.groups import divide, enough_in_test, read_groups, text_keys

PARTS = ("train", "validation", "test")


def corpus_of(sentences, documents=None):
    """A corpus of lists of words; documents are one id per sentence."""
    ids = np.repeat(np.arange(len(sentences)), [len(s) for s in sentences])
    return SimpleNamespace(
        sentence_ids=ids,
        positions=np.concatenate([np.arange(len(s)) for s in sentences]),
        words=np.array([word for s in sentences for word in s]),
        document_ids=None if documents is None else np.asarray(documents)[ids],
        heights=(),
        labels=lambda height: np.full(len(ids), ""),
        boundary=lambda height: np.zeros(len(ids), dtype=bool),
    )


class Site(dict):
    """Activations as a plain mapping."""

    manifest = {}

    @property
    def sites(self):
        return tuple(self)

    @property
    def kept(self):
        return np.ones(len(self["late"]), dtype=bool)


def noisy(columns, rng):
    return Site(
        late=np.hstack([columns, rng.standard_normal((len(columns), 4))]).astype(np.float32)
    )


def random_sentences(rng, n, words, lengths=(2, 3, 4)):
    return [[f"w{w}" for w in rng.integers(0, words, rng.choice(lengths))] for _ in range(n)]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.booleans())
def test_no_text_and_no_group_stands_on_two_sides(seed, with_documents):
    rng = np.random.default_rng(seed)
    corpus = corpus_of(
        random_sentences(rng, 80, 6), rng.integers(0, 12, 80) if with_documents else None
    )
    kept = rng.random(len(corpus.words)) < 0.9
    made = divide(corpus, None, (0.7, 0.1, 0.2), np.zeros(len(kept)), kept, seed=seed)
    texts = np.array([" ".join(corpus.words[corpus.sentence_ids == s]) for s in range(80)])
    for what in (made.groups.ids, texts[corpus.sentence_ids]):
        sides = [set(what[getattr(made.split, part)].tolist()) for part in PARTS]
        assert not sides[0] & sides[1]
        assert not sides[0] & sides[2]
        assert not sides[1] & sides[2]
    assert made.facts["test texts seen in training"] == 0
    assert not (made.split.train & ~kept).any()


def test_equal_texts_have_equal_keys_whatever_the_order_of_rows():
    corpus = corpus_of([["a", "b"], ["b", "a"], ["a", "b"], ["a"]])
    assert text_keys(corpus).tolist() == [0, 0, 1, 1, 0, 0, 2]
    corpus.text_ids = np.array([5, 5, 6, 6, 7, 7, 8])  # a corpus may know better than its words
    assert text_keys(corpus).tolist() == [0, 0, 1, 1, 2, 2, 3]


def test_groups_are_documents_where_they_are_known():
    corpus = corpus_of([["a"], ["b"], ["a"], ["c"]], [7, 7, 8, 8])
    assert read_groups(corpus, None, 4).unit == "document"
    assert read_groups(corpus, None, 4).ids.tolist() == [0, 0, 1, 1]
    assert read_groups(corpus, "sentence", 4).ids.tolist() == [0, 1, 0, 2]
    assert read_groups(corpus, ["x", "y", "y", "y"], 4).ids.tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("asked", "message"),
    [("documents", "'document', 'sentence', or one id"), ("document", "does not know its docu")],
)
def test_groups_that_are_not_there_are_refused(asked, message):
    with pytest.raises(ProbeError, match=message):
        read_groups(corpus_of([["a"], ["b"]]), asked, 2)


def test_test_texts_that_are_all_old_are_refused_with_a_remedy():
    corpus = corpus_of([["a"]] * 30, np.arange(30))
    with pytest.raises(ProbeError, match="every one of the 1 test texts.*give more texts"):
        divide(corpus, None, (0.7, 0.1, 0.2), np.zeros(30), np.ones(30, bool), seed=0)


def test_a_giant_group_is_learned_from():
    for seed in range(20):  # wherever it comes in the order of dealing
        groups = np.concatenate([np.zeros(300, int), np.repeat(np.arange(1, 41), 10)])
        split = split_by_group(groups, seed=seed)
        assert split.train[:300].all()
        assert len(np.unique(groups[split.test])) >= 5


def test_parts_are_not_empty_where_every_group_is_a_giant():
    split = split_by_group([0, 0, 0, 1, 1, 1, 2, 2, 2])
    assert all(getattr(split, part).any() for part in PARTS)


@settings(deadline=None)
@given(st.integers(3, 10**4))
def test_the_test_part_has_enough_groups_where_there_are_some(n):
    shares = enough_in_test((0.7, 0.1, 0.2), n)
    assert np.isclose(sum(shares), 1.0)
    assert shares[0] >= 0.5 - 1e-12
    assert n * shares[2] >= min(8, 0.4 * n) - 1e-9


def coin_per_document(seed):
    """Activations that know the document, and a label tossed per document."""
    rng = np.random.default_rng(seed)
    corpus = corpus_of(random_sentences(rng, 240, 50), np.repeat(np.arange(24), 10))
    coin = rng.permutation(np.arange(24) % 2)
    columns = rng.standard_normal((24, 24))[corpus.document_ids]
    return noisy(columns, rng), corpus, coin[corpus.document_ids].astype(str)


def test_a_coin_tossed_per_document_is_not_found():
    """Sentences of one document on both sides made every one of 20 such runs a finding."""
    found, leaked = [], []
    for seed in range(20):
        acts, corpus, coin = coin_per_document(seed)
        asked = {"targets": {"coin": coin}, "method": "lda", "controls": (), "bootstrap": 0}
        for groups, rates in ((None, found), ("sentence", leaked)):
            score = probe(acts, corpus, groups=groups, seed=seed, **asked).score("late", "coin")
            rates.append((score.accuracy, score.p))
    accuracy, p = np.array(found).T
    assert (p <= 0.05).sum() <= 4  # at the rate 0.05 more than 4 of 20 have probability 0.003
    assert abs(accuracy.mean() - 0.5) < 0.15  # 8 test documents, 20 runs: standard error 0.04
    accuracy, p = np.array(leaked).T
    assert (p <= 0.05).all()
    assert accuracy.min() > 0.9


def test_a_label_of_each_token_is_found_across_documents():
    found = []
    for seed in range(5):
        acts, corpus, _ = coin_per_document(seed)
        label = np.random.default_rng(seed).integers(0, 2, len(corpus.words))
        acts["late"][:, 0] += 3 * label
        asked = {"targets": {"label": label.astype(str)}, "method": "lda", "controls": ()}
        found.append(probe(acts, corpus, bootstrap=0, **asked).score("late", "label").p)
    assert max(found) <= 0.05


def test_a_coin_per_distinct_sentence_is_not_found():
    """Every test sentence stood in training before, and the coin was read at .825."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        kinds = random_sentences(rng, 60, 40, lengths=(3,))
        drawn = rng.integers(0, 60, 400)
        corpus = corpus_of([kinds[i] for i in drawn])
        coin = rng.permutation(np.arange(60) % 2)[drawn][corpus.sentence_ids]
        columns = rng.standard_normal((60, 60))[drawn][corpus.sentence_ids]
        asked = {"targets": {"coin": coin.astype(str)}, "method": "lda", "controls": ()}
        score = probe(noisy(columns, rng), corpus, bootstrap=0, seed=seed, **asked).score(
            "late", "coin"
        )
        found.append((score.accuracy, score.p))
    accuracy, p = np.array(found).T
    assert (p <= 0.05).sum() <= 4  # at the rate 0.05 more than 4 of 20 have probability 0.003
    assert abs(accuracy.mean() - 0.5) < 0.15  # 12 test sentences, 20 runs: standard error 0.03


def test_the_page_says_how_it_was_split():
    acts, corpus, coin = coin_per_document(0)
    results = probe(acts, corpus, targets={"coin": coin}, controls=(), permutations=0)
    told = results.settings["groups"]
    assert (told["unit"], told["test texts seen in training"]) == ("document", 0)
    assert told["train"] + told["validation"] + told["test"] == 24
    assert told["test"] >= 7
    assert results.notes[0].startswith(f"split by document: {told['train']} to train")
