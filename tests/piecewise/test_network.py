"""Maxout networks: the definition, exact arithmetic, validation, storage."""

import zipfile
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.piecewise import (
    Box,
    BoxError,
    MaxoutNetwork,
    NetworkError,
    as_box,
    hidden_intervals,
    piece_intervals,
    product,
    random_network,
    tent,
    zigzag,
)

RANKS = [[2, 3, 1], [4, 1]]


def by_definition(net: MaxoutNetwork, x: np.ndarray) -> np.ndarray:
    """The formula, one number at a time."""
    h = list(x)
    for layer, ranks in zip(net.layers, net.ranks, strict=True):
        h = [
            max(float(layer.weight[u, j] @ np.array(h) + layer.bias[u, j]) for j in range(r))
            for u, r in enumerate(ranks)
        ]
    readout, bias = net.affine
    return readout @ np.array(h) + bias


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_output_is_the_definition_and_the_exact_value(seed, n_inputs):
    net = random_network(n_inputs, [3, 2], RANKS, 2, seed=seed)
    x = np.random.default_rng(seed).uniform(-2, 2, (4, n_inputs))
    y = net(x)
    for point, value in zip(x, y, strict=True):
        # float64, a few dozen operations on numbers of order 1
        assert np.allclose(value, by_definition(net, point), rtol=0, atol=1e-13)
        assert np.allclose(value, [float(v) for v in net.exact(point)], rtol=0, atol=1e-13)


def test_exact_values_are_fractions_without_rounding():
    x = Fraction(1, 3)
    for _ in range(5):  # T(T(..)) by hand
        x = 1 - abs(2 * x - 1)
    assert tent(5).exact([Fraction(1, 3)]) == (x,)
    assert x == Fraction(2, 3)  # no float equals it


def test_pattern_and_margin_read_the_pieces():
    net = random_network(2, [3, 2], RANKS, seed=1)
    x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    for z, active in zip(net.pieces(x), net.pattern(x), strict=True):
        assert np.array_equal(np.take_along_axis(z, active[..., None], -1)[..., 0], z.max(-1))
    tie = MaxoutNetwork([[[[1.0], [-1.0]]]], [[[0.0, 0.0]]], [[1.0]])
    assert tie.margin([[0.0], [0.25]]).tolist() == [0.0, 0.5]
    assert tie.pattern([[0.0]])[0].tolist() == [[0]]  # the first piece stands for a tie
    affine = MaxoutNetwork([[[[1.0]]]], [[[0.0]]], [[1.0]])
    assert affine.margin([[3.0]]).tolist() == [np.inf]


def test_intervals_contain_what_is_reached_and_are_attained_in_one_layer():
    net = random_network(3, [4, 3], [[2, 3, 1, 2], [3] * 3], seed=2)
    box = Box([-1, 0, 2], [1, 0.5, 3])
    x = box.sample(2000, seed=0)
    for z, h, (lo, hi), (low, high) in zip(
        net.pieces(x),
        [p.max(-1) for p in net.pieces(x)],
        piece_intervals(net, box),
        hidden_intervals(net, box),
        strict=True,
    ):
        live = np.isfinite(z[0])
        assert (z.min(0)[live] >= lo[live] - 1e-12).all()  # rounding of one product
        assert (z.max(0)[live] <= hi[live] + 1e-12).all()
        assert (h.min(0) >= low - 1e-12).all()
        assert (h.max(0) <= high + 1e-12).all()
    corners = np.stack(np.meshgrid(*zip(*box.ends, strict=True)), -1).reshape(-1, 3)
    reached = net.pieces(corners)[0].max(0)
    live = np.isfinite(reached)
    assert np.allclose(reached[live], piece_intervals(net, box)[0][1][live], atol=1e-12)


def test_ragged_layers_round_trip(tmp_path):
    net = random_network(2, [3, 2], RANKS, 2, seed=3)
    x = np.random.default_rng(0).normal(size=(5, 2))
    again = MaxoutNetwork(net.weights, net.biases, net.readout, net.readout_bias)
    net.save(tmp_path / "net.npz")
    for other in (again, MaxoutNetwork.load(tmp_path / "net.npz")):
        assert other.ranks == net.ranks
        assert np.array_equal(other(x), net(x))


