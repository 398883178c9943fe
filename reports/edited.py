"""What is lost when a state is taken out, and what a push along it does: tables and pictures."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ..core import ErasedRow, SteeredRow
from .drawing import style, words_only
from .values import Json, number, site_label, site_order

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "ERASED_CAPTION",
    "ERASED_COLUMNS",
    "STEERED_CAPTION",
    "STEERED_COLUMNS",
    "erased_figure",
    "erased_lines",
    "steered_figure",
    "steered_lines",
]

ARMS: Final = {
    "none": ("nothing erased", "#111111", "dash"),
    "subspace": ("the learned pattern", "#0072B2", "solid"),
    "leace": ("LEACE", "#D55E00", "solid"),
    "random": ("random, equal dimension", "#777777", "dot"),
    "variance": ("random, equal variance", "#E69F00", "dashdot"),
}
ERASED_COLUMNS: Final = (
    "erased", "at", "how", "dim.", "variance removed", "loss (nats)", "divergence of the output",
    "read here", "read best later", "chance", "other target that loses most", "read without",
    "read with",
)  # fmt: skip
ERASED_CAPTION: Final = (
    "A state taken out, and read further on by probes that were fitted there on unedited "
    "activations: upper panels the target that was erased, where it is first read as well as "
    "anywhere; lower panels the other target that loses most. Beside it nothing erased, LEACE, and "
    "random subspaces of equal dimension and of about equal variance removed."
)
STEERED_COLUMNS: Final = {
    "target": "target", "site": "at", "toward": "towards", "away": "from", "strength": "strength",
    "effect": "change of the log-odds", "effect_error": "standard error",
    "wrong": "share that moves the wrong way", "damage": "damage (nats per token)",
    "perplexity": "perplexity", "n": "beginnings", "norm": "mean norm",
}  # fmt: skip
STEERED_CAPTION: Final = (
    "Steering in doses: the stream at a span's last token pushed from one symbol towards another, "
    "in mean norms of the stream. Above, how far the odds of the words that the two symbols ask "
    "for move; in the middle, what the same push at every token costs on whole sentences; below, "
    "the share of beginnings that move against the push."
)
DOSES: Final = {
    "effect": ("log-odds", "#0072B2"),
    "damage": ("damage (nats)", "#D55E00"),
    "wrong": ("wrong way", "#CC79A7"),
}


def erased_lines(rows: Sequence[ErasedRow]) -> list[list[str]]:
    """One line per erased target and way of erasing.

    Args:
        rows: of a study.
    """
    lines = []
    for target, by_arm in _by_target(rows).items():
        for arm, some in by_arm.items():
            own = [row for row in some if row.read == target]
            here = next(row for row in own if row.read_at == row.site)
            later = [row for row in own if row.read_at != row.site]
            best = max(later, key=lambda row: row.accuracy, default=None)
            loser = _loser(by_arm, arm, target)
            lost: list[Json] = [None, None, None]
            if loser is not None:
                before, after = loser
                lost = [f"{after.read}, {site_label(after.read_at)}", before, after.accuracy]
            values = [here.dim, here.removed, here.loss, here.kl, here.accuracy]
            shown = "–" if best is None else f"{number(best.accuracy)} ({site_label(best.read_at)})"
            lines.append(
                [target, site_label(here.site), ARMS[arm][0], *map(number, values), shown,
                 number(here.chance), *map(number, lost)]
            )  # fmt: skip
    return lines


def steered_lines(rows: Sequence[SteeredRow]) -> list[list[str]]:
    """One line per target and strength.

    Args:
        rows: of a study.
    """
    lines = []
    for row in rows:
        values: Mapping[str, Json] = {**vars(row), "site": site_label(row.site)}
        lines.append([number(values[name]) for name in STEERED_COLUMNS])
    return lines


def erased_figure(rows: Sequence[ErasedRow]) -> "go.Figure":
    """Accuracy over sites: above the erased target, below the other one that loses most.

    Args:
        rows: of a study.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    targets = _by_target(rows)
    if not targets:
        return words_only("No erasures to draw.")
    losers = {target: _most_lost(by_arm, target) for target, by_arm in targets.items()}
    titles = [f"{target} erased: {target}" for target in targets]
    titles += [f"{target} erased: {losers[target] or 'no other target'}" for target in targets]
    figure = make_subplots(
        2, len(targets), subplot_titles=titles, shared_yaxes=True, vertical_spacing=0.2
    )
    for column, (target, by_arm) in enumerate(targets.items(), start=1):
        for line, read in enumerate((target, losers[target]), start=1):
            for arm, (label, colour, dash) in ARMS.items():
                some = [row for row in by_arm.get(arm, ()) if row.read == read]
                values = {row.read_at: row.accuracy for row in some}
                sites = site_order(list(values))
                trace = go.Scatter(
                    x=[site_label(site) for site in sites], y=[values[site] for site in sites],
                    name=label, legendgroup=arm, showlegend=column == line == 1,
                    mode="lines+markers", line={"color": colour, "dash": dash},
                )  # fmt: skip
                figure.add_trace(trace, line, column)
    figure.update_yaxes(range=[-0.03, 1.05], title_text="accuracy", col=1)
    return style(figure, 620, top=100)


