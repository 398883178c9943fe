"""What a run keeps of the classes of a target: who was taken for whom, and where their means lie.

It is bounded: at one site for each target, of at most 20 classes, the rest of them in one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from jaxtyping import Float, Int
from pydantic import ConfigDict

from ..core import Prediction, Subspace, checked
from ..probes import HeldOut
from .errors import RecordError
from .values import best_row, plain

if TYPE_CHECKING:
    from ..probes import ProbeResults

__all__ = ["MOST_CLASSES", "Classes", "classes_of"]

MOST_CLASSES: Final = 20
OTHERS: Final = "(others)"
UNLEARNED: Final = "(not learned)"
CLOSED: ConfigDict = {"extra": "forbid", "allow_inf_nan": False}
Table = tuple[tuple[float, ...], ...]


@final
@checked(RecordError)
@dataclass(frozen=True)
class Classes:
    """The classes of one target at the site where it is read best by validation.

    Args:
        target: of which they are.
        site: where.
        names: of the classes; the rest of many is ``(others)``, those that the training part lacks
            are ``(not learned)``.
        counts: ``[true][predicted]`` held-out tokens.
        learned: ``[class][dim]`` of each class the mean of its held-out activations, less the mean
            of these means, in the basis of the learned subspace; empty where there is none.
        predicted: the same in the basis of the predicted subspace.

    Raises:
        RecordError: the tables do not have a line for each class.

    >>> Classes("height 1", "head", ("A", "B"), ((3, 1), (0, 4))).recall
    (0.75, 1.0)
    """

    target: str
    site: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    learned: Table = ()
    predicted: Table = ()

    __pydantic_config__ = CLOSED

    def __post_init__(self) -> None:
        k = len(self.names)
        square = len(self.counts) == k and all(len(line) == k for line in self.counts)
        if not square or any(len(table) not in (0, k) for table in (self.learned, self.predicted)):
            raise RecordError(
                f"classes of {self.target!r:.60}: each of the {k} names has a line in every table; "
                f"received {len(self.counts)} lines of counts, {len(self.learned)} of learned and "
                f"{len(self.predicted)} of predicted means"
            )

    @property
    def recall(self) -> tuple[float, ...]:
        """Of each class the share that is recognised; NaN of a class without tokens."""
        return tuple(
            line[i] / sum(line) if sum(line) else float("nan") for i, line in enumerate(self.counts)
        )


def classes_of(
    results: "ProbeResults", acts: Any, predictions: Sequence[Prediction] = ()
) -> tuple[Classes, ...]:
    """What is kept of each target of classes.

    Args:
        results: a grid with what its probes said of the held-out tokens.
        acts: the activations that were probed, or ``None``: then no means are kept.
        predictions: of theory, about these cells.

    Returns:
        One for each target that has two classes among the held-out tokens.
    """
    claims = {(claim.site, claim.target): claim.subspace for claim in predictions}
    rows = [{str(k): plain(v) for k, v in row.items()} for row in
            results.to_frame().to_dict("records")]  # fmt: skip
    kept = []
    for target in results.targets:
        site = str(best_row([row for row in rows if row["target"] == target])["site"])
        held = results.held_out.get((site, target))
        if not isinstance(held, HeldOut) or len(np.unique(held.true)) < 2:
            continue
        names, true, said = _merged(held)
        spaces = {"learned": results.patterns.get((site, target)),
                  "predicted": claims.get((site, target))}  # fmt: skip
        means = {} if acts is None else _means(acts[site], held, true, len(names), spaces)
        counts = np.zeros((len(names), len(names)), dtype=np.int64)
        np.add.at(counts, (true, said), 1)
        kept.append(
            Classes(target, site, names, tuple(map(tuple, counts.tolist())), **means)
        )  # fmt: skip
    return tuple(kept)


def _merged(
    held: HeldOut,
) -> tuple[tuple[str, ...], Int[np.ndarray, " test"], Int[np.ndarray, " test"]]:
    """Names, true and predicted codes, the rarest classes as one, the frequent ones first."""
    k = len(held.classes)
    tokens = np.bincount(held.true[held.true >= 0], minlength=k)
    seen = np.flatnonzero(tokens + np.bincount(held.predicted, minlength=k))
    order = seen[np.argsort(-tokens[seen], kind="stable")]
    own = order if len(order) <= MOST_CLASSES else order[: MOST_CLASSES - 1]
    names = [str(held.classes[code]) for code in own]
    code = np.full(k + 1, len(own), dtype=np.int64)
    code[own] = np.arange(len(own))
    if len(own) < len(order):
        names.append(OTHERS)
    if (held.true < 0).any():
        code[-1] = len(names)  # -1, a class that was not learned, is the last
        names.append(UNLEARNED)
    return tuple(names), code[held.true], code[held.predicted]


def _means(
    stream: Any,
    held: HeldOut,
    codes: Int[np.ndarray, " test"],
    k: int,
    spaces: Mapping[str, Subspace | None],
) -> dict[str, Table]:
    """Class means of the held-out rows, in each subspace's basis."""
    if spaces["learned"] is None:
        return {}
    states = np.asarray(stream[held.rows], dtype=np.float64)
    present = [codes == code for code in range(k)]
    if not all(here.any() for here in present):
        return {}  # a class that is only predicted has no mean
    means: Float[np.ndarray, "class d_model"] = np.stack([states[h].mean(axis=0) for h in present])
    means -= means.mean(axis=0)
    return {
        name: tuple(map(tuple, (means @ space.basis).tolist()))
        for name, space in spaces.items()
        if space is not None
    }
