"""A run as data frames: one tidy table for each kind of thing, typed columns, studies by name."""

import os
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, Union, final, get_args, get_origin, get_type_hints

import numpy as np

from ..core import CellScore, ErasedRow, Invariant, SteeredRow, checked
from ..probes import Moved, Score
from .errors import RecordError
from .meeting import ComparedSubspaces
from .record import Check, Run, Study
from .run_reading import read_run
from .through import Through
from .verdicts import RUNGS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Frames", "frames"]

KINDS = {float: "float64", int: "Int64", bool: "boolean", str: "string"}
WORDS = {
    "float64": "number", "Int64": "whole number", "boolean": "yes or no", "string": "text",
}  # fmt: skip
CELL = {"study": "string", "site": "string", "target": "string"}


@final
@dataclass(frozen=True, eq=False)
class Frames:
    """The tables of a run, by attribute or by name; a table without rows has its columns.

    The first column is the study. Texts are ``string``, numbers ``float64`` with NaN for what was
    not measured, counts ``Int64`` and answers ``boolean``, both with ``<NA>``. An interval is two
    columns, ``..._low`` and ``..._high``. Targets have the names of the settings; ``targets`` has
    what pages call them.

    Args:
        scores: one row per cell (study, site, target): the columns of :class:`linrep.Score`.
        verdicts: one row per cell and rung: ``state``, ``reason``, ``instead``.
        comparison: one row per cell: the rung reached, what theory predicts, the learned subspace
            beside the predicted one, the map from another basis (``map_...``).
        exchanges: one row per exchange of states (:class:`linrep.CellScore`).
        checks: one row per number that had to be reached.
        transfers: one row per probe, trained on one data set and scored on another.
        cosines: one row per target, site and two data sets: cosine of their directions.
        erased: one row per way of erasing and target read (:class:`linrep.ErasedRow`).
        steered: one row per strength (:class:`linrep.SteeredRow`).
        invariants: one row per number that holds in any basis (:class:`linrep.Invariant`).
        facts: one row per fact about language, model and data; values as text.
        notes: one row per note.
        targets: one row per target: what pages call it.
    """

    scores: "pd.DataFrame"
    verdicts: "pd.DataFrame"
    comparison: "pd.DataFrame"
    exchanges: "pd.DataFrame"
    checks: "pd.DataFrame"
    transfers: "pd.DataFrame"
    cosines: "pd.DataFrame"
    erased: "pd.DataFrame"
    steered: "pd.DataFrame"
    invariants: "pd.DataFrame"
    facts: "pd.DataFrame"
    notes: "pd.DataFrame"
    targets: "pd.DataFrame"

    def keys(self) -> tuple[str, ...]:
        """Names of the tables."""
        return tuple(self.__dataclass_fields__)

    def items(self) -> "list[tuple[str, pd.DataFrame]]":
        """Names and tables; ``dict(tables)`` works too."""
        return [(name, self[name]) for name in self]

    def __getitem__(self, name: str) -> "pd.DataFrame":
        if name not in self.__dataclass_fields__:
            raise KeyError(f"no table {name!r}: there are {', '.join(self)}")
        table: pd.DataFrame = getattr(self, name)
        return table

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dataclass_fields__)

    def __len__(self) -> int:
        return len(self.__dataclass_fields__)

    def __repr__(self) -> str:
        """The tables and their numbers of rows."""
        return f"Frames({', '.join(f'{name}: {len(table)}' for name, table in self.items())})"


