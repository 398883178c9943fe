"""How large a grammar transformer is: layers against depth, neurons against shapes and rules.

Three sweeps over families of grammars; every point is read off the weights of a compiled model, and
a line is fitted to each curve. Theory (arXiv 2606.17522) says: layers grow as 2 d (two passes) or d
(one pass); neurons grow linearly with the number c of derivation-tree shapes if every shape has its
own parser, and not at all with c if messages are indexed by spans; they grow at most with the
square of the number of rules.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..core import progress
from ..grammars import Grammar, families
from .curves import Curve, Scaling, ScalingError, compiled
from .scaling_page import as_run

__all__ = ["Curve", "Scaling", "ScalingError", "compiled", "run"]


Sizes = dict[str, int]
Modes = dict[str, tuple[dict[str, Any], str]]


def run(out: str | Path, *, tiny: bool = False, grammars: Sequence[str | Path] = ()) -> Scaling:
    """Sweep, fit, hold to the theorem; a run folder.

    Args:
        out: the folder; it must not exist, or be empty.
        tiny: a few seconds instead of about a minute.
        grammars: files of grammars, whose sizes are held to the theorem's formulas as well.

    Raises:
        ScalingError: the folder holds something.
    """
    from ..reports import write_run

    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ScalingError(f"{str(folder)!r} already holds something; give a new folder")
    named = {str(file): Grammar.from_file(file) for file in grammars}
    settings: dict[str, Any] = {
        "depths": list(range(2, 5 if tiny else 8)),
        "children of varying length": list(range(1, 5 if tiny else 8)),
        "rules per symbol": [1, 2, 3] if tiny else [1, 2, 3, 4, 5, 6],
        "symbols": 4 if tiny else 6,
        "grammars": list(named),
    }
    curves = [*_depth(settings), *_shapes(settings), *_rules(settings)]
    scaling = Scaling(tuple(curves), settings)
    write_run(as_run(scaling, named), folder)
    return scaling


def _depth(settings: dict[str, Any]) -> Iterator[Curve]:
    """Latin-square grammars of growing depth; shapes c = 1, so ``shapes`` in one pass fits too."""
    modes: Modes = {
        "two passes": ({"mode": "spans"}, "slope 2.000"),
        "one pass": ({"mode": "shapes", "passes": 1}, "slope 1.000"),
    }
    depths = settings["depths"]
    for name, (mode, theory) in modes.items():
        sizes = _sweep(depths, lambda d: families.latin(order=2, depth=d), mode, f"depth, {name}")
        x = tuple(depths)
        yield _curve("depth", name, x, "layers", theory, sizes, ["tree shapes c", "symbols"])


def _shapes(settings: dict[str, Any]) -> Iterator[Curve]:
    """``S -> A..A B..B`` with ``A -> a | a b`` and ``B -> a``: j children A make 2**j shapes."""
    counts = settings["children of varying length"]
    total = max(counts) + 1
    modes: Modes = {
        "shapes, two passes": ({"mode": "shapes"}, "linear in c"),
        "shapes, one pass": ({"mode": "shapes", "passes": 1}, "linear in c"),
        "spans": ({"mode": "spans"}, "grows with lengths, not with c"),
    }
    for name, (mode, theory) in modes.items():
        sizes = _sweep(counts, lambda j: _varying(j, total), mode, f"shapes, {name}")
        x = tuple(size["tree shapes c"] for size in sizes)
        yield _curve("shapes", name, x, "neurons", theory, sizes, ["depth d", "rules M"])


def _varying(varying: int, total: int) -> Grammar:
    body = " ".join(["A"] * varying + ["B"] * (total - varying))
    return Grammar.from_text(f"S -> {body}\nA -> 'a' | 'a' 'b'\nB -> 'a'")


def _rules(settings: dict[str, Any]) -> Iterator[Curve]:
    """Random hierarchies with growing numbers of rules per symbol."""
    v = settings["symbols"]
    per_symbol = [m for m in settings["rules per symbol"] if m <= v]

    def grammar(m: int) -> Grammar:
        return families.random_hierarchy(n_symbols=v, n_rules=m, arity=2, depth=3, seed=0)

    modes: Modes = {
        "spans": ({"mode": "spans"}, "2 neurons per binary rule"),
        "pairs of rules": ({"mode": "shapes", "merge": "rules"}, "exponent at most 2"),
    }
    for name, (mode, theory) in modes.items():
        sizes = _sweep(per_symbol, grammar, mode, f"rules, {name}")
        x = tuple(len(grammar(m).rules) for m in per_symbol)
        fixed = ["depth d", "tree shapes c", "longest sentence"]
        yield _curve("rules", name, x, "neurons", theory, sizes, fixed)


def _curve(
    sweep: str,
    name: str,
    x: tuple[int, ...],
    up: str,
    theory: str,
    sizes: Sequence[Sizes],
    fixed: Sequence[str],
) -> Curve:
    return Curve(
        sweep,
        name,
        x,
        tuple(size[up] for size in sizes),
        theory,
        {label: tuple(size[label] for size in sizes) for label in fixed},
        tuple("dense" if size["dense"] else "sparse" for size in sizes),
    )


def _sweep(
    values: Sequence[int], grammar: Callable[[int], Grammar], mode: dict[str, Any], title: str
) -> list[Sizes]:
    """Sizes counted in the weights of the compiled models, and those of the grammars."""
    found = []
    for value in progress(values, title):
        language = grammar(value)
        model = compiled(language, **mode)
        found.append(
            {row.name.strip(): row.measured for row in model.accounting().rows}
            | {
                "depth d": language.depth,
                "tree shapes c": language.n_shapes,
                "rules M": len(language.rules),
                "symbols": max(map(len, language.table.at_height[1:-1]), default=1),
                "longest sentence": max(language.lengths),
                "dense": model.settings.backend == "dense",
            }
        )
    return found
