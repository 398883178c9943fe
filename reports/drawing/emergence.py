"""At which layer each target is first decodable, measured beside predicted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ...core import checked
from ..errors import RecordError
from ..row import Row
from ..values import site_order
from .palette import BLUE, INK
from .panels import name_sites, panels, room_below, spelled, style, ticks, words_only

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["emergence_caption", "emergence_figure", "first_sites"]

MEASURED: Final = (
    "Where each target can first be read: the first place whose verdict says that it is decodable"
)
PREDICTED: Final = (
    " (measured), beside the first place where theory names its score (predicted), which is most "
    "often a perfect one: something of the target may be read earlier"
)


def emergence_caption(rows: Sequence[Row]) -> str:
    """What the figure shows, of theory only where theory says something.

    Args:
        rows: of a comparison.
    """
    found = first_sites(rows).values()
    said = MEASURED + PREDICTED * any(predicted for _, predicted in found)
    if any(measured is None for measured, _ in found):
        said += ". A target without such a mark is decodable nowhere"
    return f"{said}."


def first_sites(rows: Sequence[Row]) -> dict[str, tuple[str | None, str | None]]:
    """Target -> the first site where it is decodable, and the first where theory says so.

    Args:
        rows: of a comparison, sites in the order of the stream.

    Returns:
        Sites; ``None`` where there is none.
    """
    found: dict[str, tuple[str | None, str | None]] = {}
    for row in rows:
        measured, predicted = found.get(row.target, (None, None))
        if measured is None and row.verdicts.decodable.state == "yes":
            measured = row.site
        if predicted is None and row.predicted_accuracy is not None:
            predicted = row.site
        found[row.target] = (measured, predicted)
    return found


@checked(RecordError)
def emergence_figure(rows: Sequence[Row]) -> "go.Figure":
    """One line per target: where it is first decodable, and where theory puts that.

    Args:
        rows: of a comparison, sites in the order of the stream.
    """
    import plotly.graph_objects as go

    found = first_sites(rows)
    if not any(site for pair in found.values() for site in pair):
        return words_only("No target is decodable anywhere.")
    sites = site_order([row.site for row in rows])
    named = dict(zip(sites, ticks(sites), strict=True))
    labels = [spelled(target, 22) for target in found]
    tall = 1 + 0.6 * max(label.count("<br>") for label in labels)
    figure = panels(
        [""], height=round(26 * len(found) * tall) + 20, columns=1, width=240, labels=labels,
        below=room_below(sites),
    )  # fmt: skip
    marks = {
        "predicted": {"symbol": "square-open", "size": 15, "color": INK, "line": {"width": 1.5}},
        "measured": {"symbol": "circle", "size": 8, "color": BLUE},
    }
    for place, name in ((1, "predicted"), (0, "measured")):
        kept = [(pair[place], label) for pair, label in zip(found.values(), labels, strict=True)
                if pair[place] is not None]  # fmt: skip
        if not kept:
            continue
        figure.add_trace(
            go.Scatter(
                x=[named[str(site)] for site, _ in kept], y=[label for _, label in kept],
                name=name, mode="markers", marker=marks[name], showlegend=True,
                hovertemplate=f"%{{y}}: {name} at %{{x}}<extra></extra>",
            )
        )  # fmt: skip
    name_sites(figure, sites)
    figure.update_xaxes(range=[-0.5, len(sites) - 0.5])
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=labels, autorange=False,
        range=[len(labels) - 0.5, -0.5],
    )  # fmt: skip
    return style(figure)
