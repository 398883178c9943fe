"""Maxout transformers: equal to the soft recursion, to the network, within the bound, saved."""

import json

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModel

from linrep.constructions import MaxoutError, MaxoutTransformer, choose_piece, inverse_temperatures
from linrep.piecewise import (
    Box,
    BoxError,
    MaxoutNetwork,
    freudenthal,
    from_cpwl,
    from_max_min,
    mcshane,
    random_network,
    regions_in_plane,
    tent,
    zigzag,
)

MIXED = [[2, 3, 1, 2], [3, 1, 2], [4, 2]]
ABSOLUTE = MaxoutNetwork([[[[1.0], [-1.0]]]], [[[0.0, 0.0]]], [[1.0]])
BOX = (-1.0, 1.0)


def softly(net, lam, x):
    """The soft recursion, one point and one unit at a time."""
    h = np.array(x, dtype=float)
    for layer, rate, ranks in zip(net.layers, lam, net.ranks, strict=True):
        soft = []
        for u, rank in enumerate(ranks):
            z = layer.weight[u, :rank] @ h + layer.bias[u, :rank]
            a = np.exp(rate * (z - z.max()))
            soft.append((a * z).sum() / a.sum())
        h = np.array(soft)
    return net.affine[0] @ h + net.affine[1]


def networks(count):
    """Random networks of many shapes, the first one wider inside than outside and so on."""
    rng = np.random.default_rng(0)
    for seed in range(count):
        widths = rng.integers(1, 6, size=rng.integers(1, 4))
        ranks = [rng.integers(1, 5, size=n).tolist() for n in widths]
        yield random_network(
            int(rng.integers(1, 5)), widths.tolist(), ranks, int(rng.integers(1, 3)), seed=seed
        )


@pytest.mark.parametrize("causal", [False, True])
def test_the_transformer_is_the_soft_recursion(causal):
    worst = single = 0.0
    for seed, net in enumerate(networks(25)):
        t = MaxoutTransformer.from_network(net, (-1, 2), eps=0.02, causal=causal)
        x = t.box.sample(40, seed)
        expected = np.array([softly(net, t.inverse_temperatures, p) for p in x])
        worst = max(worst, np.abs(t(x) - expected).max())
        assert np.allclose(t.soft(x), expected, rtol=0, atol=1e-13)  # the fast twin of `softly`
        half = MaxoutTransformer.from_network(
            net, (-1, 2), eps=0.02, causal=causal, dtype=torch.float32
        )
        expected = half.soft(x)  # with the weights as they were rounded
        single = max(single, np.abs(half(x) - expected).max() / max(1, np.abs(expected).max()))
    assert worst <= 1e-10
    assert single <= 1e-5


@pytest.mark.parametrize("causal", [False, True])
def test_hardmax_attention_is_the_network(causal):
    for seed, net in enumerate(networks(25)):
        t = MaxoutTransformer.from_network(net, (-1, 1), eps=0.1, causal=causal)
        x = np.concatenate([t.box.sample(40, seed), np.zeros((1, net.n_inputs))])
        assert np.abs(t(x, hardmax=True) - net(x)).max() <= 1e-10
        assert np.abs(t(x) - net(x)).max() <= 0.1  # and soft attention was restored
    ties = MaxoutTransformer.from_network(ABSOLUTE, (-1, 1), causal=causal)
    assert ties([[0.0]], hardmax=True).tolist() == [[0.0]]


@pytest.mark.parametrize("causal", [False, True])
def test_the_network_is_read_back_to_the_bit(causal):
    for seed, net in enumerate(networks(20)):
        back = MaxoutTransformer.from_network(net, (-1, 1), causal=causal).to_maxout()
        assert back.ranks == net.ranks
        mine, theirs = net.to_arrays(), back.to_arrays()
        assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
        if net.n_inputs == 2:
            counts = [regions_in_plane(n, (-1, 1)).counts for n in (net, back)]
            assert counts[0] == counts[1]
        del seed
    half = MaxoutTransformer.from_network(
        tent(2), (0, 1), inverse_temperature=10.0, causal=causal, dtype=torch.bfloat16
    )
    assert half.to_maxout()([[0.25]]).tolist() == [[1.0]]  # small integers survive any format


