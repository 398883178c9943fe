"""Edits at chosen positions: one pass, and generation with and without a cache."""

import numpy as np
import pytest
import torch
import transformers

from linrep import Subspace
from linrep.hooks import CaptureError, edit, erase, swap
from linrep.models import PlainConfig, PlainTransformer, initialise, to_bridge

PROMPT = torch.tensor([[5, 6, 7], [9, 10, 11]])
NEW = 4
SITE = "blocks.0.hook_resid_post"


def generated(model, ids, *, cache=True):
    """``NEW`` greedy tokens behind ``ids``."""
    with torch.no_grad():
        if hasattr(model, "original_model"):
            return model.generate(
                ids, max_new_tokens=NEW, do_sample=False, stop_at_eos=False, verbose=False,
                use_past_kv_cache=cache,
            )  # fmt: skip
        model.generation_config.eos_token_id = None
        return model.generate(
            ids, max_new_tokens=NEW, do_sample=False, use_cache=cache, pad_token_id=0,
            attention_mask=torch.ones_like(ids),
        )  # fmt: skip


def best(model, ids):
    with torch.no_grad():
        out = model(ids)
    return (out if isinstance(out, torch.Tensor) else out.logits).argmax(-1)


def positions(rule, prompt, length):
    place = torch.arange(length)
    return {
        "all": place >= 0,
        "prompt": place < prompt,
        "generated": place >= prompt,
        "last": place == prompt - 1,
    }[rule]


def push(stream):
    return stream + 3 * torch.cos(torch.arange(32.0)).to(stream)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2", "neox"])
def test_generation_under_a_rule_equals_one_masked_pass(family, wrapped, build):
    model = build(family)
    model = to_bridge(model) if wrapped else model
    free = generated(model, PROMPT)
    for site in ("blocks.0.hook_resid_pre", "blocks.1.hook_resid_post"):
        seen = {}
        for rule in ("all", "prompt", "generated", "last"):
            with edit(model, {site: push}, where=rule):
                cached = generated(model, PROMPT)
                whole = generated(model, PROMPT, cache=False)
            assert torch.equal(cached, whole), (site, rule)
            mask = positions(rule, 3, 3 + NEW).expand(2, -1)
            with edit(model, {site: push}, where=mask):
                expected = best(model, cached)
            assert torch.equal(cached[:, 3:], expected[:, 2:-1]), (site, rule)
            seen[rule] = cached
        assert not torch.equal(seen["all"], free)
        assert not torch.equal(seen["all"], seen["prompt"])
        # The first new token is chosen before any generated position is read.
        assert torch.equal(seen["generated"][:, :4], free[:, :4])
        assert torch.equal(generated(model, PROMPT), free)


def test_each_call_of_generate_has_its_own_prompt(build):
    model = build("llama")
    seen = []

    def look(stream):
        seen.append(stream.shape[1])
        return stream

    with edit(model, {SITE: look}, where="prompt"):
        for ids in (PROMPT, PROMPT[:, :2], PROMPT):
            generated(model, ids)
            generated(model, ids, cache=False)
    assert seen == [3] + NEW * [3] + [2] + NEW * [2] + [3] + NEW * [3]
    seen.clear()
    with edit(model, {SITE: look}, where="generated"):
        generated(model, PROMPT)
        generated(model, PROMPT, cache=False)
        model(PROMPT)  # outside generate, whole inputs are prompts
    assert seen == [1] * (NEW - 1) + [1, 2, 3]


def test_a_loop_by_hand_and_a_prompt_in_chunks(build):
    model = build("llama")
    seen = []

    def look(stream):
        seen.append(stream.shape[1])
        return stream

    with torch.no_grad():
        outside = model(PROMPT, use_cache=True).past_key_values
        with edit(model, {SITE: look, "blocks.1.hook_resid_post": look}, where="generated"):
            out = model(PROMPT, use_cache=True)
            for _ in range(2):
                token = out.logits[:, -1:].argmax(-1)
                out = model(token, past_key_values=out.past_key_values, use_cache=True)
            assert seen == [1, 1, 1, 1]
            with pytest.raises(CaptureError, match="cache holds 3 positions, 5 of which"):
                model(PROMPT[:, :1], past_key_values=outside)
            seen.clear()
            model.generate(PROMPT, max_new_tokens=1, prefill_chunk_size=2, pad_token_id=0)
            assert seen == []


def test_words_of_the_plain_transformer_and_of_a_stream_of_tokens(build):
    model = initialise(PlainTransformer(PlainConfig(vocab_size=12)), seed=0)
    bridge = to_bridge(build("gpt2"))
    ids = torch.tensor([[1, 2, 3]])
    seen = []

    def look(stream):
        seen.append(stream.shape[1])
        return stream

    with edit(model, {SITE: look}, where="last"):
        model.generate(ids, max_new_tokens=3, do_sample=False, eos_token_id=None)
    assert seen == [1, 1, 1]
    seen.clear()
    with edit(bridge, {SITE: look}, where="prompt"):
        pieces = bridge.generate_stream(
            ids, max_new_tokens=3, max_tokens_per_yield=1, stop_at_eos=False, verbose=False,
            use_past_kv_cache=False,
        )  # fmt: skip
        next(pieces)
        bridge(ids[:, :2])  # a pass between two pieces
        list(pieces)
    assert sorted(set(seen)) == [2, 3]
    assert seen.count(2) == 1


