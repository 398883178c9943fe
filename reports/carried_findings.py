"""What is said of probes that were scored on other data than they learned from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..probes.transferred import ALL_OTHERS
from .values import number

if TYPE_CHECKING:
    from ..probes import Moved

__all__ = ["carried"]


def carried(rows: "Sequence[Moved]", first: str) -> str:
    """Whether what was learned from the first set holds in the others.

    Args:
        rows: of one site: trained on one set, scored on another.
        first: name of the set.

    Returns:
        A clause; empty where the set was scored on no other.
    """
    mine = [row for row in rows if row.train == first and row.test != first]
    held = [row for row in mine if row.above]
    lost = [row for row in mine if not row.above]
    own = next((row for row in rows if row.train == row.test == first), None)
    if own is not None and not own.above:
        return (
            f"but a ridge probe of {first} is not shown to read it on held-out rows of {first} "
            f"({_moved(own)}), so there is nothing to carry over"
        )
    if not _list(mine):
        return ""
    if not lost:
        return f"and what is read on {first} carries over to {_list(held)}"
    below = [row for row in lost if row.chance > 0 and row.high < row.chance]  # classes only
    lost = [row for row in lost if row not in below]
    told = []
    if _list(lost):
        told.append(f"what is read on {first} is not shown to carry over to {_list(lost)}")
    if _list(below):
        told.append(
            f"the probe of {first} is right less often than a guess on {_list(below)}, so that "
            "what it reads is turned round there"
        )
    return f"but {' and '.join(told)}" + (
        f", though it carries over to {_list(held)}" if _list(held) else ""
    )


def _list(rows: Sequence["Moved"]) -> str:
    named = [f"{row.test} ({_moved(row)})" for row in rows if row.train != ALL_OTHERS]
    return " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))


def _moved(row: "Moved") -> str:
    return f"{number(row.score)} [{number((row.low, row.high))}], chance {number(row.chance)}"
