"""Regions of a plane: against rational arithmetic, closed forms, bounds and their own laws."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.piecewise import (
    BoxError,
    BudgetError,
    MaxoutNetwork,
    Plane,
    SliceError,
    estimate_cells,
    product,
    random_network,
    regions_in_plane,
    relu_layer,
    tent,
    upper_bound,
    zigzag,
)
from linrep.piecewise.regions import counting as count
from linrep.piecewise.regions.envelope import Envelope


class ExactCells:
    """The slow twin: every polygon clipped by every pair of pieces, in fractions."""

    def __init__(self, net, plane):
        frame = [[Fraction(float(v)) for v in row] for row in plane.frame]
        corners = [(Fraction(s), Fraction(t)) for s, t in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        self.cells = [(corners, frame)]
        for layer in net.layers:
            self.cells = [new for cell in self.cells for new in self._through(layer, *cell)]
        readout, bias = net.affine
        self.maps = []
        for _, rows in self.cells:
            outs = [self._combine(v, rows, c) for v, c in zip(readout, bias, strict=True)]
            self.maps.append(tuple(map(tuple, outs)))

    @staticmethod
    def _combine(weights, rows, bias):
        out = [
            sum(
                (Fraction(float(w)) * row[k] for w, row in zip(weights, rows, strict=True)),
                Fraction(0),
            )
            for k in range(3)
        ]
        out[2] += Fraction(float(bias))
        return out

    def _through(self, layer, polygon, rows):
        parts = [(polygon, [])]
        for u in range(layer.width):
            pieces = [
                self._combine(layer.weight[u, j], rows, layer.bias[u, j])
                for j in range(int(layer.ranks[u]))
            ]
            fresh = []
            for corners, active in parts:
                for j, own in enumerate(pieces):
                    left = corners
                    for k, other in enumerate(pieces):
                        line = [a - b for a, b in zip(own, other, strict=True)]
                        if k < j and not any(line):  # equal pieces: the first one stands
                            left = []
                        elif k != j and left:
                            left = self._clip(left, line)
                    if left and self._area(left) > 0:
                        fresh.append((left, [*active, own]))
            parts = fresh
        return parts

    @staticmethod
    def _clip(corners, line):
        values = [line[0] * x + line[1] * y + line[2] for x, y in corners]
        out = []
        for i, (p, v) in enumerate(zip(corners, values, strict=True)):
            q, w = corners[(i + 1) % len(corners)], values[(i + 1) % len(corners)]
            if v >= 0:
                out.append(p)
            if v * w < 0:
                share = v / (v - w)
                out.append((p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])))
        return out if len(out) > 2 else []

    @staticmethod
    def _area(corners):
        return sum(
            p[0] * q[1] - q[0] * p[1]
            for p, q in zip(corners, corners[1:] + corners[:1], strict=True)
        )

    @property
    def counts(self):
        """Cells, linear regions, affine maps, by comparing every pair of cells."""
        label = list(range(len(self.cells)))
        for i in range(len(self.cells)):
            for j in range(i):
                if self.maps[i] == self.maps[j] and self._touch(i, j):
                    old, new = label[i], label[j]
                    label = [new if at == old else at for at in label]
        return len(self.cells), len(set(label)), len(set(self.maps))

    def _touch(self, i, j):
        """Some edges of the two lie on one line and overlap in more than a point."""
        for p, q in self._edges(i):
            for r, s in self._edges(j):
                d = (q[0] - p[0], q[1] - p[1])
                if any(d[0] * (z[1] - p[1]) != d[1] * (z[0] - p[0]) for z in (r, s)):
                    continue
                along = [d[0] * (z[0] - p[0]) + d[1] * (z[1] - p[1]) for z in (r, s)]
                if max(min(along), 0) < min(max(along), d[0] ** 2 + d[1] ** 2):
                    return True
        return False

    def _edges(self, i):
        corners = self.cells[i][0]
        return zip(corners, corners[1:] + corners[:1], strict=True)


SQUARE = Plane([0, 0], [1, 0], [0, 1])


def integer_network(seed, n_inputs, ranks):
    """Small integer weights: parallel and equal pieces, lines through one point, dead units."""
    rng = np.random.default_rng(seed)
    weights, biases, inputs = [], [], n_inputs
    for layer in ranks:
        weights.append([rng.integers(-2, 3, (r, inputs)) for r in layer])
        biases.append([rng.integers(-1, 2, r) for r in layer])
        inputs = len(layer)
    return MaxoutNetwork(weights, biases, rng.integers(-1, 2, (1, inputs)))


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 10**6), st.sampled_from([[[2, 2, 2, 2], [2, 2]], [[3, 2], [1, 3]], [[4], [3]]])
)
def test_generic_networks_equal_rational_arithmetic(seed, ranks):
    net = random_network(2, [len(layer) for layer in ranks], ranks, seed=seed)
    found, exact = regions_in_plane(net, (-2, 2)), ExactCells(net, Plane([0, 0], [2, 0], [0, 2]))
    assert found.counts == exact.counts
    assert found.counts_at_100_tol == exact.counts
    assert sorted(found.areas) == pytest.approx(
        sorted(float(2 * ExactCells._area(c)) for c, _ in exact.cells), abs=1e-12
    )


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 10**6), st.sampled_from([[[2] * 4, [2, 2]], [[3, 2, 2], [3, 3]], [[4, 3], [3]]])
)
def test_degenerate_networks_equal_rational_arithmetic(seed, ranks):
    net = integer_network(seed, 2, ranks)
    assert regions_in_plane(net, (-1, 1)).counts == ExactCells(net, SQUARE).counts


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_slices_equal_rational_arithmetic(seed):
    net = random_network(4, [4, 3], [[2, 3, 2, 2], [2, 2, 4]], 2, seed=seed)
    rng = np.random.default_rng(seed)
    plane = Plane(*rng.normal(size=(3, 4)), lo=(-1, -2), hi=(2, 0))
    assert regions_in_plane(net, plane).counts == ExactCells(net, plane).counts


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(1, 3))
def test_cells_tile_the_window_and_know_their_map_and_pattern(seed, rank, n_outputs):
    net = random_network(3, [8, 6, 5], rank, n_outputs, seed=seed)
    plane = Plane([0.1, 0, 0.3], [1, 0, 0.5], [0, 1, -0.5], (-2, -1), (1, 3))
    found = regions_in_plane(net, plane)
    assert found.areas.sum() == pytest.approx(12.0, rel=1e-12)
    assert found.n_affine_maps <= found.n_linear_regions <= found.n_cells
    assert found.n_cells <= upper_bound(net, dim=2)
    # Inner points away from the edges: float64 evaluation cannot take the wrong side there.
    wide = found.areas > 1e-6
    inputs = plane.points(found.centres)
    assert np.array_equal(np.concatenate(net.pattern(inputs), 1)[wide], found.pattern[wide])
    values = np.einsum("cok,ck->co", found.maps, np.c_[found.centres, np.ones(found.n_cells)])
    assert np.allclose(values, net(inputs), atol=1e-12)
    # The map holds at the corners as well (continuity), whatever the pattern there.
    owner = np.repeat(np.arange(found.n_cells), np.diff(found.offsets))
    corners = np.c_[found.vertices, np.ones(len(owner))]
    values = np.einsum("vok,vk->vo", found.maps[owner], corners)
    assert np.allclose(values, net(plane.points(found.vertices)), atol=1e-10)
    assert len(np.unique(found.pattern, axis=0)) <= found.n_cells


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_neighbours_differ_in_one_unit_and_obey_euler(seed):
    net = random_network(2, [9, 7], 2, seed=seed)
    found = regions_in_plane(net, (-1, 1))
    pairs = found.neighbours
    changed = (found.pattern[pairs[:, 0]] != found.pattern[pairs[:, 1]]).sum(axis=1)
    assert (changed == 1).all()  # generic: one unit bends along one line
    # Euler for a disc cut by generic lines that bend or cross: inner crossings X of 4 edges,
    # bends B of a line where it crosses an earlier one are the same points.
    # cells = 1 + (pieces ends on the boundary)/2 + X, edges = (ends + 4 X)/2.
    on_border = sum(
        int((np.abs(np.abs(p).max(axis=1) - 1) < 1e-12).sum())
        for p in map(found.polygon, range(found.n_cells))
    )
    ends = (on_border - 4) // 2
    crossings = found.n_cells - 1 - ends / 2
    assert len(pairs) == (ends + 4 * crossings) / 2


def test_rank_two_by_the_general_algorithm(monkeypatch):
    net = random_network(2, [12, 9, 8], [[2] * 12, [2, 1] * 4 + [2], [2] * 8], seed=3)
    fast = regions_in_plane(net, (-2, 2))
    monkeypatch.setattr(count, "Halving", Envelope)
    slow = regions_in_plane(net, (-2, 2))
    assert fast.n_cells == slow.n_cells
    assert sorted(fast.areas) == pytest.approx(sorted(slow.areas), abs=1e-13)
    assert {tuple(row) for row in fast.pattern} == {tuple(row) for row in slow.pattern}


@pytest.mark.parametrize("rank", [2, 3])
def test_blocks_do_not_matter(monkeypatch, rank):
    net = random_network(2, [10, 10, 10], rank, seed=1)
    whole = regions_in_plane(net, (-1, 1))
    monkeypatch.setattr(count, "BLOCK", 7)
    parts = regions_in_plane(net, (-1, 1))
    assert whole.counts == parts.counts
    assert sorted(whole.areas) == pytest.approx(sorted(parts.areas), abs=1e-13)


@pytest.mark.parametrize(
    ("net", "cells"),
    [
        (product(tent(6), 2), 4**6),
        (product(zigzag(3, 1), 2), 25),
        (product(zigzag(3, 2), 2), 625),
        (product(zigzag(3, 3), 2), 15_625),
        (product(zigzag(2, 4), 2), 6561),
        (product(zigzag(5, 2), 2), 6561),
        (product(zigzag(2, 3), 2), 729),
    ],
)
def test_products_have_their_closed_form(net, cells):
    found = regions_in_plane(net, (0, 1))
    assert found.n_cells == found.n_linear_regions == cells
    assert found.n_cells <= upper_bound(net)
    assert found.counts_at_100_tol == found.counts


def test_the_three_counts_differ_where_they_should():
    off = MaxoutNetwork(  # two ReLU lines, then a unit that is off everywhere
        [relu_layer(np.eye(2), np.zeros(2))[0], relu_layer([[1, 1]], [-5])[0]],
        [relu_layer(np.eye(2), np.zeros(2))[1], relu_layer([[1, 1]], [-5])[1]],
        [[1.0]],
    )
    assert regions_in_plane(off, (-1, 1)).counts == (4, 1, 1)
    assert regions_in_plane(product(tent(3), 2), (0, 1)).counts == (64, 64, 40)


@pytest.mark.parametrize("seed", range(3))
def test_the_outputs_units_of_measure_do_not_matter(seed):
    net = random_network(2, [6, 5], 3, 2, seed=seed)
    off = relu_layer([[1, 1, 0, 0, 0, 0]], [-50])  # dead: regions are joined in the second case
    dead = MaxoutNetwork(
        [net.weights[0], off[0]], [net.biases[0], off[1]], np.ones((2, 1)), [0.0, 0.0]
    )
    for one in (net, dead):
        readout, bias = one.affine
        counts = regions_in_plane(one, (-1, 1)).counts
        for factors, shift in (
            ([1e-13, 1e-13], 0.0),
            ([1e20, 1e20], 0.0),
            ([1.0, 1e-16], 0.0),
            ([1.0, 1.0], 1e13),
        ):
            scaled = np.array(factors)
            other = MaxoutNetwork(
                one.weights, one.biases, scaled[:, None] * readout, scaled * bias + shift
            )
            found = regions_in_plane(other, (-1, 1))
            assert found.counts == counts
            assert found.counts_at_100_tol == counts


def test_a_small_output_beside_a_large_one_keeps_its_regions():
    lines = relu_layer(np.eye(2), [0.1, 0.2])
    net = MaxoutNetwork([lines[0]], [lines[1]], [[1.0, 0.0], [0.0, 1e-15]])
    assert regions_in_plane(net, (-1, 1)).counts == (4, 4, 4)


def test_a_piece_that_wins_only_inside_a_cell_is_found():
    # the second piece is largest around 0 alone; at every corner of the box another one wins
    net = MaxoutNetwork(
        [[[[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]]],
        [[[0.0, 0.5, 0.0, 0.0, 0.0]]],
        [[1.0]],
    )
    found = regions_in_plane(net, (-1, 1))
    assert found.n_cells == 5
    assert found.areas[found.pattern[:, 0] == 1] == pytest.approx([1.0])


def test_three_pieces_that_tie_along_a_line_leave_one_edge():
    # max(x, 0, -x): the middle piece wins nowhere, the other two are neighbours
    net = MaxoutNetwork(
        [[[[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]]]], [[[0.0, 0.0, 0.0]]], [[1.0], [1.0]]
    )
    found = regions_in_plane(net, (-1, 1))
    assert (found.n_cells, found.neighbours.tolist()) == (2, [[0, 1]])


def test_near_coincident_lines_are_reported_by_the_wider_tolerance():
    gap = 2e-11  # between the tolerance 1e-12 and 100 times it, in units of the terms
    lines = relu_layer([[1.0, 0.0], [1.0, 0.0]], [0.0, gap])
    net = MaxoutNetwork([lines[0]], [lines[1]], [[1.0, 1.0]])
    found = regions_in_plane(net, (-1, 1))
    assert found.unsure > 0
    assert (found.n_cells, found.counts_at_100_tol.cells) == (3, 2)
    coarse = MaxoutNetwork([lines[0]], [np.array([[0.0, 0.0], [0.01, 0.0]])], [[1.0, 1.0]])
    found = regions_in_plane(coarse, (-1, 1), tol=9e-4)  # 100 times it is beyond what tol may be
    assert (found.n_cells, found.counts_at_100_tol.cells) == (3, 2)
    generic = regions_in_plane(random_network(2, [6, 6], seed=0), (-1, 1))
    assert generic.unsure == 0
    assert generic.counts_at_100_tol == generic.counts


@pytest.mark.parametrize("seed", range(3))
def test_estimates_are_near_the_count(seed):
    net = random_network(2, [24, 24, 24], 2, seed=seed)
    guess = estimate_cells(net, (-2, 2), seed=seed)
    cells = regions_in_plane(net, (-2, 2)).n_cells
    # Four standard errors, and the perimeter term's own scatter of a few per cent.
    assert abs(guess.cells - cells) <= 4 * guess.standard_error + 0.1 * cells


def test_estimates_of_small_and_regular_networks_are_sharp():
    assert estimate_cells(random_network(2, [1], 1, seed=0), (-1, 1)).cells == 1.0
    guess = estimate_cells(product(zigzag(3, 3), 2), (0, 1))
    assert guess.cells == pytest.approx(15_625, rel=0.15)


def test_a_count_above_the_budget_is_refused_with_an_estimate():
    net = product(zigzag(3, 3), 2)
    with pytest.raises(BudgetError, match=r"about 1\.\d+e\+04 cells estimated .* budget of 1000"):
        regions_in_plane(net, (0, 1), budget=1000)
    huge = product(zigzag(2, 16), 2)  # 3**32 = 1.85e15 cells: only the estimate can answer
    with pytest.raises(BudgetError, match=r"about (1|2)\.\d+e\+15 cells estimated"):
        regions_in_plane(huge, (0, 1), budget=5000)
    finer = estimate_cells(product(zigzag(2, 21), 2), (0, 1))  # too fine for any window
    assert np.isnan(finer.standard_error)
    assert finer.cells == pytest.approx(3.0**42, rel=0.5)


@pytest.mark.parametrize("rank", [2, 3])
def test_one_wide_layer_is_refused_before_its_cells_are_made(rank):
    net = random_network(2, [700], rank, seed=0)
    tracemalloc.start()
    with pytest.raises(BudgetError, match="above the budget of 1000"):
        regions_in_plane(net, (-1, 1), budget=1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # All cells' maps at once would be 1e5 cells x 700 units x 3 x 8 bytes = 1.7 GB; one block of
    # maps is 35 MB, and a few temporaries of its size stand beside it.
    assert peak < 300e6


def test_a_budget_is_what_a_count_may_reach():
    net = random_network(2, [9, 9], 3, seed=0)
    cells = regions_in_plane(net, (-1, 1)).n_cells
    assert regions_in_plane(net, (-1, 1), budget=cells).n_cells == cells
    with pytest.raises(BudgetError, match=f"budget of {cells - 1}"):
        regions_in_plane(net, (-1, 1), budget=cells - 1)


@pytest.mark.parametrize(
    ("n_inputs", "where", "error", "message"),
    [
        (3, (-1, 1), SliceError, "the network has 3 inputs; give a Plane"),
        (3, SQUARE, SliceError, "the plane lies in 2 dimensions and the network has 3"),
        (2, (1, -1), BoxError, "inverted"),
        (2, (0, 0), BoxError, "empty"),
        (2, ([0] * 3, [1] * 3), BoxError, "3 coordinates"),
    ],
)
def test_windows_that_do_not_fit_are_refused(n_inputs, where, error, message):
    with pytest.raises(error, match=message):
        regions_in_plane(random_network(n_inputs, [3], seed=0), where)


def test_values_beyond_floats_are_refused():
    layers = [[[[1e200, 0.0], [0.0, 1e200]]], [[[1e200], [0.0]]]]
    biases = [[[0.0, 0.0]], [[0.0, 1.0]]]
    with pytest.raises(SliceError, match="layer 2 of 2 may exceed 1e\\+300"):
        regions_in_plane(MaxoutNetwork(layers, biases, [[1.0]]), (-1, 1))
    small = MaxoutNetwork([layers[0], [[[1.0], [0.0]]]], biases, [[1.0]])
    assert regions_in_plane(small, (-1, 1)).n_cells >= 2


def test_bad_planes_and_tolerances_are_refused():
    with pytest.raises(SliceError, match="parallel"):
        Plane([0, 0], [1, 1], [2, 2])
    with pytest.raises(SliceError, match="one shape"):
        Plane([0, 0, 0], [1, 1], [2, 2])
    with pytest.raises(SliceError, match="numbers, one per input"):
        Plane(["a", 0], [1, 0], [0, 1])
    with pytest.raises(SliceError, match="finite"):
        Plane([0, np.nan], [1, 0], [0, 1])
    with pytest.raises(BoxError, match="inverted"):
        Plane([0, 0], [1, 0], [0, 1], lo=(1, 1), hi=(0, 2))
    with pytest.raises(SliceError, match="relative tolerance"):
        regions_in_plane(random_network(2, [3], seed=0), (-1, 1), tol=1.0)
    corners = np.eye(3)
    assert np.allclose(Plane.through(*corners).points(np.array([[0, 0], [1, 0], [0, 1]])), corners)
    with pytest.raises(SliceError, match="one dimension"):
        Plane.through([0, 0], [1, 0, 0], [0, 1])


def test_a_picture_holds_every_cell_once():
    found = regions_in_plane(random_network(2, [6, 5], seed=2), (-1, 1))
    drawn = sum(int(np.isnan(trace.x).sum()) for trace in found.plot().data)
    assert drawn == found.n_cells
    assert str(found.n_cells) in found._repr_html_()


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_cells_of_a_grid_have_four_corners(depth):
    found = regions_in_plane(product(zigzag(2, depth), 2), (0, 1))
    assert (np.diff(found.offsets) == 4).all()  # cuts leave no vertex behind on straight edges
    assert len(found.neighbours) == 2 * 3**depth * (3**depth - 1)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("power", [0, 30, 50])
def test_a_unit_in_another_scale_changes_no_count(rank, power):
    """Its readers are scaled back by the same power of two: outputs are equal to the bit."""
    base = random_network(2, [6, 6], rank, seed=0)
    first, second = base.layers
    weight, bias, reader = first.weight.copy(), first.bias.copy(), second.weight.copy()
    weight[0] *= 2.0**power
    bias[0] *= 2.0**power
    reader[:, :, 0] /= 2.0**power
    net = MaxoutNetwork([weight, reader], [bias, second.bias], base.readout, base.readout_bias)
    found = regions_in_plane(net, (-3, 3))
    assert found.counts == regions_in_plane(base, (-3, 3)).counts
    assert found.unsure == 0


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("depth", [-1e3, -1e12, -1e30])
def test_a_piece_that_only_fills_up_changes_nothing(rank, depth):
    base = random_network(2, [6, 6], rank, seed=0)
    weights = [np.pad(layer.weight, ((0, 0), (0, 1), (0, 0))) for layer in base.layers]
    biases = [np.pad(layer.bias, ((0, 0), (0, 1)), constant_values=depth) for layer in base.layers]
    net = MaxoutNetwork(weights, biases, base.readout, base.readout_bias)
    found, wanted = regions_in_plane(net, (-3, 3)), regions_in_plane(base, (-3, 3))
    assert found.counts == wanted.counts
    assert found.unsure == 0
    assert np.abs(found.maps - wanted.maps).max() <= 1e-12  # rounding of maps of order 1


def clustered(side, width=48):
    """All cells lie within ``side`` of the origin, where both inputs are clipped."""
    rng = np.random.default_rng(1)
    steps, start = np.zeros((4, 2)), np.array([1.0, -1.0, 1.0, -1.0])
    steps[:2, 0] = steps[2:, 1] = 1 / side  # relu(x / side + 1) - relu(x / side - 1), twice
    turn = rng.normal(size=(width, 2))
    offset = rng.normal(size=width) * 0.5 - turn.sum(axis=1)
    layers = [(steps, start), (turn @ [[1, -1, 0, 0], [0, 0, 1, -1]], offset)]
    for _ in range(2):
        inner = rng.normal(size=(width, width)) / np.sqrt(width / 2)
        layers.append((inner, rng.normal(size=width) * 0.1))
    pairs = [relu_layer(weight, bias) for weight, bias in layers]
    weights, biases = zip(*pairs, strict=True)
    return MaxoutNetwork(weights, biases, rng.normal(size=(1, width)))


def test_estimates_of_clustered_cells_come_to_an_end(monkeypatch):
    """Windows too large and windows too empty must not take turns: they did, hundreds of times."""
    rounds = []
    drawn = count._stratified
    monkeypatch.setattr(count, "_stratified", lambda *args: rounds.append(0) or drawn(*args))
    assert estimate_cells(clustered(0.01), (-1, 1)).cells >= 1
    # A share that was too large is divided by 16 and doubled at most thrice before the next one;
    # below a millionth the search ends in any case.
    assert len(rounds) <= 4 * 6
