"""Values to recover, in whatever form they come: by name, in a table, alone, or known by name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...core import height_target
from ...core.texts import encodable
from ...corpora import CorpusError, Target
from ..errors import ProbeError
from .reading import shown

__all__ = ["ALONE", "named_targets", "read_value"]

ALONE = "target"
"""Name of a target that was given without one."""


def named_targets(
    targets: Any, known: Mapping[str, Target], heights: Sequence[int], n: int
) -> dict[str, Any]:
    """Targets by name.

    Args:
        targets: values by name (a mapping, a data frame, a named column), names of targets that
            the corpus knows, targets, or the values of one target.
        known: targets of the corpus.
        heights: of the corpus.
        n: its rows: a list of as many words is the values of one target, any other names targets.

    Returns:
        For each name a target; for the name of a height (``"height 2"``) its number.

    Raises:
        ProbeError: they are none of these, or a name is unknown or stands twice.
    """
    if targets is None:
        return {}
    if isinstance(targets, Target):
        return {targets.name: targets}
    if isinstance(targets, str):
        return _of_names([targets], known, heights)
    if _is_column(targets):
        name = ALONE if targets.name is None else str(targets.name)
        return {name: read_value(name, targets)}
    if hasattr(targets, "items"):
        return {_name(name): read_value(name, value) for name, value in dict(targets).items()}
    listed = list(targets) if isinstance(targets, Iterable) and not hasattr(targets, "ndim") else []
    if listed and all(isinstance(one, Target) for one in listed):
        found: dict[str, Any] = {}
        for target in listed:
            if target.name in found:
                raise ProbeError(f"target {target.name!r} is given twice: give each its own name")
            found[target.name] = target
        return found
    if listed and all(isinstance(one, str) for one in listed) and len(listed) != n:
        return _of_names(listed, known, heights)
    if isinstance(targets, Iterable) and getattr(targets, "ndim", 1) > 0:
        return {ALONE: read_value(ALONE, targets)}
    raise ProbeError(
        "targets are a mapping from names to [token] values, targets={'name': values}, names of "
        f"targets that the corpus knows, or the values of one; received {shown(targets)}"
    )


def read_value(name: str, values: Any) -> Target:
    """One target's values.

    Raises:
        ProbeError: they cannot be read.
    """
    if isinstance(values, Target):
        return values if values.name == name else replace(values, name=name)
    try:
        return Target.read(name, values)
    except CorpusError as error:
        raise ProbeError(str(error)) from error


def _of_names(
    names: Sequence[str], known: Mapping[str, Target], heights: Sequence[int]
) -> dict[str, Any]:
    """Targets that the corpus has, heights among them.

    Raises:
        ProbeError: it has no such target.
    """
    of_height = {height_target(height): int(height) for height in heights}
    unknown = [name for name in names if name not in known and name not in of_height]
    if unknown:
        raise ProbeError(
            f"the corpus has no target {unknown[0]!r}: it has {[*known, *of_height] or 'none'}; "
            "other values are given by name, targets={'name': values}"
        )
    return {name: known[name] if name in known else of_height[name] for name in names}


def _is_column(values: Any) -> bool:
    """A named column of a table."""
    return hasattr(values, "iloc") and not hasattr(values, "columns")


def _name(name: object) -> str:
    """The name of a target.

    Raises:
        ProbeError: it is no text, empty, or not to be written to a file.
    """
    if not (isinstance(name, str) and name and encodable(name)):
        other = str(name).encode(errors="replace").decode() or "target"
        raise ProbeError(
            "targets have names, text that is not empty and that a file can hold; received "
            f"{shown(name)}: call it {other!r}"
        )
    return name
