"""A property that is computed once: ``functools.cached_property``, typed as the property it is.

Type checkers compare protocols attribute by attribute; pyright takes a ``cached_property`` for a
value of its own kind there, and would refuse every corpus.
"""

from typing import TYPE_CHECKING

__all__ = ["cached_property"]

if TYPE_CHECKING:
    cached_property = property
else:
    from functools import cached_property
