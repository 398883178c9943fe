"""YAML from anywhere: plain values, or one message."""

from collections.abc import Iterable
from typing import Any

from .arguments import checked
from .errors import LinrepError

__all__ = ["YamlError", "read_yaml"]

DEPTH = 100


class YamlError(LinrepError):
    """A text is not YAML of plain values."""


@checked(YamlError)
def read_yaml(text: str, where: str, remedy: str = "mend it there") -> Any:
    """The values that a YAML text stands for.

    Anchors are refused: settings have no use for them, and nine to the tenth aliases fill any
    memory. So is a depth of more than ``DEPTH``, which takes seconds to find impossible.

    Args:
        text: YAML.
        where: what it is, for messages.
        remedy: what to do about text that is not YAML.

    Raises:
        YamlError: not YAML, or a value that Python cannot hold.

    >>> read_yaml("a: [1, x]", "the example")
    {'a': [1, 'x']}
    """
    import yaml

    try:
        _look_over(yaml.parse(text, yaml.SafeLoader), where, remedy)
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise YamlError(f"{where} is not YAML ({reason:.200}): {remedy}") from None
    except (ValueError, OverflowError, RecursionError) as error:  # dates, digits, depth
        reason = str(error) or "nested too deeply"
        raise YamlError(f"{where} holds an impossible value ({reason:.120}): {remedy}") from None


def _look_over(events: Iterable[Any], where: str, remedy: str) -> None:
    """Refuse what would fill memory or time, before anything is built.

    Raises:
        YamlError: an alias, or lists within lists without end.
    """
    import yaml

    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise YamlError(f"{where} uses an alias (*name), which settings do not: {remedy}")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            raise YamlError(f"{where} is nested more than {DEPTH} deep: {remedy}")
