"""Training learns, is reproducible, and refuses what it cannot train on."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from linrep.models import TrainingError, batch_ids, train


@dataclass
class Sample:
    sentences: list


class Pairs:
    """x followed by itself: the second word is certain, the first worth ln 2 nats."""

    terminals = ("x", "y")

    def sample(self, n, seed=0):
        drawn = np.random.default_rng(seed).integers(0, 2, n)
        return Sample([(self.terminals[i],) * 2 for i in drawn])


SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "sentences": 256}


def test_training_reaches_the_entropy_and_not_below():
    run = train(Pairs(), steps=150, batch_size=64, learning_rate=1e-2, **SMALL)
    floor = np.log(2) / 3  # one uncertain choice in three predictions
    last = np.mean(run.losses[-20:])
    error = 3 * np.log(2) / 3 / np.sqrt(20 * 64)  # generous standard error of the batch mean
    assert run.losses[0] > 2 * floor
    assert floor - error < last < floor + 0.05
    ids, mask = batch_ids([("x",), ("y",)], run.model.config.vocabulary)
    guess = run.model(ids, attention_mask=mask).logits[:, -1].argmax(-1)
    assert guess.tolist() == [1, 2]
    assert len(run.losses) == 150
    assert run.model.config.linrep["training"]["seed"] == 0


def test_training_is_reproducible_and_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    a, b, c = (train(Pairs(), steps=5, seed=s, **SMALL).losses for s in (1, 1, 2))
    assert a == b != c
    assert torch.equal(torch.get_rng_state(), state)


def test_a_trained_model_survives_saving(tmp_path):
    model = train(Pairs(), steps=3, **SMALL).model
    model.save_pretrained(tmp_path)
    ids = torch.tensor([[0, 1]])
    assert torch.equal(type(model).from_pretrained(tmp_path)(ids).logits, model(ids).logits)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"steps": 0}, "at least 1"), ({"max_position_embeddings": 2}, "needs 4 positions")],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(TrainingError, match=message):
        train(Pairs(), **{"steps": 1, **SMALL, **settings})


def test_unknown_words_are_refused():
    with pytest.raises(TrainingError, match=r"\['z'\]"):
        batch_ids([["z"]], ["<bos>", "x", "<eos>"])