def test_products_multiply_and_do_not_mix():
    one, x = zigzag(2, 2), np.array([[0.2, 0.9]])
    both = product(one, 2)(x)
    assert np.allclose(both, one(x[:, :1]) + 2 * one(x[:, 1:]), atol=1e-15)


def test_counts_of_parameters():
    net = random_network(2, [3, 2], RANKS, 2, seed=0)
    # pieces times (inputs + bias), then the read-out
    assert net.n_parameters == 6 * 3 + 5 * 4 + 2 * 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], [[1.0]]), "0 layers"),
        (([np.ones((2, 2, 1))], [np.ones((2, 3))], [[1.0, 1.0]]), "2 pieces in the weights and 3"),
        (([np.ones((2, 2, 1))], [np.ones((1, 2))], [[1.0, 1.0]]), "2 units and biases for 1"),
        (
            ([np.ones((2, 2, 1)), np.ones((1, 2, 3))], [np.ones((2, 2)), np.ones((1, 2))], [[1.0]]),
            "layer 2 reads 3 inputs and layer 1 has 2 units",
        ),
        (
            ([np.ones((2, 2, 1))], [np.ones((2, 2))], [[1.0]]),
            "reads 1 units and the last",
        ),
        (([np.ones((1, 0, 1))], [np.ones((1, 0))], [[1.0]]), "rank 0"),
        (([[np.ones((1, 1)), np.ones((0, 1))]], [[[0.0], []]], [[1.0, 1.0]]), "unit 1 has rank 0"),
        (([np.full((1, 2, 1), np.nan)], [np.zeros((1, 2))], [[1.0]]), "NaN or infinite"),
        (([np.ones((1, 2, 1))], [np.full((1, 2), np.inf)], [[1.0]]), "NaN or infinite"),
        (([np.ones((1, 2, 1))], [np.zeros((1, 2))], [[np.nan]]), "readout holds NaN"),
        (([np.ones((1, 2, 1))], [np.zeros((1, 2))], [[1.0]], [1.0, 2.0]), "1 outputs and a bias"),
        (([np.ones((2, 1))], [np.zeros((1, 2))], [[1.0]]), "shape \\[unit, piece, input\\]"),
        (([np.ones((0, 2, 1))], [np.ones((0, 2))], np.ones((1, 0))), "no units"),
        (
            ([[np.ones((2, 1)), np.ones((2, 3))]], [np.zeros((2, 2))], [[1.0, 1.0]]),
            "unit 1 reads 3 inputs and unit 0 reads 1",
        ),
    ],
)
def test_bad_networks_are_refused(arguments, message):
    with pytest.raises(NetworkError, match=message):
        MaxoutNetwork(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([3], [3], [[1.0]]), "layer 1 weights are not numbers"),
        (([[[["a"]]]], [[[0.0]]], [[1.0]]), "layer 1 weights are not numbers"),
        (([[[[1.0]]]], [[[0.0]]], [["a"]]), "readout's entries are not numbers"),
        (([[[[1.0]]]], [[[0.0]]], [[1.0], [1.0, 2.0]]), "readout's entries are not numbers"),
        (([[[[1.0]]]], [[[0.0]]], [[1.0]], ["a"]), "readout's biases are not numbers"),
    ],
)
def test_what_is_no_number_is_refused(arguments, message):
    with pytest.raises(NetworkError, match=message):
        MaxoutNetwork(*arguments)


def damaged(arrays, **changes):
    return {name: changes.get(name, array) for name, array in arrays.items()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_1": np.ones(3)}, r"layer 2 has weights .* received shapes \(3,\)"),
        ({"bias_0": np.ones((3, 9))}, r"layer 1 has weights .* \(3, 9\)"),
        ({"ranks_0": np.array([2, 9, 1])}, r"layer 1 has ranks between 1 and 3; received \[2, 9"),
        ({"ranks_1": np.array([0, 1])}, "ranks between 1 and 4"),
        ({"readout": np.ones((2, 5))}, "reads 5 units and the last layer has 2"),
        ({"ranks_1": np.array(["a", "b"])}, "ranks_1 holds <U1 values; whole numbers"),
        ({"ranks_1": np.array([1.0, 2.0])}, "ranks_1 holds float64 values; whole numbers"),
        ({"ranks_0": np.zeros(3, dtype="M8[s]")}, "ranks_0 holds .* whole numbers"),
        ({"weight_0": np.full((3, 3, 2), "1")}, "weight_0 holds <U1 values; real numbers"),
        ({"readout_bias": np.array([1j, 0])}, "readout_bias holds complex128 values; real"),
    ],
)
def test_damaged_archives_are_refused(tmp_path, changes, message):
    net = random_network(2, [3, 2], RANKS, 2, seed=3)
    np.savez(tmp_path / "net.npz", **damaged(net.to_arrays(), **changes))
    with pytest.raises(NetworkError, match=message):
        MaxoutNetwork.load(tmp_path / "net.npz")


