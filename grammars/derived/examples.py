"""Recursive grammars that ship with the package, to be unrolled to a depth."""

from importlib.resources import files

from ...core import checked
from ..errors import LanguageError

__all__ = ["NAMES", "text"]

NAMES = ("arithmetic", "dyck", "english", "json")


@checked(LanguageError)
def text(name: str) -> str:
    """The text of an example: ``arithmetic``, ``dyck``, ``english`` or ``json``.

    Raises:
        LanguageError: there is no such example.

    >>> from linrep.grammars import unroll
    >>> g = unroll(text("dyck"), depth=3)
    >>> sorted(g.lengths), round(float(g.lost_mass), 3)
    ([2, 4, 6, 8, 10, 12, 14], 0.73)
    """
    if name not in NAMES:
        raise LanguageError(f"examples are {', '.join(NAMES)}; received {name!r}")
    return files(__package__).joinpath("data", f"{name}.cfg").read_text(encoding="utf-8")
