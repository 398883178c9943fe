"""Counting false claims: what is counted, and a few pages of each kind."""

import numpy as np
import pytest

from linrep import families
from linrep.experiments.calibration import (
    DECOYS,
    NEXT,
    FalseClaims,
    calibrate,
    decoy_pages,
    untrained_pages,
)
from linrep.experiments.settings import LatinFamily, Loaded, Probes, SettingsError, StudySettings
from linrep.hooks import Activations, capture
from linrep.models import PlainConfig, PlainTransformer, initialise, random_twin

GRID = {"permutations": 40, "bootstrap": 0}
SITES = ("blocks.0.hook_resid_pre", "blocks.0.hook_resid_post")


@pytest.fixture(scope="module")
def corpus():
    return families.latin(order=3, depth=3).sample(200, seed=0)


@pytest.fixture(scope="module")
def untrained(corpus):
    words = ("<bos>", *sorted(set(corpus.words.tolist())), "<eos>")
    shape = PlainConfig(vocabulary=words, hidden_size=24, num_hidden_layers=2, mlp="gelu")
    base = initialise(PlainTransformer(shape), 0)
    return [capture(random_twin(base, seed=seed), corpus, progress=False) for seed in range(8)]


def test_untrained_models_are_not_decodable(corpus, untrained):
    """Of five pages three false ones would have a chance of 0.001 at a true rate of 5 %."""
    pages = list(untrained_pages(untrained, corpus, 5, 5, GRID | {"heights": [1, 2]}))
    assert sum(page > 0 for page in pages) <= 2


@pytest.mark.parametrize("name", [name for name in DECOYS if name != NEXT])  # never seen here
def test_made_up_labels_stay_where_they_belong(corpus, untrained, name):
    """As above, three pages of each kind: two false ones have a chance of 0.007."""
    rung, make = DECOYS[name]
    acts, *twins = untrained[:6]
    pages = list(decoy_pages(acts, twins, corpus, make, 3, 0, GRID))
    assert sum(page > rung for page in pages) <= 1


@pytest.mark.parametrize(("name", "step"), [("a coin per word before", -1), (NEXT, 1)])
def test_coins_go_with_the_neighbour(corpus, name, step):
    labels = DECOYS[name][1](corpus, np.random.default_rng(0))
    told: dict[str, str] = {}
    for sentence in range(20):
        rows = np.flatnonzero(corpus.sentence_ids == sentence)
        for place, row in enumerate(rows):
            there = 0 <= place + step < len(rows)
            beside = str(corpus.words[rows[place + step]]) if there else ""
            assert told.setdefault(beside, str(labels[row])) == labels[row]
    assert len(told) > 2


def test_what_blocks_write_is_counted(corpus):
    """The opposite: a page about a real state is above rung 0."""
    rng = np.random.default_rng(0)
    codes = np.unique(corpus.labels(2), return_inverse=True)[1]
    models = [
        Activations.from_arrays(
            {site: rng.standard_normal((corpus.n_tokens, 24)).astype(np.float32) for site in SITES},
            corpus,
        )
        for _ in range(6)
    ]
    stream = np.array(models[0][SITES[1]])
    stream[:, :3] += 3 * np.eye(3)[codes]
    sites = {SITES[0]: np.array(models[0][SITES[0]]), SITES[1]: stream}
    models[0] = Activations.from_arrays(sites, corpus)
    found = list(untrained_pages(models, corpus, 1, 5, GRID | {"heights": [2]}))
    assert found == [2]


def test_answers_are_told_by_interval():
    assert FalseClaims("x", 0, 200, 0).answer == "ok"
    assert FalseClaims("x", 0, 200, 10).answer == "too few pages to tell"
    assert FalseClaims("x", 0, 200, 30).answer == "too many"
    assert FalseClaims("x", 0, 10, 0).answer == "too few pages to tell"
    assert FalseClaims("x", 0, 10, 10).interval[1] == 1.0


def test_a_study_is_calibrated_as_a_whole(corpus, untrained, tmp_path):
    words = ("<bos>", *sorted(set(corpus.words.tolist())), "<eos>")
    shape = PlainConfig(vocabulary=words, hidden_size=16, num_hidden_layers=1, mlp="gelu")
    initialise(PlainTransformer(shape), 0).save_pretrained(tmp_path / "model")
    settings = StudySettings(
        name="small", language=LatinFamily(), model=Loaded(path=str(tmp_path / "model")),
        sentences=100, probes=Probes(permutations=20, heights=(1,), C=1.0),
    )  # fmt: skip
    found = calibrate(settings, runs=1)
    assert [each.what for each in found] == ["untrained models", *(n for n in DECOYS if n != NEXT)]
    assert all(each.runs == 1 for each in found)
    with pytest.raises(SettingsError, match="runs is a positive whole number; received 0"):
        calibrate(settings, runs=0)
    with pytest.raises(SettingsError, match="6 untrained models are needed; there are 5"):
        list(untrained_pages(untrained[:5], corpus, 1, 5, GRID))
