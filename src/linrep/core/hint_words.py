"""Annotations taken apart, and said in plain words."""

import collections.abc as abc
import os
import types
from collections.abc import Mapping
from typing import Annotated, Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin

import numpy as np

__all__ = ["CONTAINERS", "in_words", "of_numpy", "opened"]

CONTAINERS = (abc.Iterable, abc.Collection, abc.Sequence, list)
_WORDS = {
    int: "a whole number", float: "a number", bool: "True or False", str: "text", None: "None",
    type(None): "None", abc.Callable: "a function",
}  # fmt: skip


def in_words(hint: Any, names: Mapping[str, Any]) -> str:
    """What an annotation asks for, in plain words.

    >>> in_words(int | None, {}), in_words(tuple[str, ...], {}), in_words(Any, {})
    ('a whole number or None', 'a list of text', 'anything')
    >>> in_words(dict[str, int], {})
    'a mapping from text to whole numbers'
    """
    hint, origin, inner = opened(hint, names)
    if origin in (Union, types.UnionType):
        plain = [one for one in inner if not of_numpy(one)]
        if len(plain) < len(inner):
            plain = [one for one in plain if one not in (complex, bytes, str)]
        said = ["an array"] * (len(plain) < len(inner)) + [in_words(one, names) for one in plain]
        return " or ".join(dict.fromkeys(said))
    if origin is Literal:
        return "one of " + ", ".join(repr(one) for one in inner)
    kind = origin or hint
    if kind is tuple and inner and Ellipsis not in inner:
        return f"({', '.join(in_words(one, names) for one in inner)})"
    if kind is tuple or kind in CONTAINERS:
        return "a list" + _several(" of", inner, names)
    if kind in (abc.Mapping, dict):
        return f"a mapping{_several(' from', inner, names)}{_several(' to', inner[1:], names)}"
    if hasattr(kind, "array_type") or kind is np.ndarray:
        shape = getattr(kind, "dim_str", "")
        return "an array" + (f" [{', '.join(shape.split())}]" if shape else "") + " of numbers"
    if isinstance(kind, type) and issubclass(kind, os.PathLike):
        return "a path"
    if kind in (Any, object) or isinstance(kind, TypeVar):
        return "anything"
    name = str(getattr(kind, "__name__", kind))
    return _WORDS.get(kind) or f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def _several(joint: str, inner: tuple[Any, ...], names: Mapping[str, Any]) -> str:
    """What a container holds, in the plural.

    >>> _several(" of", (int,), {}), _several(" of", (list[str],), {}), _several(" of", (Any,), {})
    (' of whole numbers', ' of lists of text', '')
    """
    one = in_words(inner[0], names) if inner else "anything"
    if one == "anything":
        return ""
    article, _, rest = one.partition(" ")
    if article not in ("a", "an") or " or " in one:
        return f"{joint} {one}"
    head, of, tail = rest.partition(" of ")
    return f"{joint} {head}s{of}{tail}"


def opened(hint: Any, names: Mapping[str, Any]) -> tuple[Any, Any, tuple[Any, ...]]:
    """An annotation that was quoted, named or has notes beside it, its origin, its arguments.

    NumPy's ``ArrayLike`` is a union before its version 2.5, and the name of one from then on.
    """
    while isinstance(hint, str | ForwardRef) or get_origin(hint) is Annotated or _is_name(hint):
        if _is_name(hint):
            hint = hint.__value__
            continue
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
            continue
        text = hint if isinstance(hint, str) else hint.__forward_arg__
        try:
            hint = eval(text, dict(names))  # the package's own annotation
        except (NameError, AttributeError, TypeError):
            hint = Any
    return hint, get_origin(hint), get_args(hint)


def _is_name(hint: Any) -> bool:
    """Whether an annotation is the name of another one (``type Name = ...`` in Python 3.12)."""
    return type(hint).__name__ == "TypeAliasType"


def of_numpy(part: Any) -> bool:
    """Part of the union that NumPy calls array-like, with Python's ``Buffer`` from 3.12 on."""
    module = str(getattr(get_origin(part) or part, "__module__", ""))
    return module.startswith("numpy._typing") or getattr(part, "__name__", "") == "Buffer"
