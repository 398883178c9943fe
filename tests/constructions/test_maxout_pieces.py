"""Active pieces: where theory says they are, through attention, probes and interventions."""

import numpy as np
import pytest
import torch

from linrep.constructions import (
    MaxoutError,
    MaxoutTransformer,
    PointCorpus,
    SoftNetwork,
    choose_piece,
    confident_bracket,
    interchange,
    n_confident,
    n_resolved,
    signed_bound,
    soft_interchange,
)
from linrep.hooks import Activations
from linrep.models import random_twin
from linrep.piecewise import (
    MaxoutNetwork,
    Plane,
    random_network,
    regions_in_plane,
    regions_on_segment,
    tent,
)
from linrep.probes import LinearProbe, probe

NET = random_network(3, [5, 4, 3], [[2, 3, 2, 4, 1], [3, 2, 2, 3], [2, 3, 2]], seed=7)


def piece_error(net, lam):
    """Largest error of any piece of any layer, from the signed bound of the layers below."""
    worst = 0.0
    for depth in range(1, net.depth):
        above = net.layers[depth]
        below = MaxoutNetwork(
            net.weights[:depth], net.biases[:depth], above.weight.reshape(-1, above.n_inputs)
        )
        worst = max(worst, float(np.abs(signed_bound(below, lam[:depth])).max()))
    return worst


@pytest.mark.parametrize("causal", [False, True])
def test_attention_points_at_the_active_piece(causal):
    t = MaxoutTransformer.from_network(NET, (-1, 1), inverse_temperature=200.0, causal=causal)
    x = t.box.sample(1500, 0)
    chosen = [weights.argmax(-1) for weights in t.attention(x)]
    soft = [weights.argmax(-1) for weights in t.soft.weights(x)]
    exact = NET.pattern(x)
    clear = NET.margin(x) > 2 * piece_error(NET, t.inverse_temperatures)
    assert clear.mean() > 0.3
    for mine, softly, exactly in zip(chosen, soft, exact, strict=True):
        assert np.array_equal(mine, softly)  # always the soft network's own piece
        assert np.array_equal(mine[clear], exactly[clear])
        assert (mine == exactly).mean() > 0.98
    blurred = MaxoutTransformer.from_network(NET, (-1, 1), inverse_temperature=0.5, causal=causal)
    found = np.concatenate([w.argmax(-1) for w in blurred.attention(x)], axis=1)
    assert (found == np.concatenate(exact, axis=1)).mean() < 0.98  # a soft network errs


def test_the_z_slot_holds_the_logits_of_the_piece():
    t = MaxoutTransformer.from_network(NET, (-1, 1), inverse_temperature=100.0)
    x = t.box.sample(300, 1)
    soft = SoftNetwork(NET, t.inverse_temperatures)
    below = [x, *soft.hidden(x)]
    for number, layer in enumerate(NET.layers, 1):
        site = f"blocks.{number - 1}.hook_resid_post"
        stream = t.activations(x, [site], every_token=True)[site]
        z = stream[:, :, t.layout.z(0) : t.layout.z(0) + layer.width].transpose(0, 2, 1)
        expected = layer.pieces(below[number - 1])
        live = np.isfinite(expected[0])
        assert np.allclose(z[..., : layer.rank][:, live], expected[:, live], atol=1e-12)
        assert not z[..., : layer.rank][:, ~live].any()


@pytest.mark.parametrize("causal", [False, True])
def test_the_predicted_readers_read_the_piece(causal):
    t = MaxoutTransformer.from_network(NET, (-1, 1), inverse_temperature=500.0, causal=causal)
    x = t.box.sample(1000, 2)
    targets = t.targets(x)
    assert len(t.readouts) == 11  # twelve units, one of rank 1
    for readout in t.readouts:
        read = readout(t.activations(x, [readout.site])[readout.site]).astype(str)
        assert (read == targets[readout.target]).mean() > 0.99
    assert {p.target for p in t.predictions} == {r.target for r in t.readouts}
    for prediction in t.predictions:
        assert prediction.subspace.kind == "readout"
        assert prediction.rank == prediction.subspace.dim


