"""One quiet style: colours that colour-blind readers tell apart, for a light and a dark page.

Figures are made in the light colours. A page drawn in the dark replaces each by its pair, so a
colour that is not listed here stays as it is.
"""

from collections.abc import Mapping
from typing import Any, Final

__all__ = [
    "BLUE",
    "COSINES",
    "DARK",
    "FONT",
    "GREEN",
    "GREY",
    "GROUND",
    "INK",
    "ORANGE",
    "PINK",
    "SHARES",
    "SKY",
    "SOFT",
    "VERMILION",
    "template",
]

# After Okabe and Ito, a little darker: a line of at least 3 to 1 against white.
INK, SOFT, GREY = "#1f2328", "#59636e", "#767f88"
BLUE, SKY, GREEN = "#0067a5", "#2b8cc4", "#00805c"
VERMILION, ORANGE, PINK = "#c4500a", "#a66f00", "#b0558a"
GROUND, GRID = "#ffffff", "#e4e8ec"

SHARES: Final = [[0.0, "#f4f7fa"], [0.5, "#9cc3e0"], [1.0, "#0a4a7d"]]
"""From 0 to 1."""
COSINES: Final = [[0.0, "#b35806"], [0.5, "#f5f5f4"], [1.0, "#0a4a7e"]]
"""From -1 to 1."""

DARK: Final[Mapping[str, str]] = {
    INK: "#e6edf3",
    SOFT: "#a5b0bb",
    GREY: "#8f99a3",
    BLUE: "#58b1ea",
    SKY: "#8fd0f5",
    GREEN: "#3fc79a",
    VERMILION: "#f28c4f",
    ORANGE: "#e0ac3c",
    PINK: "#df93bd",
    GROUND: "#14171a",
    GRID: "#2a323b",
    "#f4f7fa": "#171d24",
    "#9cc3e0": "#2a6ea3",
    "#0a4a7d": "#a8d8ff",
    "#b35806": "#f0a35e",
    "#f5f5f4": "#1b2128",
    "#0a4a7e": "#8cc8fa",
}
"""Each light colour and its pair."""

FONT: Final = "system-ui, 'Segoe UI', Roboto, sans-serif"


def template() -> dict[str, Any]:
    """The style as a plotly template: what every figure shares, written once in a page."""
    axis = {
        "gridcolor": GRID, "linecolor": GRID, "zeroline": False, "tickcolor": GRID,
        "title": {"font": {"size": 12, "color": SOFT}, "standoff": 6},
        "tickfont": {"size": 12, "color": SOFT},
    }  # fmt: skip
    space = {"gridcolor": GRID, "showbackground": False, "zeroline": False, "color": SOFT}
    return {
        "layout": {
            "font": {"family": FONT, "size": 13, "color": INK},
            "colorway": [BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, GREY],
            "paper_bgcolor": GROUND, "plot_bgcolor": GROUND, "hovermode": "closest",
            "hoverlabel": {"bgcolor": GROUND, "bordercolor": SOFT, "font": {"color": INK}},
            "xaxis": axis, "yaxis": axis,
            "scene": {"xaxis": space, "yaxis": space, "zaxis": space},
            "annotationdefaults": {"font": {"size": 13, "color": INK}, "showarrow": False},
            "coloraxis": {"colorscale": SHARES, "cmin": 0, "cmax": 1, "showscale": False},
        },
        "data": {"heatmap": [{"xgap": 2, "ygap": 2}]},
    }  # fmt: skip
