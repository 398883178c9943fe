"""``resid_mid`` is what the MLP reads, wherever a block has its norms."""

import numpy as np
import pytest
import torch
import transformers

from linrep.hooks import SiteError, capture
from linrep.hooks.paths.bridge_path import BridgePath
from linrep.hooks.paths.wiring import wire
from linrep.models import to_bridge

WORDS = ["<bos>", "<pad>", "a", "b", "c"]


def opt(before, projection):
    config = transformers.OPTConfig(
        vocab_size=9, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=64,
        max_position_embeddings=32, word_embed_proj_dim=projection, do_layer_norm_before=before,
        pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.OPTForCausalLM(config).eval()
    model.config.vocabulary = WORDS
    return model


def read_by(model, part, ids):
    """What reaches this part of each block."""
    found = []

    def see(_, args):
        found.append(args[0].detach().reshape(*ids.shape, -1)[0].numpy())

    handles = [
        block.get_submodule(part).register_forward_pre_hook(see) for block in wire(model).blocks
    ]
    with torch.no_grad():
        model(ids)
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize(
    ("family", "part"),
    [
        ("bert", "intermediate"),
        ("roberta", "intermediate"),
        ("gpt2", "ln_2"),
        ("gemma2", "pre_feedforward_layernorm"),
        ("opt350m", "fc1"),
        ("opt", "final_layer_norm"),
    ],
)
def test_the_middle_is_what_the_mlp_or_its_norm_reads(family, part, build):
    model = opt(family == "opt", 16 if family == "opt350m" else 32) if "opt" in family else None
    model = build(family) if model is None else model
    model.config.vocabulary = WORDS
    acts = capture(model, [["a", "b", "c"]], "resid_mid")
    ids = torch.tensor([[0, 2, 3, 4]])
    for layer, expected in enumerate(read_by(model, part, ids)):
        # The bridge computes attention itself: float32 rounding through two blocks.
        found = acts[f"blocks.{layer}.hook_resid_mid"]
        np.testing.assert_allclose(found, expected[1:], rtol=2e-4, atol=2e-5)
    normed = set(acts.manifest["self_check"]["norms"].values())
    behind = family in ("bert", "roberta", "opt350m")
    assert normed == {"norm applied" if behind else "no norm applied"}


def test_which_blocks_norm_behind_the_mlp(build):
    assert BridgePath(to_bridge(build("bert"))).find_post_norm() == {0, 1}
    assert BridgePath(to_bridge(build("llama"))).find_post_norm() == set()


def test_a_bridge_that_does_not_run_is_refused():
    model = opt(False, 32)  # TransformerLens asks for a last norm, which this model does not have
    for asked in ({"sites": "resid_mid"}, {"path": "bridge"}):
        with pytest.raises(SiteError, match="bridge of OPTForCausalLM does not run.*resid_post"):
            capture(model, [["a", "b", "c"]], **asked)
    with pytest.raises(SiteError, match="does not run"):
        capture(to_bridge(model), [["a", "b"]], "resid_mid", check=False)
    assert capture(model, [["a", "b", "c"]]).manifest["path"]["name"] == "modules"
