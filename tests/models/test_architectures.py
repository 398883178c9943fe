"""GPT-2 and Llama of transformers, trained with words as tokens, are taken like the plain model."""

import numpy as np
import pytest
import torch

from linrep import (
    Grammar,
    capture,
    interchange,
    load_model,
    pattern_subspace,
    probe,
    random_twin,
    train,
)
from linrep.core import height_target
from linrep.models import TrainingError

GRAMMAR = Grammar.from_text("S -> A B | B A\nA -> 'a' 'b' | 'b' 'b'\nB -> 'b' 'c' | 'c' 'a'")
SITE = "blocks.0.hook_resid_post"
SMALL = {
    "steps": 4, "sentences": 64, "hidden_size": 16, "num_hidden_layers": 2,
    "num_attention_heads": 2, "heldout": 8,
}  # fmt: skip


@pytest.fixture(scope="module", params=["plain", "gpt2", "llama"])
def folder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / request.param
    run = train(GRAMMAR, architecture=request.param, folder=folder, **SMALL)
    return folder, run.model


def test_a_saved_model_is_the_trained_one_with_its_words(folder):
    place, model = folder
    loaded = load_model(place)
    assert loaded.vocabulary == ("<bos>", "a", "b", "c", "<eos>")
    assert loaded.tokenizer is None
    assert type(loaded.model) is type(model)
    assert not loaded.drawn
    assert not loaded.unused
    ids = torch.tensor([[0, 1, 2, 3, 2], [0, 2, 3, 1, 2]])
    assert torch.equal(loaded.model(ids).logits, model(ids).logits)


def test_it_is_captured_probed_and_exchanged_without_a_tokenizer(folder):
    place, _ = folder
    corpus = GRAMMAR.sample(60, seed=1)
    model = load_model(place).model
    acts = capture(model, corpus, progress=False)
    twin = capture(random_twin(model, seed=1), corpus, progress=False)
    assert acts.sites == twin.sites
    assert not np.array_equal(acts[SITE], twin[SITE])
    found = probe(acts, corpus, random_weights=[twin], heights=[1], permutations=0, bootstrap=0)
    assert {score.target for score in found.scores} >= {height_target(1)}
    ends = corpus.boundary(1)
    space = pattern_subspace(np.asarray(acts[SITE])[ends], corpus.labels(1)[ends])
    swaps = interchange(model, corpus, {(SITE, height_target(1)): space}, n=8, draws=2, bootstrap=0)
    assert (SITE, height_target(1)) in swaps.cells


def test_the_seed_decides_the_weights_alone(folder):
    kind = folder[1].config.linrep["training"]["architecture"]
    state = torch.get_rng_state()
    models = [train(GRAMMAR, architecture=kind, seed=seed, **SMALL).model for seed in (0, 0, 1)]
    assert torch.equal(torch.get_rng_state(), state)
    one, two, three = (next(iter(model.parameters())) for model in models)
    assert torch.equal(one, two)
    assert not torch.equal(one, three)
    assert torch.equal(one, next(iter(folder[1].parameters())))  # a folder changes nothing


@pytest.mark.parametrize(
    ("architecture", "shape", "said"),
    [
        ("gpt2", {"resid_pdrop": 0.1}, "resid_pdrop is 0: a training with dropout"),
        ("llama", {"attention_dropout": 0.5}, "attention_dropout is 0"),
        ("llama", {"hidden_size": 10, "num_attention_heads": 4}, "llama of this shape"),
        ("gpt2", {"hidden_size": 10, "num_attention_heads": 4}, "gpt2 of this shape"),
        ("llama", {"mlp": "relu"}, "no keyword 'mlp'"),
        ("gpt2", {"shape": {"n_heads": 2}}, "no keyword 'n_heads'"),
    ],
)
def test_impossible_shapes_are_refused(architecture, shape, said):
    with pytest.raises(TrainingError, match=said):
        train(GRAMMAR, architecture=architecture, **{**SMALL, **shape})


def test_further_fields_of_a_configuration_are_taken():
    gpt2 = train(GRAMMAR, architecture="gpt2", n_positions=9, intermediate_size=8, **SMALL).model
    assert (gpt2.config.n_positions, gpt2.config.n_inner) == (9, 8)
    llama = train(GRAMMAR, architecture="llama", num_key_value_heads=1, **SMALL).model
    assert llama.config.num_key_value_heads == 1
    plain = train(GRAMMAR, shape={"mlp": "relu"}, layer_norm=False, **SMALL).model
    assert (plain.config.mlp, plain.config.layer_norm) == ("relu", False)
