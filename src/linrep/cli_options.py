"""Options of a command that are listed elsewhere: one per choice of the construction."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from .constructions.grammar.settings import Option, options

__all__ = ["chosen_options", "with_construction"]


def with_construction(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes ``**chosen`` one option per choice of the construction.

    Args:
        command: its keywords beyond those that it names are the choices.
    """
    own = [
        each
        for each in inspect.signature(command).parameters.values()
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    added = [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=option.default,
            annotation=_annotation(option),
        )
        for option in options()
    ]
    last = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own if each.default is not
            inspect.Parameter.empty]  # fmt: skip
    first = [each for each in own if each.default is inspect.Parameter.empty]
    every = [*first, *added, *last]
    command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in every} | {"return": None}
    return command


def chosen_options(given: dict[str, Any]) -> dict[str, Any]:
    """The choices as Python takes them: a number where text spells one and both may be.

    >>> chosen_options({"token_scale": "1.5", "mode": "spans"})
    {'token_scale': 1.5, 'mode': 'spans'}
    """
    mixed = {option.name for option in options() if {float, str} <= _types(option.kind)}
    return {name: _number(value) if name in mixed else value for name, value in given.items()}


def _number(text: Any) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _annotation(option: Option) -> Any:
    """What Typer reads: the type on the command line, and the words."""
    types = _types(option.kind)
    kind: Any = str if str in types else next(iter(types - {type(None)}))
    listed = [str(value) for part in _parts(option.kind) for value in _listed(part)]
    metavar = "|".join(listed) if listed and kind is str and float not in types else None
    shown = typer.Option(help=option.about, metavar=metavar and f"[{metavar}]")
    return Annotated[kind | None if type(None) in types else kind, shown]


def _types(kind: Any) -> set[type]:
    """The types of the values that an option may have."""
    found: set[type] = set()
    for part in _parts(kind):
        found |= {type(value) for value in _listed(part)} or {part}
    return found


def _listed(part: Any) -> tuple[Any, ...]:
    return get_args(part) if get_origin(part) is Literal else ()


def _parts(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type."""
    return (kind,) if get_origin(kind) is Literal else get_args(kind) or (kind,)
