"""Grammar and settings as a saved construction states them."""

from pathlib import Path
from typing import Any

from ..grammars import Grammar
from .errors import ConstructionError
from .settings import Settings

__all__ = ["recipe_of"]


def recipe_of(recipe: dict[str, Any], path: Path) -> tuple[Grammar, Settings]:
    """Grammar and settings of a saved construction.

    Raises:
        ConstructionError: they are damaged.
    """
    try:
        return Grammar.from_text(recipe["grammar"]), Settings(**recipe["settings"])
    except (KeyError, TypeError) as error:
        raise ConstructionError(f"the recipe in {str(path)!r} is damaged: {error}") from error