def test_probe_weights_differ_along_the_predicted_directions():
    net = random_network(4, [6, 6], 3, seed=1)
    t = MaxoutTransformer.from_network(net, (-1, 1), inverse_temperature=1000.0, causal=True)
    x = t.box.sample(4000, 0)
    targets, cosines = t.targets(x), []
    for readout in t.readouts:
        labels = targets[readout.target]
        classes, counts = np.unique(labels, return_counts=True)
        if len(classes) < 2 or counts.min() < 200:  # 5 %: rarer pieces have no stable direction
            continue
        acts = t.activations(x, [readout.site])[readout.site][:, :6]  # X; the rest is constant
        fitted = LinearProbe(C=1e4, standardize=False).fit(acts, labels)
        weights = (
            fitted.coef_
            if len(fitted.coef_) > 1
            else np.stack([0 * fitted.coef_[0], fitted.coef_[0]])
        )
        for (j, k), direction in readout.differences.items():
            if str(j) in classes and str(k) in classes:
                row = {c: i for i, c in enumerate(classes)}
                found = weights[row[str(j)]] - weights[row[str(k)]]
                norms = np.linalg.norm(found) * np.linalg.norm(direction)
                cosines.append(found @ direction[:6] / norms)
        assert fitted.score(acts, labels) > 0.99
    assert len(cosines) >= 10
    assert min(cosines) > 0.99
    assert np.median(cosines) > 0.999


@pytest.fixture(scope="module")
def staircase():
    """The ordinary pipeline on the tent: activations, probes, controls, a random twin."""
    depth = 5
    t = MaxoutTransformer.from_network(tent(depth), (0, 1), inverse_temperature=1e3, causal=True)
    x = t.box.sample(2000, 0)
    corpus = PointCorpus(x)
    sites = [f"blocks.{n}.hook_resid_mid" for n in range(depth + 1)]
    twin = MaxoutTransformer(random_twin(t.model, seed=3), t.layout, t.box)
    acts, random_acts = (
        Activations.from_arrays(model.activations(x, sites), corpus) for model in (t, twin)
    )
    targets = t.targets(x)
    rng = np.random.default_rng(0)
    targets |= {f"shuffled {name}": rng.permutation(labels) for name, labels in targets.items()}
    results = probe(
        acts,
        corpus,
        targets=targets,
        controls=("shuffled", "random_weights"),
        random_weights=random_acts,
        permutations=100,
        bootstrap=0,
    )
    return depth, results


def test_the_tent_is_a_staircase(staircase):
    """Layer l's piece is linear in the stream at site l - 1, and nowhere else."""
    depth, results = staircase
    for layer in range(1, depth + 1):
        for site in range(depth + 1):
            score = results.score(f"blocks.{site}.hook_resid_mid", f"layer {layer} unit 0")
            if site == layer - 1:
                assert score.accuracy > 0.985
                assert score.q < 0.1
            else:  # an affine question is one threshold on alternating intervals: 3/4 at most
                assert score.accuracy < 0.75


def test_controls_are_at_chance(staircase):
    depth, results = staircase
    for layer in range(1, depth + 1):
        for site in range(depth + 1):
            name = f"blocks.{site}.hook_resid_mid"
            shuffled = results.score(name, f"shuffled layer {layer} unit 0")
            # 400 test points: four standard errors of a fair coin
            assert abs(shuffled.accuracy - 0.5) < 4 * 0.5 / np.sqrt(400)
        # Random weights keep the input, and random neurons bend it a little: layers 1 to 3 are
        # easy functions of one number. From layer 4 on nothing is found.
        if layer >= 4:
            own = results.score(f"blocks.{layer - 1}.hook_resid_mid", f"layer {layer} unit 0")
            assert own.random_weights < 0.65


@pytest.mark.parametrize("causal", [False, True])
def test_interchange_is_exact(causal):
    t = MaxoutTransformer.from_network(NET, (-1, 1), inverse_temperature=30.0, causal=causal)
    x, source = t.box.sample(64, 0), t.box.sample(64, 1)
    effects = []
    for layer, width in enumerate(NET.widths, 1):
        for unit in {0, width - 1}:
            changed = interchange(t, x, source, layer, unit)
            assert np.abs(changed - soft_interchange(t, x, source, layer, unit)).max() <= 1e-13
            effects.append(np.abs(changed - t(x)).mean())
    assert max(effects) > 0.02  # the intervention does something
    same = interchange(t, x, x, 1, 0)
    assert np.abs(same - t(x)).max() <= 1e-14


