"""Named coordinates of a constructed model's residual stream."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, final

from ....core import checked
from ...errors import ConstructionError

__all__ = ["Coordinate", "Registry"]


@final
@dataclass(frozen=True, slots=True)
class Coordinate:
    """What one dimension of the residual stream means, before any rotation.

    Args:
        kind: ``beta`` (weight with which a symbol derives the last tokens), ``fetch`` (a beta read
            at an earlier position), ``alpha`` (weight of the contexts in which a symbol starts at
            the next token), ``fetched alpha``, ``eos``, ``bos``, ``gate`` (a value given by the
            position alone), ``gamma`` (weight of a started symbol and a next token), ``pi``
            (prefix weight), ``belief boundary``, ``belief prefix``, ``score``, ``logit``.
        symbol: the symbol, by its name in the compiled normal form.
        length: tokens that the symbol covers so far.
        offset: how many positions back it was read.
        shape: index of the derivation-tree shape (``shapes`` mode).
        height: level in the normal form (``shapes`` mode), height of the target (beliefs).
        token: the next token (``gamma``, ``score``, ``logit``).
        tag: what else tells it apart.
    """

    kind: str
    symbol: str = ""
    length: int | None = None
    offset: int | None = None
    shape: int | None = None
    height: int | None = None
    token: str = ""
    tag: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The fields that are set, for JSON."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "")}

    def __str__(self) -> str:
        parts = [self.kind]
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value not in (None, ""):
                parts.append(str(value) if field.name == "symbol" else f"{field.name}={value}")
        return " ".join(parts)


@final
@checked(ConstructionError)
class Registry:
    """Coordinate -> index, in order of registration; an index never changes.

    >>> registry = Registry()
    >>> registry.add(Coordinate("beta", "NP", length=2)), len(registry)
    (0, 1)
    >>> str(registry[0])
    'beta NP length=2'
    """

    def __init__(self) -> None:
        self._index: dict[Coordinate, int] = {}
        self._list: list[Coordinate] = []

    def add(self, coordinate: Coordinate) -> int:
        """Index of the coordinate, registered now if it is new."""
        index = self._index.get(coordinate)
        if index is None:
            index = self._index[coordinate] = len(self._list)
            self._list.append(coordinate)
        return index

    def index(self, coordinate: Coordinate) -> int:
        """Index of a registered coordinate.

        Raises:
            ConstructionError: it is not registered.
        """
        if coordinate not in self._index:
            raise ConstructionError(
                f"the program has no coordinate {str(coordinate)!r} among its {len(self)}: "
                "register it with add first"
            )
        return self._index[coordinate]

    def __contains__(self, coordinate: Coordinate) -> bool:
        return coordinate in self._index

    def __len__(self) -> int:
        return len(self._list)

    def __iter__(self) -> Iterator[Coordinate]:
        return iter(self._list)

    def __getitem__(self, index: int) -> Coordinate:
        return self._list[index]

    def select(self, kind: str, **fields_: Any) -> list[int]:
        """Indices of the coordinates of a kind whose fields have these values."""
        return [
            i
            for i, c in enumerate(self._list)
            if c.kind == kind and all(getattr(c, name) == value for name, value in fields_.items())
        ]

    def to_list(self) -> list[dict[str, Any]]:
        """All coordinates in order, for JSON."""
        return [coordinate.to_dict() for coordinate in self._list]
