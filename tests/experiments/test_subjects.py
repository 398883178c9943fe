"""What a report says about a loaded model before anything is measured."""

import pytest
import torch
import transformers as tf

import linrep
from linrep import families
from linrep.experiments.settings import Loaded
from linrep.experiments.subjects import make_subject
from linrep.hooks import CaptureError
from linrep.hooks.reading.prepared import stream_width

SIZE = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 11}
BERT = {**SIZE, "intermediate_size": 8}
UNUSED = "weights not used"  # a pooler
LLAMA = {**BERT, "num_key_value_heads": 1}


def t5():
    return tf.T5EncoderModel(tf.T5Config(vocab_size=11, d_model=8, d_ff=8, num_layers=2))


@pytest.mark.parametrize(
    ("make", "sight", "told"),
    [
        (lambda: tf.BertModel(tf.BertConfig(**BERT)), "bidirectional", {"head", UNUSED}),
        (lambda: tf.BertForMaskedLM(tf.BertConfig(**BERT)), "bidirectional", set()),
        (lambda: tf.LlamaModel(tf.LlamaConfig(**LLAMA)), "causal", {"head"}),
        (lambda: tf.LlamaForCausalLM(tf.LlamaConfig(**LLAMA)), "causal", set()),
        (t5, "bidirectional", set()),
    ],
)
def test_facts_of_a_loaded_model(make, sight, told, tmp_path):
    make().save_pretrained(tmp_path)
    subject = make_subject(Loaded(path=str(tmp_path)), families.latin(order=2, depth=1).sample(2))
    assert subject.sight == sight
    assert {"head", UNUSED} & set(subject.facts) == told
    assert subject.facts["blocks"] == 2
    assert subject.facts["width of the stream"] == 8


def test_a_model_that_does_not_name_its_width_is_refused():
    model = torch.nn.Module()
    model.config = tf.PretrainedConfig()
    with pytest.raises(CaptureError, match="no hidden_size"):
        stream_width(model)


def test_a_trained_model_says_how_near_it_came(tmp_path):
    language = families.latin(order=2, depth=1)
    how = {"steps": 2, "sentences": 8, "hidden_size": 8, "num_attention_heads": 2, "heldout": 8}
    run = linrep.train(language, folder=tmp_path / "m", checkpoints=[1], **how)
    told = make_subject(Loaded(path=str(tmp_path / "m")), language.sample(2)).facts["training"]
    assert f"of the language it learned {run.log.kl:.5f} nats per token" in told
    half = Loaded(path=str(tmp_path / "m/checkpoints/step-1"))
    assert make_subject(half, language.sample(2)).facts["training"] == "1 step"
