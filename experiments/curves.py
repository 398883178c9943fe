"""Sizes of models along a sweep, and the lines fitted to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from ..grammars import Grammar

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..constructions import GrammarTransformer

__all__ = ["Curve", "Scaling", "compiled"]

DENSE = 5_000_000  # parameters of an ordinary model, at most


@final
@dataclass(frozen=True)
class Curve:
    """One fitted curve.

    Args:
        sweep: ``depth``, ``shapes`` or ``rules``.
        name: which construction.
        x: grammar depth d, number of shapes c, or number of rules M.
        y: layers or neurons, read off the weights.
        expected: what theory says about the slope or the exponent.
        fixed: the other sizes of the grammars, each with its values along the curve.
        weights: back end whose weights were counted, point by point: ``dense`` or ``sparse``.
    """

    sweep: str
    name: str
    x: tuple[int, ...]
    y: tuple[int, ...]
    expected: str
    fixed: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    weights: tuple[str, ...] = ()

    @property
    def slope(self) -> float:
        """Least-squares slope of y against x."""
        return float(np.polyfit(self.x, self.y, 1)[0])

    @property
    def exponent(self) -> float:
        """Least-squares slope of log y against log x."""
        return float(np.polyfit(np.log(self.x), np.log(self.y), 1)[0])

    @property
    def largest_deviation(self) -> float:
        """Largest distance from the fitted line, as a share of the largest y."""
        line = np.polyval(np.polyfit(self.x, self.y, 1), self.x)
        return float(np.abs(line - np.array(self.y)).max() / max(self.y))


@final
@dataclass(frozen=True)
class Scaling:
    """All curves.

    Args:
        curves: in order.
        settings: what was swept.
    """

    curves: tuple[Curve, ...]
    settings: dict[str, Any]

    def curve(self, sweep: str, name: str) -> Curve:
        """The curve of this sweep and construction.

        Raises:
            KeyError: there is none.
        """
        for curve in self.curves:
            if (curve.sweep, curve.name) == (sweep, name):
                return curve
        raise KeyError((sweep, name))

    def table(self) -> list[dict[str, Any]]:
        """One line per curve: fits beside what theory says."""
        return [
            {
                "sweep": curve.sweep,
                "construction": curve.name,
                "slope": round(curve.slope, 3),
                "exponent": round(curve.exponent, 3),
                "deviation from a line": round(curve.largest_deviation, 3),
                "theory": curve.expected,
            }
            for curve in self.curves
        ]

    def figure(self, sweep: str) -> "go.Figure":
        """The curves of one sweep."""
        import plotly.graph_objects as go

        names = {"depth": ("depth d", "layers"), "shapes": ("tree shapes c", "neurons")}
        across, up = names.get(sweep, ("rules M", "neurons"))
        figure = go.Figure()
        for curve in self.curves:
            if curve.sweep == sweep:
                label = f"{curve.name}: slope {curve.slope:.3f}, exponent {curve.exponent:.3f}"
                figure.add_scatter(x=curve.x, y=curve.y, mode="lines+markers", name=label)
        kind = "linear" if sweep == "depth" else "log"
        figure.update_xaxes(title=across, type=kind)
        figure.update_yaxes(title=up, type=kind)
        figure.update_layout(template="plotly_white", legend={"orientation": "h", "y": -0.2})
        return figure


def compiled(grammar: Grammar, **mode: Any) -> "GrammarTransformer":
    """A model of ordinary weights where they are few enough to be counted, else a sparse one."""
    from ..constructions import ConstructionError, GrammarTransformer

    try:
        return GrammarTransformer.from_grammar(grammar, max_parameters=DENSE, **mode)
    except ConstructionError:  # too large; whatever else is wrong is wrong of the sparse one too
        return GrammarTransformer.from_grammar(grammar, backend="sparse", **mode)
