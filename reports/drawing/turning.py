"""Class means inside the learned subspace, turned into the predicted one by the principal angles.

Between two subspaces there is a shortest way: each principal vector of the first turns towards its
partner in the second, through the angle between them (Björck and Golub, Math. Comp. 27, 1973;
Edelman, Arias and Smith, SIAM J. Matrix Anal. 20, 1998). At each step the view is three directions
of the subspace that lies on this way, always at right angles; class means keep their place in the
stream and are seen from there. Where theory is right they stay as they are.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from jaxtyping import Float

from ...core import Subspace, checked
from ...core.decompositions import svd
from ..classes import Classes
from ..errors import RecordError
from .palette import BLUE, GREEN, GREY, ORANGE, PINK, SKY, VERMILION
from .panels import spelled, style

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["MEANS_CAPTION", "TURNING_CAPTION", "turned", "turning_figure"]

MEANS_CAPTION: Final = (
    "Means of the classes on held-out data, seen inside the learned subspace, in the directions "
    "that spread them most."
)

TURNING_CAPTION: Final = (
    "Means of the classes on held-out data, seen inside the learned subspace; the slider turns the "
    "view into the predicted subspace by the principal angles. Where both are the same nothing "
    "moves; where theory predicts another place the classes fall together."
)
STEPS: Final = 11
SMALLEST: Final = 1e-9  # of an angle in radians below which two directions are one
COLOURS: Final = (BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, GREY)


def turned(
    learned: Subspace, predicted: Subspace, share: float
) -> Float[np.ndarray, "d_model angle"]:
    """Principal directions on the way from the learned to the predicted subspace.

    Args:
        learned: where the way begins.
        predicted: where it ends.
        share: of the way, from 0 to 1.

    Returns:
        Orthonormal columns, the smallest angle first: at 0 they lie in the learned subspace, at 1
        in the predicted one; there are as many as the smaller of the two has dimensions.

    >>> x, y = Subspace(np.eye(2)[:, :1]), Subspace(np.eye(2)[:, 1:])
    >>> bool(np.allclose(np.abs(turned(x, y, 0.5)), np.sqrt(0.5)))
    True
    """
    first, second, angles = _principal(learned, predicted)
    return _between(first, second, angles, share)


def _principal(
    learned: Subspace, predicted: Subspace
) -> tuple[
    Float[np.ndarray, "d_model angle"],
    Float[np.ndarray, "d_model angle"],
    Float[np.ndarray, " angle"],
]:
    """Principal vectors of either side, and the angles between them."""
    left, _, right = svd(learned.basis.T @ predicted.basis)
    angles = learned.angles(predicted)
    return learned.basis @ left, predicted.basis @ right.T, angles


def _between(
    first: Float[np.ndarray, "row angle"],
    second: Float[np.ndarray, "row angle"],
    angles: Float[np.ndarray, " angle"],
    share: float,
) -> Float[np.ndarray, "row angle"]:
    """Each pair turned by its share of the angle; the same for vectors and for coordinates."""
    moved = angles > SMALLEST
    sine = np.where(moved, np.sin(angles), 1.0)
    from_first = np.where(moved, np.sin((1 - share) * angles) / sine, 1 - share)
    from_second = np.where(moved, np.sin(share * angles) / sine, share)
    between: np.ndarray = first * from_first + second * from_second
    return between


@checked(RecordError)
def turning_figure(
    classes: Classes, learned: Subspace, predicted: Subspace | None = None
) -> "go.Figure":
    """The classes in three dimensions of the learned subspace, and on the way to the predicted one.

    Args:
        classes: with their means in the bases of these subspaces.
        learned: the subspace that was learned where these classes are read.
        predicted: the one that theory names there; without it there is no slider.

    Returns:
        A figure of three dimensions, or of two where the subspaces have no more.

    Raises:
        RecordError: the classes have no means in these bases.
    """
    if not classes.learned or (predicted is not None and not classes.predicted):
        raise RecordError(
            f"the classes of {classes.target!r:.60} have no means in these subspaces; a run keeps "
            "them where a pattern was learned"
        )
    views = _views(classes, learned, predicted)
    flat = views.shape[-1] < 3
    figure = _points(classes, views[0], flat)
    if len(views) > 1:
        figure.update_layout(sliders=[_slider(views, flat)])
    reach = 1.12 * float(np.abs(views).max()) or 1.0
    if flat:
        figure.update_xaxes(range=[-reach, reach], title_text="first direction")
        figure.update_yaxes(
            range=[-reach, reach], title_text="second direction", scaleanchor="x",
            constrain="domain",
        )  # fmt: skip
        figure.update_xaxes(constrain="domain")
    else:
        names = zip(("xaxis", "yaxis", "zaxis"), ("first", "second", "third"), strict=True)
        frame = {axis: {"range": [-reach, reach], "title": {"text": f"{name} direction"}}
                 for axis, name in names}  # fmt: skip
        figure.update_layout(scene={**frame, "aspectmode": "cube"}, margin={"l": 0, "r": 0})
    return style(figure, 460)


def _views(
    classes: Classes, learned: Subspace, predicted: Subspace | None
) -> Float[np.ndarray, "step class dim"]:
    """Coordinates of the class means at each step, in the directions that spread them most."""
    inside = np.array(classes.learned)
    if predicted is None:
        left = svd(inside)[2].T
        return _padded((inside @ left)[None, :, :3])
    left, _, right = svd(learned.basis.T @ predicted.basis)
    angles = learned.angles(predicted)
    first, second = inside @ left, np.array(classes.predicted) @ right.T
    widest = np.argsort(-np.square(first).sum(axis=0), kind="stable")[:3]
    steps = [_between(first, second, angles, share)[:, widest] for share in _shares()]
    return _padded(np.stack(steps))


def _padded(
    views: Float[np.ndarray, "step class dim"],
) -> Float[np.ndarray, "step class seen"]:
    """A line is drawn in a plane."""
    missing = max(0, 2 - views.shape[-1])
    return np.pad(views, ((0, 0), (0, 0), (0, missing)))


def _shares() -> Float[np.ndarray, " step"]:
    return np.linspace(0.0, 1.0, STEPS)


def _points(classes: Classes, view: Float[np.ndarray, "class dim"], flat: bool) -> "go.Figure":
    import plotly.graph_objects as go

    names = [spelled(name, 22) for name in classes.names]
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(names))]
    shared: dict[str, Any] = {
        "mode": "markers+text", "text": names, "textposition": "top center", "name": "classes",
        "marker": {"size": 9 if flat else 6, "color": colours}, "showlegend": False,
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    x, y = view[:, 0].tolist(), view[:, 1].tolist()
    if flat:
        return go.Figure(go.Scatter(x=x, y=y, **shared))
    return go.Figure(go.Scatter3d(x=x, y=y, z=view[:, 2].tolist(), **shared))


def _slider(views: Float[np.ndarray, "step class dim"], flat: bool) -> dict[str, Any]:
    """A step for each share of the way."""
    steps = []
    for share, view in zip(_shares(), views, strict=True):
        ends = {0.0: "learned", 1.0: "predicted"}
        moved = {axis: [view[:, i].tolist()] for i, axis in enumerate("xy" if flat else "xyz")}
        label = ends.get(float(share), f"{share:.0%} of the way")
        steps.append({"label": label, "method": "restyle", "args": [moved, [0]]})
    return {"active": 0, "steps": steps, "pad": {"t": 40},
            "currentvalue": {"prefix": "subspace: "}}  # fmt: skip
