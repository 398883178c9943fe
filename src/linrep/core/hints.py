"""Annotations as tests of values: what :func:`linrep.core.arguments.checked` asks of each."""

import collections.abc as abc
import os
import types
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np

from .hint_words import CONTAINERS, of_numpy, opened
from .paths import as_path

__all__ = ["Reader", "Unfit", "array_like", "reader"]

Reader = Callable[[Any], Any]
"""Takes a value, returns it as the function wants it, or raises :class:`Unfit`."""

LARGEST = 2**63 - 1
NUMERIC = "fiub"


class Unfit(Exception):
    """The value is not of that kind; the text, if there is one, says more."""


def reader(hint: Any, names: Mapping[str, Any]) -> Reader:
    """What reads values of one annotation.

    Args:
        hint: the annotation; what is quoted is looked up in ``names``.
        names: of the module where it stands. What it does not hold stays unchecked.

    >>> reader(tuple[int, ...], {})([1, 2])
    (1, 2)
    """
    hint, origin, inner = opened(hint, names)
    if origin in (Union, types.UnionType):
        return _union(inner, names)
    if origin is Literal:
        return _one_of(inner)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if hint is np.ndarray or getattr(hint, "array_type", None) is np.ndarray:
        return lambda value: _array(value, hint)
    kind = origin or hint
    if kind is tuple and inner:
        return _tuple(inner, names)
    if kind is abc.Callable:
        return lambda value: _only(callable(value), value)
    if kind in CONTAINERS:
        part = opened(inner[0], names)[0] if inner else Any
        return _list(kind, part, reader(part, names))
    if kind in (abc.Mapping, dict):
        return _mapping([reader(one, names) for one in inner], kind)
    if getattr(kind, "array_type", None) is not None:  # tensors
        return lambda value: _only(isinstance(value, kind.array_type), value)
    if not isinstance(kind, type) or _is_loose_protocol(kind):
        return _anything
    if issubclass(kind, os.PathLike):
        return _path
    return lambda value: _only(isinstance(value, kind), value)


def _anything(value: Any) -> Any:
    return value


def _only(fits: bool, value: Any) -> Any:
    if not fits:
        raise Unfit
    return value


def _bare(value: Any) -> Any:
    """A number that came as an array of no dimensions, itself."""
    alone = getattr(value, "ndim", None) == 0 and hasattr(value, "item")
    if not alone or isinstance(value, np.generic):
        return value
    try:
        return value.item()
    except (RuntimeError, NotImplementedError):  # a tensor that holds no numbers
        return value


def _whole(value: Any) -> Any:
    value = _bare(value)
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise Unfit
    whole = int(value)
    if abs(whole) > LARGEST:
        raise Unfit("it does not fit 64 bits")
    return whole


def _number(value: Any) -> Any:
    value = _bare(value)
    if isinstance(value, bool) or not isinstance(value, int | Real):
        raise Unfit
    try:
        as_float = float(value)
    except OverflowError:
        raise Unfit("it is too large") from None
    # Python's own integers beyond 64 bits are no numbers to NumPy.
    return value if isinstance(value, int | float) and abs(as_float) <= LARGEST else as_float


def _truth(value: Any) -> Any:
    value = _bare(value)
    return _only(isinstance(value, bool | np.bool_), value)


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise Unfit
    return value


def _nothing(value: Any) -> Any:
    return _only(value is None, value)


def _path(value: Any) -> Any:
    if not isinstance(value, str | os.PathLike):
        raise Unfit
    as_path(value)  # says what is wrong with it
    return value


_SIMPLE: dict[Any, Reader] = {
    Any: _anything, object: _anything, int: _whole, float: _number, bool: _truth, str: _text,
    None: _nothing, type(None): _nothing,
}  # fmt: skip


def _one_of(choices: tuple[Any, ...]) -> Reader:
    def read(value: Any) -> Any:
        plain = isinstance(value, str | int | None)
        return _only(plain and value in choices, value)

    return read


def _union(parts: tuple[Any, ...], names: Mapping[str, Any]) -> Reader:
    arrays = any(of_numpy(part) for part in parts)
    # NumPy's own "array-like" is a union of protocols: it stands for whatever NumPy can read.
    rest = [p for p in parts if not arrays or not (of_numpy(p) or p in (complex, bytes, str))]
    paths = any(isinstance(part, type) and issubclass(part, os.PathLike) for part in rest) or any(
        get_origin(part) is os.PathLike for part in rest
    )
    readers = [reader(part, names) for part in rest if not (paths and part is str)]
    # What has a type of its own here stays as exact as it is: a fraction beside floats.
    exact = {part for part in rest if isinstance(part, type)} - {str, bool, np.ndarray}
    exact -= set() if {int, float} <= exact else {int, float}

    def read(value: Any) -> Any:
        if type(value) in exact:
            return value
        reasons = []
        for one in readers:
            try:
                return one(value)
            except Unfit as reason:
                reasons.append(reason)
        if arrays:
            return array_like(value)
        raise next((reason for reason in reasons if str(reason)), Unfit())

    return read


