"""Folders that were damaged, changed or made to run code: each is one clear refusal."""

import json
import logging

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaModel,
)

from linrep.models import LoadError, PlainConfig, PlainTransformer, initialise, load

SIZE = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 11}
LLAMA = LlamaConfig(**SIZE, intermediate_size=8, num_key_value_heads=1)
BERT = BertConfig(**SIZE, intermediate_size=8)
GPT2 = GPT2Config(n_embd=8, n_layer=2, n_head=2, vocab_size=11, n_positions=16)


def change(folder, **settings):
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))


def keep(folder, wanted):
    file = folder / "model.safetensors"
    weights = {k: v for k, v in load_file(file).items() if wanted(k)}
    save_file(weights, file, metadata={"format": "pt"})


def refused(folder, message):
    with pytest.raises(LoadError, match=message) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("make", "lost"),
    [
        (lambda: LlamaForCausalLM(LLAMA), "model.layers.1."),
        (lambda: LlamaForCausalLM(LLAMA), "model.embed_tokens"),
        (lambda: LlamaModel(LLAMA), "layers.1.mlp.up"),
        (lambda: BertForMaskedLM(BERT), "bert.encoder.layer.0.output.dense.bias"),
        (lambda: BertModel(BERT), "encoder.layer.0.output.dense.bias"),
        (lambda: GPT2LMHeadModel(GPT2), "transformer.wte"),  # the head is tied to it
        (lambda: PlainTransformer(PlainConfig()), "head"),
    ],
)
def test_missing_weights_of_the_body_are_refused_by_name(make, lost, tmp_path):
    make().save_pretrained(tmp_path)
    load(tmp_path)
    keep(tmp_path, lambda name: not name.startswith(lost))
    said = refused(tmp_path, r"lacks \d+ of the \d+ weights .* random numbers")
    assert lost in said


def test_a_drawn_head_and_unused_weights_are_accounted_for(tmp_path, capfd):
    BertModel(BERT).save_pretrained(tmp_path / "encoder")
    LlamaModel(LLAMA).save_pretrained(tmp_path / "decoder")
    LlamaForCausalLM(LLAMA).save_pretrained(tmp_path / "whole")
    capfd.readouterr()
    encoder, decoder, whole = (load(tmp_path / n) for n in ("encoder", "decoder", "whole"))
    said = capfd.readouterr().err
    assert "MISSING" not in said
    assert "corrupted" not in said
    assert "cls.predictions.transform.dense.weight" in encoder.drawn
    assert all(name.startswith("cls.") for name in encoder.drawn)
    assert encoder.unused == ("pooler.dense.bias", "pooler.dense.weight")
    assert (decoder.drawn, decoder.unused) == (("lm_head.weight",), ())
    assert (whole.drawn, whole.unused) == ((), ())


def test_the_librarys_log_is_left_as_it_was(tmp_path):
    BertModel(BERT).save_pretrained(tmp_path)
    logger = logging.getLogger("transformers.modeling_utils")
    before = list(logger.filters)
    load(tmp_path)
    assert logger.filters == before


@pytest.mark.parametrize(
    ("config", "model", "setting"),
    [
        (LLAMA, LlamaForCausalLM, {"hidden_size": 16}),
        (BERT, BertForMaskedLM, {"intermediate_size": 16}),
        (GPT2, GPT2LMHeadModel, {"vocab_size": 3}),
        (LLAMA, LlamaForCausalLM, {"vocab_size": 12}),
    ],
)
def test_weights_of_other_shapes_are_named(config, model, setting, tmp_path):
    model(config).save_pretrained(tmp_path)
    change(tmp_path, **setting)
    said = refused(tmp_path, r"weights of .* other shapes than its config.json says: .*restore")
    assert "expected" in said
    assert "ignore_mismatched_sizes" not in said


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"model_type": "bert"}, r"lacks \d+ of the \d+ weights of BertLMHeadModel"),
        ({"model_type": "gpt_neox", "hidden_size": 6144}, "its files are too small"),
        ({"num_hidden_layers": 2**40}, "its files are too small"),
        ({"hidden_size": "wide"}, "config.json is damaged: Validation error .*expected int"),
        ({"hidden_size": float("nan")}, "is not JSON .it holds NaN"),
        ({"hidden_size": 7}, "restore config.json"),
        ({"hidden_act": "nonsense"}, "no LlamaForCausalLM can be made .*nonsense"),
        (
            {"architectures": 3},
            r"architectures in the config.json .* expected a list of names"
            r"|damaged: Validation error for field 'architectures'",
        ),  # transformers checks it, or not
        ({"vocabulary": 3.5}, "vocabulary in the config.json .* expected a list of names"),
        ({"vocabulary": [1, 2]}, "vocabulary in the config.json .* expected a list of names"),
        ({"dtype": "float7"}, "config.json is damaged"),
        ({"model_type": None}, "names no model_type"),
    ],
)
def test_a_configuration_that_is_not_the_models_is_refused(setting, message, tmp_path):
    LlamaForCausalLM(LLAMA).save_pretrained(tmp_path)
    change(tmp_path, **setting)
    refused(tmp_path, message)


