"""Examples: of the test part alone, and each says what the probe said of that word."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, strategies as st

import linrep
from linrep import Corpus, ProbeError, probe
from linrep.probes.examples.choosing import MOST_CELLS, MOST_READ, chosen_texts, kept_sites
from linrep.probes.examples.coding import read_number, read_said, write_number, write_said
from linrep.probes.examples.texts import MOST_WORDS
from linrep.probes.examples.values import Examples, ExampleTarget, ExampleText

SITES = ("blocks.0.hook_resid_pre", "late")


class Arrays(dict):
    """Activations as a plain mapping."""

    manifest = {"model": "planted"}

    @property
    def sites(self):
        return tuple(self)

    @property
    def kept(self):
        return np.ones(len(next(iter(self.values()))), dtype=bool)


def noisy(codes, strength, rng, d=8):
    """Activations in which classes stand apart, but not clearly."""
    corners = np.eye(int(codes.max()) + 1, d)
    return (strength * corners[codes] + rng.standard_normal((len(codes), d))).astype(np.float32)


@pytest.fixture(scope="module")
def corpus():
    return linrep.families.latin(order=3, depth=3).sample(260, seed=0)


@pytest.fixture(scope="module")
def acts(corpus):
    rng = np.random.default_rng(1)
    labels = np.unique(corpus.labels(1), return_inverse=True)[1]
    both = labels + 3 * np.unique(corpus.labels(2), return_inverse=True)[1] % 8
    return Arrays({site: noisy(both, s, rng) for site, s in zip(SITES, (0.5, 2.0), strict=True)})


def grid(acts, corpus, **changes):
    asked = {"heights": [1, 2], "permutations": 0, "bootstrap": 0, "jackknife": 0, **changes}
    return probe(acts, corpus, **asked)


@pytest.fixture(scope="module")
def found(acts, corpus):
    numbers = np.arange(corpus.n_tokens) % 7 + acts["late"][:, 0].astype(float)
    return grid(acts, corpus, targets={"number": numbers})


def rows_of(corpus, text):
    """Rows of the corpus that an example shows, found by its number and its words."""
    rows = np.flatnonzero(corpus.sentence_ids == text.number)
    words = corpus.words[rows].tolist()
    (start,) = [
        i
        for i in range(len(words) - len(text.words) + 1)
        if tuple(words[i : i + len(text.words)]) == text.words
    ][:1]
    return rows[start : start + len(text.words)]


def twin(held, row):
    """What a probe said of a row, looked up the slow way; None where it is no test row."""
    for place, other in enumerate(held.rows):
        if other == row:
            return place
    return None


def test_every_answer_is_the_one_the_probe_gave(found, corpus):
    for name in ("height 1", "height 2"):
        true = corpus.labels(int(name[-1]))
        for site in SITES:
            held = found.held_out[site, name]
            for index, text in enumerate(found.examples.texts):
                for word, row in enumerate(rows_of(corpus, text)):
                    answer = found.examples.target(name).answer(site, index, word)
                    place = twin(held, row)
                    assert (answer is None) == (place is None)
                    if answer is None:
                        continue
                    assert answer.true == true[row]
                    assert answer.predicted == held.classes[held.predicted[place]]
                    assert answer.right == (held.predicted[place] == held.true[place])
                    # the rounding to whole percent
                    assert abs(answer.score - np.exp(held.log_probability[place])) <= 0.005 + 1e-9
                    assert abs(answer.confidence - np.exp(held.confidence[place])) <= 0.005 + 1e-9


def test_every_number_is_the_one_the_probe_gave(found, corpus):
    held = found.held_out["late", "number"]
    for index, text in enumerate(found.examples.texts):
        for word, row in enumerate(rows_of(corpus, text)):
            answer = found.examples.target("number").answer("late", index, word)
            place = twin(held, row)
            assert float(answer.true) == pytest.approx(held.true[place, 0], rel=1e-3)
            assert float(answer.predicted) == pytest.approx(held.predicted[place, 0], rel=1e-3)
            assert answer.right == (round(100 * held.credit[place]) >= 0)


def test_the_confidence_is_the_largest_of_all_probabilities(found):
    """So it is at least that of the true class, and the same where that was predicted."""
    for held in found.held_out.values():
        if not hasattr(held, "confidence"):
            continue
        assert (held.confidence >= held.log_probability).all()
        right = held.right == 1
        np.testing.assert_array_equal(held.confidence[right], held.log_probability[right])
        assert np.exp(held.confidence).min() >= 1 / len(held.classes) - 1e-9


def test_no_text_of_the_training_or_validation_part_is_shown(found, corpus):
    test = {sentence for held in found.held_out.values()
            for sentence in corpus.sentence_ids[held.rows].tolist()}  # fmt: skip
    shown = {text.number for text in found.examples.texts}
    assert shown <= test
    trained = set(corpus.sentence_ids[found.learned_from].tolist())
    assert not shown & trained
    # nor a copy of one that was learned from
    texts = {corpus.sentences[sentence] for sentence in trained}
    assert not {text.words for text in found.examples.texts} & texts


def test_wrong_but_confident_stands_first(found):
    for name in ("height 1", "height 2"):
        for site in SITES:

            def surest(text, name=name, site=site):
                said = [found.examples.target(name).answer(site, text, word)
                        for word in range(len(found.examples.texts[text].words))]  # fmt: skip
                return max((a.confidence for a in said if a and not a.right), default=0.0)

            ranks = [surest(text) for text in found.examples.order(site, name)]
            assert ranks == sorted(ranks, reverse=True)
            assert ranks[0] > 0  # the opposite would be true of texts without any mistake


def test_some_are_chosen_for_their_mistakes_and_some_are_not(found):
    """Those that were chosen hold the surest mistakes there are at the best site."""
    chosen = [text.chosen for text in found.examples.texts]
    assert set(chosen) == {"random", "wrong"}
    target = found.examples.target("height 1")
    held = found.held_out[target.start, "height 1"]
    surest = np.exp(held.confidence[held.right == 0].max())
    shown = [target.answer(target.start, i, word) for i, text in enumerate(found.examples.texts)
             for word in range(len(text.words))]  # fmt: skip
    assert max(a.confidence for a in shown if a and not a.right) == pytest.approx(surest, abs=0.005)


def test_a_probe_without_mistakes_is_shown_at_random(corpus):
    codes = np.unique(corpus.labels(1), return_inverse=True)[1]
    clear = Arrays({"late": np.eye(4)[codes] * 50})
    kept = grid(clear, corpus, heights=[1]).examples
    assert {text.chosen for text in kept.texts} == {"random"}


def test_no_text_stands_twice(found):
    words = [text.words for text in found.examples.texts]
    assert len(set(words)) == len(words)


def test_trees_are_those_of_the_sentences(found, corpus):
    for text in found.examples.texts:
        nodes = [(node.label, node.stop - node.start) for node in text.nodes]
        wanted = [(node.label, len(node.leaves())) for node in corpus.trees[text.number].nodes()]
        assert sorted(nodes) == sorted(wanted)


def test_examples_change_no_number(acts, corpus, found):
    """They draw for themselves."""
    numbers = np.arange(corpus.n_tokens) % 7 + acts["late"][:, 0].astype(float)
    without = grid(acts, corpus, targets={"number": numbers}, examples=0)
    assert without.examples is None
    assert without.to_frame().equals(found.to_frame())


def test_the_seed_draws_others_and_the_same_seed_the_same(acts, corpus):
    first, again, other = (grid(acts, corpus, heights=[1], seed=s).examples for s in (4, 4, 5))
    assert first == again
    assert first != other


def test_as_many_as_were_asked_for(acts, corpus):
    assert len(grid(acts, corpus, heights=[1], examples=5).examples.texts) == 5
    with pytest.raises(ProbeError, match="examples are at most 200"):
        grid(acts, corpus, examples=201)
    with pytest.raises(ProbeError, match="examples is a whole number"):
        grid(acts, corpus, examples=-1)


def test_a_class_that_was_not_learned_is_named(acts, corpus):
    labels = np.where(np.arange(corpus.n_tokens) % 2 == 0, "even", "odd").astype(object)
    test = np.flatnonzero(corpus.sentence_ids == grid(acts, corpus).examples.texts[0].number)[0]
    labels[test] = "rare"
    kept = grid(acts, corpus, heights=None, targets={"t": labels}, min_count=1).examples
    target = kept.target("t")
    answers = [
        target.answer(site, i, word)
        for site in kept.sites for i, text in enumerate(kept.texts)
        for word in range(len(text.words))
    ]  # fmt: skip
    rare = [a for a in answers if a and a.true == "rare"]
    assert all(not a.right and a.score == 0.0 and a.confidence > 0 for a in rare)


@pytest.mark.parametrize("method", ["lda", "ridge", "means"])
def test_methods_without_probabilities_say_right_or_wrong(acts, corpus, method):
    found = grid(acts, corpus, heights=[1], method=method)
    held = found.held_out["late", "height 1"]
    bare = np.isnan(held.log_probability).all()
    said = [found.examples.target("height 1").answer("late", i, 0)
            for i in range(len(found.examples.texts))]  # fmt: skip
    assert all(np.isnan(a.score) == bare and np.isnan(a.confidence) == bare for a in said if a)
    assert found.examples.order("late", "height 1")


def test_running_texts_keep_what_stands_between_their_spans():
    texts = [f"The {'red' if i % 2 else 'old'} cat {i} sat." for i in range(60)]
    corpus = Corpus.from_texts(
        texts, spans=[(i, 4, 7) for i in range(60)], targets={"t": ["a", "b"] * 30}
    )
    kept = grid({"late": np.eye(2)[[0, 1] * 30]}, corpus, heights=None, targets=["t"]).examples
    for text in kept.texts:
        (word,) = text.words
        assert text.gaps[0] + word + text.gaps[1] == texts[text.number]


def test_rows_without_words_have_no_examples():
    rows = np.random.default_rng(0).standard_normal((60, 2))
    found = probe({"late": rows}, ["a", "b"] * 30, permutations=0, bootstrap=0)
    assert found.examples is None
    with pytest.raises(ProbeError, match="no examples were kept"):
        found.explore()


def test_long_texts_are_shown_in_part():
    n, size = 40, 300
    ids = np.repeat(np.arange(n), size)
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, n * size)
    corpus = SimpleNamespace(
        words=np.array([f"w{i}" for i in range(n * size)]), sentence_ids=ids,
        positions=np.tile(np.arange(size), n), heights=(1,),
        labels=lambda h: np.array(["a", "b"])[codes], boundary=lambda h: codes == 0,
    )  # fmt: skip
    kept = grid(Arrays({"late": noisy(codes, 1.0, rng)}), corpus, heights=[1]).examples
    assert all(len(text.words) == MOST_WORDS and text.cut == size for text in kept.texts)


@given(st.integers(1, 400), st.integers(1, 80))
def test_sites_stay_in_order_and_are_bounded(n_sites, n_targets):
    sites = [f"blocks.{i}" for i in range(n_sites)]
    kept = kept_sites(sites, n_targets)
    assert list(kept) == [site for site in sites if site in kept]
    assert kept[0] == sites[0]
    assert kept[-1] == sites[-1]
    assert len(kept) * n_targets <= max(MOST_CELLS, 2 * n_targets)
    if n_sites * n_targets <= MOST_CELLS:
        assert list(kept) == sites


@given(st.lists(st.integers(1, MOST_READ), min_size=1, max_size=60), st.integers(1, 30))
def test_answers_are_bounded(sizes, most):
    texts = range(len(sizes))
    chosen = chosen_texts(
        texts, [{}], dict(enumerate(sizes)), {t: t for t in texts}, most, np.random.default_rng(0)
    )
    assert len(chosen) <= most
    kept = sum(sizes[text] for text, _ in chosen)
    assert kept <= MOST_READ or len(chosen) <= 4


SHARES = st.integers(0, 100).map(lambda percent: percent / 100)


@given(st.integers(0, 10**6), SHARES, st.one_of(SHARES, st.just(float("nan"))))
def test_entries_read_back(code, sure, score):
    wrong = read_said(write_said(code, False, sure, score))
    assert (wrong.wrong, wrong.confidence) == (code, sure)
    assert wrong.score == (0.0 if score != score else score)
    right = read_said(write_said(code, True, sure, sure))
    assert (right.wrong, right.confidence, right.score) == (None, sure, sure)
    nan = float("nan")
    assert read_said(write_said(code, True, nan, nan)).wrong is None
    assert read_said(write_said(code, False, nan, nan)).wrong == code


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=4), st.floats(-1e3, 1.0))
def test_numbers_read_back(values, credit):
    written, back = read_number(write_number(values, credit))
    np.testing.assert_allclose(
        [float(value) for value in written.split(",")], values, rtol=1e-3, atol=1e-300
    )
    assert abs(back - max(credit, -99.99)) <= 0.005 + 1e-9


def test_damaged_examples_are_refused(found):
    (target, *_), kept = found.examples.targets, found.examples
    site = kept.sites[0]
    lines = target.answers[site]
    for bad in ("101", "1:80", "x", "99:80:7", "-", "1:80:7 1", ""):
        with pytest.raises(ProbeError):
            replace(target, answers={**target.answers, site: (bad, *lines[1:])})
    with pytest.raises(ProbeError, match="start at a site"):
        replace(target, start="nowhere")
    with pytest.raises(ProbeError, match="answers at the sites"):
        replace(kept, sites=kept.sites[1:])
    with pytest.raises(ProbeError, match="a label or '-' for each word"):
        replace(kept, texts=kept.texts[1:])
    with pytest.raises(ProbeError, match="a gap stands before each"):
        ExampleText(("a",), 0, "random", gaps=("x",))


def test_what_does_not_exist_is_named(found):
    with pytest.raises(ProbeError, match="no examples of 'height 9': ask"):
        found.explore("height 9")
    with pytest.raises(ProbeError, match="no examples at 'nowhere': ask"):
        found.explore(site="nowhere")
    with pytest.raises(ProbeError, match="no answers at 'nowhere': ask"):
        found.examples.targets[0].answer("nowhere", 0, 0)
    with pytest.raises(ProbeError, match="there are 24 examples"):
        found.examples.targets[0].answer("late", 24, 0)
    with pytest.raises(ProbeError, match="no examples at 'nowhere': ask"):
        found.examples.order("nowhere", "height 1")


def test_one_class_is_answered_with_certainty():
    text = ExampleText(("a",), 0, "random")
    target = ExampleTarget("t", "class", ("x",), "s", ("0",), {"s": ("100",)})
    kept = Examples((text,), (target,), ("s",), 1, 1)
    assert kept.target("t").answer("s", 0, 0).score == 1.0
