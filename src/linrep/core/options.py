"""Settings that belong together are one object, given as such or by the names of its fields.

``capture(model, corpus, reading=Reading(dtype="float16"))`` and
``capture(model, corpus, dtype="float16")`` mean the same: the one is handed on and reused, the
other is typed quickly. A name that does not exist is refused with the one that is nearest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any, TypeVar

from .arguments import shown
from .errors import LinrepError

__all__ = ["refuse_unknown", "settled"]

Thing = TypeVar("Thing")


def settled(
    call: str,
    name: str,
    kind: type[Thing],
    given: object,
    options: Mapping[str, Any],
    error: type[LinrepError],
) -> Thing:
    """A settings object: the one given, or the default, with the fields named replaced.

    Args:
        call: the function that was called, for messages.
        name: of its keyword for the whole object.
        kind: a frozen dataclass, all of whose fields have defaults.
        given: what came under that keyword; ``None`` stands for the defaults.
        options: fields by name.
        error: what is raised.

    Raises:
        error: the object is another one, or a field does not exist.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Frying:
    ...     minutes: int = 3
    ...     side: str = "both"
    >>> settled("fry", "frying", Frying, Frying(side="one"), {"minutes": 4}, LinrepError)
    Frying(minutes=4, side='one')
    >>> settled("fry", "frying", Frying, None, {"minuets": 4}, LinrepError)
    Traceback (most recent call last):
        ...
    linrep.core.errors.LinrepError: fry has no keyword 'minuets'. Did you mean 'minutes'? ...
    """
    if given is not None and not isinstance(given, kind):
        raise error(f"{call}: {name} is {kind.__name__}(...); received {shown(given)}")
    refuse_unknown(call, options, [field.name for field in fields(kind)], error)  # type: ignore[arg-type]
    whole: Any = kind() if given is None else given
    changed: Thing = replace(whole, **options) if options else whole
    return changed


def refuse_unknown(
    call: str, options: Iterable[str], known: Iterable[str], error: type[LinrepError]
) -> None:
    """Every name is one of those that there are.

    Raises:
        error: one is not; the message has the nearest, and all.
    """
    known = list(known)
    for name in options:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise error(
                f"{call} has no keyword {name!r}.{meant} There are further {', '.join(known)}"
            )
