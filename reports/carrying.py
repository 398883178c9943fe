"""The one picture that carries what a study found: it stands on the first screen."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ..core import checked
from .drawing.accuracy import accuracy_figure, has_scores
from .drawing.maps import maps_caption, maps_figure
from .record import RecordError, Study
from .values import site_order

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["AT_FIRST", "carrying", "carrying_figure", "in_own_basis"]

AT_FIRST = 6
"""Targets of the lines on the first screen."""


@checked(RecordError)
def carrying_figure(study: Study) -> "tuple[str, go.Figure] | None":
    """The picture that carries what a study found.

    Args:
        study: any.

    Returns:
        Caption and figure: what is present, aligned and used, where theory predicts the probed
        model itself; of other probed models accuracy by layer; else the study's first picture.
        ``None`` where there is nothing to draw.
    """
    found = carrying(study)
    return None if found is None else (found[0], found[1]())


def in_own_basis(study: Study) -> bool:
    """Whether theory predicts subspaces of the probed model itself.

    Args:
        study: any.
    """
    return any(row.subspaces and row.through is None for row in study.comparison.rows)


def carrying(study: Study) -> "tuple[str, Callable[[], go.Figure]] | None":
    """The same, not drawn yet.

    Args:
        study: any.
    """
    scores, comparison = study.scores, study.comparison
    if has_scores(scores):
        if in_own_basis(study):
            return maps_caption(comparison), partial(maps_figure, scores, comparison)
        targets = site_order([str(row["target"]) for row in scores.rows])
        read = {row.target for row in comparison.rows if row.verdicts.decodable.state == "yes"}
        targets = sorted(targets, key=lambda target: target not in read)  # what was found in front
        more = f" {AT_FIRST} of {len(targets)} targets, those first that can be read." * (
            len(targets) > AT_FIRST
        )
        caption = (
            "What the probe reads by layer on held-out data, with its interval, beside the "
            "strongest baseline." + more
        )
        return caption, partial(accuracy_figure, scores, comparison, targets[:AT_FIRST])
    for picture in study.pictures:
        return picture.caption, picture.plot
    return None
