"""The claims of theory by their short names, as a report explains them.

The numbered statements with their reasons stand in ``docs/theory``.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["CLAIMS", "explained"]

CLAIMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "P1": "The block that writes a state writes it exactly into the predicted subspace; before "
        "that block, nothing of the state lies there.",
        "P2": "The grammar has one tree shape, and no rule body belongs to two symbols: from the "
        "block that writes the state on, a linear probe at the last token of its span is always "
        "right.",
        "P3": "No probe of any kind is better than the ceiling.",
        "P4": "In a Latin-square grammar the ceiling is chance before the block that writes the "
        "state, and 1 from that block on.",
        "P5": "Projecting the predicted subspace out undoes exactly what its block wrote.",
        "P6": "The grammar has several tree shapes or ambiguous sentences: at the last token of a "
        "span a probe reaches the ceiling given the prefix and that a span ends here; that ceiling "
        "may be below 1.",
        "P7": "A model that reads whole sentences can know what one that reads prefixes cannot.",
        "active piece": "Which piece of a maxout unit is active is read linearly from the stream "
        "just before the attention that takes the maximum.",
    }
)


def explained(names: Iterable[str]) -> dict[str, str]:
    """The claims among these names, each once; ``P1+P2`` names two.

    Args:
        names: short names as predictions carry them; unknown ones are left out.

    >>> list(explained(["P1+P2", "P1", ""]))
    ['P1', 'P2']
    """
    wanted = {part.strip() for name in names for part in name.split("+")}
    return {name: text for name, text in CLAIMS.items() if name in wanted}
