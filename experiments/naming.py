"""A language by the one word that a command line has for it: a file, or a family with sizes."""

import os
from typing import Any

from ..core import checked
from ..core.paths import as_path
from .settings import GrammarFile, HierarchyFamily, Language, LatinFamily, SettingsError

__all__ = ["language_named"]

_SHAPES = {
    "latin": ("order", "depth", "start"),
    "random_hierarchy": ("n_symbols", "n_rules", "arity", "depth", "seed"),
}
_NEEDED = {"latin": 2, "random_hierarchy": 4}
FORMS = "latin:ORDER:DEPTH[:one] or random_hierarchy:SYMBOLS:RULES:ARITY:DEPTH[:SEED]"


@checked(SettingsError)
def language_named(name: str | os.PathLike[str]) -> Language:
    """A grammar file, or a built-in family with its sizes, colon between.

    Args:
        name: a path, ``latin:ORDER:DEPTH`` (``:one`` behind it for a start symbol of one class), or
            ``random_hierarchy:SYMBOLS:RULES:ARITY:DEPTH`` (a seed behind it).

    Raises:
        SettingsError: a family with other sizes.

    >>> language_named("latin:3:2:one")
    LatinFamily(source='latin', order=3, depth=2, start='one')
    >>> language_named("random_hierarchy:4:2:2:3").depth
    3
    >>> language_named("language.cfg").path
    'language.cfg'
    """
    text = os.fspath(name)
    family, *sizes = text.split(":")
    if family not in _SHAPES or as_path(text).exists():
        return GrammarFile(path=text)
    fields = _SHAPES[family]
    numbers = [size for size in sizes if size.isdecimal() and len(size) < 19]
    words = [size for size in sizes if size not in numbers]
    if not _NEEDED[family] <= len(sizes) <= len(fields) or words not in ([], ["one"], ["every"]):
        raise SettingsError(f"{text!r:.100} is no family: write {FORMS}, or name a grammar file")
    given: dict[str, Any] = {
        field: int(size) if size in numbers else size
        for field, size in zip(fields, sizes, strict=False)
    }
    return LatinFamily(**given) if family == "latin" else HierarchyFamily(**given)
