"""Targets: what a probe should recover, a class or numbers per token, and at which tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Int

from ...core import height_target
from ...corpora import Target
from ..errors import ProbeError
from ..inputs.columns import in_order
from ..inputs.labels import encode
from ..inputs.protocols import CorpusLike
from ..inputs.reading import as_array, read_heights
from ..inputs.values import named_targets

__all__ = ["ClassTarget", "NumberTarget", "make_targets", "strata"]

STRATA = 5  # equal parts of a number's range of ranks that the parts of a split have alike


@final
@dataclass(frozen=True, eq=False)
class ClassTarget:
    """One target over all tokens of a corpus, a class for each.

    Args:
        name: ``height 2``, say.
        codes: ``[token]`` class of each token, -1 where the target is undefined.
        classes: names of the classes.
        mask: ``[token]`` tokens at which the target is asked for; it is defined at all of them.
        note: how its values were read.
        height: that of the corpus, where the target is one.
    """

    name: str
    codes: Int[np.ndarray, " token"]
    classes: tuple[str, ...]
    mask: Bool[np.ndarray, " token"]
    note: str = ""
    height: int | None = None


@final
@dataclass(frozen=True, eq=False)
class NumberTarget:
    """One target over all tokens of a corpus, a number or a vector for each.

    Args:
        name: of the target.
        values: ``[token, column]``, NaN where undefined.
        columns: names of the columns.
        mask: ``[token]`` tokens at which the target is asked for; it is defined at all of them.
        note: how its values were read.
    """

    name: str
    values: Float[np.ndarray, "token column"]
    columns: tuple[str, ...]
    mask: Bool[np.ndarray, " token"]
    note: str = ""


def make_targets(
    corpus: CorpusLike,
    heights: Sequence[int] | None,
    targets: Any,
    positions: Any,
) -> list[ClassTarget | NumberTarget]:
    """Read labels, numbers and positions, and check them.

    Raises:
        ProbeError: nothing to probe, lengths differ, or a mask selects no token.
    """
    labels: dict[str, Any] = {}
    height_of: dict[str, int] = {}
    own: Mapping[str, Target] = getattr(corpus, "targets", None) or {}
    if heights is None and targets is None:
        heights = tuple(corpus.heights)
        levels = {height_target(height) for height in heights}
        targets = {name: own[name] for name in own if name not in levels}
    for height in read_heights(heights, tuple(corpus.heights)):
        labels[height_target(height)] = corpus.labels(height)
        height_of[height_target(height)] = height
    n = len(corpus.sentence_ids)
    for name, values in named_targets(targets, own, tuple(corpus.heights), n).items():
        if name in labels:
            raise ProbeError(f"target {name!r} is given twice, as a height and by name")
        if isinstance(values, int):  # a height, called by the name of its target
            height_of[name], values = values, corpus.labels(values)
        labels[name] = values
    if not labels:
        raise ProbeError("nothing to probe: give heights=[...] or targets={name: labels}")
    if isinstance(positions, Mapping) and not set(positions) <= set(labels):
        unknown = sorted(map(str, set(positions) - set(labels)))
        raise ProbeError(
            f"positions are given for unknown targets {unknown}: not in {list(labels)}"
        )
    return [
        _make(corpus, name, values, positions, height_of.get(name))
        for name, values in labels.items()
    ]


def strata(targets: Sequence[ClassTarget | NumberTarget]) -> np.ndarray:
    """``[token, target]`` what the parts of a split should have alike; NaN where not asked.

    Of a single number its fifths, by rank; of a vector nothing.
    """
    n = len(targets[0].mask)
    table = np.full((n, len(targets)), np.nan)
    for column, target in zip(table.T, targets, strict=True):
        rows = target.mask
        if isinstance(target, ClassTarget):
            column[rows] = target.codes[rows]
        elif target.values.shape[1] == 1:
            values = target.values[rows, 0]
            bounds = np.quantile(values, np.linspace(0, 1, STRATA + 1)[1:-1])
            column[rows] = np.searchsorted(bounds, values)
        else:
            column[rows] = 0.0
    return table


def _make(
    corpus: CorpusLike,
    name: str,
    values: Any,
    positions: Any,
    height: int | None,
) -> ClassTarget | NumberTarget:
    n = len(corpus.sentence_ids)
    rows = len(values)
    if rows != n:
        bare = getattr(corpus, "unit", "") == "row"
        whole = f"the activations {n} rows" if bare else f"the corpus {n} tokens"
        raise ProbeError(f"target {name!r} has {rows} labels, {whole}")
    if isinstance(values, Target) and values.kind == "number":
        mask = values.defined & _asked(corpus, name, positions, height, n)
        _some(name, mask)
        columns = values.columns or (name,)
        return NumberTarget(name, values.values, columns, mask, values.note)
    codes, classes = encode(values.values if isinstance(values, Target) else values)
    mask = (codes >= 0) & _asked(corpus, name, positions, height, n)
    _some(name, mask)
    if not isinstance(values, Target):
        return ClassTarget(name, codes, classes, mask, height=height)
    # Numbers that are names stand in the order of numbers.
    sorted_names = in_order(set(classes))
    place = np.array([*(sorted_names.index(label) for label in classes), -1], dtype=np.int64)
    return ClassTarget(name, place[codes], sorted_names, mask, values.note)


def _asked(
    corpus: CorpusLike, name: str, positions: Any, height: int | None, n: int
) -> Bool[np.ndarray, " token"]:
    """Tokens at which a target is asked for.

    Raises:
        ProbeError: positions are of no known form.
    """
    where = positions.get(name, "all") if isinstance(positions, Mapping) else positions
    if isinstance(where, str):
        if where not in ("all", "boundary"):
            raise ProbeError(
                f"positions are 'all', 'boundary', a mask or one per target; received {where!r}"
            )
        if where == "all":
            return np.ones(n, dtype=bool)
        if height is None:
            raise ProbeError(
                f"target {name!r} is no height, so it has no boundary: give a mask instead"
            )
        return np.asarray(corpus.boundary(height), dtype=bool)
    chosen = as_array(where, f"a mask of positions is bool [{n}]")
    if chosen.dtype != bool or chosen.shape != (n,):
        raise ProbeError(
            f"a mask of positions is bool [{n}]; received {chosen.dtype} {chosen.shape}"
        )
    return chosen


def _some(name: str, mask: np.ndarray) -> None:
    """A mask selects a token.

    Raises:
        ProbeError: it does not.
    """
    if not mask.any():
        raise ProbeError(f"target {name!r} is defined at none of the positions asked for")
