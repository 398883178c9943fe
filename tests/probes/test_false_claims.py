"""What no page may say: labels that are noise, or lie on the surface, beside labels that do not."""

import numpy as np
import pytest

from linrep.probes import probe
from linrep.reports import compare

D = 40
SITES = ("blocks.0.hook_resid_pre", "blocks.1.hook_resid_post")


class Held(dict):
    """Activations as a plain mapping."""

    def __init__(self, sites, n, sees_next=True):
        super().__init__(sites)
        self.kept = np.ones(n, dtype=bool)
        self.manifest = {"self_check": {"sees_next": sees_next}}

    @property
    def sites(self):
        return tuple(self)


class Text:
    """Sentences of eight words from sixty, with a hidden class per token that no word tells."""

    heights = ()

    def __init__(self, sentences=160, types=60, seed=0):
        rng = np.random.default_rng(seed)
        n = 8 * sentences
        self.sentence_ids = np.repeat(np.arange(sentences), 8)
        self.positions = np.tile(np.arange(8), sentences)
        often = 1.0 / (5.0 + np.arange(types))
        self.keys = rng.choice(types, n, p=often / often.sum())
        self.words = np.array([f"w{key}" for key in self.keys])
        self.before = np.where(self.positions > 0, np.roll(self.keys, 1), types)
        self.after = np.where(self.positions < 7, np.roll(self.keys, -1), types)
        self.hidden = rng.integers(0, 2, n)
        self.n_tokens, self.types = n, types

    def labels(self, height):
        raise AssertionError(height)

    boundary = labels


def activations(text, seed=0, *, trained=True, size=None):
    """A stream that holds the word, both neighbours, the position and the hidden class.

    An untrained one holds less of the words, and nothing of the hidden class.
    """
    rng = np.random.default_rng(seed)
    size = size or (1.0 if trained else 0.2)
    stream = 0.3 * rng.standard_normal((text.n_tokens, D))
    embedding = rng.standard_normal((text.types + 1, D)) / np.sqrt(D)
    stream += 0.3 * np.sin(text.positions[:, None] * np.linspace(0.1, 1, D))
    bottom = stream + 2 * size * embedding[text.keys]
    direction = rng.standard_normal(D) / np.sqrt(D)
    stream = bottom + size * (embedding[text.before] - embedding[text.after])
    stream += trained * 4.0 * (2 * text.hidden[:, None] - 1) * direction
    return Held(dict(zip(SITES, (bottom, stream), strict=True)), text.n_tokens)


@pytest.fixture(scope="module")
def held():
    text = Text()
    twins = [activations(text, seed, trained=False) for seed in range(1, 6)]
    return text, activations(text), twins


def verdicts(held, labels, **more):
    text, acts, twins = held
    found = probe(
        acts, text, targets={"it": labels}, random_weights=twins, C=1.0, bootstrap=0, **more
    )
    return compare(found).verdicts[SITES[1], "it"], found.score(SITES[1], "it")


def coins(keys, rng):
    return np.array(["heads", "tails"])[rng.integers(0, 2, int(keys.max()) + 1)][keys]


def test_what_only_the_blocks_hold_is_selective(held):
    told, score = verdicts(held, held[0].hidden)
    assert told.sentence == "selective"
    assert score.accuracy > 0.9 > 0.6 > max(score.surface, score.embedding)


@pytest.mark.parametrize("place", ["keys", "before", "after", "positions"])
def test_a_coin_for_what_stands_on_the_surface_is_not_selective(held, place):
    """A part of speech of the next word, a control task, a clock: it is read, and means nothing."""
    for seed in range(3):
        told, score = verdicts(held, coins(getattr(held[0], place), np.random.default_rng(seed)))
        assert told.rung <= 1
        assert told.selective.state != "yes"
        assert score.surface > 0.9


def test_the_next_word_counts_only_where_it_can_be_seen(held):
    text, acts, twins = held
    blind = Held(dict(acts), text.n_tokens, sees_next=False)
    labels = coins(text.after, np.random.default_rng(0))
    _, score = verdicts((text, blind, twins), labels)
    _, seeing = verdicts(held, labels)
    assert np.isnan(score.next_word)
    assert score.surface < seeing.surface - 0.1


