"""Pictures as plain data, so that a run folder holds them and the page of any run draws them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from pydantic import ConfigDict

from ..core import checked
from .drawing.palette import GROUND
from .drawing.panels import panels, spelled, style
from .errors import RecordError

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["DrawnLine", "Picture", "Polygon"]

HEIGHT = 280
COLOURS = 24
CLOSED: ConfigDict = {"extra": "forbid", "allow_inf_nan": False}


@final
@checked(RecordError)
@dataclass(frozen=True)
class DrawnLine:
    """Points joined in order.

    Args:
        name: in the legend.
        x: of each point.
        y: of each point.
        dotted: what is expected rather than measured.
        filled: down to the line before it: a band.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    dotted: bool = False
    filled: bool = False

    __pydantic_config__ = CLOSED

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise RecordError(
                f"a line has as many x as y; received {len(self.x)} and {len(self.y)}"
            )


@final
@checked(RecordError)
@dataclass(frozen=True)
class Polygon:
    """A polygon of the plane.

    Args:
        x: of each corner, in order around it.
        y: of each corner.
        colour: cells of one number have one colour; there are 24, so different numbers may share.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: int

    __pydantic_config__ = CLOSED


@final
@checked(RecordError)
@dataclass(frozen=True)
class Picture:
    """Lines in one frame, or cells of a plane.

    Args:
        caption: what it shows.
        across: name of the horizontal axis.
        up: name of the vertical axis.
        logarithmic: which axes are.
        lines: with their names.
        cells: of a plane; both axes then have one scale.
    """

    caption: str
    across: str
    up: str
    logarithmic: Literal["none", "x", "y", "both"] = "none"
    lines: tuple[DrawnLine, ...] = ()
    cells: tuple[Polygon, ...] = ()

    __pydantic_config__ = CLOSED

    def plot(self) -> "go.Figure":
        """The picture as a plotly figure."""
        figure = panels(
            [""], height=420 if self.cells else HEIGHT, columns=1, width=240, labels=["10.00"]
        )
        for line in self.lines:
            figure.add_scatter(
                x=list(line.x), y=list(line.y), name=spelled(line.name),
                mode="lines" if line.dotted else "lines+markers",
                line={"dash": "dot" if line.dotted else "solid"},
                fill="tonexty" if line.filled else None,
            )  # fmt: skip
        for number in sorted({cell.colour % COLOURS for cell in self.cells}):
            x: list[float | None] = []
            y: list[float | None] = []
            for cell in self.cells:
                if cell.colour % COLOURS == number:
                    x += [*cell.x, cell.x[0], None]  # None lifts the pen
                    y += [*cell.y, cell.y[0], None]
            hue = f"hsl({int(360 * number / COLOURS)}, 40%, {52 + 9 * (number % 3)}%)"
            figure.add_scatter(
                x=x, y=y, fill="toself", mode="lines", line={"width": 0.5, "color": GROUND},
                fillcolor=hue, hoverinfo="skip", showlegend=False,
            )  # fmt: skip
        across, up = self.logarithmic in ("x", "both"), self.logarithmic in ("y", "both")
        power = {"exponentformat": "power"} if across or up else {}
        figure.update_xaxes(
            title_text=spelled(self.across), type="log" if across else None, **power
        )
        figure.update_yaxes(title_text=spelled(self.up), type="log" if up else None, **power)
        if self.up.startswith("accuracy") and not up:
            figure.update_yaxes(range=[-0.04, 1.06])
        told = {x for line in self.lines for x in line.x}
        if not across and 0 < len(told) < 9 and all(x.is_integer() for x in told):
            figure.update_xaxes(tickvals=sorted(told))  # of two blocks there is no half
        if self.cells:
            figure.update_xaxes(constrain="domain")
            figure.update_yaxes(scaleanchor="x")
        return style(figure)
