"""Of running texts the surface is also their words, letters and length."""

from types import SimpleNamespace

import numpy as np
import pytest

from linrep import Target
from linrep.probes import probe
from linrep.probes.evidence.texts import TextColumns
from linrep.reports import compare

N, D = 260, 16
CITIES = [a + b for a in ("Os", "Par", "Ber", "Lim", "Quit", "Rom") for b in ("lo", "is", "a", "o")]
PLACES = ["Norway", "France", "Peru", "Italy"]


def statements(seed=0):
    rng = np.random.default_rng(seed)
    city, place = rng.integers(0, len(CITIES), N), rng.integers(0, len(PLACES), N)
    texts = tuple(
        f"The city of {CITIES[a]} is in {PLACES[b]} ({i})."
        for i, (a, b) in enumerate(zip(city, place, strict=True))
    )
    hidden = rng.integers(0, 2, N)
    return SimpleNamespace(
        texts=texts,
        words=np.array(texts),
        sentence_ids=np.arange(N),
        positions=np.zeros(N, dtype=int),
        heights=(),
        labels=lambda height: None,
        boundary=lambda height: None,
        text_ids=np.arange(N),
        unit="text",
        groups=None,
        city=city,
        place=place,
        hidden=hidden,
        targets={
            "hidden": Target.read("hidden", hidden),
            "place": Target.read("place", np.array(PLACES)[place]),
            "north": Target.read("north", place * 1.0),
            "hidden number": Target.read("hidden number", hidden * 2.0 + rng.standard_normal(N)),
        },
    )


def stream(corpus, seed, *, trained):
    rng = np.random.default_rng(seed)
    lexical = rng.standard_normal((4, D))[corpus.place] * (1.0 if trained else 0.1)
    told = 3.0 * trained * corpus.hidden[:, None] * rng.standard_normal(D) / 2
    return {"late": lexical + told + 0.5 * rng.standard_normal((N, D))}


@pytest.fixture(scope="module")
def found():
    corpus = statements()
    twins = [stream(corpus, seed, trained=False) for seed in range(1, 6)]
    return probe(stream(corpus, 0, trained=True), corpus, random_weights=twins, C=1.0, bootstrap=0)


def test_what_the_words_tell_is_not_beyond_them(found):
    verdicts = compare(found).verdicts
    for name in ("place", "north"):
        score = found.score("late", name)
        assert score.bag_of_words > 0.9
        assert score.surface > 0.9
        assert score.length < score.characters
        assert verdicts["late", name].headline == "decodable, not beyond the words of the text"


def test_what_they_do_not_tell_is_selective(found):
    verdicts = compare(found).verdicts
    for name in ("hidden", "hidden number"):
        assert verdicts["late", name].word == "selective"
        assert "words never trained on" not in verdicts["late", name].selective.reason
    score = found.score("late", "hidden")
    assert score.accuracy > 0.85 > 0.7 > max(score.surface, score.bag_of_words, score.characters)


def test_notes_speak_of_texts(found):
    assert found.notes[0].startswith("split by text (equal texts together)")


def test_groups_of_the_corpus_are_not_divided():
    corpus = statements()
    corpus.groups = np.array(CITIES)[corpus.city]
    grid = probe(stream(corpus, 0, trained=True), corpus, targets=["hidden"], C=1.0, bootstrap=0)
    assert grid.settings["groups"]["unit"] == "group"
    tested = set(corpus.groups[grid.held_out["late", "hidden"].rows])
    assert len(tested) == grid.score("late", "hidden").n_groups < len(CITIES)


def test_words_of_sentences_have_no_such_columns(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=40)
    score = probe(acts, corpus, heights=[1], C=1.0, permutations=0, bootstrap=0).scores[0]
    assert np.isnan([score.bag_of_words, score.characters, score.length]).all()


def test_columns_are_learned_on_training_rows():
    texts = np.array(["a cat", "a dog", "the emu", "", "a cat"])
    words = TextColumns("bag_of_words", texts).columns(np.array([0, 1]))
    assert words.shape == (5, 3)  # a, cat, dog
    assert words[2].nnz == 0
    assert np.allclose(words[0].toarray(), words[4].toarray())
    assert TextColumns("bag_of_words", texts).columns(np.array([3])).shape == (5, 0)
    lengths = TextColumns("length", texts).columns(np.arange(5)).toarray()
    assert lengths.shape == (5, 2)
    assert np.allclose(lengths.mean(axis=0), 0)
    assert TextColumns("length", texts).columns(np.array([0, 4])).nnz == 0  # nothing varies
