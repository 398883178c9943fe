"""Region counts in the plane: this library beside edge subdivision and a plain polygon clip.

    python benchmarks/regions.py                 # the table; one thread for every method
    python benchmarks/regions.py --check         # exit 1 if a target is missed
    python benchmarks/regions.py --figure out.html   # seconds against cells, drawn

Times are CPU seconds of this process, the least of ``--repeat`` runs, all methods in one run.
Networks are torch's default initialisation; all methods must agree on the count.
"""

# ruff: noqa: E402 - the number of threads is fixed before the libraries load
import argparse
import os
import sys
import time
from collections.abc import Callable

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy and torch load: threads on shared cores cost 10 times

import numpy as np
import torch
from figures import tell
from regions_edges import published_cells, tuned_cells
from regions_naive import naive_cells
from torch import nn

from linrep.piecewise import MaxoutNetwork, Plane, random_network, regions_in_plane

RELU = [  # widths, half side of the box, run the naive clip
    ([32, 32, 32], 1.0, True),
    ([64, 64, 64], 1.0, True),
    ([64, 64, 64], 10.0, False),
    ([128, 128, 128], 1.0, False),
    ([64] * 5, 10.0, False),
]


def relu_network(widths: list[int], seed: int = 0) -> MaxoutNetwork:
    """Torch's default initialisation, from a seed, without touching the global generator."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for inputs, width in zip([2, *widths], widths, strict=False):
            layers += [nn.Linear(inputs, width), nn.ReLU()]
        layers.append(nn.Linear(widths[-1], 1))
    return MaxoutNetwork.from_torch(nn.Sequential(*layers))


def timed(run: Callable[[], int], repeat: int) -> tuple[int, float]:
    """The count and the least CPU time of some runs."""
    best = float("inf")
    for _ in range(repeat):
        before = time.process_time()
        count = run()
        best = min(best, time.process_time() - before)
    return count, best


def square(half: float) -> Plane:
    return Plane([0.0, 0.0], [1.0, 0.0], [0.0, 1.0], (-half, -half), (half, half))


BARS = {"edge subdivision, published": 3.0, "plain polygon clip": 20.0}


def tell_peers(network: str, own: float, peers: dict[str, float]) -> None:
    """Our seconds beside those of others."""
    for peer, seconds in peers.items():
        tell(
            "regions", network, own, "CPU s", peer, seconds,
            ratio=seconds / own, better="larger", bar=BARS.get(peer),
        )  # fmt: skip


def compare(repeat: int, slow: bool) -> list[tuple[str, bool]]:
    """Print the table; the targets and whether they are met.

    Raises:
        SystemExit: two methods disagree on a count.
    """
    targets: list[tuple[str, bool]] = []
    columns = (
        "linrep",
        "us/cell",
        "cells/s",
        "published",
        "ratio",
        "tuned",
        "ratio",
        "naive",
        "ratio",
    )
    widths_of = (10, 9, 10, 10, 7, 10, 7, 10, 7)
    heads = "".join(f"{c:>{w}}" for c, w in zip(columns, widths_of, strict=True))
    print(f"{'network':<26}{'cells':>7}{heads}")
    for widths, half, naive in RELU:
        net, plane = relu_network(widths), square(half)
        cells, own = timed(lambda: regions_in_plane(net, plane).n_cells, repeat)  # noqa: B023
        peers = {}
        for form, count_cells in (("published", published_cells), ("tuned", tuned_cells)):
            times = []
            for dtype in (torch.float32, torch.float64):
                count, seconds = timed(lambda: count_cells(net, plane, dtype), repeat)  # noqa: B023
                times.append(seconds)
            if count != cells:  # in float64; float32 loses a cell now and then
                raise SystemExit(f"edge subdivision, {form}: {count} cells, linrep {cells}")
            peers[form] = min(times)
        peer = peers["published"]
        name = f"2-{'-'.join(map(str, widths))}-1, box {half:g}"
        line = f"{name:<26}{cells:>7}{own:>9.3f}s{own / cells * 1e6:>9.1f}{cells / own:>10.0f}"
        tell_peers(name, own, {f"edge subdivision, {form}": each for form, each in peers.items()})
        line += "".join(f"{seconds:>9.2f}s{seconds / own:>7.1f}" for seconds in peers.values())
        targets.append((f"{name}: >= 3 x edge subdivision as published", peer >= 3 * own))
        if max(widths) == 64:
            targets.append((f"{name}: <= 25 us per cell", own <= 25e-6 * cells))
        if max(widths) == 128:
            targets.append((f"{name}: {cells} cells under 1 s", own < 1.0))
        if naive and slow:
            count, seconds = timed(lambda: naive_cells(net, plane), 1)  # noqa: B023
            if count != cells:
                raise SystemExit(f"the naive clip counts {count} cells, linrep {cells}")
            line += f"{seconds:>9.2f}s{seconds / own:>7.1f}"
            tell_peers(name, own, {"plain polygon clip": seconds})
            targets.append((f"{name}: >= 20 x naive clip", seconds >= 20 * own))
        print(line, flush=True)
    for width in (32, 64):
        net, plane = random_network(2, [width] * 3, 3, seed=0), square(1.0)
        cells, own = timed(lambda: regions_in_plane(net, plane).n_cells, repeat)  # noqa: B023
        name = f"2-[{width}]x3-1, rank 3"
        line = f"{name:<26}{cells:>7}{own:>9.3f}s{own / cells * 1e6:>9.1f}{cells / own:>10.0f}"
        if slow and width == 32:
            count, seconds = timed(lambda: naive_cells(net, plane), 1)  # noqa: B023
            if count != cells:
                raise SystemExit(f"the naive clip counts {count} cells, linrep {cells}")
            line += f"{'-':>10}{'-':>7}" * 2 + f"{seconds:>9.2f}s{seconds / own:>7.1f}"
        print(line, flush=True)
    return targets


def growth(repeat: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells and seconds of one network on windows of growing size, and of growing depth."""
    rows = []
    for half in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        net, plane = relu_network([64] * 3), square(half)
        rows.append(timed(lambda: regions_in_plane(net, plane).n_cells, repeat))  # noqa: B023
    cells, seconds = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    print(f"{'cells':>10} {'seconds':>9} {'us/cell':>8} {'exponent from the row above':>28}")
    growth_of = cells[1:] / cells[:-1]
    # Once the window holds nearly every cell, a step is too small to tell an exponent.
    told = growth_of > 1.25
    local = np.full(len(growth_of), np.nan)
    local[told] = np.log(seconds[1:] / seconds[:-1])[told] / np.log(growth_of[told])
    for count, second, step in zip(cells, seconds, [np.nan, *local], strict=True):
        print(f"{count:>10.0f} {second:>9.3f} {second / count * 1e6:>8.1f} {step:>28.2f}")
    # A fixed cost (calls per layer and round) is shared by more cells at each step, so small
    # counts grow slower than their cells; the last steps show the law.
    print(
        f"seconds ~ cells ** {local[told][-1]:.2f} at the largest step told (1 = proportional); "
        "smaller steps cost less than in proportion, as they share a fixed cost"
    )
    return cells, seconds


def draw(cells: np.ndarray, seconds: np.ndarray, path: str) -> None:
    import plotly.graph_objects as go

    figure = go.Figure(go.Scatter(x=cells, y=seconds, mode="lines+markers", name="measured"))
    line = cells * seconds[-1] / cells[-1]
    figure.add_trace(
        go.Scatter(x=cells, y=line, mode="lines", line_dash="dot", name="proportional")
    )
    figure.update_layout(title="Work of an exact count, 2-64-64-64-1, growing windows")
    figure.update_xaxes(type="log", title="cells")
    figure.update_yaxes(type="log", title="CPU seconds")
    figure.write_html(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="leave the naive clip out")
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    parser.add_argument("--figure", help="write seconds against cells to this HTML file")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    targets = compare(asked.repeat, slow=not asked.quick)
    print()
    cells, seconds = growth(asked.repeat)
    if asked.figure:
        draw(cells, seconds, asked.figure)
    print()
    for name, met in targets:
        print(f"{'ok    ' if met else 'MISSED'} {name}")
    return 1 if asked.check and not all(met for _, met in targets) else 0


if __name__ == "__main__":
    sys.exit(main())