def array_like(value: Any) -> Any:
    """Tensors become arrays; everything else stays, as long as NumPy can read it.

    Raises:
        Unfit: it cannot, lists of unequal lengths for example.
    """
    tensor = hasattr(value, "detach")
    try:
        if tensor:
            value = value.detach().cpu()
            value = value.float() if str(value.dtype) == "torch.bfloat16" else value
        found = np.asarray(value)
    except Exception as error:  # whatever stands behind it may fail in any way
        raise Unfit(f"NumPy cannot read it ({str(error).split('. ')[0]:.80})") from None
    if found.dtype.kind == "O" and found.ndim == 0:
        raise Unfit
    return found if tensor else value


def _array(value: Any, hint: Any) -> Any:
    found = np.asarray(array_like(value))
    dims = getattr(hint, "dims", None)
    if isinstance(dims, tuple) and hint.index_variadic is None and found.ndim != len(dims):
        raise Unfit(f"it has {found.ndim} dimensions, not {len(dims)}")
    any_kind = hint is not np.ndarray and not isinstance(hint.dtypes, tuple | list)
    if found.dtype.kind not in NUMERIC and found.size and not any_kind:
        raise Unfit("it holds no numbers")
    if dims is None and found.ndim == 0:
        raise Unfit("it has no dimensions")
    return found


def _tuple(inner: tuple[Any, ...], names: Mapping[str, Any]) -> Reader:
    readers = [reader(one, names) for one in inner if one is not Ellipsis]
    endless = Ellipsis in inner
    texts = endless and readers[0] is _text

    def read(value: Any) -> Any:
        if texts and type(value) is tuple and set(map(type, value)) <= {str}:
            return value  # as the way below would find, one by one
        _only(_is_sequence(value), value)
        if endless:
            return _same(value, tuple(readers[0](one) for one in value))
        _only(len(value) == len(readers), value)
        return _same(value, tuple(one(part) for one, part in zip(readers, value, strict=True)))

    return read


def _same(given: Any, read: tuple[Any, ...]) -> Any:
    """What was given, if reading left it as it was (tuples with names keep them)."""
    kept = isinstance(given, tuple) and all(a is b for a, b in zip(given, read, strict=True))
    return given if kept else read


def _list(kind: Any, part: Any, one: Reader) -> Reader:
    lazy = kind is abc.Iterable

    def read(value: Any) -> Any:
        if isinstance(value, bytes) or not (
            isinstance(value, abc.Iterable) if lazy else _is_sequence(value)
        ):
            raise Unfit
        if getattr(value, "ndim", 1) == 0:
            raise Unfit
        if one is not _anything and not _declares(type(value), part):
            value = list(value) if isinstance(value, abc.Iterator) else value
            for each in value:
                one(each)
        return list(value) if kind is list and not isinstance(value, list) else value

    return read


def _declares(kind: type, part: Any) -> bool:
    """A class of sequences of such parts, which it may make when they are asked for.

    It is believed: no part is looked at. A part that the class names in quotes is not found here,
    and its sequences are read.
    """
    bases = getattr(kind, "__orig_bases__", ())
    return any(get_origin(base) is abc.Sequence and get_args(base) == (part,) for base in bases)


def _is_sequence(value: Any) -> bool:
    """It has an order and a length: lists, tuples, text, arrays, columns of tables."""
    offers = all(hasattr(value, name) for name in ("__len__", "__getitem__", "__iter__"))
    return offers and not isinstance(value, bytes | abc.Mapping) and getattr(value, "ndim", 1) != 0


def _mapping(inner: list[Reader], kind: Any) -> Reader:
    def read(value: Any) -> Any:
        _only(isinstance(value, abc.Mapping), value)
        if inner and any(one is not _anything for one in inner):
            for key in value:
                inner[0](key)
                if inner[1] is not _anything:
                    inner[1](value[key])
        return dict(value) if kind is dict and not isinstance(value, dict) else value

    return read


def _is_loose_protocol(kind: type) -> bool:
    """A protocol whose instances Python cannot recognise."""
    return bool(getattr(kind, "_is_protocol", False)) and not getattr(
        kind, "_is_runtime_protocol", False
    )
