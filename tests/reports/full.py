"""A made-up run with every kind of figure, whose every name is an attack on the page."""

from dataclasses import replace

import numpy as np

from linrep.core import CellScore, ErasedRow, SteeredRow, Subspace
from linrep.probes import Moved, Transfer
from linrep.reports import Run
from linrep.reports.classes import Classes
from linrep.reports.pictures import DrawnLine, Picture, Polygon

from .conftest import SITES, make_run

ATTACK = "<img src=x onerror=alert(1)>"


def full_run() -> Run:
    """The planted run with classes, exchanges, edits, transfers and pictures."""
    run = make_run()
    (study,) = run.studies
    rng = np.random.default_rng(0)
    best = SITES[2]
    names = tuple(f"{ATTACK} {i}" for i in range(5))
    counts = tuple(tuple(int(10 * (i == j) + (i + j) % 2) for j in range(5)) for i in range(5))
    kept, spaces = [], {"learned": {}, "predicted": {}}
    for target, k in (("height 1", 2), ("height 2", 4)):  # in a plane, and in space
        space = {side: Subspace(rng.standard_normal((40, k))) for side in spaces}
        means = rng.standard_normal((5, 40))
        tables = [tuple(map(tuple, (means @ space[side].basis).tolist())) for side in spaces]
        kept.append(Classes(target, best, names, counts, *tables))
        for side in spaces:
            spaces[side][best, target] = space[side]
    erased = [
        ErasedRow("height 1", site, arm, 2, 0.1, 1.0, 0.1, read, at, 0.5, 0.3)
        for site in SITES[1:2]
        for at in SITES[1:]
        for arm in ("none", "subspace", "leace", "random")
        for read in ("height 1", "height 2")
    ]
    steered = [
        SteeredRow("height 1", best, ATTACK, "b", 3.0, 20, s, s / 2, 0.1, 0.0, abs(s), 5.0)
        for s in (-2.0, -1.0, 0.0, 1.0, 2.0)
    ]
    sets = (ATTACK, "second set")
    moved = [
        Moved(site, a, b, 0.8, 0.7, 0.9, 0.5, 0.5, 80, 20, True)
        for site in SITES for a in sets for b in sets
    ]  # fmt: skip
    cosines = {site: np.eye(2) for site in SITES}
    pictures = (
        Picture("Lines.", ATTACK, "accuracy", lines=(
            DrawnLine(ATTACK, (1.0, 2.0), (0.1, 0.9)), DrawnLine("b", (1.0, 2.0), (0.2, 0.3), True),
        )),
        Picture("Cells.", "x", "y", cells=(
            Polygon((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), 0),
            Polygon((1.0, 1.0, 0.0), (0.0, 1.0, 1.0), 7),
        )),
    )  # fmt: skip
    done = CellScore(**_cell())
    rows = tuple(replace(row, exchange=done) for row in study.comparison.rows)
    study = replace(
        study, name=ATTACK.replace("/", ""), question=ATTACK, notes=(ATTACK,), trees=(ATTACK,),
        comparison=replace(study.comparison, rows=rows), subspaces=spaces, classes=tuple(kept),
        erased=tuple(erased), steered=tuple(steered), pictures=pictures,
        transfers=(Transfer("height 1", tuple(moved), sets, cosines),),
        names={"height 1": ATTACK},
    )  # fmt: skip
    return replace(run, title=ATTACK, question=ATTACK, studies=(study,))


def _cell() -> dict[str, object]:
    """Every field of an exchange has a number, or text."""
    found: dict[str, object] = {}
    for name, kind in CellScore.__annotations__.items():
        written = kind if isinstance(kind, str) else kind.__name__
        found[name] = {"int": 5, "str": "", "bool": True}.get(written, 0.5)
    return found