def test_a_relu_network_becomes_its_silu_form():
    generator = torch.Generator().manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
    module = module.double()
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 2
    lam = 7.0
    t = MaxoutTransformer.from_network(
        MaxoutNetwork.from_torch(module), (-1, 1), inverse_temperature=lam
    )
    x = torch.from_numpy(t.box.sample(500, 0))
    h = x
    for layer in module:
        h = h * torch.sigmoid(lam * h) if isinstance(layer, nn.ReLU) else layer(h)
    assert (t(x) - h).abs().max() <= 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_mixed_ranks_use_their_own_pieces_only(seed):
    net = random_network(2, [4, 3, 2], MIXED, seed=seed)
    t = MaxoutTransformer.from_network(net, (-1, 1), inverse_temperature=3.0)
    for weights, ranks in zip(t.attention(t.box.sample(20, seed)), net.ranks, strict=True):
        for unit, rank in enumerate(ranks):
            assert (weights[:, unit, rank:] == 0.0).all()  # exactly: padding underflows
            assert np.allclose(weights[:, unit, :rank].sum(-1), 1.0, atol=1e-14)


def test_a_large_gate_costs_no_precision():
    net = random_network(2, [4, 4], 3, seed=0)
    x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    near = MaxoutTransformer.from_network(net, (-1, 1), inverse_temperature=20.0)
    far = MaxoutTransformer.from_network(net, (-1e6, 1e6), inverse_temperature=20.0)
    assert np.abs(near(x) - far(x)).max() <= 1e-14  # gates a million times larger


def test_inputs_outside_the_box_are_an_error_by_default():
    t = MaxoutTransformer.from_network(tent(2), (0, 1))
    with pytest.raises(BoxError, match="1 of 2 inputs lie outside the box, first in row 1"):
        t([[0.5], [1.5]])
    with pytest.raises(BoxError, match="1 of 1 inputs are NaN"):
        t(torch.tensor([[float("nan")]], dtype=torch.float64))
    allowed = t([[1.5]], outside="allow")  # gates have room: still the network
    assert np.abs(allowed - tent(2)([[1.5]])).max() <= 1e-3


