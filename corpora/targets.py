"""Targets: what a probe should recover, one value for each row of a corpus, read in one way."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Shaped

from ..core import checked
from ..core.arguments import shown
from ..core.hints import Unfit, array_like
from ..core.texts import encodable
from .errors import CorpusError

__all__ = ["Target", "TargetKind"]

TargetKind = Literal["class", "number"]
"""What a target's values are: names of classes, or numbers with sizes and distances."""

MOST_CLASSES = 20  # integers of more values than these are numbers, unless told otherwise
LEAST_ROWS = 5  # and so are those that have fewer rows than these for each value


@final
@checked(CorpusError)
@dataclass(frozen=True, eq=False)
class Target:
    """What a probe should recover, one value for each row (token or span) of a corpus.

    :meth:`read` makes one of whatever holds values.

    Args:
        name: of the target.
        values: classes are ``[row]`` text, ``""`` where undefined; numbers are ``[row, column]``
            float64, NaN where undefined: a row is defined where all its columns are finite.
        kind: ``"class"`` or ``"number"``.
        columns: names of the columns of a vector; ``()`` for a single number and for classes.
        note: how the values were read, for a page.

    Raises:
        CorpusError: the values are not of that form.
    """

    name: str
    values: Shaped[np.ndarray, "row *column"]
    kind: TargetKind
    columns: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not (self.name and encodable(self.name)):
            raise CorpusError(
                "a target has a name, text that is not empty and that a file can hold; received "
                f"{self.name!a}"
            )
        text = self.values.ndim == 1 and self.values.dtype.kind == "U"
        number = self.values.ndim == 2 and self.values.dtype == np.float64
        if not (text if self.kind == "class" else number):
            raise CorpusError(
                f"target {self.name!r}: values are [row] text for classes, [row, column] float64 "
                f"for numbers; received {self.values.dtype} of shape {self.values.shape} with "
                f"kind={self.kind!r}: Target.read(name, values) reads lists, arrays and tables"
            )
        if self.kind == "number" and self.values.shape[1] == 0:
            raise CorpusError(f"target {self.name!r} is a table without columns: give at least one")
        width = 0 if self.kind == "class" else self.values.shape[1]
        if len(self.columns) != (0 if width == 1 and not self.columns else width):
            raise CorpusError(
                f"target {self.name!r} has {width} columns and {len(self.columns)} names of "
                f"columns {self.columns}: give one name for each, or none for a single number"
            )

    @classmethod
    def read(
        cls,
        name: str,
        values: Any,
        kind: TargetKind | None = None,
        columns: tuple[str, ...] = (),
    ) -> "Target":
        """Read a list, an array, a column or a table.

        Masked values, ``None``, NaN and ``""`` are undefined. Where the kind is not told, text,
        bools and categories are classes; floats are numbers, and so is every table
        ``[row, column]`` (a vector for each row); integers are classes where they have at most 20
        different values with five rows each or more on average, else numbers: ``note`` says how
        they were read, also of floats that are whole numbers.

        Args:
            name: of the target.
            values: one for each row.
            kind: ``"class"`` or ``"number"``, where it should not be told from the values.
            columns: names of the columns of a vector; those of a data frame are taken from it.

        Raises:
            CorpusError: the values cannot be read so; the message says which.

        >>> Target.read("truth", [True, None, False]).values.tolist()
        ['True', '', 'False']
        >>> year = Target.read("year", [1789, 1804, None])
        >>> year.kind, year.values.tolist()
        ('number', [[1789.0], [1804.0], [nan]])
        """
        columns = columns or _column_names(values)
        category = str(getattr(values, "dtype", "")) == "category"
        array, undefined = _opened(name, values)
        if array.ndim == 2 and array.shape[1] == 1 and len(columns) < 2:
            array, undefined, columns = array[:, 0], undefined[:, 0], ()
        if array.ndim == 2:
            if kind == "class":
                raise CorpusError(
                    f"target {name!r}: classes are one name for each row; received a table of "
                    f"shape {array.shape}: give its columns as targets of their own"
                )
            names = columns or tuple(str(i) for i in range(array.shape[1]))
            return cls(name, _numbers(name, array, undefined), "number", names)
        of = "text" if category else _kind_of(array, undefined)
        note = ""
        if kind is None:
            kind, note = _told(array, undefined, of)
        if kind == "class":
            return cls(name, _classes(array, undefined), "class", (), note)
        return cls(name, _numbers(name, array[:, None], undefined[:, None]), "number", (), note)

    @property
    def defined(self) -> Bool[np.ndarray, " row"]:
        """``[row]`` whether the target has a value there."""
        if self.kind == "class":
            named: np.ndarray = self.values != ""
            return named
        finite: np.ndarray = np.isfinite(self.values).all(axis=1)
        return finite

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.values)

    def take(self, rows: npt.ArrayLike) -> "Target":
        """The target of these rows, by index or mask, in this order.

        Raises:
            CorpusError: a row lies outside the target.
        """
        chosen = np.asarray(rows)
        if not chosen.size:
            chosen = chosen.astype(np.int64)
        try:
            values = self.values[chosen]
        except IndexError as error:
            raise CorpusError(
                f"target {self.name!r} has {len(self)} rows, numbered from 0; received "
                f"{shown(rows)}: {error}"
            ) from error
        return Target(self.name, values, self.kind, self.columns, self.note)


