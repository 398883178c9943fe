"""Annotations are asked of arguments, in plain words, at the door."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
import torch
from jaxtyping import Float
from typing_extensions import TypeAliasType

from linrep.core import LinrepError, PathError, Subspace, checked
from linrep.core.arrays import as_mask, as_numbers
from linrep.core.folders import new_folder
from linrep.core.hint_words import in_words

RAGGED = [[1], [1, 2]]


@checked(LinrepError)
def take(
    whole: int = 0,
    number: float | None = None,
    text: str = "",
    truth: bool = False,
    choice: Literal["a", "b"] = "a",
    words: Sequence[str] = (),
    pair: tuple[int, float] = (0, 0.0),
    many: tuple[str, ...] = (),
    lazy: Iterable[int] = (),
    table: Mapping[str, npt.ArrayLike] | None = None,
    array: npt.ArrayLike | None = None,
    rows: 'Float[np.ndarray, "row column"] | None' = None,
    path: str | os.PathLike[str] = ".",
    call: Callable[[], None] | None = None,
    space: "Subspace | None" = None,
    unknown: "Nowhere | None" = None,
    free: Any = None,
    seed: int = 0,
) -> dict[str, Any]:
    return dict(locals())


@pytest.mark.parametrize(
    ("name", "value"),
    [("whole", np.int64(3)), ("whole", np.array(3)), ("whole", torch.tensor(3)), ("number", 1),
     ("number", Fraction(1, 3)), ("number", np.float32(1)), ("number", 10**30), ("number", None),
     ("truth", np.True_), ("words", ["a"]), ("words", np.array(["a"])), ("many", ["a"]),
     ("pair", [1, 2]), ("lazy", iter([1])), ("lazy", {1}), ("table", {"a": [1, 2]}),
     ("array", [[1]]), ("array", "a"), ("rows", [[1, 2]]), ("path", Path("a")), ("call", print),
     ("unknown", object()), ("free", object()), ("seed", 10**18)],
)  # fmt: skip
def test_what_fits_is_taken(name, value):
    assert name in take(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("whole", 1.0, "take: whole is a whole number; received float 1.0"),
        ("whole", True, "received bool True"),
        ("whole", None, "received None"),
        ("whole", 10**30, "does not fit 64 bits"),
        ("number", "1", "number is a number or None; received str '1'"),
        ("number", 10**400, "it is too large"),
        ("text", b"a", "text is text; received bytes"),
        ("truth", 1, "truth is True or False; received int 1"),
        ("choice", "c", "choice is one of 'a', 'b'; received str 'c'"),
        ("choice", ["a"], "choice is one of 'a', 'b'"),
        ("words", [1], "words is a list of text"),
        ("words", b"a", "words is a list of text"),
        ("words", {"a"}, "words is a list of text; received set"),
        ("pair", (1,), r"pair is \(a whole number, a number\)"),
        ("lazy", 3, "lazy is a list of whole numbers"),
        ("table", [], "table is a mapping from text to arrays or None"),
        ("table", {"a": None}, "table is a mapping"),
        ("array", RAGGED, "NumPy cannot read it"),
        ("array", object(), "array is an array or None"),
        ("rows", [1, 2], "it has 1 dimensions, not 2"),
        ("rows", [["a"]], "it holds no numbers"),
        ("path", 3, "path is text or a path"),
        ("call", 3, "call is a function or None"),
        ("space", np.eye(2), "space is a Subspace or None"),
        ("seed", -1, "seed is a whole number of at least 0"),
    ],
)
def test_what_does_not_fit_is_named(name, value, message):
    with pytest.raises(LinrepError, match=message):
        take(**{name: value})


@pytest.mark.parametrize("path", ["~nouser-at-all/x", "a\0b", "x" * 5000])
def test_paths_that_cannot_be_are_refused(path):
    with pytest.raises(PathError):
        take(path=path)


def test_positions_count_as_names_do():
    assert take(1, 2.0, "a")["text"] == "a"
    with pytest.raises(LinrepError, match="number is a number"):
        take(1, "a")
    with pytest.raises(TypeError, match="unexpected keyword"):
        take(nonsense=1)


def test_arrays_and_lists_arrive_as_annotated():
    taken = take(rows=[[1, 2]], many=["a"], array=torch.ones(2, requires_grad=True))
    assert isinstance(taken["rows"], np.ndarray)
    assert taken["many"] == ("a",)
    assert isinstance(taken["array"], np.ndarray)


def test_messages_survive_values_that_cannot_be_shown():
    class Silent:
        def __repr__(self):
            raise RuntimeError

    with pytest.raises(LinrepError, match="whole is a whole number; received Silent$"):
        take(whole=Silent())


Named = TypeAliasType("Named", npt.ArrayLike)  # as NumPy 2.5 defines its own


@checked(LinrepError)
def named(array: Named, table: Mapping[str, Named]) -> Any:
    return array


def test_the_name_of_an_annotation_is_the_annotation():
    assert isinstance(named(torch.ones(2, requires_grad=True), {"a": [1]}), np.ndarray)
    for wrong in (object(), RAGGED):
        with pytest.raises(LinrepError, match="named: array is an array; received"):
            named(wrong, {})
        with pytest.raises(LinrepError, match="table is a mapping from text to arrays; received"):
            named([1], {"a": wrong})


class Buffer:
    """By its name, as Python 3.12's, which NumPy 2.5 counts among what is array-like."""


