"""What all settings have in common: frozen, closed, refused with the place of the fault."""

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core import LinrepError

__all__ = ["Seed", "Settings", "SettingsError", "problems", "short"]


class SettingsError(LinrepError):
    """A settings file cannot be read, or a setting is impossible."""


SHOWN = 10  # problems of one file that a message lists
Seed: TypeAlias = Annotated[int, Field(ge=0, le=2**32 - 1)]  # what every generator takes


class Settings(BaseModel):
    """Frozen; a name that does not exist is refused.

    Raises:
        SettingsError: an unknown name, or an impossible value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise SettingsError(f"{type(self).__name__}: {problems(error)}") from error

    # Settings inside settings are read as pydantic reads them, so that places are named in full.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


def problems(error: ValidationError) -> str:
    """Problems with their places, one line each; of very many the first.

    A list whose entries are at fault counts as too short besides, which says nothing new.
    """
    found = error.errors(include_url=False)
    lines = []
    for item in found:
        depth = len(item["loc"])
        below = any(len(i["loc"]) > depth and i["loc"][:depth] == item["loc"] for i in found)
        if item["type"] == "too_short" and below:
            continue
        place = ".".join(str(part) for part in item["loc"]) or "settings"
        lines.append(f"{short(place)}: {short(item['msg'], 300)}{_received(item['input'])}")
    rest = len(lines) - SHOWN
    return "\n".join(lines[:SHOWN] + [f"and {rest} more"] * (rest > 0))


def short(text: str, most: int = 80) -> str:
    """Text as a message shows it."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _received(value: object) -> str:
    """A value as a message shows it: whole if it is short, settings within settings never."""
    shown = repr(value)
    if isinstance(value, dict) or (isinstance(value, list) and "{" in shown):
        return ""
    return f"; received {short(shown)}"