def test_archives_that_speak_of_more_than_memory_holds_are_refused(tmp_path):
    path = tmp_path / "net.npz"
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }".ljust(118)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readout.npy", b"\x93NUMPY\x01\x00\x76\x00" + header)
    with pytest.raises(NetworkError, match="Unable to allocate|EOF: reading array data"):
        MaxoutNetwork.load(path)


def test_archives_that_unpack_to_far_more_than_their_size_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("linrep.piecewise.networks.storage._PLENTY", 10**4)
    path, net = tmp_path / "net.npz", random_network(2, [3, 2], seed=3)
    np.savez_compressed(path, **net.to_arrays())
    assert MaxoutNetwork.load(path).widths == net.widths
    np.savez_compressed(path, **net.to_arrays(), more=np.zeros(10**6))
    with pytest.raises(NetworkError, match="bytes unpack to 8"):
        MaxoutNetwork.load(path)


def test_files_that_are_no_archive_are_refused(tmp_path):
    net = random_network(2, [3, 2], seed=3)
    path = tmp_path / "net.npz"
    net.save(path)
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(NetworkError, match="not a saved maxout network"):
            MaxoutNetwork.load(path)
    np.save(tmp_path / "array.npy", np.ones(3))
    with pytest.raises(NetworkError, match="one array"):
        MaxoutNetwork.load(tmp_path / "array.npy")
    with pytest.raises(NetworkError, match="not a saved maxout network"):
        MaxoutNetwork.load(tmp_path)


def test_exact_inputs_are_any_numbers_and_stay_as_they_are():
    double = MaxoutNetwork([[[[2.0]]]], [[[0.0]]], [[1.0]])
    large = 2**60 + 1  # no float
    assert double.exact([large]) == (2 * large,)
    narrow = np.array([0.1], dtype=np.float32)
    assert double.exact(narrow) == (2 * Fraction(float(narrow[0])),)
    tenth = Decimal("0.1")
    assert double.exact([tenth]) == (Fraction(1, 5),)
    for bad in (np.nan, np.inf, "a", None, Decimal("NaN")):
        with pytest.raises(NetworkError, match="is one finite number for each of the"):
            double.exact([bad])


def test_complex_numbers_are_no_weights():
    with pytest.raises(NetworkError, match="not numbers"):
        MaxoutNetwork([[[[1j]]]], [[[0.0]]], [[1.0]])
    with pytest.raises(NetworkError, match="not numbers"):
        MaxoutNetwork([[[[1.0]]]], [[[0.0]]], [[1.0 + 1j]])


def test_bad_points_and_files_are_refused(tmp_path):
    net = random_network(2, [2], seed=0)
    with pytest.raises(NetworkError, match=r"\[point, 2\]; received \(2,\)"):
        net([0.0, 1.0])
    with pytest.raises(NetworkError, match="finite"):
        net([[0.0, np.nan]])
    with pytest.raises(NetworkError, match="2 inputs; received 1"):
        net.exact([1.0])
    with pytest.raises(NetworkError, match="not a saved maxout network"):
        MaxoutNetwork.load(tmp_path / "none.npz")
    with pytest.raises(NetworkError, match="missing"):
        MaxoutNetwork.from_arrays({"weight_0": np.ones((1, 1, 1))})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: tent(0), "depth is at least 1"),
        (lambda: zigzag(0, 1), "rank is at least 1"),
        (lambda: tent(501), "depth is at most 500 .* received 501"),
        (lambda: zigzag(3, 99_999_999), "depth is at most 500 .* received 99999999"),
        (lambda: zigzag(99_999_999, 1), "rank is at most 1000 .* received 99999999"),
        (lambda: product(tent(1), 0), "copies is at least 1"),
        (lambda: random_network(2, []), "at least one layer"),
        (lambda: random_network(2, [2, 2], [2]), "ranks for 1 layers"),
        (lambda: random_network(2, [2], [[2]]), "1 ranks for a layer of 2"),
        (lambda: random_network(2, [0]), "width is at least 1"),
        (lambda: random_network(2, [2], 0), "rank is at least 1"),
        (lambda: random_network(0, [2]), "n_inputs is at least 1"),
    ],
)
def test_bad_families_are_refused(build, message):
    with pytest.raises(NetworkError, match=message):
        build()