def test_noise_is_not_decodable(held):
    text = held[0]
    rng = np.random.default_rng(4)
    for labels in (rng.integers(0, 2, text.n_tokens), coins(text.sentence_ids, rng)):
        told, _ = verdicts(held, labels)
        assert told.word == "not decodable"


def test_a_label_read_at_its_ceiling_is_selective_beside_control_tasks(held):
    """Nobody can read it better; control tasks have a ceiling of 1 and are read more often."""
    text = held[0]
    rng = np.random.default_rng(5)
    noisy = np.where(rng.random(text.n_tokens) < 0.25, 1 - text.hidden, text.hidden)
    told, score = verdicts(held, noisy, ceilings={"it": np.full(text.n_tokens, 0.75)})
    assert told.sentence == "selective"
    assert score.control_task > score.accuracy


def test_words_never_trained_on_are_asked_about():
    """Every word type occurs once or twice: what is memorised of words helps with no new one."""
    text = Text(sentences=300)
    text.keys = np.random.default_rng(0).permutation(np.arange(text.n_tokens) // 2)
    text.words, text.types = np.array([f"w{key}" for key in text.keys]), text.n_tokens
    text.before = text.after = np.full(text.n_tokens, text.types)
    twins = [activations(text, seed, trained=False) for seed in range(1, 6)]
    held = (text, activations(text), twins)
    told, score = verdicts(held, text.hidden)
    assert told.selective.state == "yes"
    assert score.n_unseen > 50
    assert score.p_unseen < 0.05
    told, score = verdicts(held, coins(text.keys, np.random.default_rng(1)))
    assert told.selective.state != "yes"
    assert score.p_unseen > 0.05


def test_a_label_that_each_word_has_once_for_all_is_not_selective():
    """Read at new words too, from what the blocks know of words: it is still a label of words."""
    text = Text(sentences=300)
    text.keys = np.random.default_rng(0).permutation(np.arange(text.n_tokens) // 2)
    text.words, text.types = np.array([f"w{key}" for key in text.keys]), text.n_tokens
    text.before = text.after = np.full(text.n_tokens, text.types)
    rng = np.random.default_rng(1)
    kinds = rng.standard_normal((text.types + 1, D))
    noise = rng.standard_normal((6, text.n_tokens, D))
    acts, *twins = (
        Held(dict(zip(SITES, (each, each + known * kinds[text.keys]), strict=True)), text.n_tokens)
        for each, known in zip(noise, (3.0, 0, 0, 0, 0, 0), strict=True)
    )
    told, score = verdicts((text, acts, twins), (kinds[:, 0] > 0).astype(int)[text.keys])
    assert score.unseen > 0.9
    assert score.accuracy > score.surface  # beyond the surface, counted on all tokens
    assert told.sentence == "decodable, not beyond the word"


def test_an_untrained_model_beside_others_is_not_decodable():
    text = Text()
    models = [activations(text, seed, trained=False, size=1.0) for seed in range(6)]
    labels = coins(text.keys, np.random.default_rng(0))
    told, score = verdicts((text, models[0], models[1:]), labels)
    assert score.p_family < 0.05  # the words are there
    assert told.word == "not decodable"
    assert "not shown to be more than an untrained model" in told.decodable.reason


def test_too_few_untrained_models_or_groups_decide_nothing(held):
    text, acts, twins = held
    told, _ = verdicts((text, acts, twins[:2]), text.hidden)
    assert told.decodable.state == "not tested"
    assert "2 untrained models were probed, at least 3 are needed" in told.decodable.reason
    # Untrained models mix words too: beyond the surface is nothing unless they were beaten.
    assert (told.selective.state, told.word) == ("yes", "not tested")
    told, _ = verdicts(held, text.hidden, groups=text.sentence_ids // 20)  # eight groups in all
    assert told.word == "not tested"
    assert "test groups, at least 6 are needed" in told.decodable.reason


def test_no_shuffles_decide_nothing(held):
    told, _ = verdicts(held, held[0].hidden, permutations=0)
    assert (told.decodable.state, told.decodable.reason) == (
        "not tested",
        "no labels were shuffled",
    )
