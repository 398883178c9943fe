"""Measured figures as one page of Markdown."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from figures import Figure

__all__ = ["page"]


def shown(value: float) -> str:
    """Three digits."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def table(figures: Iterable[Figure]) -> str:
    """Figures as Markdown."""
    lines = ["| what | linrep | beside | its value | ratio | bar |", "|---|---|---|---|---|---|"]
    for each in figures:
        sign = "≥" if each.better == "larger" else "≤"
        bar = "" if each.bar is None else f"{sign} {each.bar:g}{'' if each.met else ', missed'}"
        lines.append(
            f"| {each.what} | {shown(each.value)} {each.unit} | {each.beside} | "
            f"{shown(each.other)} {each.unit} | {each.ratio:.2f} | {bar} |"
        )
    return "\n".join(lines)


def curves(figures: Sequence[Figure]) -> str:
    """A line for each quantity that was doubled: what each size costs, and how steeply it grows."""
    lines = ["| what | CPU s | exponent of each doubling | why |", "|---|---|---|---|"]
    steps: dict[str, list[Figure]] = {}
    for each in figures:
        steps.setdefault(each.what.split(" from ")[0], []).append(each)
    for what, found in steps.items():
        first = found[0].what.split(" from ")[1].split(" to ")[0]
        ends = [first, *(each.what.rsplit(" to ", 1)[1] for each in found)]
        costs = [found[0].other, *(each.value for each in found)]
        told = ", ".join(f"{shown(c)} at {end}" for c, end in zip(costs, ends, strict=True))
        grows = ", ".join(f"{math.log2(each.ratio):.2f}" for each in found)
        lines.append(f"| {what} | {told} | {grows} | {found[0].why} |")
    return "\n".join(lines)


def page(runs: Sequence[dict[str, Any]]) -> str:
    """All runs as one page."""
    first = runs[0]["machine"]
    lines = [
        "# Benchmarks",
        "",
        "`python benchmarks/run.py` prints this page; every figure stands beside a peer or the "
        "floor of its work, measured in the same run, on one thread unless a row names more, or a "
        "GPU: then the processor has all its threads. A "
        "ratio is the median over rounds. Where the bar says ≥, the ratio is how many times faster "
        "linrep is; where it says ≤, how many times what stands beside it linrep takes.",
        "",
        f"Processor: {first['processor']}, {first['cores']} cores. {first['date']}. "
        + ", ".join(f"{name} {number}" for name, number in first["versions"].items())
        + ".",
    ]
    for run in runs:
        machine = run["machine"]
        lines += [
            "",
            f"## BLAS kernel {machine['kernel']}, load {machine['load']:.1f} at the start",
        ]
        figures = [Figure(**each) for each in run["figures"]]
        for part in dict.fromkeys(each.part for each in figures):
            mine = [each for each in figures if each.part == part]
            lines += ["", f"### {part}", "", curves(mine) if part == "curves" else table(mine)]
    return "\n".join(lines) + "\n"