def test_an_infinite_bound_is_a_setting(tmp_path):
    initialise(PlainTransformer(PlainConfig()), seed=0).save_pretrained(tmp_path)
    change(tmp_path, bounds=[0.0, float("inf")])
    assert load(tmp_path).model.config.bounds == [0.0, float("inf")]


@pytest.mark.parametrize("content", ["", "[" * 100_000, "null", "\x00", '{"model_type": {}}'])
def test_a_configuration_that_is_none_is_refused(content, tmp_path):
    (tmp_path / "config.json").write_text(content)
    refused(tmp_path, "is not JSON|names no model_type")


class Touch:
    """What a pickle can do to whoever reads it."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        import pathlib

        return pathlib.Path.touch, (pathlib.Path(self.file),)


@pytest.mark.parametrize("damage", ["pickle", "torch", "cut", "list", "empty"])
def test_weights_in_torchs_own_format_are_read_as_tensors_only(damage, tmp_path):
    import pickle

    model = LlamaForCausalLM(LLAMA).eval()
    model.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    weights, victim = tmp_path / "pytorch_model.bin", tmp_path / "victim"
    torch.save(model.state_dict(), weights)
    ids = torch.tensor([[1, 2]])
    assert torch.equal(load(tmp_path).model(ids).logits, model(ids).logits)
    if damage == "pickle":
        weights.write_bytes(pickle.dumps(Touch(victim)))
    elif damage == "torch":
        torch.save({"model.norm.weight": Touch(victim)}, weights)
    elif damage == "cut":
        weights.write_bytes(weights.read_bytes()[:500])
    elif damage == "list":
        torch.save([1, 2], weights)
    else:
        weights.write_bytes(b"")
    said = refused(tmp_path, "the weights of .* cannot be read: .* save or fetch the model again")
    assert "weights_only" not in said
    assert not victim.exists()


EVIL = """import pathlib
pathlib.Path(__file__).with_name("victim").touch()
pathlib.Path({victim!r}).touch()
from transformers import LlamaConfig as Config, LlamaForCausalLM as Model, BertTokenizer as Tok
"""
AUTO = {
    "AutoConfig": "evil.Config",
    "AutoModel": "evil.Model",
    "AutoModelForCausalLM": "evil.Model",
}


@pytest.mark.parametrize(
    "settings",
    [
        {"model_type": "own-kind"},
        {"architectures": ["OwnForCausalLM"]},  # the model type is known, the class is not
    ],
)
def test_code_in_a_folder_is_refused_and_never_asked_for(settings, tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("it asks on standard input"))
    folder, victim = tmp_path / "model", tmp_path / "victim"
    LlamaForCausalLM(LLAMA).save_pretrained(folder)
    (folder / "evil.py").write_text(EVIL.format(victim=str(victim)))
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text(EVIL.format(victim=str(victim)))
    change(folder, auto_map=AUTO)
    assert type(load(folder).model) is LlamaForCausalLM  # transformers' own class will do
    change(folder, **settings)
    refused(folder, r"needs Python code .* trust_remote_code=True.* pass that instance")
    assert not victim.exists()


def test_code_of_a_tokenizer_is_not_run_and_the_model_loads_without(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("it asks on standard input"))
    folder, victim = tmp_path / "model", tmp_path / "victim"
    LlamaForCausalLM(LLAMA).save_pretrained(folder)
    (folder / "evil.py").write_text(EVIL.format(victim=str(victim)))
    settings = {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["evil.Tok", "evil.Tok"]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    loaded = load(folder)
    assert loaded.tokenizer is None
    assert "AutoTokenizer.from_pretrained" in loaded.no_tokenizer
    assert not victim.exists()
    (folder / "tokenizer_config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{")
    assert "the tokenizer of" in load(folder).no_tokenizer
