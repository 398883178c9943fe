"""What no page may say of numbers that are noise, or that lie on the surface."""

from types import SimpleNamespace

import numpy as np
import pytest

from linrep.probes import probe
from linrep.reports import compare

D, TYPES, LENGTH, SENTENCES = 32, 60, 8, 120
SITES = ("blocks.0.hook_resid_pre", "blocks.1.hook_resid_post")


class Held(dict):
    """Activations as a plain mapping."""

    sites, manifest = SITES, {}
    kept = np.ones(LENGTH * SENTENCES, dtype=bool)


def make_text(seed=0):
    """Sentences from sixty words, with a hidden number per token that no word tells."""
    rng = np.random.default_rng(seed)
    n = LENGTH * SENTENCES
    often = 1.0 / (5.0 + np.arange(TYPES))
    keys = rng.choice(TYPES, n, p=often / often.sum())
    positions = np.tile(np.arange(LENGTH), SENTENCES)
    return SimpleNamespace(
        sentence_ids=np.repeat(np.arange(SENTENCES), LENGTH),
        positions=positions,
        keys=keys,
        words=np.array([f"w{key}" for key in keys]),
        before=np.where(positions > 0, np.roll(keys, 1), TYPES),
        after=np.where(positions < LENGTH - 1, np.roll(keys, -1), TYPES),
        hidden=rng.standard_normal(n),
        heights=(),
        labels=lambda height: None,
        boundary=lambda height: None,
    )


def activations(text, seed, *, trained):
    """A stream that holds word, neighbours, position and, when trained, the hidden number."""
    rng = np.random.default_rng(seed)
    size = 1.0 if trained else 0.2
    embedding = rng.standard_normal((TYPES + 1, D)) / np.sqrt(D)
    stream = 0.3 * rng.standard_normal((len(text.keys), D))
    stream += 0.3 * np.sin(text.positions[:, None] * np.linspace(0.1, 1, D))
    bottom = stream + 2 * size * embedding[text.keys]
    late = bottom + size * (embedding[text.before] - embedding[text.after])
    if trained:
        late = late + 1.5 * text.hidden[:, None] * rng.standard_normal(D) / np.sqrt(D)
    return Held(zip(SITES, (bottom, late), strict=True))


@pytest.fixture(scope="module")
def held():
    text = make_text()
    twins = [activations(text, seed, trained=False) for seed in range(1, 6)]
    return text, activations(text, 0, trained=True), twins


def verdicts(held, numbers, **more):
    text, acts, twins = held
    found = probe(acts, text, targets=numbers, random_weights=twins, bootstrap=0, **more)
    return {name: compare(found).verdicts[SITES[1], name] for name in numbers}, found


def per(keys, seed=0):
    return np.random.default_rng(seed).standard_normal(int(np.max(keys)) + 1)[keys]


def test_what_only_the_blocks_hold_is_selective(held):
    text = held[0]
    noise = np.random.default_rng(1).standard_normal(len(text.hidden))
    vector = np.stack([text.hidden, 5 * text.hidden + noise, noise], axis=1)
    told, found = verdicts(held, {"hidden": text.hidden, "vector": vector})
    assert told["hidden"].sentence == "selective"
    assert told["vector"].sentence == "selective"
    score = found.score(SITES[1], "hidden")
    assert score.r2 > 0.7 > 0.3 > max(score.surface, score.embedding, score.control_task)
    assert "R" not in told["hidden"].sentence


def test_numbers_that_are_noise_are_not_decodable(held):
    text = held[0]
    rng = np.random.default_rng(3)
    told, _ = verdicts(
        held,
        {
            "shuffled": rng.permutation(text.hidden),
            "per sentence": per(text.sentence_ids, 1),
            "heavy": rng.standard_cauchy(len(text.keys)),
        },
    )
    assert {name: verdict.rung for name, verdict in told.items()} == dict.fromkeys(told, 0)


def test_numbers_of_the_surface_are_not_beyond_it(held):
    text = held[0]
    told, found = verdicts(
        held,
        {
            "position": text.positions * 1.0,
            "per word": per(text.keys, 2),
            "per word before": per(text.before, 3),
            "per word after": per(text.after, 4),
            "word and position": per(text.keys, 5) + per(text.positions, 6),
        },
    )
    assert all(verdict.rung <= 1 for verdict in told.values())
    assert told["per word"].headline in (
        "decodable, not beyond the word",
        "not decodable",
        "not more than untrained models",
    )
    assert told["position"].rung == 0  # a random transformer tells it as well
    assert found.score(SITES[1], "per word").surface > 0.99


def test_untrained_models_hold_nothing_decodable():
    text = make_text(5)
    ring = [activations(text, seed, trained=False) for seed in range(7)]
    numbers = {"per word": per(text.keys, 2), "hidden": text.hidden}
    for run in range(3):
        rest = [model for index, model in enumerate(ring) if index != run]
        told, _ = verdicts((text, ring[run], rest[:5]), numbers, seed=run, controls=SOME)
        assert all(verdict.rung == 0 for verdict in told.values())


SOME = ("shuffled", "position", "previous_word", "word_identity", "surface", "random_weights")


def test_a_number_given_once_per_document_is_not_found_within_it(held):
    text, acts, twins = held
    documents = text.sentence_ids // 4
    number = per(documents, 8)
    found = probe(
        acts, text, targets={"it": number}, random_weights=twins, groups=documents, bootstrap=0
    )
    assert compare(found).verdicts[SITES[1], "it"].rung == 0
