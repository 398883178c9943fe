"""Pictures of a study, as plotly figures, in the order of reading."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ..core import checked
from .carrying import AT_FIRST, carrying, in_own_basis
from .comparison import Comparison
from .drawing.accuracy import AT_ONCE, accuracy_figure, has_scores, score_words
from .drawing.confusion import CONFUSION_CAPTION, confusion_figure
from .drawing.edits import ERASED_CAPTION, STEERED_CAPTION, erased_figure, steered_figure
from .drawing.emergence import emergence_caption, emergence_figure, first_sites
from .drawing.maps import grid_figure, maps_caption, maps_figure
from .drawing.turning import MEANS_CAPTION, TURNING_CAPTION, turning_figure
from .overlap import overlap_figure
from .record import RecordError, Study
from .values import place, site_order

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


Drawn = dict[str, "Callable[[], go.Figure]"]
"""Caption -> what draws the figure."""


@checked(RecordError)
def study_figures(study: "Study") -> Mapping[str, "go.Figure"]:
    """Every figure of a study, caption -> figure, in the order of reading.

    Args:
        study: what to draw.

    Returns:
        Captions and figures; first the one that carries what was found. Figures without anything
        to show are left out.
    """
    first = carrying(study)
    figures = {} if first is None else dict([first])
    return {caption: draw() for caption, draw in (figures | _others(study)).items()}


def _others(study: "Study") -> Drawn:
    """Every figure, the one that carries what was found in its place."""
    figures: Drawn = {}
    for picture in study.pictures:
        same = sum(caption.split(" (no. ", 1)[0] == picture.caption for caption in figures)
        figures[f"{picture.caption} (no. {same + 1})" if same else picture.caption] = picture.plot
    if has_scores(study.scores):
        figures |= _of_scores(study)
    figures |= _of_classes(study)
    if study.erased:
        figures[ERASED_CAPTION] = partial(erased_figure, study.erased)
    if study.steered:
        figures[STEERED_CAPTION] = partial(steered_figure, study.steered)
    return figures


def _of_scores(study: "Study") -> Drawn:
    """Maps, lines over layers, and where they rise."""
    scores, comparison = study.scores, study.comparison
    figures: Drawn = {}
    if any(row.subspaces or row.exchange for row in comparison.rows):
        figures[maps_caption(comparison)] = partial(maps_figure, scores, comparison)
    else:
        known = any(row.get("ceiling") is not None for row in scores.rows)
        could = "what any classifier could, " if known else ""
        caption = f"What the probe reaches, {could}and the strongest baseline."
        figures[caption] = partial(grid_figure, scores)
    targets = site_order([str(row["target"]) for row in scores.rows])
    carried = not in_own_basis(study) and len(targets) <= AT_FIRST  # the first picture has them
    for first in () if carried else range(0, len(targets), AT_ONCE):
        some = targets[first : first + AT_ONCE]
        caption = _lines_caption(study, some, len(targets))
        figures[caption] = partial(accuracy_figure, scores, comparison, some)
    if len(comparison.rows) > len(targets) > 1 and _emerges(comparison):
        figures[emergence_caption(comparison.rows)] = partial(emergence_figure, comparison.rows)
    return figures


def _emerges(comparison: Comparison) -> bool:
    """Whether there is a first place of anything."""
    return any(site for pair in first_sites(comparison.rows).values() for site in pair)


def _of_classes(study: "Study") -> Drawn:
    """Who is taken for whom, where anything is; and where the classes lie."""
    figures: Drawn = {}
    for kept in study.classes:
        where, cell = f"{kept.target}, {place(kept.site)}", (kept.site, kept.target)
        if any(share < 1 for share in kept.recall):
            figures[f"{where}. {CONFUSION_CAPTION}"] = partial(confusion_figure, kept)
        spaces = {side: found[cell] for side, found in study.subspaces.items() if cell in found}
        if kept.learned and "learned" in spaces:
            predicted = spaces.get("predicted") if kept.predicted else None
            said = MEANS_CAPTION if predicted is None else TURNING_CAPTION
            draw = partial(turning_figure, kept, spaces["learned"], predicted)
            figures[f"{where}. {said}"] = draw
    return figures


def _lines_caption(study: "Study", some: list[str], of: int) -> str:
    known = any(row.get("ceiling") is not None for row in study.scores.rows)
    part = "" if len(some) == of else f" Targets {some[0]} to {some[-1]}, of {of}."
    return (
        f"Held-out {score_words(study.scores)} by layer, one panel per target, with its interval, "
        f"{'the ceiling ' if known else ''}and at each place the strongest baseline; the baselines "
        f"one by one are in the legend.{part}"
    )
