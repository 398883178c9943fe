"""Arguments are what their annotations say, or one clear error: checked once, for every function.

Python does not look at annotations while it runs. :func:`checked` does, for public functions: a
text where a number belongs is refused by name before any work, not by whichever line meets it
first. What an annotation cannot say (a positive number, lengths that agree) the functions check.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from .errors import LinrepError
from .hint_words import in_words
from .hints import Reader, Unfit, reader

__all__ = ["checked", "shown"]

Thing = TypeVar("Thing", bound=Callable[..., Any])


def shown(value: object) -> str:
    """A value as messages show it: its type, and what it says of itself, on one short line.

    >>> shown("a"), shown(None), shown(1.5)
    ("str 'a'", 'None', 'float 1.5')
    """
    kind = type(value).__name__
    try:
        text = " ".join(repr(value)[:2000].split())
    except Exception:  # an object's own repr may fail in any way
        return kind
    text = text if len(text) <= 60 else text[:57] + "..."
    return text if value is None or text.startswith(kind) else f"{kind} {text}"


def checked(error: type[LinrepError]) -> Callable[[Thing], Thing]:
    """Make a function, or a class with all its methods, refuse arguments of another type.

    Whole numbers are those that fit 64 bits, and ``True`` is none; where a NumPy array is asked
    for, whatever NumPy reads as numbers will do; a seed is not negative. Names that only a type
    checker can look up are left unchecked.

    Args:
        error: what is raised.

    >>> @checked(LinrepError)
    ... def double(n: int) -> int:
    ...     return 2 * n
    >>> double(2)
    4
    >>> double("2")
    Traceback (most recent call last):
        ...
    linrep.core.errors.LinrepError: double: n is a whole number; received str '2'
    """

    def decorate(thing: Any) -> Any:
        if not isinstance(thing, type):
            return _careful(thing, error)
        kind: Any = thing
        kind.__init__ = _careful(kind.__init__, error)
        for key, value in list(vars(kind).items()):
            if inspect.isfunction(value) and (key == "__call__" or not key.startswith("_")):
                setattr(kind, key, _careful(value, error))
            elif isinstance(value, classmethod):
                setattr(kind, key, classmethod(_careful(value.__func__, error)))
        return kind

    return decorate


def _careful(function: Any, error: type[LinrepError]) -> Any:
    names = inspect.unwrap(function).__globals__
    name = function.__qualname__.split("<locals>.")[-1].removesuffix(".__init__")
    readers: dict[str, Reader] = {}
    places: list[str] = []

    def prepare() -> None:
        for key, parameter in inspect.signature(function).parameters.items():
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                places.append(key)
            plain = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            if not plain and parameter.annotation is not parameter.empty:
                readers[key] = reader(parameter.annotation, names)

    def read(key: str, value: Any) -> Any:
        if key not in readers:
            return value
        try:
            found = readers[key](value)
            if key == "seed" and isinstance(found, int) and found < 0:
                raise Unfit
        except Unfit as reason:
            hint = inspect.signature(function).parameters[key].annotation
            wanted = "a whole number of at least 0" if key == "seed" else in_words(hint, names)
            said = f": {reason}" if str(reason) else ""
            raise error(f"{name}: {key} is {wanted}; received {shown(value)}{said}") from None
        return found

    @functools.wraps(function)
    def careful(*args: Any, **kwargs: Any) -> Any:
        if not readers:
            prepare()
        known = [read(key, value) for key, value in zip(places, args, strict=False)]
        named = {key: read(key, value) for key, value in kwargs.items()}
        return function(*known, *args[len(known) :], **named)

    return careful