def test_what_numpy_calls_array_like_is_an_array():
    assert in_words(Mapping[str, npt.ArrayLike | Buffer], {}) == "a mapping from text to arrays"


@checked(LinrepError)
class Thing:
    def __init__(self, size: int) -> None:
        self.size = size

    def grow(self, by: int) -> int:
        return self.size + by

    @classmethod
    def of(cls, size: int) -> "Thing":
        return cls(size)

    def __call__(self, by: float) -> float:
        return self.size * by

    def _inner(self, by: int) -> Any:
        return by


def test_a_class_is_checked_with_all_its_public_methods():
    thing = Thing.of(2)
    assert (thing.grow(1), thing(0.5), thing._inner("a")) == (3, 1.0, "a")
    for call, name in (
        (lambda: Thing("a"), "Thing: size"),
        (lambda: Thing.of("a"), "Thing.of: size"),
        (lambda: thing.grow("a"), "Thing.grow: by"),
        (lambda: thing("a"), "Thing.__call__: by"),
    ):
        with pytest.raises(LinrepError, match=name):
            call()


@checked(LinrepError)
def exactly(value: float | int | Fraction) -> Any:
    return value


def test_what_has_a_type_of_its_own_stays_exact():
    assert exactly(Fraction(1, 3)) == Fraction(1, 3)
    assert exactly(10**30) == 10**30
    assert isinstance(take(number=Fraction(1, 4))["number"], float)
    assert type(take(whole=np.int64(3))["whole"]) is int


def test_arrays_are_numbers_and_masks_are_masks():
    assert as_numbers(torch.ones(2, requires_grad=True), "x", LinrepError).tolist() == [1.0, 1.0]
    assert as_mask([True, False], "x", LinrepError).tolist() == [True, False]
    for given in ("a", [None], [[1], [1, 2]], 1j, torch.ones(1, device="meta")):
        with pytest.raises(LinrepError, match="numbers are numbers"):
            as_numbers(given, "numbers are numbers", LinrepError)
        with pytest.raises(LinrepError, match="a mask is a mask"):
            as_mask(given, "a mask is a mask", LinrepError)
    with pytest.raises(LinrepError, match=r"shape \(1,\)"):
        as_numbers([1], "a matrix", LinrepError, ndim=2)


def test_folders_are_made_or_refused(tmp_path):
    assert new_folder(tmp_path / "a/b", LinrepError).is_dir()
    (tmp_path / "file").write_text("")
    for given in ("", tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(LinrepError, match="folder"):
            new_folder(given, LinrepError)


def parts_of(kind, parts):
    """A sequence of ``kind`` that counts how often a part is asked for."""

    class Made(Sequence[kind]):
        asked = 0

        def __len__(self):
            return len(parts)

        def __getitem__(self, index):
            Made.asked += 1
            return parts[index]

    return Made()


def test_a_sequence_that_declares_its_parts_makes_none_of_them():
    lazy = parts_of(str, ["a", "b"])
    assert take(words=lazy)["words"] is lazy
    assert lazy.asked == 0


@pytest.mark.parametrize("kind", [int, Any])
def test_a_sequence_that_declares_other_parts_is_read(kind):
    assert take(words=parts_of(kind, ["a"]))["words"][0] == "a"
    with pytest.raises(LinrepError, match="words is a list of text"):
        take(words=parts_of(kind, [1]))
