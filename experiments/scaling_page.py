"""The curves as a run: what theory says about each, passed or failed; and grammars of one's own."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..grammars import Grammar
from ..reports import Check, Comparison, Picture, Run, Scores, Study
from ..reports.values import plain
from .curves import Curve, Scaling, compiled
from .manifest import versions

if TYPE_CHECKING:
    from ..constructions.grammar.sizes.accounting import Accounting

__all__ = ["as_run"]

EXACT = 1e-9
QUESTION = (
    "How large is a transformer that computes a grammar? Theory (arXiv:2606.17522) names the "
    "growth with the depth of the grammar, the number of its tree shapes and the number of its "
    "rules. One of these varies at a time, the others stay; every size is counted in weights."
)
SWEEPS: Final = {
    "depth": "Layers against depth: two per level in two passes, one per level in one pass.",
    "shapes": "Neurons against tree shapes: linear where every shape has a parser of its own, "
    "much less where all share one chart.",
    "rules": "Neurons against rules: two per binary rule in a chart, at most their square for "
    "pairs of rules.",
}


def as_run(scaling: Scaling, grammars: Mapping[str, Grammar]) -> Run:
    """Curves and grammars as a run that is checked, compared and reported like any other.

    Args:
        scaling: the curves.
        grammars: grammars of one's own, by name.
    """
    studies = [_sweep(name, about, scaling) for name, about in SWEEPS.items()]
    studies += [_own(index, *item) for index, item in enumerate(grammars.items(), start=1)]
    settings = {str(name): plain(value) for name, value in scaling.settings.items()}
    return Run("Sizes of grammar transformers", QUESTION, settings, versions(), tuple(studies))


def _sweep(name: str, about: str, scaling: Scaling) -> Study:
    curves = {curve.name: curve for curve in scaling.curves if curve.sweep == name}
    facts: dict[str, object] = {}
    for title, curve in curves.items():
        points = zip(curve.x, curve.y, strict=True)
        facts[title] = ", ".join(f"{y} at {x}" for x, y in points)
        facts[f"{title}: fit"] = (
            f"slope {curve.slope:.3f}, exponent {curve.exponent:.3f}; theory: {curve.expected}"
        )
        facts[f"{title}: weights counted"] = ", ".join(dict.fromkeys(curve.weights))
    fixed = next(iter(curves.values())).fixed
    facts |= {f"held fixed: {label}": str(values[0]) for label, values in fixed.items()}
    wrong = sum(
        len(set(values)) > 1 for curve in curves.values() for values in curve.fixed.values()
    )
    held = Check(
        "other sizes that vary along the curve", float(wrong), "<=", 0.0,
        f"nothing but the {name} tells the points apart: {', '.join(fixed)} stay as they are",
    )  # fmt: skip
    picture = scaling.picture(name)
    return _study(name, about, facts, [*_theory(name, curves), held], pictures=(picture,))


def _theory(name: str, curves: Mapping[str, Curve]) -> list[Check]:
    if name == "depth":
        return [
            _near("two passes: layers per level", curves["two passes"].slope, 2.0),
            _near("one pass: layers per level", curves["one pass"].slope, 1.0),
        ]
    if name == "shapes":
        own = [curves["shapes, two passes"], curves["shapes, one pass"]]
        return [
            *(
                Check(
                    f"{curve.name}: distance from a line", curve.largest_deviation, "<=", 0.05,
                    "neurons grow linearly with the number of tree shapes, as a share of the most",
                )
                for curve in own
            ),
            Check(
                "spans: neurons per shape, of those of a parser per shape",
                curves["spans"].slope / own[0].slope, "<=", 0.2,
                "one chart for all shapes grows with the lengths of spans, not with the shapes",
            ),
        ]  # fmt: skip
    return [
        _near("spans: neurons per binary rule", curves["spans"].slope, 2.0),
        Check(
            "pairs of rules: exponent", curves["pairs of rules"].exponent, "<=", 2.0,
            "neurons grow at most with the square of the number of rules",
        ),
    ]  # fmt: skip


def _near(name: str, value: float, wanted: float) -> Check:
    return Check(
        f"{name}, distance from {wanted:g}", abs(value - wanted), "<=", EXACT,
        f"theory says {wanted:g}; measured {value:.6g}, the slope of a line through the points",
    )  # fmt: skip


def _own(index: int, name: str, grammar: Grammar) -> Study:
    """Sizes of one's own grammar, each mode that can compile it held to its formulas."""
    from ..constructions import ConstructionError

    facts: dict[str, object] = {"file": name, "depth d": grammar.depth}
    facts |= {"tree shapes c": str(grammar.n_shapes), "rules M": len(grammar.rules)}
    modes: dict[str, dict[str, Any]] = {
        "spans": {"mode": "spans"},
        "shapes, two passes": {"mode": "shapes"},
        "shapes, one pass": {"mode": "shapes", "passes": 1},
    }
    checks, notes = [], []
    for title, mode in modes.items():
        try:
            counted = compiled(grammar, **mode).accounting()
        except ConstructionError as error:
            notes.append(f"not tested: {title}: {error}")
            continue
        checks.append(_formulas(title, counted))
        rows = {row.name.strip(): row.measured for row in counted.rows}
        facts |= {f"{title}: {size}": rows[size] for size in ("layers", "neurons")}
    return _study(f"grammar {index}", "Sizes of a grammar of one's own.", facts, checks, notes)


def _formulas(title: str, counted: "Accounting") -> Check:
    wrong = [row.name.strip() for row in counted.rows if not row.holds]
    return Check(
        f"{title}: sizes that break the theorem's formulas, of {len(counted.rows)}",
        float(len(wrong)), "<=", 0.0,
        "layers, neurons, heads and width, counted in the weights, are those of the formulas"
        + (f"; broken: {', '.join(wrong)}" if wrong else ""),
    )  # fmt: skip


def _study(
    name: str,
    about: str,
    facts: Mapping[str, object],
    checks: Sequence[Check],
    notes: Sequence[str] = (),
    pictures: tuple[Picture, ...] = (),
) -> Study:
    shown = {label: plain(value) for label, value in facts.items()}
    return Study(
        name, about, shown, Scores(()), Comparison(()),
        checks=tuple(checks), notes=tuple(notes), pictures=pictures,
    )  # fmt: skip