def test_tensors_come_back_as_tensors_with_gradients():
    t = MaxoutTransformer.from_network(random_network(2, [3, 3], 3, seed=1), (-1, 1), eps=0.05)
    x = torch.tensor([[0.2, -0.3], [0.5, 0.1]], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(t(x).sum(), x)
    assert np.allclose(slope.numpy(), t.soft.jacobian(x.detach().numpy())[:, 0], atol=1e-12)
    assert t(np.empty((0, 2))).shape == (0, 1)


@pytest.mark.parametrize("causal", [False, True])
def test_a_saved_folder_is_an_ordinary_model(tmp_path, causal):
    net = random_network(3, [4, 3, 2], MIXED, 2, seed=4)
    t = MaxoutTransformer.from_network(net, ([-1, 0, 0], [1, 2, 3]), eps=0.01, causal=causal)
    t.save_pretrained(tmp_path)
    x = t.box.sample(30, 0)
    again = MaxoutTransformer.from_pretrained(tmp_path)
    assert np.array_equal(again(x), t(x))
    assert again.layout == t.layout
    assert np.array_equal(again.box.ends, t.box.ends)
    plain = AutoModel.from_pretrained(tmp_path)
    logits = plain(inputs_embeds=t.embed(x)).logits[:, t.layout.readout_token]
    assert np.array_equal(logits.detach().numpy(), t(x))
    del plain.config.linrep["construction"]
    plain.save_pretrained(tmp_path / "other")
    with pytest.raises(MaxoutError, match="no maxout transformer"):
        MaxoutTransformer.from_pretrained(tmp_path / "other")


@pytest.mark.parametrize("causal", [False, True])
def test_the_bridge_sees_the_same_numbers(causal):
    t = MaxoutTransformer.from_network(zigzag(3, 2), (0, 1), eps=0.01, causal=causal)
    x = t.box.sample(20, 0)
    with torch.no_grad():
        logits = t.to_bridge()(t.embed(x))
    assert np.array_equal(logits[:, t.layout.readout_token].numpy(), t(x))
    last = t.activations(x, ["blocks.2.hook_resid_post"])["blocks.2.hook_resid_post"]
    hidden = t.soft.hidden(x)
    assert np.allclose(last[:, :2], hidden[-1], atol=1e-13)
    middle = t.activations(x, ["blocks.1.hook_resid_mid"], every_token=True)
    stream = middle["blocks.1.hook_resid_mid"]
    assert stream.shape == (20, t.layout.tokens, t.layout.d_model)
    if not causal:  # X is the same on all tokens
        assert np.allclose(stream[:, :, :2], hidden[0][:, None], atol=1e-13)


@pytest.mark.parametrize("causal", [False, True])
def test_accounting_is_the_formula(causal):
    for net in networks(15):
        sizes = MaxoutTransformer.from_network(net, (-1, 1), causal=causal).accounting()
        for name, (measured, formula) in vars(sizes).items():
            assert measured == formula, name
    frame = sizes.to_frame()
    assert (frame.measured == frame.formula).all()


def test_accounting_of_uniform_networks_is_the_theorems():
    n0, n, depth, p, out = 3, 5, 4, 4, 2
    sizes = MaxoutTransformer.from_network(
        random_network(n0, [n] * depth, p, out), (-1, 1)
    ).accounting()
    below = [n0] + [n] * (depth - 1)
    nonzero = sum(2 * n * p * (m + (i > 0) + p + 1) + 5 * n for i, m in enumerate(below)) + (
        n0 + p + n * out + out
    )
    assert sizes.nonzero == (nonzero, nonzero)
    assert sizes.maxout[0] == sum(n * p * (m + 1) for m in below) + out * (n + 1)
    assert (sizes.tokens[0], sizes.heads[0], sizes.d_model[0]) == (p, n, 2 * n + p)
    assert (sizes.hidden[0], sizes.blocks[0]) == (2 * n * p, depth + 1)
    small, large = (
        MaxoutTransformer.from_network(random_network(8, [w] * 3, 2), (-1, 1)).accounting()
        for w in (16, 64)
    )
    assert 2 < large.nonzero_ratio < small.nonzero_ratio  # tends to 2
    tight = MaxoutTransformer.from_network(tent(3), (0, 1), eps=1e-6).accounting()
    loose = MaxoutTransformer.from_network(tent(3), (0, 1), eps=1e-1).accounting()
    assert tight == loose  # the size does not depend on the error


@pytest.mark.parametrize(
    "net",
    [
        from_cpwl([-1, -0.2, 0.3, 1], [0.5, -1, 2, 0]),
        from_max_min([([[1.0, 2.0], [0.0, 1.0]], [0.0, 0.5]), ([[-1.0, 0.0]], [0.2])]),
        zigzag(4, 2),
    ],
)
def test_constructed_functions_stay_within_eps(net):
    box = Box(np.full(net.n_inputs, -1.0), np.full(net.n_inputs, 1.0))
    t = MaxoutTransformer.from_network(net, box, eps=1e-3)
    x = box.sample(3000, 0)
    assert np.abs(t(x) - net(x)).max() <= 1e-3
    assert t.error_bound() == pytest.approx(1e-3, rel=1e-12)


@pytest.mark.parametrize("build", [mcshane, freudenthal])
def test_universal_approximation_within_the_sum_of_bounds(build):
    def wave(x):
        return np.sin(3 * x[:, 0]) * np.cos(2 * x[:, 1])

    # 5 bounds the l1 norm of the gradient, 15 the spectral norm of the Hessian
    made = build(wave, ([0, 0], [1, 1]), 4, 5.0 if build is mcshane else 15.0)
    t = MaxoutTransformer.from_network(made.network, made.box, eps=0.01)
    x = made.box.sample(300, 0)
    assert np.abs(t(x)[:, 0] - wave(x)).max() <= made.error_bound + 0.01
    # below the function by construction, and soft maxima only lower it
    if build is mcshane:
        assert (t(x)[:, 0] <= wave(x) + 0.01).all()


def test_overflowing_temperatures_are_refused_with_the_largest_allowed():
    with pytest.raises(MaxoutError, match="overflows attention scores in torch.float16") as caught:
        MaxoutTransformer.from_network(ABSOLUTE, BOX, inverse_temperature=1e6, dtype=torch.float16)
    largest = float(str(caught.value).split("largest allowed is ")[1].split(":")[0])
    with pytest.warns(UserWarning, match="below the rounding"):
        t = MaxoutTransformer.from_network(
            ABSOLUTE, (-1, 1), inverse_temperature=0.99 * largest, dtype=torch.float16
        )
    assert np.isfinite(t([[1.0], [-1.0], [0.0]])).all()
    mixed = random_network(2, [3], [[1, 2, 4]], seed=0)  # padded keys reach further down
    with pytest.raises(MaxoutError, match="overflows") as caught:
        MaxoutTransformer.from_network(mixed, (-1, 1), inverse_temperature=1e6, dtype=torch.float16)
    largest = float(str(caught.value).split("largest allowed is ")[1].split(":")[0])
    with pytest.warns(UserWarning, match="below the rounding"):
        t = MaxoutTransformer.from_network(
            mixed, (-1, 1), inverse_temperature=0.99 * largest, dtype=torch.float16
        )
    assert np.isfinite(t(t.box.sample(50, 0))).all()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_temperatures_too_small_for_the_dtype_are_refused_with_the_smallest_allowed(dtype, causal):
    # Keys of absent pieces go down by 1000 / lam: too far for the dtype they would be infinite,
    # and infinity times 0 on the other tokens is NaN.
    mixed = random_network(2, [3, 3], [[1, 2, 4], [2, 3, 1]], seed=0)
    make = {"box": BOX, "dtype": dtype, "causal": causal}
    with pytest.raises(MaxoutError, match=f"too small for {dtype}") as caught:
        MaxoutTransformer.from_network(mixed, inverse_temperature=1e-307, **make)
    smallest = float(str(caught.value).split("smallest allowed is ")[1].split(":")[0])
    t = MaxoutTransformer.from_network(mixed, inverse_temperature=1.01 * smallest, **make)
    x = t.box.sample(50, 0)
    scale = 1 + np.abs(t.soft(x)).max()  # values of order 1, a few dozen roundings
    assert np.abs(t(x) - t.soft(x)).max() <= 30 * torch.finfo(dtype).eps * scale


@pytest.mark.parametrize("split", ["uniform", "split", "sqrt"])
def test_layers_that_need_no_maximum_get_a_temperature_like_the_others(split):
    net = random_network(2, [3, 2, 3], [[2, 3, 1], [1, 1], [2, 2, 2]], seed=1)
    lam = inverse_temperatures(net, 1e-2, split)
    assert max(lam) == lam[1]  # the rank 1 layer: any will do
    assert max(lam) == max(lam[0], lam[2])
    t = MaxoutTransformer.from_network(net, BOX, eps=1e-2, split=split)
    x = t.box.sample(100, 0)
    assert np.abs(t(x) - net(x)).max() <= 1e-2


def test_softness_below_rounding_warns():
    with pytest.warns(UserWarning, match="below the rounding of torch.float32"):
        MaxoutTransformer.from_network(
            ABSOLUTE, (-1, 1), inverse_temperature=1e8, dtype=torch.float32
        )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"eps": 0.0}, MaxoutError, "positive error"),
        ({"eps": float("nan")}, MaxoutError, "positive error"),
        ({"eps": 1e-320}, MaxoutError, "beyond float64"),
        ({"eps": 0.1, "inverse_temperature": 3.0}, MaxoutError, "not both"),
        ({"inverse_temperature": float("nan")}, MaxoutError, "positive and finite"),
        ({"dtype": torch.complex64}, MaxoutError, "one of .* received torch.complex64"),
        ({"dtype": torch.int32}, MaxoutError, "one of .* received torch.int32"),
        ({"inverse_temperature": -1.0}, MaxoutError, "positive and finite; layer 1 received -1.0"),
        ({"inverse_temperature": [1.0]}, MaxoutError, "2 layers and 1 inverse temperatures"),
        ({"eps": 0.1, "split": "half"}, MaxoutError, "split is one of"),
        ({"box": (1, 0)}, BoxError, "inverted"),
        ({"box": ([0, 0], [1, 1])}, BoxError, "2 coordinates and the network 1 inputs"),
        ({"box": (-1e300, 1e300), "dtype": torch.float32}, MaxoutError, "float32"),
    ],
)
def test_bad_constructions_are_refused(arguments, error, message):
    arguments = {"box": (0, 1)} | arguments
    with pytest.raises(error, match=message):
        MaxoutTransformer.from_network(tent(2), **arguments)


