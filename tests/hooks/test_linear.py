"""A capture's products in linear layers: oneDNN's where it is faster, else the model's own."""

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode
from transformers.pytorch_utils import Conv1D

from linrep import capture
from linrep.hooks import CaptureError, SelfCheckError
from linrep.hooks.paths import arithmetic
from linrep.hooks.paths.arithmetic import FasterLayers
from linrep.hooks.paths.linear import has_faster_linear
from linrep.hooks.paths.module_path import ModulePath

ZEN = {"cpu_name": "AMD EPYC", "avx512_f": True}
EPS = float(np.finfo(np.float32).eps)

BOS = ("<s>", None)

needs_onednn = pytest.mark.skipif(
    not (torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")),
    reason="this build of PyTorch has no oneDNN",
)


@pytest.fixture
def chosen(monkeypatch):
    """oneDNN is chosen whatever the processor, for products of any size; its calls are counted."""
    calls = []
    product = torch.ops.mkldnn._linear_pointwise

    def counted(*args):
        calls.append(args[1].shape)
        return product(*args)

    monkeypatch.setattr(arithmetic, "has_faster_linear", lambda: True)
    monkeypatch.setattr(arithmetic, "ENOUGH", 0)
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", counted)
    return calls


def drawn(kind, inputs, outputs, seed, bias=True):
    torch.manual_seed(seed)
    layer = nn.Linear(inputs, outputs, bias=bias) if kind == "linear" else Conv1D(outputs, inputs)
    for weight in layer.parameters():
        nn.init.normal_(weight)
    return layer


@needs_onednn
@given(
    kind=st.sampled_from(["linear", "without bias", "conv"]),
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    inputs=st.integers(1, 70),
    outputs=st.integers(1, 70),
    seed=st.integers(0, 9),
)
def test_equal_to_the_layers_own_but_for_rounding(kind, shape, inputs, outputs, seed):
    layer = drawn("conv" if kind == "conv" else "linear", inputs, outputs, seed, kind == "linear")
    rows = torch.randn(*shape, inputs)
    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(arithmetic, "has_faster_linear", lambda: True)
        patch.setattr(arithmetic, "ENOUGH", 0)
        own = layer(rows)
        with FasterLayers(layer).running():
            found = layer(rows)
    weight = layer.weight if isinstance(layer, nn.Linear) else layer.weight.T
    largest = rows.abs() @ weight.abs().T + (0 if layer.bias is None else layer.bias.abs())
    assert found.shape == own.shape
    # Each way of adding errs by at most inputs * eps of the sum of sizes (Higham 2002, eq. 3.5).
    assert bool(((found - own).abs() <= 2 * (inputs + 1) * EPS * largest).all())


@needs_onednn
@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_onednn_is_called(chosen, kind):
    layer = drawn(kind, 8, 3, 0)
    with torch.inference_mode(), FasterLayers(layer).running():
        layer(torch.ones(2, 8))
    assert chosen == [(3, 8)]


class Louder(nn.Linear):
    def forward(self, input):
        return 2 * super().forward(input)


class Marked(torch.Tensor):
    pass


def strided(layer):
    layer.bias.data = torch.randn(2 * len(layer.bias))[::2]


NOT_FOR_ONEDNN = {
    "float64": (lambda: nn.Linear(8, 3).double(), torch.ones(2, 8, dtype=torch.float64)),
    "bfloat16": (lambda: nn.Linear(8, 3).bfloat16(), torch.ones(2, 8, dtype=torch.bfloat16)),
    "strided rows": (lambda: nn.Linear(8, 3), torch.ones(8, 2).T),
    "a subclass of the layer": (lambda: Louder(8, 3), torch.ones(2, 8)),
    "a subclass of tensors": (lambda: nn.Linear(8, 3), torch.ones(2, 8).as_subclass(Marked)),
    "nothing": (lambda: nn.Linear(8, 3), torch.ones(0, 8)),
}


@needs_onednn
@pytest.mark.parametrize("case", NOT_FOR_ONEDNN)
def test_what_goes_the_usual_way(chosen, monkeypatch, case):
    make, rows = NOT_FOR_ONEDNN[case]
    monkeypatch.setattr(arithmetic, "ENOUGH", 1)
    layer = make()
    with torch.inference_mode():
        own = layer(rows)
        with FasterLayers(layer).running():
            found = layer(rows)
    assert chosen == []
    assert torch.equal(found, own)
    assert type(found) is type(own)


@needs_onednn
def test_a_strided_bias_is_read_as_it_is_meant(chosen):
    layer, rows = nn.Linear(8, 3), torch.ones(2, 8)
    strided(layer)
    with torch.inference_mode():
        own = layer(rows)
        with FasterLayers(layer).running():
            assert torch.equal(layer(rows), own)
    assert chosen == []


@needs_onednn
def test_gradients_flow_as_before(chosen):
    layer, rows = nn.Linear(8, 3), torch.ones(2, 8)
    with torch.inference_mode():
        running = FasterLayers(layer).running()
        running.__enter__()
    layer(rows).sum().backward()
    running.__exit__(None, None, None)
    assert chosen == []
    assert torch.equal(layer.weight.grad, torch.full((3, 8), 2.0))


@needs_onednn
def test_autocast_keeps_its_dtype(chosen):
    layer, rows = nn.Linear(8, 3), torch.ones(2, 8)
    reduced, faster = torch.autocast("cpu", dtype=torch.bfloat16), FasterLayers(layer)
    with torch.inference_mode(), reduced, faster.running():
        assert layer(rows).dtype is torch.bfloat16
    assert chosen == []


@needs_onednn
def test_small_products_go_the_usual_way(chosen, monkeypatch):
    monkeypatch.setattr(arithmetic, "ENOUGH", 2 * 8 * 3 + 1)
    layer = nn.Linear(8, 3)
    with torch.inference_mode(), FasterLayers(layer).running():
        layer(torch.ones(2, 8))
        assert chosen == []
        layer(torch.ones(3, 8))
        assert chosen == [(3, 8)]


@needs_onednn
def test_errors_are_the_layers_own(chosen):
    layer = nn.Linear(8, 3)
    refused = pytest.raises(RuntimeError, match="cannot be multiplied")
    with torch.inference_mode(), FasterLayers(layer).running(), refused:
        layer(torch.ones(2, 7))


@needs_onednn
def test_layers_have_their_own_forward_again_whatever_happens(chosen):
    layer = nn.Linear(8, 3)
    faster = FasterLayers(layer)

    def stopped():
        with faster.running():
            assert "forward" in vars(layer)
            with faster.running():
                pass
            assert "forward" in vars(layer)  # the inner pass takes nothing of the outer one's
            raise KeyError

    with pytest.raises(KeyError), torch.inference_mode():
        stopped()
    assert "forward" not in vars(layer)


@needs_onednn
def test_another_tools_forward_stays(chosen):
    layer = nn.Linear(8, 3)
    layer.forward = lambda rows: "theirs"
    with torch.inference_mode(), FasterLayers(layer).running():
        assert layer(torch.ones(2, 8)) == "theirs"
    assert layer(torch.ones(2, 8)) == "theirs"
    assert chosen == []


def test_what_another_tool_hangs_during_the_pass_stays(chosen):
    layer = nn.Linear(8, 3)
    with torch.inference_mode(), FasterLayers(layer).running():
        layer.forward = lambda rows: "theirs"
    assert layer(torch.ones(2, 8)) == "theirs"


def test_a_stop_while_layers_are_changed_leaves_none(chosen):
    class Stopping(dict):
        def __setitem__(self, name, value):
            super().__setitem__(name, value)
            raise KeyboardInterrupt

    layer = nn.Linear(8, 3)
    faster = FasterLayers(layer)
    names = Stopping()
    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(arithmetic, "vars", lambda _: names, raising=False)
        with pytest.raises(KeyboardInterrupt):
            faster.running().__enter__()
    assert names == {}


@needs_onednn
@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_rows_by_keyword_go_the_usual_way(chosen, kind):
    layer = drawn(kind, 8, 3, 0)
    named = {"input" if kind == "linear" else "x": torch.ones(2, 8)}
    with torch.inference_mode():
        own = layer(**named)
        with FasterLayers(layer).running():
            assert torch.equal(layer(**named), own)
    assert chosen == []


@needs_onednn
def test_autocast_inside_a_model_keeps_its_dtype(chosen):
    layer, rows = nn.Linear(8, 3), torch.ones(2, 8)
    with torch.inference_mode(), FasterLayers(layer).running():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            reduced = layer(rows)
        assert reduced.dtype is torch.bfloat16
        assert chosen == []
        assert layer(rows).dtype is torch.float32
    assert chosen == [(3, 8)]


class Twice(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        return 2 * found if func is nn.functional.linear else found


@needs_onednn
def test_a_mode_of_pytorch_sees_every_call(chosen):
    layer, rows = nn.Linear(8, 3), torch.ones(2, 8)
    with torch.inference_mode(), Twice():
        own = layer(rows)
        with FasterLayers(layer).running():
            assert torch.equal(layer(rows), own)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        with FasterLayers(layer).running():
            layer(rows)
        assert counter.get_total_flops() == 2 * 2 * 8 * 3
    assert chosen == []


@needs_onednn
def test_a_kind_of_layer_that_was_replaced_is_left_alone(chosen, monkeypatch):
    monkeypatch.setattr(nn.Linear, "forward", lambda self, rows: "theirs")
    layer = nn.Linear(8, 3)
    with torch.inference_mode(), FasterLayers(layer).running():
        assert layer(torch.ones(2, 8)) == "theirs"
    assert chosen == []


@needs_onednn
def test_onednn_may_be_switched_off(chosen, monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    layer = nn.Linear(8, 3)
    with torch.inference_mode(), FasterLayers(layer).running():
        layer(torch.ones(2, 8))
    assert chosen == []


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"cpu_name": "AMD EPYC 9755", "avx512_f": True}, True),
        ({"cpu_name": "AMD EPYC 7763", "avx512_f": False}, False),
        ({"cpu_name": "Intel(R) Xeon(R) Platinum 8480", "avx512_f": True}, False),
        ({"architecture": "aarch64"}, False),
        ({}, False),
    ],
)
def test_chosen_by_the_processors_name(monkeypatch, told, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    for library in (torch.backends.mkl, torch.backends.mkldnn):
        monkeypatch.setattr(library, "is_available", lambda: True)
    has_faster_linear.cache_clear()
    try:
        there = hasattr(torch.ops.mkldnn, "_linear_pointwise")
        assert has_faster_linear() is (expected and there)
    finally:
        has_faster_linear.cache_clear()


def test_an_older_pytorch_that_does_not_tell_is_left_alone(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    has_faster_linear.cache_clear()
    try:
        assert has_faster_linear() is False
    finally:
        has_faster_linear.cache_clear()


def test_said_in_words(chosen, monkeypatch):
    assert FasterLayers(nn.Linear(8, 3)).said.startswith("large products by oneDNN")
    plain = "the model's own code"
    assert FasterLayers(nn.Linear(8, 3), "model").said == plain
    assert FasterLayers(nn.Linear(8, 3).bfloat16()).said == plain
    assert FasterLayers(nn.Linear(8, 3, device="meta")).said == plain
    assert FasterLayers(Louder(8, 3)).said == plain
    monkeypatch.setattr(arithmetic, "has_faster_linear", lambda: False)
    assert FasterLayers(nn.Linear(8, 3)).said == plain


@needs_onednn
@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
@pytest.mark.parametrize("path", ["modules", "bridge"])
def test_captures_differ_by_rounding(chosen, build, tokenizer, sentences, family, path):
    asked = {"tokenizer": tokenizer("byte", BOS), "path": path}
    model = build(family)
    ours = capture(model, sentences, **asked)
    called = len(chosen)
    own = capture(model, sentences, arithmetic="model", **asked)
    assert called > 0
    assert len(chosen) == called
    for site in own.sites:
        size = float(np.abs(own[site]).max())
        # Rounding of float32, carried through two blocks.
        assert np.abs(ours[site] - own[site]).max() <= 1e-4 * size
    assert not any("forward" in vars(module) for module in model.modules())
    assert ours.manifest["software"]["arithmetic"].startswith("large products by oneDNN")
    assert own.manifest["software"]["arithmetic"] == "the model's own code"
    assert ours.manifest["settings"] == own.manifest["settings"]


@needs_onednn
@pytest.mark.parametrize("asked", ["auto", "model"])
def test_a_path_made_by_hand_takes_the_option(chosen, build, tokenizer, sentences, asked):
    path = ModulePath(build("gpt2"))
    acts = capture(path, sentences, tokenizer=tokenizer("byte", BOS), arithmetic=asked)
    assert bool(chosen) is (asked == "auto")
    said = acts.manifest["software"]["arithmetic"]
    assert said.startswith("large products by oneDNN") is (asked == "auto")


@needs_onednn
def test_the_self_check_multiplies_as_the_capture_does(
    chosen, build, tokenizer, sentences, monkeypatch
):
    monkeypatch.setattr(arithmetic, "ENOUGH", 1 << 40)  # a capture so small asks oneDNN for nothing
    capture(build("gpt2"), sentences, tokenizer=tokenizer("byte", BOS), check=False)
    assert chosen == []
    capture(build("gpt2"), sentences, tokenizer=tokenizer("byte", BOS))
    assert chosen != []


@needs_onednn
def test_a_wrong_product_fails_the_self_check(chosen, build, tokenizer, sentences, monkeypatch):
    product = torch.ops.mkldnn._linear_pointwise
    wrong = lambda rows, weight, *rest: product(rows, 1.01 * weight, *rest)  # noqa: E731
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", wrong)
    with pytest.raises(SelfCheckError, match="'arithmetic' failed"):
        capture(build("gpt2"), sentences, tokenizer=tokenizer("byte", BOS))


@needs_onednn
def test_a_store_begun_one_way_goes_on_the_other_and_says_so(
    chosen, build, tokenizer, sentences, tmp_path
):
    asked = {"tokenizer": tokenizer("byte", BOS), "store": tmp_path / "acts", "shard_words": 3}
    model = build("gpt2")
    begun = capture(model, sentences, arithmetic="model", **asked)
    first = {site: np.array(begun[site]) for site in begun.sites}
    said = begun.manifest["software"]["arithmetic"]
    whole = capture(model, sentences, **asked)
    assert whole.manifest["software"]["arithmetic"] == said  # nothing was left to do
    del begun, whole
    for shard in sorted((tmp_path / "acts").glob("*.safetensors"))[1:]:
        shard.unlink()
    again = capture(model, sentences, **asked)
    told = again.manifest["software"]["arithmetic"]
    assert told.startswith("the model's own code; later shards: large products by oneDNN")
    for site, values in first.items():
        assert np.abs(again[site] - values).max() <= 1e-4 * np.abs(values).max()


def test_unknown_words_are_refused(build, sentences):
    with pytest.raises(CaptureError, match="arithmetic is one of auto, model; received 'fast'"):
        capture(build("gpt2"), sentences, arithmetic="fast")
