"""Weights in a special form, as quantisers make them: captured from, and told apart."""

import pytest
import torch
import transformers as tf
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from torch import nn

from linrep.core import LinrepError
from linrep.hooks import capture
from linrep.hooks.reading.fingerprint import fingerprint_model


class Scaled(torch.Tensor):
    """Whole numbers times a scale, which answers to few operations, as torchao's tensors do."""

    @staticmethod
    def __new__(cls, whole, scale, form="a"):
        return torch.Tensor._make_wrapper_subclass(cls, whole.shape, dtype=scale.dtype)

    def __init__(self, whole, scale, form="a"):
        self.whole, self.scale, self.form = whole, scale, form

    def __tensor_flatten__(self):
        return ["whole", "scale"], {"form": self.form}

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func is nn.functional.linear:
            x, weight, *more = args
            return func(x, weight.whole * weight.scale, *more, **(kwargs or {}))
        return super().__torch_function__(func, types, args, kwargs)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        if func in (torch.ops.aten.detach.default, torch.ops.aten.clone.default):
            return cls(args[0].whole.clone(), args[0].scale.clone(), args[0].form)
        raise NotImplementedError(f"Scaled cannot {func}")


def scaled(weight, form="a"):
    scale = weight.detach().abs().amax(1, keepdim=True) / 127
    return Scaled((weight.detach() / scale).round().to(torch.int8), scale, form)


@pytest.fixture
def quantised():
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "vocab_size": 8}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    model = tf.LlamaForCausalLM(tf.LlamaConfig(**sizes, **heads)).eval()
    for module in model.model.modules():
        if isinstance(module, nn.Linear):
            module.weight = nn.Parameter(scaled(module.weight), requires_grad=False)
    return model


@pytest.mark.parametrize("path", ["modules", "bridge"])
def test_a_quantised_model_is_captured_from(quantised, path):
    words = ["<pad>", "<unk>", "the", "cat", "sat", "on", "a", "mat"]
    backend = Tokenizer(WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = Whitespace()
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>"
    )
    acts = capture(
        quantised, [words[2:6], words[6:]], tokenizer=tokenizer, path=path, progress=False
    )
    with torch.no_grad():
        whole = quantised(torch.tensor([[2, 3, 4, 5]]), output_hidden_states=True)
    first = torch.as_tensor(acts["blocks.0.hook_resid_post"][:4])
    assert torch.allclose(first, whole.hidden_states[1][0], atol=1e-5)
    assert acts.manifest["self_check"]["edit"] == "passed"


def test_digests_tell_parts_and_forms_apart(quantised):
    weight = quantised.model.layers[0].mlp.up_proj.weight
    first = fingerprint_model(quantised)
    assert fingerprint_model(quantised) == first
    weight.form = "b"  # how the parts make the whole
    second = fingerprint_model(quantised)
    weight.whole[0, 0] += 1
    third = fingerprint_model(quantised)
    weight.scale *= 2
    assert len({first, second, third, fingerprint_model(quantised)}) == 4


def test_where_parts_lie_in_memory_says_nothing(quantised):
    weight = quantised.model.layers[0].mlp.up_proj.weight
    digests = set()
    for _ in range(3):
        weight.form = object()
        digests.add(fingerprint_model(quantised))
    assert len(digests) == 1


def test_a_weight_whose_bytes_nobody_can_read_is_refused_by_name(quantised, monkeypatch):
    monkeypatch.delattr(Scaled, "__tensor_flatten__")
    with pytest.raises(LinrepError, match=r"proj\.weight is a Scaled, whose bytes cannot be read"):
        fingerprint_model(quantised)