def tiny(kind, **more):
    config = {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 400,
        "intermediate_size": 64, "num_key_value_heads": 1, "pad_token_id": 0, "bos_token_id": 1,
        "eos_token_id": 2, **more,
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = getattr(transformers, f"{kind}ForCausalLM")(
            getattr(transformers, f"{kind}Config")(**config)
        )
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.data.mul_(4.0)
    model.generation_config.eos_token_id = None
    return model.eval()


@pytest.mark.parametrize("rule", ["prompt", "generated", "last"])
@pytest.mark.parametrize("kind", ["Gemma2", "Llama"])
def test_every_way_to_generate_means_the_same_positions(kind, rule):
    model = tiny(kind, **({"sliding_window": 3, "head_dim": 16} if kind == "Gemma2" else {}))
    ids = torch.tensor([[5, 6, 7, 8, 9], [0, 0, 12, 13, 14]])
    real = (ids != 0).long()
    ways = [
        {"use_cache": True},
        {"use_cache": False},
        {"cache_implementation": "static"},
        {"prefill_chunk_size": 2},
    ]
    asked = {"attention_mask": real, "max_new_tokens": 4, "disable_compile": True}
    with edit(model, {SITE: push}, where=rule), torch.no_grad():
        found = [model.generate(ids, do_sample=False, **asked, **way) for way in ways]
        beams = [model.generate(ids, num_beams=2, use_cache=c, **asked) for c in (True, False)]
    assert all(torch.equal(one, found[0]) for one in found)
    assert torch.equal(*beams)
    mask = positions(rule, 5, 9).expand(2, -1)
    whole = torch.cat([real, torch.ones(2, 4, dtype=torch.long)], dim=1)
    places = (whole.cumsum(-1) - 1).clamp(min=0)
    with edit(model, {SITE: push}, where=mask), torch.no_grad():
        logits = model(found[0], attention_mask=whole, position_ids=places).logits
    assert torch.equal(logits[:, 4:-1].argmax(-1), found[0][:, 5:])


@pytest.mark.parametrize("rule", ["prompt", "generated", "last"])
def test_drafts_of_another_model_and_embeddings_as_input(rule):
    model, draft = tiny("Llama"), tiny("Llama", num_hidden_layers=1)
    ids = torch.tensor([[5, 6, 7, 8]])
    with edit(model, {SITE: push}, where=rule), torch.no_grad():
        plain = model.generate(ids, max_new_tokens=5, do_sample=False)
        drafted = model.generate(ids, max_new_tokens=5, do_sample=False, assistant_model=draft)
        given = {"inputs_embeds": model.get_input_embeddings()(ids)}
        embedded = [
            model.generate(**given, max_new_tokens=5, do_sample=False, use_cache=cache)
            for cache in (True, False)
        ]
    assert torch.equal(plain, drafted)
    assert all(torch.equal(one, plain[:, 4:]) for one in embedded)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_last_token_is_not_padding(side, build):
    model = build("llama")
    mask = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1] if side == "left" else [1, 1, 0, 0]])
    ids = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 8]])
    chosen = torch.zeros(2, 4, dtype=torch.bool)
    chosen[0, 3] = True
    chosen[1, 3 if side == "left" else 1] = True
    found = []
    for where in ("last", chosen):
        with edit(model, {SITE: push}, where=where), torch.no_grad():
            found.append(model(ids, attention_mask=mask).logits)
    assert torch.equal(*found)
    with torch.no_grad():
        assert not torch.equal(found[0], model(ids, attention_mask=mask).logits)
    square = torch.zeros(2, 1, 4, 4)
    with (
        edit(model, {SITE: push}, where="last"),
        pytest.raises(CaptureError, match="reads the ends"),
    ):
        model(ids, attention_mask=square)


@pytest.mark.parametrize("wrapped", [False, True])
def test_masks_that_do_not_fit_are_refused(wrapped, build):
    model = to_bridge(build("llama")) if wrapped else build("llama")
    one = PROMPT[:1]
    for shape in [(2, 3), (1, 1), (3, 3), (1, 4)]:
        with (
            edit(model, {SITE: push}, where=torch.ones(shape, dtype=torch.bool)),
            pytest.raises(CaptureError, match=r"mask in where has shape .*\(1, 3\)"),
        ):
            model(one)
    for ids in (one, one[:, :1]):  # a prompt of one token has the shape of every later pass
        for cache in (True, False):
            with (
                edit(model, {SITE: push}, where=torch.ones(ids.shape, dtype=torch.bool)),
                pytest.raises(CaptureError, match="under generate.. give a rule"),
            ):
                generated(model, ids, cache=cache)


