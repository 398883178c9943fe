"""Columns of a table as targets: what is missing is undefined, and said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..errors import CorpusError
from ..targets import Target, TargetKind

__all__ = ["from_written", "require", "target_of"]


def require(name: str, known: Sequence[str], what: str, where: str) -> None:
    """A name is among those that there are.

    Raises:
        CorpusError: it is not; the message has those that are, and one that is alike.

    >>> require("lable", ["text", "label"], "column", "a.csv")
    Traceback (most recent call last):
        ...
    linrep.corpora.errors.CorpusError: a.csv has no column 'lable': it has 'text', 'label'; did ...
    """
    if name in known:
        return
    near = get_close_matches(str(name), [str(one) for one in known], 1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise CorpusError(
        f"{where} has no {what} {name!r}: it has {', '.join(map(repr, known)) or 'none'}{meant}"
    )


def from_written(values: Sequence[str]) -> list[Any]:
    """Cells of a written table: numbers where all are numbers, else text; empty ones are ``None``.

    Whole numbers that a table wrote as ``1.0``, as tables with gaps do, are whole numbers.

    >>> from_written(["1.0", "", "0.0"]), from_written(["1.5", "nan"]), from_written(["1", "NA"])
    ([1, None, 0], [1.5, None], ['1', 'NA'])
    """
    cells = [value.strip() for value in values]
    try:
        numbers = [float(cell) if cell else float("nan") for cell in cells]
    except ValueError:
        return [value if cell else None for value, cell in zip(values, cells, strict=True)]
    whole = all(np.isnan(number) or number == int(number) for number in numbers if _finite(number))
    made = int if whole and all(map(_finite, numbers)) else float
    return [None if np.isnan(number) else made(number) for number in numbers]


def target_of(
    name: str, values: Any, where: str, kinds: Mapping[str, TargetKind] | None = None
) -> Target:
    """A column as a target, with a note on rows that lack a value.

    Args:
        name: of the column.
        values: its cells.
        where: the table, for messages.
        kinds: of columns whose kind is told.

    Raises:
        CorpusError: no row has a value, or all have the same.
    """
    try:
        target = Target.read(name, values, (kinds or {}).get(name))
    except CorpusError as error:
        raise CorpusError(f"{where}: {error}") from error
    defined = target.defined
    if not defined.any():
        raise CorpusError(f"{where}: no row has a value of {name!r}; expected one for most rows")
    present = np.unique(target.values[defined], axis=0)
    if len(present) == 1:
        only = present[0] if target.kind == "class" else present[0].tolist()
        raise CorpusError(
            f"{where}: {name!r} has one value, {str(only)!r}, in all {int(defined.sum())} rows, so "
            "there is nothing to tell apart: give rows with others too"
        )
    missing = int((~defined).sum())
    if not missing:
        return target
    note = f"{missing} of {len(target)} rows have no value and are left out"
    return replace(target, note="; ".join(filter(None, [target.note, note])))


def _finite(number: float) -> bool:
    return bool(np.isnan(number) or np.isfinite(number))