def test_inputs_of_another_shape_are_refused():
    t = MaxoutTransformer.from_network(tent(2), (0, 1))
    with pytest.raises(MaxoutError, match=r"\[point, 1\]; received \(2,\)"):
        t([0.1, 0.2])
    with pytest.raises(MaxoutError, match=r"\[point, 1\]; received \(1, 2\)"):
        t.embed([[0.1, 0.2]])
    with pytest.raises(MaxoutError, match="rows of equal length"):
        t([[0.1], [0.2, 0.3]])
    with pytest.raises(MaxoutError, match="no site 'blocks.9.hook_resid_mid'"):
        t.activations([[0.1]], ["blocks.9.hook_resid_mid"])


def test_no_inputs_have_no_activations():
    t = MaxoutTransformer.from_network(zigzag(2, 2), (0, 1))
    none = np.empty((0, 1))
    assert t(none).shape == (0, 1)
    assert [weights.shape for weights in t.attention(none)] == [(0, 2, 2), (0, 2, 2)]
    site = "blocks.1.hook_resid_mid"
    assert t.activations(none, [site])[site].shape == (0, t.layout.d_model)


def test_folders_without_a_maxout_transformer_are_refused_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    for name, message in (("none", "nothing is there"), ("file", "a file is there")):
        with pytest.raises(MaxoutError, match=f"{message}; give the folder that"):
            MaxoutTransformer.from_pretrained(tmp_path / name)
    with pytest.raises(MaxoutError, match="no config.json: give the folder"):
        MaxoutTransformer.from_pretrained(tmp_path)
    t = MaxoutTransformer.from_network(tent(1), (0, 1))
    t.save_pretrained(tmp_path / "model")
    assert np.array_equal(
        MaxoutTransformer.from_pretrained(tmp_path / "model")([[0.3]]), t([[0.3]])
    )
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(MaxoutError, match="no maxout transformer in"):
        MaxoutTransformer.from_pretrained(tmp_path / "model")


