"""Pictures of a study, as plotly figures, in the order of reading."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..core import checked
from .carrying import carrying_figure
from .comparison import Comparison
from .drawing.accuracy import AT_ONCE, accuracy_figure, has_scores, score_words
from .drawing.confusion import CONFUSION_CAPTION, confusion_figure
from .drawing.edits import ERASED_CAPTION, STEERED_CAPTION, erased_figure, steered_figure
from .drawing.emergence import EMERGENCE_CAPTION, emergence_figure, first_sites
from .drawing.maps import grid_figure, maps_caption, maps_figure
from .drawing.turning import MEANS_CAPTION, TURNING_CAPTION, turning_figure
from .overlap import overlap_figure
from .record import RecordError, Study
from .values import site_label, site_order

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "accuracy_figure",
    "confusion_figure",
    "emergence_figure",
    "grid_figure",
    "maps_figure",
    "overlap_figure",
    "study_figures",
    "turning_figure",
]


@checked(RecordError)
def study_figures(study: "Study") -> Mapping[str, "go.Figure"]:
    """Every figure of a study, caption -> figure, in the order of reading.

    Args:
        study: what to draw.

    Returns:
        Captions and figures; first the one that carries what was found. Figures without anything
        to show are left out.
    """
    carrying = carrying_figure(study)
    figures = {} if carrying is None else dict([carrying])
    for caption, figure in _others(study).items():
        figures.setdefault(caption, figure)
    return figures


def _others(study: "Study") -> Mapping[str, "go.Figure"]:
    """Every figure, the one that carries what was found in its place."""
    figures = {picture.caption: picture.plot() for picture in study.pictures}
    if has_scores(study.scores):
        figures.update(_of_scores(study))
    figures.update(_of_classes(study))
    if study.erased:
        figures[ERASED_CAPTION] = erased_figure(study.erased)
    if study.steered:
        figures[STEERED_CAPTION] = steered_figure(study.steered)
    return figures


def _of_scores(study: "Study") -> Mapping[str, "go.Figure"]:
    """Maps, and lines over layers."""
    scores, comparison = study.scores, study.comparison
    figures = {}
    if any(row.subspaces or row.exchange for row in comparison.rows):
        figures[maps_caption(comparison)] = maps_figure(scores, comparison)
    else:
        known = any(row.get("ceiling") is not None for row in scores.rows)
        could = "what any classifier could, " if known else ""
        figures[f"What the probe reaches, {could}and the strongest baseline."] = grid_figure(scores)
    targets = site_order([str(row["target"]) for row in scores.rows])
    for first in range(0, len(targets), AT_ONCE):
        some = targets[first : first + AT_ONCE]
        caption = _lines_caption(study, some, len(targets))
        figures[caption] = accuracy_figure(scores, comparison, some)
    if len(comparison.rows) > len(targets) > 1 and _emerges(comparison):
        figures[EMERGENCE_CAPTION] = emergence_figure(comparison.rows)
    return figures


def _emerges(comparison: Comparison) -> bool:
    """Whether there is a first place of anything."""
    return any(site for pair in first_sites(comparison.rows).values() for site in pair)


def _of_classes(study: "Study") -> Mapping[str, "go.Figure"]:
    """Who is taken for whom, where anything is; and where the classes lie."""
    figures = {}
    for kept in study.classes:
        where = f"{kept.target} at {site_label(kept.site)}"
        if any(share < 1 for share in kept.recall):
            figures[f"{where}. {CONFUSION_CAPTION}"] = confusion_figure(kept)
        spaces = {
            side: found[kept.site, kept.target]
            for side, found in study.subspaces.items()
            if (kept.site, kept.target) in found
        }
        if kept.learned and "learned" in spaces:
            drawn = turning_figure(
                kept, spaces["learned"], spaces.get("predicted") if kept.predicted else None
            )
            said = TURNING_CAPTION if kept.predicted else MEANS_CAPTION
            figures[f"{where}. {said}"] = drawn
    return figures


def _lines_caption(study: "Study", some: list[str], of: int) -> str:
    known = any(row.get("ceiling") is not None for row in study.scores.rows)
    part = "" if len(some) == of else f" Targets {some[0]} to {some[-1]}, of {of}."
    return (
        f"Held-out {score_words(study.scores)} by layer, one panel per target, with its interval, "
        f"{'the ceiling ' if known else ''}and at each place the strongest baseline; the baselines "
        f"one by one are in the legend.{part}"
    )
