"""Arguments are what their annotations say, or one clear error: checked once, for every function.

Python does not look at annotations while it runs. :func:`checked` does, for public functions: a
text where a number belongs is refused by name before any work, not by whichever line meets it
first. What an annotation cannot say (a positive number, lengths that agree) the functions check.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Unpack, get_args, get_origin, get_type_hints

from .errors import LinrepError
from .hint_words import in_words
from .hints import Reader, Unfit, reader
from .limits import does_not_fit

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


def checked(
    error: type[LinrepError], most: Mapping[str, int] | None = None
) -> Callable[[Thing], Thing]:
    """Make a function, or a class with all its methods, refuse arguments of another type.

    Whole numbers are those that fit 64 bits, and ``True`` is none; where a NumPy array is asked
    for, whatever NumPy reads as numbers will do; a seed is not negative. Names that only a type
    checker can look up are left unchecked, and so are the parts of a sequence whose class declares
    them (``class Trees(Sequence[Tree])``): it may make them when they are asked for. What then does
    not fit in memory is told likewise.

    Args:
        error: what is raised.
        most: the largest value of arguments whose larger ones would only take time or memory.

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
            return _careful(thing, error, most or {})
        kind: Any = thing
        kind.__init__ = _careful(kind.__init__, error, most or {})
        for key, value in list(vars(kind).items()):
            if inspect.isfunction(value) and (key == "__call__" or not key.startswith("_")):
                setattr(kind, key, _careful(value, error, {}))
            elif isinstance(value, classmethod):
                setattr(kind, key, classmethod(_careful(value.__func__, error, {})))
        return kind

    return decorate


def _careful(function: Any, error: type[LinrepError], most: Mapping[str, int]) -> Any:
    name = function.__qualname__.split("<locals>.")[-1].removesuffix(".__init__")
    readers: dict[str, Reader] = {}
    places: list[str] = []

    def read(key: str, value: Any) -> Any:
        if key not in readers:
            return value
        try:
            found = readers[key](value)
            if key == "seed" and isinstance(found, int) and found < 0:
                raise Unfit
        except Unfit as reason:
            hint = _hints(function)[key]
            names = inspect.unwrap(function).__globals__
            wanted = "a whole number of at least 0" if key == "seed" else in_words(hint, names)
            said = f": {reason}" if str(reason) else ""
            raise error(f"{name}: {key} is {wanted}; received {shown(value)}{said}") from None
        return found

    @functools.wraps(function)
    def careful(*args: Any, **kwargs: Any) -> Any:
        if not readers:
            by_name, places[:] = _readers(function, most)
            readers.update(by_name)
        known = [read(key, value) for key, value in zip(places, args, strict=False)]
        named = {key: read(key, value) for key, value in kwargs.items()}
        try:
            return function(*known, *args[len(known) :], **named)
        except (MemoryError, RuntimeError, ValueError, OverflowError) as found:
            if not does_not_fit(found):
                raise
            given = {**dict(zip(places, known, strict=False)), **named}
            raise error(_does_not_fit(_asked(name, given), str(found))) from None

    return careful


def _readers(function: Any, most: Mapping[str, int]) -> tuple[dict[str, Reader], list[str]]:
    """What reads each argument that has an annotation, and those that have a place."""
    names = inspect.unwrap(function).__globals__
    readers: dict[str, Reader] = {}
    for key, hint in _hints(function).items():
        read = reader(hint, names)
        readers[key] = _at_most(read, most[key]) if key in most else read
    parameters = inspect.signature(function).parameters.values()
    placed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return readers, [one.name for one in parameters if one.kind in placed]


def _hints(function: Any) -> dict[str, Any]:
    """Annotations by argument; of ``**options: Unpack[...]`` by the names that are typed there."""
    hints: dict[str, Any] = {}
    for one in inspect.signature(function).parameters.values():
        if get_origin(one.annotation) is Unpack:
            hints |= get_type_hints(get_args(one.annotation)[0])
        elif one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            hints |= {} if one.annotation is one.empty else {one.name: one.annotation}
    return hints


def _at_most(read: Reader, most: int) -> Reader:
    def limited(value: Any) -> Any:
        found = read(value)
        if found > most:
            raise Unfit(f"at most {most:,} are worked off; take fewer")
        return found

    return limited


def _does_not_fit(asked: str, said: str) -> str:
    """The message about memory that was too small."""
    reason = f" ({' '.join(said.split()):.200})" if said else ""
    return f"{asked} does not fit in this machine's memory{reason}: ask for less"


def _asked(name: str, given: Mapping[str, Any]) -> str:
    """A call in words: its name, and the largest whole number that was asked for.

    >>> _asked("sample", {"n": 10**15, "seed": 0, "path": "a"})
    'sample with n=1000000000000000'
    """
    numbers = {key: value for key, value in given.items() if type(value) is int}
    if not numbers:
        return name
    key = max(numbers, key=lambda one: numbers[one])
    return f"{name} with {key}={numbers[key]}"
