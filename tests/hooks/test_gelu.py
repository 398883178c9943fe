"""The tanh form of GELU in one pass: the same function, to the rounding of float32."""

import functools

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn
from transformers.activations import FastGELUActivation, NewGELUActivation

from linrep import capture, stream
from linrep.hooks import SelfCheckError
from linrep.hooks.paths import arithmetic, gelu
from linrep.hooks.paths.arithmetic import FasterLayers
from linrep.probes import Statistics

KINDS = [NewGELUActivation, FastGELUActivation]
BOS = ("<s>", None)


@pytest.fixture
def calls(monkeypatch):
    """Shapes that were computed in one pass."""
    seen = []
    once = nn.functional.gelu

    def counted(rows, approximate="none"):
        seen.append(rows.shape)
        return once(rows, approximate=approximate)

    monkeypatch.setattr(gelu.functional, "gelu", counted)
    return seen


def both(layer, rows):
    """What the layer gives, and what it gives while a pass runs."""
    with torch.inference_mode():
        own = layer(rows)
        with FasterLayers(layer).running():
            faster = layer(rows)
    return own, faster


@pytest.mark.parametrize("kind", KINDS)
@given(
    st.lists(st.floats(width=32, allow_nan=True, allow_infinity=True), min_size=0, max_size=40),
    st.integers(1, 3),
)
@settings(max_examples=200, deadline=None)
def test_it_is_the_function_to_the_rounding_of_float32(kind, values, columns):
    rows = torch.tensor(values, dtype=torch.float32).repeat_interleave(columns)
    rows = rows.reshape(-1, columns).T  # lies across memory
    own, faster = both(kind(), rows)
    exact = kind()(rows.double()).float()
    # Each of some eight operations rounds once; where 1 + tanh cancels, what is left is as small
    # as the rounding of 1 beside it.
    allowed = 1e-6 * rows.abs().clamp(min=torch.finfo(torch.float32).tiny)
    for one in (own, faster):
        right = (one - exact).abs() <= allowed
        assert bool((right | (one == exact) | (one.isnan() & exact.isnan())).all())
    assert torch.equal(own.isnan(), faster.isnan())
    assert faster.shape == rows.shape


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_for_it_goes_the_layers_way(kind, calls):
    layer, rows = kind(), torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    faster = FasterLayers(layer)
    with faster.running():  # gradients may be asked for
        layer(rows)
    for other in (rows.double(), rows.bfloat16(), nn.Parameter(rows)):
        own, found = both(layer, other)
        assert torch.equal(own, found)
    with torch.inference_mode(), faster.running():
        layer(input=rows)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            layer(rows)
    own, found = both(FasterLayersTwin(), rows)
    assert torch.equal(own, found)
    assert calls == []
    both(layer, rows)
    assert calls == [rows.shape]
    assert "forward" not in vars(layer)


class FasterLayersTwin(NewGELUActivation):
    """A subclass, which may do anything."""

    def forward(self, input):
        return 2 * super().forward(input)


def test_a_layer_that_somebody_changed_keeps_what_it_does(calls, monkeypatch):
    monkeypatch.setattr(NewGELUActivation, "forward", lambda self, rows: 3 * rows)
    own, found = both(NewGELUActivation(), torch.ones(2))
    assert torch.equal(own, found)
    assert calls == []


def test_a_capture_differs_by_rounding_and_says_so(build, tokenizer, sentences, calls):
    model, asked = build("gpt2"), {"tokenizer": tokenizer("byte", BOS)}
    ours = capture(model, sentences, **asked)
    called = len(calls)
    own = capture(model, sentences, arithmetic="model", **asked)
    assert called > 0
    assert len(calls) == called
    for site in own.sites:
        # Rounding of float32, carried through two blocks.
        assert np.abs(ours[site] - own[site]).max() <= 1e-5 * np.abs(own[site]).max()
    assert "GELU in one pass" in ours.manifest["software"]["arithmetic"]
    assert own.manifest["software"]["arithmetic"] == "the model's own code"
    long = {"long": np.array([len(word) > 3 for line in sentences for word in line]).astype(str)}
    stream(model, sentences, Statistics.from_arrays, long, **asked)
    assert len(calls) > called
    assert not any("forward" in vars(module) for module in model.modules())


def test_a_model_without_it_does_not_speak_of_it(build, tokenizer, sentences):
    for family, changed in (("llama", lambda m: m), ("gpt2", lambda m: m.double())):
        acts = capture(changed(build(family)), sentences, tokenizer=tokenizer("byte", BOS))
        assert "GELU" not in acts.manifest["software"]["arithmetic"]


def test_a_wrong_function_fails_the_self_check(build, tokenizer, sentences, monkeypatch):
    wrong = lambda rows, approximate: 1.01 * nn.functional.silu(rows)  # noqa: E731
    monkeypatch.setattr(gelu.functional, "gelu", wrong)
    with pytest.raises(SelfCheckError, match="'arithmetic' failed"):
        capture(build("gpt2"), sentences, tokenizer=tokenizer("byte", BOS))


@pytest.mark.parametrize("layers", ["all", [1]])
def test_a_function_that_another_package_changed_is_kept_or_refused(
    build, tokenizer, sentences, monkeypatch, layers
):
    """Changed so that it looks like the layer's own, before or after the package was loaded."""
    own = NewGELUActivation.forward

    @functools.wraps(own)
    def changed(self, rows):
        return own(self, rows) + 0.5

    model, asked = build("gpt2"), {"tokenizer": tokenizer("byte", BOS), "layers": layers}
    monkeypatch.setattr(NewGELUActivation, "forward", changed)
    found = capture(model, sentences, **asked)
    plain = capture(model, sentences, arithmetic="model", **asked)
    assert "GELU" not in found.manifest["software"]["arithmetic"]
    for site in plain.sites:
        assert np.abs(found[site] - plain[site]).max() <= 1e-5 * np.abs(plain[site]).max()
    monkeypatch.setitem(arithmetic._AS_WRITTEN, NewGELUActivation, changed)
    with pytest.raises(SelfCheckError, match="'arithmetic' failed"):
        capture(model, sentences, **asked)


def test_what_watches_pytorch_is_not_spoken_over(build, tokenizer, sentences):
    model, asked = build("gpt2"), {"tokenizer": tokenizer("byte", BOS)}
    with torch.utils._device.DeviceContext("cpu"):  # as torch.set_default_device
        watched = capture(model, sentences, **asked)
    assert watched.manifest["software"]["arithmetic"] == "the model's own code"
    assert str(watched.manifest["self_check"]["arithmetic"]).startswith("skipped")
    free = capture(model, sentences, **asked).manifest
    assert "GELU in one pass" in free["software"]["arithmetic"]
    assert 0 < free["self_check"]["arithmetic"] < 1e-5


def test_a_model_of_half_precision_with_one_wide_norm_computes_as_its_code_says():
    layers = nn.Sequential(nn.Linear(4, 4).bfloat16(), NewGELUActivation(), nn.LayerNorm(4))
    assert FasterLayers(layers).said == "the model's own code"
