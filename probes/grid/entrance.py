"""Who comes in: activations with a corpus, or arrays with values and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast, final

import numpy as np
from jaxtyping import Int, Shaped

from ...corpora import Target
from ..errors import ProbeError
from ..inputs.blocks import Blocks, as_matrix
from ..inputs.protocols import ActivationsLike, CorpusLike
from ..inputs.reading import (
    ACTIVATIONS,
    CORPUS,
    as_array,
    check_activations,
    check_corpus,
    check_manifest,
)

__all__ = ["OF_WORDS", "Entered", "GivenArrays", "GivenRows", "enter"]

OF_WORDS = ("control_task", "position", "previous_word", "word_identity", "surface")
"""Controls that need words and their places."""

ALONE = "activations"
"""Name of the site of an array that was given without one."""


@final
class GivenArrays(dict[str, np.ndarray]):
    """Activations as arrays by site, every row with a value."""

    @property
    def sites(self) -> tuple[str, ...]:
        """Names, in the order given."""
        return tuple(self)

    @property
    def manifest(self) -> dict[str, Any]:
        """Nothing is known of what made them."""
        return {}

    @property
    def kept(self) -> np.ndarray:
        """``[row]`` every row has an activation."""
        return np.ones(len(next(iter(self.values()), ())), dtype=bool)


@final
@dataclass(frozen=True, eq=False)
class GivenRows:
    """A corpus of rows without words: each stands alone; equal rows are one text.

    Args:
        text_ids: ``[row]`` equal for rows of equal activations.
    """

    text_ids: Int[np.ndarray, " row"]
    unit = "row"  # what a group is where none are given

    @property
    def words(self) -> Shaped[np.ndarray, " row"]:
        """No words."""
        return np.full(len(self.text_ids), "", dtype=str)

    @property
    def sentence_ids(self) -> Int[np.ndarray, " row"]:
        """Each row alone."""
        return np.arange(len(self.text_ids))

    @property
    def positions(self) -> Int[np.ndarray, " row"]:
        """All in one place."""
        return np.zeros(len(self.text_ids), dtype=np.int64)

    @property
    def heights(self) -> tuple[int, ...]:
        """None."""
        return ()

    def labels(self, height: int) -> np.ndarray:
        """There are none.

        Raises:
            ProbeError: always.
        """
        raise ProbeError(
            f"rows without a corpus have no labels at height {height}: give the values yourself, "
            "probe(rows, values), or the corpus"
        )

    def boundary(self, height: int) -> np.ndarray:
        """There are none.

        Raises:
            ProbeError: always.
        """
        raise ProbeError(
            f"rows without a corpus have no spans of height {height}: leave positions='all', or "
            "give the corpus"
        )


@final
@dataclass(frozen=True, eq=False)
class Entered:
    """What a grid is asked about.

    Args:
        acts: activations.
        corpus: its words, or rows without any.
        targets: as they were given.
        twins: activations of random-weight twins.
    """

    acts: ActivationsLike
    corpus: CorpusLike
    targets: Any
    twins: tuple[ActivationsLike, ...]

    @property
    def bare(self) -> bool:
        """There are no words."""
        return isinstance(self.corpus, GivenRows)

    def controls(self, asked: tuple[str, ...]) -> tuple[str, ...]:
        """Those that can be run."""
        return tuple(name for name in asked if not (self.bare and name in OF_WORDS))

    def note(self, asked: tuple[str, ...]) -> tuple[str, ...]:
        """Why some cannot."""
        left = [name for name in asked if name not in self.controls(asked)]
        if not left:
            return ()
        return (
            f"rows without a corpus have no words and no positions: {', '.join(left)} cannot be "
            "tested; chance is the best guess without any activation",
        )


def enter(acts: Any, corpus: Any, targets: Any, random_weights: Any) -> Entered:
    """Activations, corpus, values and twins from whatever was given.

    Args:
        acts: activations, arrays ``[row, d_model]`` by site, or one array.
        corpus: a corpus, or the values to recover; by default the corpus of the activations.
        targets: as given by keyword.
        random_weights: one twin or several, each of any form that ``acts`` may have.

    Raises:
        ProbeError: they are none of these; the message says which.
    """
    given = _activations(acts, "activations")
    twins = _twins(random_weights, isinstance(given, GivenArrays))
    own = getattr(given, "corpus", None)
    values = corpus is not None and _is_values(corpus)
    if values and targets is not None:
        raise ProbeError(
            "values to recover were given twice, beside the activations and as targets=: give one"
        )
    if values:
        targets, corpus = corpus, None
    if corpus is None:
        corpus = own
    if corpus is None:
        if targets is None:
            raise ProbeError(
                "nothing to probe: these activations know no corpus, so give what to recover, "
                "probe(acts, values), or a corpus, probe(acts, corpus)"
            )
        corpus = GivenRows(_equal_rows(given))
    check_corpus(corpus)
    return Entered(given, corpus, targets, twins)


def _activations(acts: Any, what: str) -> ActivationsLike:
    """Activations of any form.

    Raises:
        ProbeError: they have none.
    """
    if all(hasattr(acts, name) for name in ACTIVATIONS):
        check_activations(acts, what)
        check_manifest(acts)
        if not getattr(acts, "complete", True):
            raise ProbeError(
                f"shards of these {what} are missing: the capture into their store was cut off; "
                "call it again with the same store, it goes on from there"
            )
        return cast(ActivationsLike, acts)
    if isinstance(acts, Mapping) and acts and all(isinstance(name, str) for name in acts):
        found = GivenArrays()
        for site, values in acts.items():
            array = as_array(values, f"{what} at {site!r} are numbers [row, d_model]")
            found[site] = _matrix(array, f"{what} at {site!r}")
            if len(found[site]) != len(next(iter(found.values()))):
                raise ProbeError(
                    f"{what} have one row for each value at every site; {site!r} has "
                    f"{len(found[site])}, {found.sites[0]!r} {len(found[found.sites[0]])}"
                )
        return found
    table = isinstance(acts, list | tuple) or hasattr(acts, "shape")
    if table and np.ndim(array := as_array(acts, f"{what} are numbers [row, d_model]")) >= 1:
        return GivenArrays({ALONE: _matrix(array, what)})
    check_activations(acts, what)  # raises: something is missing
    return cast(ActivationsLike, acts)


def _matrix(array: np.ndarray, what: str) -> np.ndarray:
    """Numbers, a row for each value.

    Raises:
        ProbeError: they are something else.
    """
    if array.dtype.kind == "O":
        array = _as_numbers(array)
    if array.ndim == 2 and array.dtype.kind in "fiub":
        return array
    remedy = (
        ": give each layer as a site of its own, {'layer 0': array[:, 0], ...}"
        if array.ndim == 3
        else ""
    )
    raise ProbeError(
        f"{what} are numbers [row, d_model]; received {array.dtype} of shape {array.shape}{remedy}"
    )


def _as_numbers(array: np.ndarray) -> np.ndarray:
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        return array


def _twins(given: Any, plain: bool) -> tuple[ActivationsLike, ...]:
    """Activations of random-weight twins, alone, in a list, or not at all."""
    if given is None:
        return ()
    rows = plain and isinstance(given, list) and given and isinstance(given[0], list)
    several = isinstance(given, list | tuple) and not rows
    what = "activations of the random-weight twin"
    return tuple(_activations(twin, what) for twin in (given if several else (given,)))


def _is_values(corpus: Any) -> bool:
    """No corpus but what to recover."""
    if all(hasattr(corpus, name) for name in CORPUS) or isinstance(corpus, str | bytes):
        return False
    return isinstance(corpus, Target | Mapping | Iterable) and not isinstance(corpus, type)


def _equal_rows(acts: ActivationsLike) -> np.ndarray:
    """``[row]`` a number for the activations of the row at all sites together.

    Raises:
        ProbeError: a site has another number of rows.
    """
    marks = [blake2b(digest_size=16) for _ in range(len(acts.kept))]
    for site in acts.sites:
        matrix = as_matrix(acts[site], f"activations at {site!r}")
        if len(matrix) != len(marks):
            raise ProbeError(
                f"activations at {site!r} have {len(matrix)} rows; {len(marks)} were expected, one "
                "for each token that is kept: give every site the same tokens"
            )
        for here, block in Blocks(matrix):
            for mark, row in zip(marks[here], np.ascontiguousarray(block), strict=True):
                mark.update(row.tobytes())
    seen: dict[bytes, int] = {}
    return np.array([seen.setdefault(mark.digest(), len(seen)) for mark in marks], dtype=np.int64)