def steered_figure(rows: Sequence[SteeredRow]) -> "go.Figure":
    """Effect, damage and the share that moves the wrong way over the strength.

    Args:
        rows: of a study.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    targets = list(dict.fromkeys(row.target for row in rows))
    if not targets:
        return words_only("No steering to draw.")
    titles = [f"{r.target}: {r.away} to {r.toward}" for r in _first(rows, targets)]
    figure = make_subplots(
        len(DOSES), len(targets), subplot_titles=titles, shared_xaxes=True, vertical_spacing=0.06
    )
    for column, target in enumerate(targets, start=1):
        some = sorted((row for row in rows if row.target == target), key=lambda row: row.strength)
        for line, (name, (label, colour)) in enumerate(DOSES.items(), start=1):
            bars = None
            if name == "effect" and all(math.isfinite(row.effect_error) for row in some):
                bars = {"type": "data", "array": [1.96 * row.effect_error for row in some]}
            trace = go.Scatter(
                x=[row.strength for row in some], y=[getattr(row, name) for row in some],
                name=label, showlegend=False, mode="lines+markers", line={"color": colour},
                error_y=bars,
            )  # fmt: skip
            figure.add_trace(trace, line, column)
            figure.update_yaxes(title_text=label if column == 1 else None, row=line, col=column)
    figure.update_xaxes(title_text="strength (mean norms)", row=len(DOSES))
    return style(figure, 620)


def _by_target(rows: Sequence[ErasedRow]) -> dict[str, dict[str, list[ErasedRow]]]:
    found: dict[str, dict[str, list[ErasedRow]]] = {}
    for row in rows:
        found.setdefault(row.target, {}).setdefault(row.arm, []).append(row)
    return found


def _loser(
    by_arm: Mapping[str, Sequence[ErasedRow]], arm: str, target: str
) -> tuple[float, ErasedRow] | None:
    """Of all other targets and sites the one that loses most: accuracy before, and its row."""
    before = {(row.read, row.read_at): row.accuracy for row in by_arm.get("none", ())}
    others = [
        row for row in by_arm[arm] if row.read != target and (row.read, row.read_at) in before
    ]
    if not others:
        return None
    worst = max(others, key=lambda row: before[row.read, row.read_at] - row.accuracy)
    return before[worst.read, worst.read_at], worst


def _most_lost(by_arm: Mapping[str, Sequence[ErasedRow]], target: str) -> str:
    """Which other target loses most by the learned pattern; empty if there is none."""
    found = _loser(by_arm, "subspace", target) if "subspace" in by_arm else None
    return "" if found is None else found[1].read


def _first(rows: Sequence[SteeredRow], targets: Sequence[str]) -> list[SteeredRow]:
    return [next(row for row in rows if row.target == target) for target in targets]
