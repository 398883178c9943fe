"""Figures inside a page: their data without the style, and what draws them when they are seen.

The page holds plotly.js packed (gzip, base64) and unpacks it for the first figure.
"""

import base64
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from .palette import DARK, template

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from markupsafe import Markup

__all__ = ["BUNDLE", "FigurePage"]

BUNDLE: Final = "plotly-cartesian.min.js.gz"
ASSETS: Final = "assets"
DIGITS: Final = 5  # of a number that is drawn


class FigurePage:
    """The figures of one page: puts each in its place, then gives the scripts that they need."""

    def __init__(self) -> None:
        self.count = 0

    def place(self, figure: "go.Figure", name: str, caption: str) -> "Markup":
        """A figure's markup: an empty place with its data, drawn when it comes into sight.

        Args:
            figure: what to draw; its template is left out, since the page has the style once.
            name: the place's id; equal runs give equal bytes.
            caption: what the figure shows, for readers who do not see it.

        Returns:
            Markup whose every value is escaped.
        """
        from markupsafe import Markup

        self.count += 1
        plain: dict[str, Any] = figure.to_plotly_json()
        plain["layout"].pop("template", None)
        return Markup(
            '<div class="plot" id="{}"><div class="plot-legend"></div>'
            '<div class="plot-canvas" role="img" tabindex="0" aria-label="{}" '
            'style="min-height:{}px"></div><div class="plot-slider"></div>'
            '<script type="application/json">{}</script></div>'
        ).format(name, caption, int(figure.layout.height or 300), _script(plain))

    def scripts(self) -> "Markup":
        """What the page needs once, at its end: the style, plotly.js and the code.

        Returns:
            Nothing where no figure was placed.
        """
        from markupsafe import Markup

        if not self.count:
            return Markup("")
        style = {"light": template(), "dark": _darker(template()), "pairs": DARK}
        packed = base64.b64encode(_asset(BUNDLE)).decode("ascii")
        kept = Markup('<script type="{}" id="{}">{}</script>')
        parts = [
            kept.format("application/json", "plot-style", _script(style)),
            kept.format("text/plain", "plotly-bundle", packed),
        ]
        code = Markup(_asset("figures.js").decode("utf-8"))
        parts.append(Markup("<script>{}</script>").format(code))
        return Markup("\n").join(parts)

    @staticmethod
    def css() -> str:
        """The rules of style for the places of figures."""
        return _asset("figures.css").decode("utf-8")


def _asset(name: str) -> bytes:
    return files(__package__.rpartition(".")[0]).joinpath(ASSETS, name).read_bytes()


def _script(value: object) -> "Markup":
    """JSON that no text can end: a browser reads it as data, whatever names it holds."""
    from markupsafe import Markup

    text = json.dumps(_short(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _short(value: Any) -> Any:
    """Numbers in as many digits as can be seen; arrays as lists.

    >>> _short({"y": (1 / 3, 2, None)})
    {'y': [0.33333, 2, None]}
    """
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_short(item) for item in value]
    if hasattr(value, "tolist"):
        return _short(value.tolist())
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _darker(value: Any) -> Any:
    """The same style in the dark."""
    if isinstance(value, dict):
        return {key: _darker(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_darker(item) for item in value]
    return DARK.get(value, value) if isinstance(value, str) else value
