"""What a saved construction notes of itself, read by schema: folders may come from anywhere."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ...core import LinrepError
from ...grammars import Grammar
from ..errors import ConstructionError
from .settings import ConstructionSettings

__all__ = ["read_json", "reason_of", "recipe_of"]

_SETTINGS = TypeAdapter(ConstructionSettings)
_REMEDY = "save the construction again"


class _Recipe(BaseModel):
    model_config = ConfigDict(strict=True)

    grammar: str
    settings: dict[str, Any]


def read_json(file: Path) -> Any:
    """What a JSON file holds.

    Raises:
        ConstructionError: it is none.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConstructionError(f"{file} cannot be read ({error!s:.200}): {_REMEDY}") from error


def recipe_of(recipe: Any, path: Path) -> tuple[Grammar, ConstructionSettings]:
    """Grammar and settings of a saved construction.

    Raises:
        ConstructionError: they are damaged.
    """
    try:
        whole = _Recipe.model_validate(recipe)
        unknown = sorted(
            set(whole.settings) - {field.name for field in fields(ConstructionSettings)}
        )
        if unknown:
            raise ConstructionError(f"unknown settings {', '.join(unknown)[:200]}")
        settings = _SETTINGS.validate_python(whole.settings)
        return Grammar.from_text(whole.grammar), settings
    except (LinrepError, ValidationError, TypeError) as error:
        raise ConstructionError(
            f"the recipe in {str(path)!r} is damaged ({reason_of(error)}): {_REMEDY}"
        ) from error


def reason_of(error: Exception) -> str:
    """Why something does not meet a schema: the first fault, with its place."""
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())[:300]
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    return f"{place:.100}: {first['msg']:.200}"
