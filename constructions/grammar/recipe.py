"""What a saved construction notes of itself, read by schema: folders may come from anywhere."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ...core import LinrepError
from ...grammars import Grammar
from ...models import PlainTransformer, load
from ..errors import ConstructionError
from .program.program import Program
from .settings import ConstructionSettings

__all__ = ["model_of_recipe", "noted_in", "read_json", "reason_of", "recipe_of"]

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


def noted_in(folder: Path, construction: str) -> dict[str, Any] | None:
    """What a model folder notes of such a construction, read before its weights.

    ``None`` if it notes nothing of it, or cannot be read: loading the model says what is wrong.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    noted = config.get("linrep") if isinstance(config, dict) else None
    if not isinstance(noted, dict) or noted.get("construction") != construction:
        return None
    return noted


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
            raise ConstructionError(
                f"a construction has no settings {', '.join(unknown)[:200]}: leave them out"
            )
        settings = _SETTINGS.validate_python(whole.settings)
        return Grammar.from_text(whole.grammar), settings
    except (LinrepError, ValidationError, TypeError) as error:
        raise ConstructionError(
            f"the recipe in {str(path)!r} is damaged ({reason_of(error)}): {_REMEDY}"
        ) from error


def model_of_recipe(noted: dict[str, Any], program: Program, path: Path) -> PlainTransformer:
    """The model of a folder, which is that of the recipe noted there.

    Raises:
        ConstructionError: another kind of model, other words, or other coordinates of its stream.
    """
    other = ""
    if noted.get("registry") != program.registry.to_list():
        other = "the noted coordinates of its stream are others than its grammar and settings make"
    model = None if other else load(path).model
    if isinstance(model, PlainTransformer) and model.config.vocabulary == [*program.vocabulary]:
        return model
    other = other or f"the {type(model).__name__} there has other words than its grammar"
    raise ConstructionError(f"the recipe in {str(path)!r} is damaged ({other}): {_REMEDY}")


def reason_of(error: Exception) -> str:
    """Why something does not meet a schema: the first fault, with its place."""
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())[:300]
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the whole"
    return f"{place:.100}: {first['msg']:.200}"
