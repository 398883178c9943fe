"""What may be given where numbers are read: anything NumPy turns into an array."""

from typing import Any

__all__ = ["ArrayLike"]

ArrayLike = Any
"""Not ``numpy.typing.ArrayLike``: run-time checkers reject plain numbers under that one. Entrances
that take it validate what they get, with a message of their own."""
