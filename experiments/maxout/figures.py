"""Pictures and the page of the maxout experiment."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core import LinrepError

if TYPE_CHECKING:
    from ...reports import Check
    from .section import Section

__all__ = ["errors", "growth", "page", "softness", "staircase"]

_STYLE = """
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
.scroll { overflow-x: auto } .drawing > div { min-width: 34rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .2rem .8rem; text-align: left; vertical-align: top }
.n { white-space: nowrap } .prose { min-width: 11rem }
tr + tr { border-top: 1px solid #ddd } .failed { color: #b00020; font-weight: 600 }
"""


def errors(
    rates: np.ndarray, sup: Sequence[float], bound: Sequence[float], mean: Sequence[float]
) -> Any:
    """Error against inverse temperature, with its bound."""
    figure = _figure("inverse temperature", "error", log=True)
    for name, values in (("signed bound", bound), ("largest error", sup), ("mean error", mean)):
        _line(figure, rates, values, name)
    return figure


def growth(
    depths: Sequence[int],
    lines: Mapping[str, tuple[Sequence[int], float]],
    typical: Sequence[float],
) -> Any:
    """Pieces against depth on a log axis, with the theorem's slope dotted."""
    figure = _figure("layers", "linear pieces")
    figure.update_yaxes(type="log")
    for name, (found, laps) in lines.items():
        _line(figure, depths, found, name)
        slope = [laps**depth for depth in depths]
        _line(figure, depths, slope, f"slope log {laps:g}", dash="dot")
    _line(figure, depths, typical, "random weights, width 2, rank 2 (mean)")
    return figure


def softness(
    rates: np.ndarray,
    resolved: Sequence[int],
    confident: Sequence[int],
    brackets: Sequence[tuple[int, int]],
    exact: int,
) -> Any:
    """Cells that the soft network shows, against inverse temperature."""
    figure = _figure("inverse temperature", "cells")
    figure.update_xaxes(type="log")
    low, high = zip(*brackets, strict=True)
    _line(figure, rates, low, "band predicted from margins", dash="dot")
    _line(figure, rates, high, "band, upper end", dash="dot", fill="tonexty")
    _line(figure, rates, confident, "confident cells")
    _line(figure, rates, resolved, "resolved cells")
    figure.add_hline(y=exact, line_dash="dash", annotation_text=f"exact count {exact}")
    return figure


def staircase(
    sites: Sequence[str],
    names: Sequence[str],
    found: Sequence[Sequence[float]],
    shuffled: Sequence[Sequence[float]],
    random: Sequence[Sequence[float]],
) -> Any:
    """Probe accuracy, targets against sites; shuffled labels and random weights beside it."""
    from plotly.subplots import make_subplots

    titles = ["active piece", "shuffled labels", "random weights"]
    figure = make_subplots(rows=1, cols=3, shared_yaxes=True, subplot_titles=titles)
    places = [site.removeprefix("blocks.").replace(".hook_", " ") for site in sites]
    written = "%{z:.2f}" if len(sites) <= 4 else None  # more do not fit; hovering shows them
    for column, grid in enumerate((found, shuffled, random), 1):
        figure.add_heatmap(
            x=places,
            y=list(names),
            z=[list(row) for row in grid],
            zmin=0.5,
            zmax=1.0,
            colorscale="Viridis",
            texttemplate=written,
            hovertemplate="%{y} at %{x}: %{z:.3f}<extra></extra>",
            colorbar={"title": "accuracy"},
            showscale=column == 3,
            row=1,
            col=column,
        )
    figure.update_layout(template="plotly_white", height=340, margin={"t": 50})
    return figure


def _figure(x: str, y: str, *, log: bool = False) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(template="plotly_white", height=380, margin={"t": 40})
    figure.update_xaxes(title=x, type="log" if log else None)
    figure.update_yaxes(title=y, type="log" if log else None, exponentformat="power")
    return figure


def _line(
    figure: Any,
    x: Any,
    y: Any,
    name: str,
    *,
    dash: str = "solid",
    fill: str | None = None,
) -> None:
    mode = "lines" if dash == "dot" else "lines+markers"
    figure.add_scatter(x=list(x), y=list(y), name=name, mode=mode, line={"dash": dash}, fill=fill)


def page(sections: "Sequence[Section]") -> str:
    """The report as one page that needs no network; plotly is inlined once.

    Raises:
        LinrepError: there is nothing to show.
    """
    from plotly.offline import get_plotlyjs

    if not sections:
        raise LinrepError("the page has no section; run at least one question")
    checks = [check for section in sections for check in section.checks]
    passed = sum(check.passed for check in checks)
    body = [f"<p><b>{passed} of {len(checks)}</b> checks passed.</p>"]
    for number, section in enumerate(sections):
        figure = section.figure.to_html(
            full_html=False, include_plotlyjs=False, div_id=f"figure-{number}",
            config={"displayModeBar": False, "responsive": True},
        )  # fmt: skip
        body.append(
            f"<h2>{escape(section.title)}</h2><p>{escape(section.text)}</p>"
            f"<div class='scroll drawing'>{figure}</div>{_table(section.checks)}"
        )
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Maxout networks as transformers</title><style>{_STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body>"
        "<h1>Maxout networks as transformers</h1>"
        "<p>Attention takes the maximum, feed-forward layers are token-wise affine maps "
        "(arXiv 2603.03084); the weights here are constructed, so every answer is known.</p>"
        f"{''.join(body)}</body></html>\n"
    )


def _table(checks: "Sequence[Check]") -> str:
    """Checks as a table that scrolls by itself where the window is narrow; numbers never break."""
    rows = "".join(
        f"<tr class='{'ok' if c.passed else 'failed'}'><td class='prose'>{escape(c.name)}</td>"
        f"<td class='n'>{c.value:.3g}</td><td class='n'>{escape(c.relation)} {c.limit:.3g}</td>"
        f"<td class='n'>{'ok' if c.passed else 'FAILED'}</td>"
        f"<td class='prose'>{escape(c.meaning)}</td></tr>"
        for c in checks
    )
    head = "<tr><th>check</th><th>value</th><th>required</th><th></th><th>meaning</th></tr>"
    return f"<div class='scroll'><table>{head}{rows}</table></div>"