@checked(RecordError)
def frames(run: Run | str | os.PathLike[str]) -> Frames:
    """The numbers of a run as tidy data frames.

    Args:
        run: a :class:`Run`, or its folder.

    Returns:
        The tables, by attribute or by name.

    Raises:
        FolderError: the folder holds no run.

    >>> from linrep.reports import Comparison, Scores, Study
    >>> row = {"site": "blocks.0.hook_resid_post", "target": "tense", "accuracy": 0.9}
    >>> study = Study("one", "?", {}, Scores((row,)), Comparison(()))
    >>> tables = frames(Run("t", "?", {}, {}, (study,)))
    >>> tables.scores[["study", "target", "accuracy"]].values.tolist()
    [['one', 'tense', 0.9]]
    >>> tables["erased"].dtypes["dim"]
    Int64Dtype()
    """
    whole = run if isinstance(run, Run) else read_run(run)
    made = {name: _table(name, _rows(whole, part), kinds) for name, (part, kinds) in TABLES.items()}
    return Frames(**made)


def _rows(run: Run, part: Any) -> list[dict[str, Any]]:
    return [{"study": study.name, **row} for study in run.studies for row in part(study)]


def _scores(study: Study) -> Iterator[Mapping[str, Any]]:
    for row in study.scores.rows:
        ends: Any = row.get("interval")
        low, high = ends or (None, None)
        flat = {name: value for name, value in row.items() if name != "interval"}
        yield {**flat, "kind": row.get("kind") or "class", "interval_low": low,
               "interval_high": high}  # fmt: skip


def _verdicts(study: Study) -> Iterator[Mapping[str, Any]]:
    for row in study.comparison.rows:
        for name in RUNGS:
            told = vars(getattr(row.verdicts, name))
            yield {"site": row.site, "target": row.target, "rung": name, **told}


def _comparison(study: Study) -> Iterator[Mapping[str, Any]]:
    for row in study.comparison.rows:
        found = vars(row.subspaces) if row.subspaces else {}
        said = {f"map_{name}": value for name, value in vars(row.through).items()} if (
            row.through) else {}  # fmt: skip
        whole = {name: getattr(row, name) for name in PREDICTED}
        as_predicted = row.subspaces.as_predicted if row.subspaces else None
        yield {"site": row.site, "target": row.target, "rung": row.verdicts.rung,
               "word": row.verdicts.word, "headline": row.verdicts.headline,
               **whole, "as_predicted": as_predicted, **found, **said}  # fmt: skip


def _exchanges(study: Study) -> Iterator[Mapping[str, Any]]:
    return (vars(row.exchange) for row in study.comparison.rows if row.exchange is not None)


def _checks(study: Study) -> Iterator[Mapping[str, Any]]:
    return (vars(check) | {"passed": check.passed} for check in study.checks)


def _transfers(study: Study) -> Iterator[Mapping[str, Any]]:
    return ({"target": moved.target, **vars(row)} for moved in study.transfers
            for row in moved.rows)  # fmt: skip


def _cosines(study: Study) -> Iterator[Mapping[str, Any]]:
    for moved in study.transfers:
        for site, table in moved.cosines.items():
            for i, first in enumerate(moved.names):
                for j, second in enumerate(moved.names):
                    yield {"target": moved.target, "site": site, "first": first,
                           "second": second, "cosine": float(table[i, j])}  # fmt: skip


def _erased(study: Study) -> Iterator[Mapping[str, Any]]:
    return map(vars, study.erased)


def _steered(study: Study) -> Iterator[Mapping[str, Any]]:
    return map(vars, study.steered)


def _invariants(study: Study) -> Iterator[Mapping[str, Any]]:
    return map(vars, study.invariants)


def _facts(study: Study) -> Iterator[Mapping[str, Any]]:
    return ({"fact": name, "value": str(value)} for name, value in study.facts.items())


def _notes(study: Study) -> Iterator[Mapping[str, Any]]:
    for about, notes in (("study", study.notes), ("scores", study.scores.notes)):
        yield from ({"about": about, "note": note} for note in notes)


def _targets(study: Study) -> Iterator[Mapping[str, Any]]:
    names = dict.fromkeys(str(row["target"]) for row in study.scores.rows)
    return ({"target": name, "name": study.names.get(name, name)} for name in names)