@pytest.mark.parametrize("causal", [False, True])
def test_a_chosen_piece_is_that_piece_exactly(causal):
    t = MaxoutTransformer.from_network(NET, (-1, 1), inverse_temperature=30.0, causal=causal)
    x = t.box.sample(64, 0)
    soft, layer, unit = t.soft, 2, 0
    hidden = soft.hidden(x)
    pieces = NET.layers[layer - 1].pieces(hidden[layer - 2])
    for piece in range(3):
        forced = hidden[layer - 1].copy()
        forced[:, unit] = pieces[:, unit, piece]
        found = choose_piece(t, x, layer, unit, piece)
        assert np.abs(found - soft.resume(forced, layer)).max() <= 1e-13


def test_a_zeroed_head_leaves_the_old_value():
    t = MaxoutTransformer.from_network(NET, (-1, 1), inverse_temperature=30.0)
    x, unit = t.box.sample(32, 0), 1
    hidden = t.soft.hidden(x)
    kept = hidden[1].copy()
    kept[:, unit] = hidden[0][:, unit]  # the value is Z - X, so without it X stays

    def zero(z, hook):
        z = z.clone().view(*z.shape[:2], t.layout.units, -1)
        z[:, :, unit] = 0.0
        return z.flatten(2)

    with torch.no_grad():
        out = t.to_bridge().run_with_hooks(t.embed(x), fwd_hooks=[("blocks.2.attn.hook_z", zero)])
    assert np.abs(out[:, 0].numpy() - t.soft.resume(kept, 2)).max() <= 1e-13


def test_units_that_do_not_exist_are_refused():
    t = MaxoutTransformer.from_network(tent(2), (0, 1))
    x = np.array([[0.3]])
    with pytest.raises(MaxoutError, match="no unit 1 in layer 1"):
        interchange(t, x, x, 1, 1)
    with pytest.raises(MaxoutError, match="no unit 0 in layer 3"):
        interchange(t, x, x, 3, 0)
    with pytest.raises(MaxoutError, match="1 inputs and 2 sources"):
        interchange(t, x, np.array([[0.1], [0.2]]), 1, 0)
    with pytest.raises(MaxoutError, match=r"pieces 0\.\.1; received 2"):
        choose_piece(t, x, 1, 0, 2)


def test_resolved_cells_rise_to_the_exact_count():
    net = random_network(2, [8, 8], 3, seed=0)
    regions = regions_in_plane(net, (-2, 2))
    found = [n_resolved(SoftNetwork(net, (lam, lam)), regions) for lam in (1e1, 1e2, 1e3, 1e4, 1e6)]
    assert found == sorted(found)
    assert found[0] < 0.2 * regions.n_cells
    assert found[-1] == regions.n_cells


def test_resolved_cells_of_a_slice():
    net = random_network(4, [5, 5], 2, seed=1)
    regions = regions_in_plane(
        net, Plane(np.zeros(4), *np.random.default_rng(0).normal(size=(2, 4)))
    )
    assert n_resolved(SoftNetwork(net, (1e7, 1e7)), regions) == regions.n_cells


@pytest.mark.parametrize("rank", [2, 3, 4])
def test_confident_points_lie_in_the_bracket_of_their_margins(rank):
    net = random_network(2, [9], rank, seed=rank)  # one layer: no blur from layers below
    x = regions_in_plane(net, (-2, 2)).centres
    for lam in (3.0, 10.0, 100.0):
        least, most = confident_bracket(net, x, lam, 0.01)
        assert least <= n_confident(SoftNetwork(net, (lam,)), x, 0.01) <= most
        if rank == 2:
            assert least == most


def test_the_soft_tent_keeps_its_laps():
    lam, depth = 10.0, 6
    x = np.linspace(0, 1, 20_001)
    y = SoftNetwork(tent(1), (lam,))(x[:, None])[:, 0]
    assert np.allclose(y, 1 - np.abs(2 * x - 1) * np.tanh(lam * np.abs(2 * x - 1)), atol=1e-14)
    deep = SoftNetwork(tent(depth), (lam,) * depth)(x[:, None])[:, 0]
    turns = np.count_nonzero(np.diff(np.sign(np.diff(deep))))
    assert turns + 1 == 2**depth == regions_on_segment(tent(depth), 0, 1).n_cells


def test_hardmax_cells_are_counted_on_the_network_read_back():
    t = MaxoutTransformer.from_network(random_network(2, [6, 5], 3, seed=4), (-1, 1))
    counts = regions_in_plane(t.to_maxout(), (-1, 1)).counts
    x = t.box.sample(5000, 0)
    patterns = np.unique(np.concatenate(t.to_maxout().pattern(x), axis=1), axis=0)
    assert len(patterns) <= counts.cells  # points meet most cells, never more
    assert len(patterns) > 0.5 * counts.cells