def test_a_frozen_network_cannot_change():
    net = random_network(2, [2], seed=0)
    with pytest.raises(ValueError, match="read-only"):
        net.layers[0].weight[0, 0, 0] = 1.0
    with pytest.raises(AttributeError):
        net.layers = ()


def test_the_same_seed_gives_the_same_network_and_touches_no_global_state():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - that it stays untouched is the test
    one, two = (random_network(2, [3], seed=5).to_arrays() for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    other = random_network(2, [3], seed=6).to_arrays()
    assert not np.array_equal(one["weight_0"], other["weight_0"])
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1.0, 1.0), "empty or inverted along input 0"),
        (([0, 2], [1, 1]), "inverted along input 1: lo=2.0, hi=1.0"),
        ((0.0, np.nan), "finite"),
        (([0, 0, 0], [1, 1, 1]), "3 coordinates and the network 2 inputs"),
        (5.0, "pair"),
        ((1, 2, 3), "pair"),
        (([0, 0], [1]), "one shape"),
        ((-1e308, 1e308), "too wide for float64"),
    ],
)
def test_bad_boxes_are_refused(box, message):
    with pytest.raises(BoxError, match=message):
        as_box(box, 2)


def test_points_that_are_nan_are_not_said_to_lie_outside():
    with pytest.raises(BoxError, match="1 of 3 inputs are NaN, first in row 1"):
        as_box((0, 1), 2).require(np.array([[0.5, 9.0], [0.5, np.nan], [0.5, 0.5]]))


def test_points_outside_a_box_are_named():
    box = as_box((0, 1), 2)
    box.require(np.array([[0.0, 1.0]]))
    with pytest.raises(BoxError, match=r"1 of 2 inputs lie outside the box, first in row 1"):
        box.require(np.array([[0.5, 0.5], [0.5, 1.5]]))
    with pytest.raises(BoxError, match="NaN"):
        box.require(np.array([[np.nan, 0.5]]))


@pytest.mark.parametrize("name", ["weight_0", "bias_0", "ranks_0", "readout", "readout_bias"])
@pytest.mark.parametrize("kind", ["text", "complex", "dates", "nan"])
def test_archives_with_something_else_than_numbers_are_refused(tmp_path, name, kind):
    arrays = random_network(2, [3], 2, seed=0).to_arrays()
    shape = arrays[name].shape
    arrays[name] = {
        "text": np.full(shape, "two"),
        "complex": np.full(shape, 1j),
        "dates": np.full(shape, np.datetime64("2020-01-01")),
        "nan": np.full(shape, np.nan),
    }[kind]
    np.savez(tmp_path / "net.npz", **arrays)
    with pytest.raises(NetworkError, match="real numbers|whole numbers|NaN or infinite"):
        MaxoutNetwork.load(tmp_path / "net.npz")


def test_values_beyond_floats_are_refused_and_exact_holds_them():
    net = MaxoutNetwork([[[[1e200], [-1e200]]]], [[[0.0, 0.0]]], [[1e200]])
    assert net(np.array([[1e-100], [0.0]])).tolist() == [[1e300], [0.0]]
    with pytest.raises(NetworkError, match=r"an output is beyond float64 .* row 1: .*net\.exact"):
        net(np.array([[1e-100], [1.0], [2.0]]))
    assert net.exact([1.0]) == (Fraction(1e200) ** 2,)
    for ask in (net.pieces, net.pattern, net.margin):
        assert ask([[1.0]]) is not None
        with pytest.raises(NetworkError, match="a piece of layer 1 is beyond float64"):
            ask([[1e200]])
    for ask in (piece_intervals, hidden_intervals):
        assert ask(net, (0, 1))
        with pytest.raises(NetworkError, match="layer 1 may be beyond float64"):
            ask(net, (0, 1e200))
    saturated = MaxoutNetwork([[[[-1e200], [0.0]]]], [[[0.0, 3.0]]], [[1.0]])
    assert saturated([[1e200]]).tolist() == [[3.0]]  # the piece that overflows is below the other
