"""One small run of the whole path, shared by the tests that look at it."""

import pytest
import torch
import transformers as tf

from linrep.experiments import Experiment, StudySettings, run_experiment
from linrep.experiments.settings import (
    Causal,
    Constructed,
    HierarchyFamily,
    LatinFamily,
    Probes,
)


def small(language, name, causal):
    return StudySettings(
        name=name,
        question="small",
        language=language,
        model=Constructed(position_code="onehot", rotation=1),
        sentences=600,
        probes=Probes(
            positions="boundary",
            C=10.0,
            permutations=50,
            bootstrap=200,
            charts=False,
            causal=causal,
        ),
    )


SMALL = Experiment(
    title="small",
    studies=(
        small(LatinFamily(order=3, depth=3), "latin", Causal()),
        small(
            HierarchyFamily(n_symbols=4, n_rules=3, depth=3, seed=1),
            "random_hierarchy",
            Causal(erase=True, steer=True, strengths=(-0.5, 0.0, 0.5)),
        ),
    ),
)


@pytest.fixture(scope="session")
def small_run():
    return run_experiment(SMALL)


@pytest.fixture(params=["latin", "random_hierarchy"])
def study(small_run, request):
    return small_run.study(request.param)


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A folder with a tiny causal model and its byte-level tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    folder = tmp_path_factory.mktemp("model")
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<pad>", "<s>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    backend.train_from_iterator(["The city of is in not."], trainer)
    tf.PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", bos_token="<s>"
    ).save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = tf.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=300, n_positions=64)
        tf.GPT2LMHeadModel(config).save_pretrained(folder)
    return folder