def test_one_bridge_serves_all_runs_and_keeps_no_hook():
    t = MaxoutTransformer.from_network(random_network(2, [3, 2], 3, seed=0), (-1, 1))
    x = t.box.sample(5, 0)
    before = [w.copy() for w in t.attention(x)]
    bridge = t.bridge
    changed = choose_piece(t, x, 1, 0, 2)
    assert not np.array_equal(changed, t(x))
    assert t.bridge is bridge
    assert all(np.array_equal(a, b) for a, b in zip(before, t.attention(x), strict=True))
    assert t.to_bridge() is not bridge  # what a caller may change is theirs


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda noted: noted.pop("box"), "box: Field required"),
        (lambda noted: noted.update(box=[[0.0], ["x"]]), r"box\.1\.0: Input should be a valid num"),
        (lambda noted: noted.update(box=[[0.0, 0.0], [1.0, 1.0]]), "its box has 2 inputs"),
        (lambda noted: noted.update(box=[[1.0], [0.0]]), "empty or inverted"),
        (lambda noted: noted.update(layout=[1]), "layout: Input should be a valid dict"),
        (lambda noted: noted["layout"].update(n_inputs=10**9), r"layout\.n_inputs: Input should"),
        (lambda noted: noted["layout"].update(n_inputs=3), "makes hidden_size"),
        (lambda noted: noted["layout"].update(n_outputs=2), "other outputs"),
        (lambda noted: noted["layout"].update(causal=True), "makes hidden_size|another mask"),
        (lambda noted: noted["layout"].update(ranks=[[2, 2], [2]]), "one rank for each unit"),
    ],
)
def test_layouts_from_anywhere_are_read_by_schema(tmp_path, change, message):
    MaxoutTransformer.from_network(tent(2), (0, 1)).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    settings = json.loads(file.read_text())
    change(settings["linrep"])
    file.write_text(json.dumps(settings))
    with pytest.raises(
        MaxoutError, match=f"notes of its maxout transformer is damaged .*{message}"
    ):
        MaxoutTransformer.from_pretrained(tmp_path)


@pytest.mark.parametrize("noted", [[1], "text", 7])
def test_notes_that_are_no_mapping_are_refused(tmp_path, noted):
    MaxoutTransformer.from_network(tent(1), (0, 1)).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "linrep": noted}))
    with pytest.raises(MaxoutError, match="its config.json is damaged"):
        MaxoutTransformer.from_pretrained(tmp_path)