def test_what_is_no_rule_and_no_mask_is_refused(build):
    model = build("gpt2")
    for where in ("prompts", [0, 2], [[0, 2]], [[0.5, 1.0]], [[True], [True, False]], object(), ""):
        with pytest.raises(CaptureError, match="where is"), edit(model, {SITE: push}, where=where):
            pass
    for where in (
        np.array([[1, 0, 1]]),
        [[1, 0, 1]],
        torch.tensor([[1, 0, 1]], dtype=torch.bfloat16),
    ):
        with edit(model, {SITE: push}, where=where):
            model(PROMPT[:1])


def test_caches_without_positions_are_refused_by_rules():
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(hidden_size=32, num_hidden_layers=2, vocab_size=16, state_size=4)
    model = MambaForCausalLM(config).eval()
    with edit(model, {SITE: push}, where="prompt"):
        generated(model, PROMPT, cache=False)
        with pytest.raises(CaptureError, match="use_cache=False"):
            generated(model, PROMPT)


@pytest.mark.parametrize("wrapped", [False, True])
def test_nothing_stays_behind(wrapped, build):
    model = to_bridge(build("gpt2")) if wrapped else build("gpt2")
    inner = model.original_model if wrapped else model

    def hooks():
        return [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in inner.modules()]

    def boom(stream):
        raise ArithmeticError("inside")

    generated(model, PROMPT)  # a bridge hangs hooks of its own on the first run
    before = hooks()
    with pytest.raises(ArithmeticError), edit(model, {SITE: boom}, where="prompt"):
        generated(model, PROMPT)
    with edit(model, {SITE: push}, where="last"), edit(model, {SITE: push}, where="prompt"):
        generated(model, PROMPT)
    assert hooks() == before
    for one in (model, inner):
        assert not {"generate", "hf_generate", "generate_stream"} & set(vars(one))


def test_training_flags_are_put_back(build):
    model = build("gpt2").train()
    with edit(model, {SITE: push}):
        pass
    assert all(module.training for module in model.modules())


def test_sources_and_means_of_any_kind(build):
    model = build("gpt2")
    half = Subspace(np.eye(32)[:, :16])
    rows = np.random.default_rng(0).integers(-8, 8, (2, 3, 32)).astype(float)  # exact in bfloat16

    def logits(source, where=None):
        with swap(model, {SITE: half}, {SITE: source}, where=where), torch.no_grad():
            return model(PROMPT).logits

    expected = logits(rows)
    for source in (
        rows.tolist(),
        torch.tensor(rows, dtype=torch.bfloat16),
        torch.tensor(rows, requires_grad=True),
        np.asfortranarray(rows),
    ):
        assert torch.equal(logits(source), expected)
    assert torch.equal(logits(rows[:, -1:], "last")[:, :2], model(PROMPT).logits[:, :2])
    with erase(model, {SITE: half}, mean={SITE: torch.ones(32, requires_grad=True).bfloat16()}):
        model(PROMPT)
    for one in (rows[0, 0], rows[:1], rows[:, :1]):  # the same for all positions or inputs
        assert torch.equal(logits(one), logits(np.broadcast_to(one, rows.shape)))


def test_sources_and_means_that_do_not_fit_are_refused(build):
    model = build("gpt2")
    half = Subspace(np.eye(32)[:, :16])
    fits = r"expected \(2, 3, 32\).*at_positions"
    for shape in [(3, 32), (6, 32), (2, 4, 32), (3, 3, 32), (2, 3, 31), (31,), (), (1, 2, 3, 32)]:
        with (
            pytest.raises(CaptureError, match=f"source at {SITE} has shape.*{fits}"),
            swap(model, {SITE: half}, {SITE: torch.zeros(shape)}),
        ):
            model(PROMPT)
    with (
        pytest.raises(CaptureError, match=rf"the mean at {SITE} has shape \(3, 32\).*{fits}"),
        erase(model, {SITE: half}, mean={SITE: np.zeros((3, 32))}),
    ):
        model(PROMPT)
    for source in ("text", [[1.0], [1.0, 2.0]], None, torch.ones(32, dtype=torch.complex64)):
        with (
            pytest.raises(CaptureError, match="source at .* real numbers; received"),
            swap(model, {SITE: half}, {SITE: source}),
        ):
            pass
    with (
        pytest.raises(CaptureError, match="needs a linrep.Subspace"),
        swap(model, {SITE: np.eye(32)}, {SITE: np.zeros(32)}),
    ):
        pass
    for eraser in (lambda rows: rows[:, :2], lambda rows: None):
        with pytest.raises(CaptureError, match="eraser"), erase(model, {SITE: eraser}):
            model(PROMPT)


def test_a_change_that_returns_no_tensor_is_refused(build):
    model = build("gpt2")
    with (
        pytest.raises(CaptureError, match="keep the shape"),
        edit(model, {SITE: lambda stream: None}),
    ):
        model(PROMPT)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_put_nowhere(wrong):
    from linrep.hooks.editing.given import numbers

    for given in (np.array([1.0, wrong]), torch.tensor([1.0, wrong]), [1.0, wrong]):
        with pytest.raises(CaptureError, match="the source holds NaN or infinite"):
            numbers("the source", given)
    assert numbers("the source", [1.0, 2.0]).tolist() == [1.0, 2.0]
