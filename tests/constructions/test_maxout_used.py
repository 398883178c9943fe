"""Whether a maxout transformer still uses what a probe reads, by exchanging it."""

import numpy as np
import pytest
import torch

from linrep.constructions import MaxoutTransformer
from linrep.piecewise import MaxoutNetwork, random_network

NET = random_network(3, [4, 3], 3, seed=5)


def after_exchange(t, claim, x, source):
    """Outputs when the claim's subspace holds the source's part on all tokens of its site."""
    basis = torch.from_numpy(claim.subspace.basis.copy())
    block, kind = claim.site.split(".")[1], claim.site[-4:]
    streams = t.activations(source, [claim.site], every_token=True)[claim.site]
    given = torch.from_numpy(streams)
    mine = torch.from_numpy(t.activations(x, [claim.site], every_token=True)[claim.site])
    move = ((given - mine) @ basis) @ basis.T
    # what is added in front of the MLP stays in the stream; hook_resid_mid is the MLP's input only
    name = f"blocks.{block}.hook_attn_out" if kind == "_mid" else f"blocks.{block}.hook_resid_post"
    with torch.no_grad():
        said = t.bridge.run_with_hooks(
            t.embed(x), fwd_hooks=[(name, lambda stream, hook: stream + move)]
        )
    return said[:, t.layout.readout_token].numpy()


@pytest.mark.parametrize("causal", [False, True])
def test_pieces_are_used_in_front_of_the_mlp_and_not_behind_it(causal):
    t = MaxoutTransformer.from_network(NET, (-1, 1), inverse_temperature=50.0, causal=causal)
    x, source = t.box.sample(40, 0), t.box.sample(40, 1)
    plain = t(x)
    for claim in t.predictions:
        gap = np.abs(after_exchange(t, claim, x, source) - plain).max()
        assert claim.used == claim.site.endswith("mid")
        assert (gap > 0.01) if claim.used else (gap < 1e-12)


def test_a_unit_that_nothing_reads_is_not_used():
    weights = [np.array(w) for w in NET.weights]
    weights[1][:, :, 2] = 0.0
    net = MaxoutNetwork(weights, NET.biases, NET.readout, NET.readout_bias)
    t = MaxoutTransformer.from_network(net, (-1, 1), inverse_temperature=50.0)
    used = {p.target for p in t.predictions if p.used}
    assert "layer 1 unit 2" not in used
    assert {"layer 1 unit 0", "layer 2 unit 1"} <= used
