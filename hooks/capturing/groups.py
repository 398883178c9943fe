"""What a stream adds up: something additive of each group of targets that exist together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, final, runtime_checkable

import numpy as np

from ...core.arguments import shown
from ...core.hints import Unfit, array_like
from ..errors import CaptureError

__all__ = ["Additive", "Group", "Make", "grouped", "portable", "with_labels"]


@runtime_checkable
class Additive(Protocol):
    """Merges with another of its kind; :class:`linrep.probes.Statistics` is one."""

    def __add__(self, other: Any, /) -> Any:
        """The two together."""
        ...


Make = Callable[[np.ndarray, Mapping[str, np.ndarray]], Additive]
"""Turns ``[token, d_model]`` and labels per target into something additive.

Rows are NumPy's. A class method whose class says ``takes_tensors = True`` is given those of a model
on a GPU as a tensor there.
"""


@final
@dataclass(frozen=True)
class ClassMethod:
    """A class method by name, so that workers look it up instead of receiving its code."""

    owner: type
    name: str

    def __call__(self, x: np.ndarray, labels: Mapping[str, np.ndarray]) -> Additive:
        made: Additive = getattr(self.owner, self.name)(x, labels)
        return made


def portable(make: Make) -> Make:
    """The same function in a form that workers can look up."""
    owner = getattr(make, "__self__", None)
    return ClassMethod(owner, make.__name__) if isinstance(owner, type) else make


@final
@dataclass(frozen=True, eq=False)
class Group:
    """Targets that are defined at the same words.

    Args:
        defined: ``[token]`` where.
        labels: per target ``[token]``.
        begin: first word of this part of the corpus.
    """

    defined: np.ndarray
    labels: Mapping[str, np.ndarray]
    begin: int = 0

    def part(self, begin: int, end: int) -> "Group":
        """The same for a range of words."""
        labels = {name: values[begin:end] for name, values in self.labels.items()}
        return Group(self.defined[begin:end], labels, begin)


def grouped(targets: Mapping[str, Any], n_words: int) -> list[Group]:
    """Targets by where they are defined.

    Raises:
        CaptureError: no target, or one that is not as long as the corpus.
    """
    if not targets:
        raise CaptureError("stream needs at least one target: {name: labels [token]}")
    masks: dict[bytes, tuple[np.ndarray, dict[str, np.ndarray]]] = {}
    for name, given in targets.items():
        try:
            labels = np.asarray(array_like(given))
        except Unfit as error:
            raise CaptureError(
                f"target {name!r} is no array ({error}): give one label for each word"
            ) from None
        if labels.ndim == 0:
            raise CaptureError(f"target {name!r} has one label per word; received {shown(given)}")
        if len(labels) != n_words:
            raise CaptureError(
                f"target {name!r} has {len(labels)} labels; the corpus has {n_words} words"
            )
        text = labels.dtype.kind in "UO" and labels.ndim == 1
        defined = labels != "" if text else np.ones(n_words, dtype=bool)
        masks.setdefault(defined.tobytes(), (defined, {}))[1][name] = labels
    return [Group(defined, labels) for defined, labels in masks.values()]


def with_labels(make: Make, labels: Mapping[str, np.ndarray]) -> Callable[[Any], Additive]:
    """The function of the rows alone; a class that can read labels once does so."""
    method = portable(make)
    if isinstance(method, ClassMethod) and method.name == "from_arrays":
        once = getattr(method.owner, "with_labels", None)
        if once is not None:
            found: Callable[[Any], Additive] = once(labels)
            return found
    return lambda rows: make(rows, labels)