def _columns(record: type, start: str = "") -> dict[str, str]:
    """The columns of a record's fields, by the kind of each."""
    hints = get_type_hints(record)
    found: dict[str, str] = {}
    for one in fields(record):
        kind = hints[one.name]
        if get_origin(kind) is tuple:
            found |= {f"{start}{one.name}_{end}": "float64" for end in ("low", "high")}
        else:
            found[start + one.name] = KINDS[_plain_kind(kind)]
    return found


def _plain_kind(hint: Any) -> type:
    """One of the four kinds of values: an optional one's own, a choice's text."""
    if get_origin(hint) in (types.UnionType, Union):
        return _plain_kind(next(part for part in get_args(hint) if part is not type(None)))
    if get_origin(hint) is Literal:
        return type(get_args(hint)[0])
    return hint if isinstance(hint, type) else str


def _table(
    table: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]
) -> "pd.DataFrame":
    """Rows under their columns, each of its kind; columns that are not known come last.

    Raises:
        RecordError: a value is not of its column's kind.
    """
    import pandas as pd

    more = dict.fromkeys(name for row in rows for name in row if name not in columns)
    made = {}
    for name in (*columns, *more):
        values = [row.get(name) for row in rows]
        kind = columns.get(name) or _seen(values)
        try:
            made[name] = pd.Series(_cleaned(values, kind), dtype=kind)
        except (TypeError, ValueError, OverflowError):
            raise RecordError(
                f"the column {name} of {table} holds what is no {WORDS[kind]}: received "
                f"{_odd(values, kind)!r:.60}; make the run again"
            ) from None
    return pd.DataFrame(made)


def _odd(values: Sequence[Any], kind: str) -> object:
    """The first value that is not of the kind."""
    wanted = (bool,) if kind == "boolean" else (int, float)
    return next((v for v in values if v is not None and not isinstance(v, wanted)), values[0])


def _cleaned(values: list[Any], kind: str) -> list[Any]:
    """What is missing is NaN among numbers and ``None`` elsewhere."""
    if kind == "float64":
        return [np.nan if value is None else float(value) for value in values]
    if kind == "string":
        return [None if value is None else str(value) for value in values]
    return [None if value is None or value != value else value for value in values]


def _seen(values: list[Any]) -> str:
    """The kind of a column by its values."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "boolean"
    return "float64" if kinds and kinds <= {int, float} else "string"


PREDICTED = {
    "predicted_accuracy": "float64", "predicted_rank": "Int64", "predicted_use": "boolean",
    "claim": "string", "source": "string", "tied": "string", "own": "boolean",
}  # fmt: skip
STUDY = {"study": "string"}
SAID = {"state": "string", "reason": "string", "instead": "string"}
TABLES: Mapping[str, tuple[Any, Mapping[str, str]]] = {
    "scores": (_scores, {**CELL, **_columns(Score), "share": "float64"}),
    "verdicts": (_verdicts, {**CELL, "rung": "string", **SAID}),
    "comparison": (
        _comparison,
        {**CELL, "rung": "Int64", "word": "string", "headline": "string", **PREDICTED,
         "as_predicted": "boolean", **_columns(ComparedSubspaces), **_columns(Through, "map_")},
    ),
    "exchanges": (_exchanges, {**CELL, **_columns(CellScore)}),
    "checks": (_checks, {**STUDY, **_columns(Check), "passed": "boolean"}),
    "transfers": (_transfers, {**CELL, **_columns(Moved)}),
    "cosines": (_cosines, {**CELL, "first": "string", "second": "string", "cosine": "float64"}),
    "erased": (_erased, {**STUDY, **_columns(ErasedRow)}),
    "steered": (_steered, {**STUDY, **_columns(SteeredRow)}),
    "invariants": (_invariants, {**STUDY, **_columns(Invariant)}),
    "facts": (_facts, {**STUDY, "fact": "string", "value": "string"}),
    "notes": (_notes, {**STUDY, "about": "string", "note": "string"}),
    "targets": (_targets, {**STUDY, "target": "string", "name": "string"}),
}  # fmt: skip
"""Each table: what makes its rows of a study, and the kind of each column."""
