"""Sizes of models along a sweep, and the lines fitted to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from ..core import LinrepError
from ..grammars import Grammar
from ..reports import DrawnLine, Picture

if TYPE_CHECKING:
    from ..constructions import GrammarTransformer

__all__ = ["Curve", "Scaling", "ScalingError", "compiled"]

DENSE = 5_000_000  # parameters of an ordinary model, at most


class ScalingError(LinrepError):
    """The sweep cannot be written where it was asked for, or has no curve of that name."""


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
            ScalingError: there is none.
        """
        for curve in self.curves:
            if (curve.sweep, curve.name) == (sweep, name):
                return curve
        known = ", ".join(f"{one.name!r} of {one.sweep!r}" for one in self.curves)
        raise ScalingError(f"no curve {name!r} of the sweep {sweep!r}: there are {known or 'none'}")

    def picture(self, sweep: str) -> Picture:
        """The curves of one sweep, straight where theory says that they are lines."""
        names = {"depth": ("depth d", "layers"), "shapes": ("tree shapes c", "neurons")}
        across, up = names.get(sweep, ("rules M", "neurons"))
        curves = [curve for curve in self.curves if curve.sweep == sweep]
        return Picture(
            f"{up.capitalize()} against {across}, counted in weights.",
            across, up, "none" if sweep == "depth" else "both",
            tuple(
                DrawnLine(
                    f"{curve.name}: slope {curve.slope:.3f}, exponent {curve.exponent:.3f}",
                    tuple(map(float, curve.x)), tuple(map(float, curve.y)),
                )
                for curve in curves
            ),
        )  # fmt: skip


def compiled(grammar: Grammar, **mode: Any) -> "GrammarTransformer":
    """A model of ordinary weights where they are few enough to be counted, else a sparse one."""
    from ..constructions import ConstructionError, GrammarTransformer

    try:
        return GrammarTransformer.from_grammar(grammar, max_parameters=DENSE, **mode)
    except ConstructionError:  # too large; whatever else is wrong is wrong of the sparse one too
        return GrammarTransformer.from_grammar(grammar, backend="sparse", **mode)
