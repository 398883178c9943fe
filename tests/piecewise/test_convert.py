"""Converters: torch layers, interpolants, max-min forms, approximators and their bounds."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import nn
from torch.nn.utils import prune

from linrep.constructions import MaxoutTransformer
from linrep.piecewise import (
    MaxoutNetwork,
    NetworkError,
    absolute_layer,
    freudenthal,
    from_cpwl,
    from_difference,
    from_max_min,
    leaky_layer,
    mcshane,
    pool_layer,
    regions_in_plane,
    regions_on_segment,
    upper_bound,
)

TOLERANCE = 1e-12  # float64, dozens of operations on numbers of order 1


class Abs(nn.Module):
    def forward(self, x):
        return x.abs()


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


class Named(nn.Linear):
    """A subclass that computes what its parent does."""


def one_activation_in_two_places():
    act = nn.ReLU()
    return [nn.Linear(3, 5), act, nn.Linear(5, 4), act, nn.Linear(4, 2)]


def one_block_in_two_places():
    block = nn.Sequential(nn.Linear(3, 3), nn.LeakyReLU(0.2))
    return [block, block, nn.Linear(3, 1)]


def seeded(seed, *layers):
    """The layers, with weights from a generator of their own."""
    generator = torch.Generator().manual_seed(seed)
    module = nn.Sequential(*layers).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
        for part in module.modules():
            if isinstance(part, nn.PReLU):  # slopes above 1 are no maximum
                part.weight.copy_(torch.linspace(0.3, -0.9, len(part.weight)))
    return module.eval()


MODULES = {
    "relu": lambda: [nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)],
    "leaky": lambda: [nn.Linear(3, 5), nn.LeakyReLU(0.1), nn.Dropout(0.5), nn.Linear(5, 2)],
    "prelu": lambda: [nn.Linear(3, 5), nn.PReLU(), nn.Linear(5, 2)],
    "abs": lambda: [nn.Linear(3, 5), Abs(), nn.Linear(5, 2)],
    "pool": lambda: [nn.Linear(3, 6), nn.MaxPool1d(3), nn.Linear(2, 2)],
    "overlapping pool": lambda: [nn.Linear(3, 6), nn.ReLU(), nn.MaxPool1d(3, stride=1)],
    "two linear": lambda: [nn.Linear(3, 4, bias=False), nn.Linear(4, 5), nn.ReLU()],
    "nested": lambda: [nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Identity(), nn.Linear(4, 1)],
    "affine": lambda: [nn.Linear(3, 2)],
    "one activation in two places": one_activation_in_two_places,
    "one block in two places": one_block_in_two_places,
    "slopes per unit": lambda: [nn.Linear(3, 5), nn.PReLU(5), nn.Flatten(), nn.Linear(5, 2)],
    "subclass": lambda: [Named(3, 5), nn.ReLU(inplace=True), Named(5, 2)],
    "activation after activation": lambda: [nn.Linear(3, 4), Abs(), nn.LeakyReLU(-0.5)],
    "hardtanh": lambda: [nn.Linear(3, 5), nn.Hardtanh(-0.7, 1.3), nn.Linear(5, 2)],
    "relu6": lambda: [nn.Linear(3, 4), nn.ReLU6(), nn.Hardtanh(), nn.Linear(4, 1), nn.ReLU6()],
    "leaky above 1": lambda: [nn.Linear(3, 5), nn.LeakyReLU(1.5), nn.Linear(5, 2)],
    "minimum at the end": lambda: [nn.Linear(3, 5), nn.LeakyReLU(3.0)],
    "two minima": lambda: [nn.Linear(3, 4), nn.LeakyReLU(2.0), nn.LeakyReLU(1.5), Abs()],
    "batch norm": lambda: [nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2)],
    "batch norm first": lambda: [nn.BatchNorm1d(3), nn.ReLU(), nn.BatchNorm1d(3, affine=False)],
}


@pytest.mark.parametrize("name", MODULES)
def test_a_torch_module_and_its_network_agree(name):
    module = seeded(0, *MODULES[name]())
    net = MaxoutNetwork.from_torch(module)
    x = np.random.default_rng(0).normal(size=(50, 3))
    expected = module(torch.from_numpy(x)).detach().numpy()
    assert np.allclose(net(x), expected, rtol=0, atol=TOLERANCE)


def test_weights_are_copied_to_the_bit():
    module = seeded(1, nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
    net = MaxoutNetwork.from_torch(module)
    assert np.array_equal(net.layers[0].weight[:, 0], module[0].weight.detach().numpy())
    assert not net.layers[0].weight[:, 1].any()
    assert np.array_equal(net.affine[0], module[2].weight.detach().numpy())


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([nn.Linear(2, 3), nn.Tanh()], r"'1' \(Tanh\) is no affine or max-type layer"),
        ([nn.ReLU()], "before any Linear"),
        (
            [nn.Linear(2, 3), nn.ReLU(), nn.Linear(4, 1)],
            r"'2' .* reads 4 inputs and receives 3",
        ),
        ([nn.Linear(2, 3), nn.LeakyReLU(float("nan"))], "slope that is NaN"),
        (
            [nn.Linear(2, 3), nn.Hardtanh(0.0, float("inf"))],
            r"'1' \(Hardtanh\) has an infinite end",
        ),
        ([nn.Linear(2, 4), nn.MaxPool1d(2, padding=1)], "without padding"),
        ([nn.Linear(2, 4), nn.MaxPool1d(5)], "window of 1..4"),
        ([nn.Linear(2, 4), nn.MaxPool1d(2, return_indices=True)], "without padding"),
        ([nn.Linear(2, 2), Residual(nn.Linear(2, 2), nn.ReLU())], "forward of its own"),
        ([Doubled(2, 2)], r"'0' \(Doubled\) is a Linear with a forward of its own"),
        ([nn.Linear(2, 4), nn.PReLU(3)], "3 slopes and receives 4"),
        ([nn.Linear(2, 4), nn.Flatten(0)], "merges the batch"),
        ([nn.LazyLinear(4), nn.ReLU()], "no weights yet"),
        ([nn.Linear(2, 4, dtype=torch.complex64)], "complex"),
        ([nn.Linear(2, 4), nn.SELU()], r"'1' \(SELU\) is no affine or max-type layer"),
        ([nn.Linear(2, 4), nn.BatchNorm1d(4)], r"'1' \(BatchNorm1d\) uses .*call .eval\(\)"),
        ([nn.Linear(2, 4), nn.BatchNorm1d(4, track_running_stats=False)], "of its batch"),
        ([nn.Linear(2, 4), nn.BatchNorm1d(3)], "reads 3 inputs and receives 4"),
        ([nn.Identity()], "no layer"),
    ],
)
def test_other_modules_are_refused_by_name(layers, message):
    with pytest.raises(NetworkError, match=message):
        MaxoutNetwork.from_torch(nn.Sequential(*layers))


def test_slopes_on_both_sides_of_1_are_read_unit_by_unit():
    module = nn.Sequential(nn.Linear(3, 4), nn.PReLU(4), nn.Linear(4, 2)).double().eval()
    with torch.no_grad():
        module[1].weight.copy_(torch.tensor([0.2, 3.0, 1.0, -2.0]))
    x = np.random.default_rng(1).normal(size=(60, 3))
    expected = module(torch.from_numpy(x)).detach().numpy()
    assert np.allclose(MaxoutNetwork.from_torch(module)(x), expected, rtol=0, atol=TOLERANCE)


def test_running_statistics_are_used_and_must_be_usable():
    module = seeded(2, nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU())
    module[1].running_mean.copy_(torch.tensor([0.3, -1.0, 2.0, 0.0]))
    module[1].running_var.copy_(torch.tensor([0.5, 4.0, 1e-3, 9.0]))
    x = np.random.default_rng(2).normal(size=(60, 3))
    expected = module(torch.from_numpy(x)).detach().numpy()
    # 1e-3: units of small variance are large
    assert np.allclose(MaxoutNetwork.from_torch(module)(x), expected, rtol=1e-12, atol=1e-12)
    module[1].running_var.fill_(-1.0)
    with pytest.raises(NetworkError, match="variance below 0"):
        MaxoutNetwork.from_torch(module)


def test_nan_weights_are_called_that():
    for part, place in ((nn.Linear(2, 3), "weight"), (nn.PReLU(3), "weight")):
        module = nn.Sequential(nn.Linear(2, 3), part if isinstance(part, nn.PReLU) else nn.ReLU())
        with torch.no_grad():
            getattr(module[1] if isinstance(part, nn.PReLU) else module[0], place).fill_(np.nan)
        with pytest.raises(NetworkError, match="holds NaN or infinite weights"):
            MaxoutNetwork.from_torch(module)


def test_regions_are_counted_of_whatever_holds_a_network(tmp_path):
    module = seeded(3, nn.Linear(2, 4), nn.ReLU6(), nn.Linear(4, 1))
    net = MaxoutNetwork.from_torch(module)
    made = MaxoutTransformer.from_network(module, (-4, 4))
    counts = regions_in_plane(net, (-4, 4)).counts
    assert counts.linear_regions > 4
    for held in (module, made):
        assert regions_in_plane(held, (-4, 4)).counts == counts
        assert upper_bound(held) == upper_bound(net)
        cut = regions_on_segment(held, [-1, -1], [1, 1]).breakpoints
        assert cut == regions_on_segment(net, [-1, -1], [1, 1]).breakpoints
    found = mcshane(lambda x: np.abs(x[:, 0]), (-1, 1), 4, lipschitz=1.0)
    assert (
        regions_on_segment(found, -1, 1).n_cells == regions_on_segment(found.network, -1, 1).n_cells
    )
    for wrong in (None, "net.npz", np.ones(3)):
        with pytest.raises(NetworkError, match="MaxoutNetwork, a torch.nn.Sequential or a"):
            regions_in_plane(wrong, (-1, 1))


def test_weights_that_hooks_make_are_refused_until_they_are_settled():
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    prune.l1_unstructured(module[0], "weight", amount=0.5)
    with pytest.raises(NetworkError, match=r"module '0' \(Linear\) has hooks"):
        MaxoutNetwork.from_torch(module)
    prune.remove(module[0], "weight")
    x = torch.tensor([[0.3, -0.7]])
    read = MaxoutNetwork.from_torch(module)(x.numpy())
    assert np.abs(read - module(x).detach().numpy()).max() <= 1e-6  # float32 against float64


def test_a_list_of_layers_is_no_network():
    with pytest.raises(NetworkError, match=r"\(ModuleList\) is no affine or max-type layer"):
        MaxoutNetwork.from_torch(nn.ModuleList([nn.Linear(2, 2), nn.ReLU()]))


def test_bad_affine_layers_are_refused():
    with pytest.raises(NetworkError, match=r"weights \[unit, input\]"):
        leaky_layer(np.ones((2, 3)), np.ones(3), 0.1)
    weights, biases = absolute_layer(np.eye(2), np.zeros(2))
    assert np.allclose(MaxoutNetwork([weights], [biases], np.eye(2))([[-1.0, 2.0]]), [[1.0, 2.0]])
    with pytest.raises(NetworkError, match="stride"):
        pool_layer(np.eye(2), np.zeros(2), 2, 0)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(2, 15))
def test_interpolants_pass_through_their_points_and_break_nowhere_else(seed, n):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.2, 1.0, n))
    y = rng.normal(size=n)
    net = from_cpwl(x, y)
    assert net.widths == (2,)
    inside = rng.uniform(x[0], x[-1], 50)
    scale = n * 10 * np.abs(np.diff(y) / np.diff(x)).max() * x[-1]  # terms that cancel in A - B
    assert np.allclose(net(inside[:, None])[:, 0], np.interp(inside, x, y), atol=1e-15 * scale)
    jumps = np.flatnonzero(np.diff(np.diff(y) / np.diff(x)) != 0)
    found = regions_on_segment(net, x[0], x[-1])
    assert found.n_cells == len(jumps) + 1
    breaks = x[0] + np.array([float(t) for t in found.breakpoints]) * (x[-1] - x[0])
    assert np.allclose(breaks, x[1:-1][jumps], atol=1e-12 * scale)


def test_straight_points_make_one_piece():
    assert regions_on_segment(from_cpwl([0, 1, 2], [1, 3, 5]), -1, 3).n_cells == 1


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([0.0], [1.0], "two or more"),
        ([0, 1], [1], "as many y"),
        ([0, 1, 1], [0, 1, 2], "strictly"),
        ([0, 1, np.nan], [0, 1, 2], "finite"),
        ([0, 1, 2], [0, np.inf, 2], "finite"),
    ],
)
def test_bad_points_are_refused(x, y, message):
    with pytest.raises(NetworkError, match=message):
        from_cpwl(x, y)


def test_max_min_and_difference_are_their_formulas():
    rng = np.random.default_rng(0)
    groups = [(rng.normal(size=(k, 2)), rng.normal(size=k)) for k in (1, 3, 2)]
    x = rng.normal(size=(100, 2))
    expected = np.max([(x @ g.T + c).min(axis=1) for g, c in groups], axis=0)
    assert np.allclose(from_max_min(groups)(x)[:, 0], expected, atol=TOLERANCE)
    (a, c), (b, d) = groups[1:]
    expected = (x @ a.T + c).max(axis=1) - (x @ b.T + d).max(axis=1)
    assert np.allclose(from_difference(*groups[1:])(x)[:, 0], expected, atol=TOLERANCE)
    with pytest.raises(NetworkError, match="at least one group"):
        from_max_min([])


def wave(x):
    return np.sin(3 * x[:, 0]) * np.cos(2 * x[:, 1])


@pytest.mark.parametrize("cells", [2, 4, 8])
def test_mcshane_is_below_the_function_and_within_its_bound(cells):
    # |grad| in the dual (l1) norm is at most 3 + 2 on the whole plane
    made = mcshane(wave, ([0, 0], [1, 1]), cells, lipschitz=5.0)
    x = made.box.sample(4000, seed=0)
    gap = wave(x) - made.network(x)[:, 0]
    assert gap.min() >= -TOLERANCE
    assert gap.max() <= made.error_bound
    assert made.error_bound == pytest.approx(2 * 5.0 * 0.5 / cells)
    assert np.allclose(made.network(made.nodes)[:, 0], wave(made.nodes), atol=TOLERANCE)


def test_freudenthal_interpolates_at_second_order():
    # Hessian of wave: entries bounded by 9, 6, 4, so its spectral norm by 9 + 6 = 15
    errors, bounds = [], []
    for cells in (4, 8, 16):
        made = freudenthal(wave, ([0, 0], [1, 2]), cells, curvature=15.0)
        x = made.box.sample(4000, seed=1)
        errors.append(np.abs(wave(x) - made.network(x)[:, 0]).max())
        bounds.append(made.error_bound)
        assert np.allclose(made.network(made.nodes)[:, 0], wave(made.nodes), atol=1e-11)
    assert (np.array(errors) <= bounds).all()
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (rates > 1.8).all()  # second order; 4000 points miss a little of the sup
    assert (rates < 2.2).all()


def test_freudenthal_hats_are_a_partition_of_unity_and_exact_on_affine_functions():
    made = freudenthal(lambda x: 2 * x[:, 0] - x[:, 1] + 1, ([-1, 0], [1, 1]), 3, curvature=1.0)
    x = made.box.sample(500, seed=2)
    assert np.allclose(made.network(x)[:, 0], 2 * x[:, 0] - x[:, 1] + 1, atol=TOLERANCE)


@pytest.mark.parametrize("build", [mcshane, freudenthal])
def test_bad_approximations_are_refused(build):
    box = ([0.0], [1.0])
    with pytest.raises(NetworkError, match="at least 1"):
        build(lambda x: x[:, 0], box, 0, 1.0)
    with pytest.raises(NetworkError, match="cells per side is a whole number"):
        build(lambda x: x[:, 0], box, 2.5, 1.0)
    with pytest.raises(NetworkError, match="positive constant"):
        build(lambda x: x[:, 0], box, 2, 0.0)
    with pytest.raises(NetworkError, match="one finite number per point"):
        build(lambda x: x, box, 2, 1.0)
    with pytest.raises(NetworkError, match="one number per input"):
        build(lambda x: x[:, 0], 3, 2, 1.0)
