"""Steering: both signs, in units of the stream's norm, and gone when the block ends."""

import numpy as np
import pytest
import torch

from linrep import Subspace, capture, edit, erase, steer
from linrep.hooks import CaptureError
from linrep.models import to_bridge

SITE, DEEP = "blocks.0.hook_resid_post", "blocks.1.hook_resid_post"
PROMPT = torch.tensor([[5, 6, 7], [9, 10, 11]])
DIRECTION = torch.cos(torch.arange(32.0))
UNIT = (DIRECTION / DIRECTION.norm()).double()


def states(model, ids=PROMPT):
    """The stream behind block 0 as it goes on from there."""
    inner = getattr(model, "original_model", model)
    found = {}
    block = inner.transformer.h[1] if hasattr(inner, "transformer") else inner.model.layers[1]
    handle = block.register_forward_pre_hook(
        lambda _, a, k: found.__setitem__("x", a[0] if a else k["hidden_states"]), with_kwargs=True
    )
    with torch.no_grad():
        model(ids)
    handle.remove()
    return found["x"].double()


def generated(model, cache):
    with torch.no_grad():
        if hasattr(model, "original_model"):
            return model.generate(
                PROMPT, max_new_tokens=4, do_sample=False, stop_at_eos=False, verbose=False,
                use_past_kv_cache=cache,
            )  # fmt: skip
        model.generation_config.eos_token_id = None
        return model.generate(
            PROMPT, max_new_tokens=4, do_sample=False, use_cache=cache, pad_token_id=0,
            attention_mask=torch.ones_like(PROMPT),
        )  # fmt: skip


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_three_operations(wrapped, build):
    model = to_bridge(build("llama")) if wrapped else build("llama")
    x = states(model)
    part = (x @ UNIT)[..., None] * UNIT
    norm = float(x.norm(dim=-1).mean())
    for strength in (-0.5, 0.5, 1.0):
        expected = {
            "add": x + strength * norm * UNIT,
            "project_out": x - strength * part,
            "clamp": x - part + strength * norm * UNIT,
        }
        for operation, right in expected.items():
            for given in (norm, {SITE: norm}, PROMPT):
                with steer(
                    model, {SITE: 7 * DIRECTION}, strength=strength, norm=given, operation=operation
                ) as steered:
                    np.testing.assert_allclose(states(steered), right, rtol=1e-5, atol=1e-5)
    assert torch.equal(states(model), x)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2", "neox"])
def test_generation_is_steered_alike_with_and_without_a_cache(family, wrapped, build):
    model = to_bridge(build(family)) if wrapped else build(family)
    free, seen = generated(model, True), []
    for strength in (-2.0, 2.0):
        for where in ("all", "prompt", "generated", "last"):
            with steer(
                model, {DEEP: DIRECTION}, strength=strength, norm=PROMPT, where=where
            ) as steered:
                cached = generated(steered, True)
                assert torch.equal(cached, generated(steered, False)), where
            seen.append(cached)
    signs = [not torch.equal(a, b) for a, b in zip(seen[:4], seen[4:], strict=True)]
    assert signs[0]
    assert not torch.equal(seen[0], free)
    assert torch.equal(generated(model, True), free)


def test_the_two_signs_move_an_output_in_opposite_ways(build):
    model = build("gpt2")
    head = model.lm_head.weight.detach()
    along = head[3] - head[4]

    def odds(strength):
        with steer(model, {DEEP: along}, strength=strength, norm=PROMPT), torch.no_grad():
            logits = model(PROMPT).logits[:, -1].double()
        return logits[:, 3] - logits[:, 4]

    assert (odds(-0.5) < odds(0)).all()
    assert (odds(0) < odds(0.5)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("where", [None, "prompt", "last"])
def test_strength_zero_changes_no_bit(where, dtype, build):
    model = build("gpt2", dtype)
    with torch.no_grad():
        free = model(PROMPT).logits
        for operation in ("add", "project_out"):
            for zero in (0, -0.0, {SITE: 0.0, DEEP: torch.zeros(())}):
                with steer(
                    model, {SITE: DIRECTION, DEEP: DIRECTION}, strength=zero, norm=3.0,
                    operation=operation, where=where,
                ):  # fmt: skip
                    assert torch.equal(model(PROMPT).logits, free)


def test_projecting_out_is_erasing_and_a_capture_measures_the_norm(build, tokenizer, sentences):
    model, tok = build("gpt2"), tokenizer("byte", ("<s>", None))
    acts = capture(model, sentences, tokenizer=tok)
    norm = np.linalg.norm(acts[SITE][acts.kept], axis=1).mean()
    for operation, given in (("add", acts), ("clamp", acts)):
        found = []
        for one in (given, float(norm)):
            with steer(model, {SITE: DIRECTION}, strength=1, norm=one, operation=operation):
                found.append(states(model))
        np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-5)
    with steer(model, {SITE: DIRECTION}, strength=1, operation="project_out"):
        out = states(model)
    with erase(model, {SITE: Subspace(DIRECTION[:, None].numpy())}):
        np.testing.assert_allclose(out, states(model), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("wrapped", [False, True])
def test_nothing_stays_behind_an_exception(wrapped, build):
    model = to_bridge(build("gpt2")) if wrapped else build("gpt2")
    inner = model.original_model if wrapped else model
    free = generated(model, True)
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in inner.modules()]

    def boom(stream):
        raise ArithmeticError("inside")

    for other in (boom, torch.zeros_like):
        with (
            pytest.raises(ArithmeticError),
            steer(model, {SITE: DIRECTION}, strength=1, norm=PROMPT, where="prompt"),
            edit(model, {DEEP: other}),
        ):
            boom(generated(model, True))
    with (
        pytest.raises(CaptureError, match="d_model 4"),
        steer(model, {SITE: torch.ones(4)}, strength=1, norm=1.0),
    ):
        generated(model, True)
    after = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in inner.modules()]
    assert after == hooks
    assert torch.equal(generated(model, True), free)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"operation": "push"}, "operation is one of add, project_out, clamp"),
        ({"directions": {SITE: torch.zeros(32)}}, "length above 0"),
        ({"directions": {SITE: torch.eye(32)}}, "is a vector"),
        ({"directions": {SITE: torch.full((32,), torch.nan)}}, "holds NaN or infinite"),
        ({"directions": {SITE: Subspace(np.eye(32)[:, :1])}}, "sign is arbitrary"),
        ({"strength": float("nan")}, "finite number"),
        ({"strength": {DEEP: 1.0}}, "strength at .* real numbers"),
        ({"norm": None}, "give norm"),
        ({"norm": 0.0}, "above 0"),
        ({"norm": {SITE: -1.0}}, "above 0"),
        ({"norm": np.ones((3, 32))}, "measured on token ids"),
        ({"norm": [1.0, 2.0]}, "norm is a finite number"),
        ({"where": "prompts"}, "where is one of"),
        ({"directions": {"blocks.0.hook_resid_mid": DIRECTION}}, "cannot be edited"),
    ],
)
def test_what_cannot_steer_is_refused(given, message, build):
    asked = {"directions": {SITE: DIRECTION}, "strength": 1.0, "norm": 1.0, **given}
    with (
        pytest.raises(CaptureError, match=message),
        steer(build("gpt2"), asked.pop("directions"), **asked),
    ):
        pass