def _column_names(values: Any) -> tuple[str, ...]:
    """Names of a data frame's columns; none of anything else."""
    table = getattr(values, "columns", None)
    return () if table is None or not hasattr(values, "iloc") else tuple(str(one) for one in table)


def _opened(name: str, values: Any) -> tuple[np.ndarray, np.ndarray]:
    """The values as an array, and where they are undefined.

    Raises:
        CorpusError: they are not one value, or one row of values, for each row.
    """
    wanted = f"target {name!r} has one value for each row, in a list, an array or a table"
    if isinstance(values, str | bytes) or hasattr(values, "keys") and not hasattr(values, "iloc"):
        raise CorpusError(f"{wanted}; received {shown(values)}")
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if mask is not None:
        values = np.asarray(values.data)
    elif isinstance(values, list | tuple) and not all(isinstance(v, str) for v in values):
        values = _as_given(values)
    try:
        array = np.asarray(array_like(values))
    except Unfit as error:
        raise CorpusError(f"{wanted}; received {shown(values)}: {error}") from error
    if array.ndim not in (1, 2):
        raise CorpusError(f"{wanted}; received shape {array.shape}")
    if array.dtype.kind == "c":
        raise CorpusError(f"{wanted}; received complex numbers: give their two parts as columns")
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    if array.dtype.kind == "O":
        undefined = np.array([_nothing(v) for v in array.ravel()], dtype=bool).reshape(array.shape)
    elif array.dtype.kind == "f":
        undefined = np.isnan(array)
    elif array.dtype.kind in "mM":
        undefined = np.isnat(array)
    else:
        undefined = array == "" if array.dtype.kind == "U" else np.zeros(array.shape, dtype=bool)
    return array, undefined if mask is None else undefined | mask


def _as_given(values: Any) -> Any:
    """A list that mixes texts, numbers and ``None`` stays what it is: NumPy would make it text."""
    plain = (str, bytes, bool, np.bool_, Real, type(None))
    if values and all(isinstance(v, plain) for v in values):
        kept = np.empty(len(values), dtype=object)
        kept[:] = values
        return kept
    return values


def _kind_of(array: np.ndarray, undefined: np.ndarray) -> Literal["text", "float", "integer"]:
    """What the defined values are."""
    if array.dtype.kind in "fiu":
        return "float" if array.dtype.kind == "f" else "integer"
    if array.dtype.kind != "O":
        return "text"
    here = array[~undefined]
    if not len(here) or any(
        isinstance(v, bool | np.bool_) or not isinstance(v, Real) for v in here
    ):
        return "text"
    return "integer" if all(isinstance(v, Integral) for v in here) else "float"


def _told(
    array: np.ndarray, undefined: np.ndarray, of: Literal["text", "float", "integer"]
) -> tuple[TargetKind, str]:
    """The kind that values show, and a note where it could have been the other."""
    if of == "text":
        return "class", ""
    here = array[~undefined]
    distinct = len(set(here.tolist()))
    if of == "float":
        # A column of integers with gaps comes as floats: who meant classes is told.
        whole = distinct <= MOST_CLASSES and all(float(value).is_integer() for value in here)
        if not (whole and distinct):
            return "number", ""
        return "number", (
            f"whole numbers of {distinct} different values, given as floats, were read as numbers; "
            "Target.read(name, values, kind='class') reads them as classes"
        )
    if distinct <= MOST_CLASSES and len(here) >= LEAST_ROWS * distinct:
        return "class", (
            f"integers of {distinct} different values were read as classes; Target.read(name, "
            "values, kind='number'), or --number NAME, reads them as numbers"
        )
    return "number", (
        f"integers of {distinct} different values were read as numbers; Target.read(name, "
        "values, kind='class') reads them as classes"
    )


def _classes(array: np.ndarray, undefined: np.ndarray) -> np.ndarray:
    """``[row]`` names, ``""`` where undefined."""
    names = [
        "" if lost else str(value)
        for value, lost in zip(array.tolist(), undefined.tolist(), strict=True)
    ]
    return np.array(names, dtype=str)


def _numbers(name: str, array: np.ndarray, undefined: np.ndarray) -> np.ndarray:
    """``[row, column]`` float64, NaN where undefined.

    Raises:
        CorpusError: a value is no number, or infinite.
    """
    numbers = np.full(array.shape, np.nan)
    try:
        with np.errstate(over="ignore"):  # what float64 does not hold is infinite, and refused
            numbers[~undefined] = array[~undefined].astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise CorpusError(
            f"target {name!r}: kind 'number' asks for numbers; {str(error)[:80]}. Leave undefined "
            "rows empty (None, NaN), or read it with kind='class'"
        ) from error
    if np.isinf(numbers).any():
        row = int(np.flatnonzero(np.isinf(numbers).any(axis=1))[0])
        raise CorpusError(
            f"target {name!r} holds an infinite value in row {row}: numbers are finite, and NaN "
            "means undefined"
        )
    return numbers


def _nothing(value: object) -> bool:
    """``None``, ``""``, NaN of any kind."""
    if value is None or (isinstance(value, str) and not value):
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas' NA is neither equal nor unequal
        return True
