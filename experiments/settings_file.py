"""Settings in YAML files, with values replaced from the command line."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError

from ..core import YamlError, as_path, read_yaml
from .settings_base import Settings, SettingsError, problems, short

__all__ = ["read_file"]

Kind = TypeVar("Kind", bound=Settings)


def read_file(
    path: str | os.PathLike[str],
    kind: type[Kind],
    overrides: tuple[str, ...],
    needs: str,
    *,
    marks: Mapping[str, str] = MappingProxyType({}),
) -> Kind:
    """Read settings of one kind from YAML.

    Args:
        path: the file.
        kind: what it holds.
        overrides: ``dotted.name=value`` each, values in YAML.
        needs: what such a file has, for messages.
        marks: what the file of a run has beside its settings, such as the experiment's name.

    Raises:
        SettingsError: no such file, not YAML, an unknown name, an impossible value.
    """
    file = as_path(path)
    if file.is_dir():
        raise SettingsError(
            f"{file} is a folder; a settings file was expected: give the YAML file itself, of a "
            f"run {file / 'settings.yaml'}"
        )
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise SettingsError(f"cannot read the settings {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} is not YAML: {error}") from error
    data = _yaml(text, str(file), "mend it there")
    if not isinstance(data, dict):
        raise SettingsError(f"{file} holds no settings: a mapping with {needs} is needed")
    for name, value in marks.items():
        if data.get(name) == value:
            del data[name]
    for override in overrides:
        _override(data, override)
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise SettingsError(f"{file}: {problems(error)}") from error


def _yaml(text: str, where: str, remedy: str) -> Any:
    try:
        return read_yaml(text, where, remedy)
    except YamlError as error:
        raise SettingsError(str(error)) from None


def _override(data: dict[str, Any], text: str) -> None:
    """Set one dotted name in place.

    Raises:
        SettingsError: the text has no ``=``, its value is not YAML, or the path leads nowhere.
    """
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise SettingsError(f"--set needs NAME=VALUE; received {short(text)!r}")
    where = f"the value of --set {short(text)}"
    new = _yaml(value, where, "put text into quotes: NAME='\"...\"'")
    *path, last = name.strip().split(".")
    here: Any = data
    try:
        for part in path:
            here = here[int(part)] if isinstance(here, list) else here[part]
        here[int(last) if isinstance(here, list) else last] = new
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise SettingsError(
            f"--set {short(text)}: the settings have no {short(name.strip())!r}"
        ) from error
