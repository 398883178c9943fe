"""Who is taken for whom, and how much of each class is recognised."""

import math
from typing import TYPE_CHECKING, Final

from ...core import checked
from ..classes import OTHERS, Classes
from ..errors import RecordError
from .palette import BLUE, SHARES
from .panels import WIDEST, Panels, gaps, panels, spelled, style

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["CONFUSION_CAPTION", "confusion_figure"]

CONFUSION_CAPTION: Final = (
    "What the probe says of each true class on held-out data, as a share of the class (true "
    "classes in rows, the most frequent first), and how much of each class is recognised. "
    "Of many classes the rarest are joined as (others): what is confused among them is not "
    "seen, so that they have no recall. Classes that are too rare in the "
    "training part to be learned are joined as (not learned)."
)
LINE: Final = 24  # pixels of a class
ROOM: Final = 25  # classes of a map that has room for numbers


@checked(RecordError)
def confusion_figure(classes: Classes) -> "go.Figure":
    """The confusion matrix and the recall of each class.

    Args:
        classes: of a target, at the site where it is read best.
    """
    import plotly.graph_objects as go

    names = [spelled(name, WIDEST) for name in classes.names]
    totals = [sum(line) for line in classes.counts]
    shares = [[count / total if total else math.nan for count in line]
              for line, total in zip(classes.counts, totals, strict=True)]  # fmt: skip
    recall = [math.nan if name == OTHERS else share
              for name, share in zip(classes.names, classes.recall, strict=True)]  # fmt: skip
    longest = max(len(part) for name in names for part in name.split("<br>"))
    lines = max(name.count("<br>") for name in names) + 1
    figure = panels(
        ["share of a true class that is said to be ...", "share recognised (recall)"],
        height=(LINE if lines == 1 else 36) * len(names) + 20, columns=2,
        width=max(240, 30 * len(names)), labels=names, below=52 + 5 * longest,
    )  # fmt: skip
    places = Panels(figure)
    told = [[f"{value:.2f}"[-3:] if 0.005 <= value < 0.995 else "1" if value > 0.5 else ""
             for value in line] for line in shares]  # fmt: skip
    places.add(
        0,
        go.Heatmap(
            x=names, y=names, z=[gaps(line) for line in shares], text=told,
            customdata=[list(line) for line in classes.counts], texttemplate="%{text}",
            hovertemplate="%{y}, said to be %{x}: %{z:.3f} (%{customdata})<extra></extra>",
            colorscale=SHARES, zmin=0, zmax=1, showscale=False, xgap=1, ygap=1,
        ),
    )  # fmt: skip
    places.add(
        1,
        go.Bar(
            x=gaps(recall), y=names, orientation="h", marker={"color": BLUE}, name="recall",
            customdata=totals, showlegend=False, width=0.55,
            hovertemplate="%{y}: %{x:.3f} of %{customdata} tokens<extra></extra>",
        ),
    )  # fmt: skip
    for index in (0, 1):
        places.axes(index)[1].update(type="category", autorange="reversed", showgrid=False)
    places.axes(0)[0].update(type="category", showgrid=False, tickangle=-45, title_text="said")
    places.axes(1)[0].update(range=[0, 1.02], dtick=0.25)
    return style(figure)
