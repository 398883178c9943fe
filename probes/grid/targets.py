"""Targets: what a probe should recover, one class per token, and at which tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Int

from ...core import height_target
from ..errors import ProbeError
from ..inputs.labels import encode
from ..inputs.protocols import CorpusLike
from ..inputs.reading import as_array, read_heights, read_targets

__all__ = ["Target", "make_targets"]


@final
@dataclass(frozen=True, eq=False)
class Target:
    """One target over all tokens of a corpus.

    Args:
        name: ``height 2``, say.
        codes: ``[token]`` class of each token, -1 where the target is undefined.
        classes: names of the classes.
        mask: ``[token]`` tokens at which the target is asked for; it is defined at all of them.
    """

    name: str
    codes: Int[np.ndarray, " token"]
    classes: tuple[str, ...]
    mask: Bool[np.ndarray, " token"]


def make_targets(
    corpus: CorpusLike,
    heights: Sequence[int] | None,
    targets: Mapping[str, npt.ArrayLike] | None,
    positions: Any,
) -> list[Target]:
    """Read labels and positions, and check them.

    Raises:
        ProbeError: nothing to probe, lengths differ, or a mask selects no token.
    """
    labels: dict[str, npt.ArrayLike] = {}
    height_of: dict[str, int] = {}
    if heights is None and targets is None:
        heights = tuple(corpus.heights)
    for height in read_heights(heights, tuple(corpus.heights)):
        labels[height_target(height)] = corpus.labels(height)
        height_of[height_target(height)] = height
    for name, values in read_targets(targets).items():
        if name in labels:
            raise ProbeError(f"target {name!r} is given twice, as a height and by name")
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


def _make(
    corpus: CorpusLike,
    name: str,
    values: npt.ArrayLike,
    positions: Any,
    height: int | None,
) -> Target:
    codes, classes = encode(values)
    n = len(corpus.sentence_ids)
    if len(codes) != n:
        raise ProbeError(f"target {name!r} has {len(codes)} labels, the corpus {n} tokens")
    where = positions.get(name, "all") if isinstance(positions, Mapping) else positions
    mask = codes >= 0
    if isinstance(where, str):
        if where not in ("all", "boundary"):
            raise ProbeError(
                f"positions are 'all', 'boundary', a mask or one per target; received {where!r}"
            )
        if where == "boundary":
            if height is None:
                raise ProbeError(
                    f"target {name!r} is no height, so it has no boundary: give a mask instead"
                )
            mask &= np.asarray(corpus.boundary(height), dtype=bool)
    else:
        chosen = as_array(where, f"a mask of positions is bool [{n}]")
        if chosen.dtype != bool or chosen.shape != (n,):
            raise ProbeError(
                f"a mask of positions is bool [{n}]; received {chosen.dtype} {chosen.shape}"
            )
        mask = mask & chosen
    if not mask.any():
        raise ProbeError(f"target {name!r} is defined at none of the positions asked for")
    return Target(name, codes, classes, mask)
