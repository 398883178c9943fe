"""What is lost when a state is taken out, and what a push along it does: the pictures."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ...core import ErasedRow, SteeredRow
from ..edited import ARMS, by_target, most_lost
from ..values import site_order
from .palette import BLUE, GREY, INK, ORANGE, PINK, VERMILION
from .panels import Panels, name_sites, panels, room_below, style, ticks, words_only

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["ERASED_CAPTION", "STEERED_CAPTION", "erased_figure", "steered_figure"]

LINES: Final = {
    "none": (INK, "dash"),
    "subspace": (BLUE, "solid"),
    "leace": (VERMILION, "solid"),
    "random": (GREY, "dot"),
    "variance": (ORANGE, "dashdot"),
}
ERASED_CAPTION: Final = (
    "A state taken out, and read further on by probes that were fitted there on unedited "
    "activations: for each the target that was erased, where it is first read as well as anywhere, "
    "and the other target that loses most. Beside the learned pattern nothing erased, LEACE, and "
    "random subspaces of equal dimension and of about equal variance removed."
)
STEERED_CAPTION: Final = (
    "Steering in doses: the stream at a span's last token pushed from one symbol towards another, "
    "in mean norms of the stream. First how far the odds of the words that the two symbols ask for "
    "move, then what the same push at every token costs on whole sentences, then the share of "
    "beginnings that move against the push."
)
DOSES: Final = {
    "effect": ("change of the log-odds", BLUE),
    "damage": ("damage (nats)", VERMILION),
    "wrong": ("share the wrong way", PINK),
}


def erased_figure(rows: Sequence[ErasedRow]) -> "go.Figure":
    """Accuracy over sites: of each erased target, and of the other one that loses most.

    Args:
        rows: of a study.
    """
    import plotly.graph_objects as go

    targets = by_target(rows)
    if not targets:
        return words_only("No erasures to draw.")
    drawn = [(target, read) for target, by_arm in targets.items()
             for read in (target, most_lost(by_arm, target))]  # fmt: skip
    titles = [f"{target} erased; read: {read or 'no other target'}" for target, read in drawn]
    sites = site_order([row.read_at for row in rows])
    figure = panels(
        titles, height=190, columns=2, width=300, labels=["0.00"], below=room_below(sites)
    )
    places = Panels(figure)
    for index, (target, read) in enumerate(drawn):
        for arm, (colour, dash) in LINES.items():
            some = [row for row in targets[target].get(arm, ()) if row.read == read]
            values = {row.read_at: row.accuracy for row in some}
            trace = go.Scatter(
                x=ticks(sites), y=[values.get(site) for site in sites], name=ARMS[arm],
                legendgroup=arm, showlegend=index == 0, mode="lines+markers",
                line={"color": colour, "dash": dash},
                hovertemplate=f"{ARMS[arm]} %{{y:.3f}} at %{{x}}<extra></extra>",
            )  # fmt: skip
            places.add(index, trace)
        places.axes(index)[1].update(range=[-0.04, 1.06], dtick=0.25)
        if index % places.columns == 0:
            places.axes(index)[1].update(title_text="accuracy")
    name_sites(figure, sites)
    return style(figure)


def steered_figure(rows: Sequence[SteeredRow]) -> "go.Figure":
    """Effect, damage and the share that moves the wrong way over the strength.

    Args:
        rows: of a study.
    """
    import plotly.graph_objects as go

    by = {target: sorted((row for row in rows if row.target == target), key=lambda r: r.strength)
          for target in dict.fromkeys(row.target for row in rows)}  # fmt: skip
    if not by:
        return words_only("No steering to draw.")
    drawn = [(target, name) for target in by for name in DOSES]
    titles = [f"{t}: {by[t][0].away} to {by[t][0].toward}: {DOSES[name][0]}" for t, name in drawn]
    figure = panels(titles, height=170, columns=3, width=250, labels=["-10.0"], apart=True)
    places = Panels(figure)
    for index, (target, name) in enumerate(drawn):
        label, colour = DOSES[name]
        bars = None
        if name == "effect" and all(math.isfinite(row.effect_error) for row in by[target]):
            bars = {"type": "data", "array": [1.96 * row.effect_error for row in by[target]],
                    "thickness": 1.2, "width": 3}  # fmt: skip
        trace = go.Scatter(
            x=[row.strength for row in by[target]],
            y=[getattr(row, name) for row in by[target]],
            name=label, showlegend=False, mode="lines+markers", line={"color": colour},
            error_y=bars, hovertemplate="%{y:.3f} at strength %{x}<extra></extra>",
        )  # fmt: skip
        places.add(index, trace)
        places.axes(index)[0].update(title_text="strength (mean norms)")
        if name == "wrong":
            places.axes(index)[1].update(range=[-0.04, 1.06], dtick=0.25)
    return style(figure)
