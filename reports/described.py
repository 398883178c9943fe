"""A record as a schema: the fields of a dataclass, each with what its docstring says of it."""

import inspect
import re
import types
from dataclasses import MISSING, Field as Attribute, fields
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, create_model

__all__ = ["described", "meanings"]

ENTRY = re.compile(r"^    (\w+): (.+)$")


def meanings(record: type) -> dict[str, str]:
    """What the docstring of a record says of each of its fields, under ``Args:``.

    Args:
        record: a class with a docstring.

    >>> class Point:
    ...     '''A place.
    ...
    ...     Args:
    ...         x: to the right,
    ...             in metres.
    ...         y: upwards.
    ...     '''
    >>> meanings(Point)
    {'x': 'to the right, in metres.', 'y': 'upwards.'}
    """
    lines = inspect.getdoc(record) or ""
    found: dict[str, str] = {}
    name = ""
    for line in lines.partition("Args:\n")[2].splitlines():
        if not line.startswith("    "):
            break
        if entry := ENTRY.match(line):
            name = entry[1]
            found[name] = entry[2]
        elif name:
            found[name] += f" {line.strip()}"
    return found


def described(record: type, name: str, base: type[BaseModel]) -> type[BaseModel]:
    """The schema of a record that stands in a JSON file.

    JSON has no NaN: whatever is a number may be null. A pair of numbers is a list.

    Args:
        record: a dataclass.
        name: of the schema.
        base: whose configuration and fields it has; fields of the same name stay as they are there.
    """
    hints, told = get_type_hints(record), meanings(record)
    entries: dict[str, Any] = {}
    for one in fields(record):
        if one.name in base.model_fields:
            continue
        kind = _in_json(hints[one.name])
        entries[one.name] = (kind, _field(one, told.get(one.name)))
    about = (inspect.getdoc(record) or "").split("\n\n")[0]
    return create_model(name, __base__=base, __doc__=about, **entries)


def _field(one: Attribute[Any], about: str | None) -> Any:
    """Left out it is what the record has by default, where JSON can say it."""
    if one.default is MISSING and one.default_factory is MISSING:
        return Field(description=about)
    empty = one.default is MISSING or isinstance(one.default, tuple) or one.default != one.default
    nothing = None if empty else one.default
    return Field(default=nothing, description=about)


def _in_json(hint: Any) -> Any:
    """The type that a field has in a file."""
    if hint is float:
        return float | None
    if get_origin(hint) in (types.UnionType, Union):
        return Union[tuple(_in_json(part) for part in get_args(hint))]  # noqa: UP007 - made here
    if get_origin(hint) is tuple:
        return list[_in_json(get_args(hint)[0])] | None  # type: ignore[misc]
    return hint
