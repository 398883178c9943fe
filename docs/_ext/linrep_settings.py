"""Settings of experiments, from the pydantic models."""

import inspect
import typing
from importlib import import_module

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def settings_lines(name: str) -> list[str]:
    """A section for a model and for each model that its fields hold, once."""
    lines: list[str] = []
    for model in models_below(getattr(import_module("linrep.experiments"), name)):
        lines += [model.__name__, "-" * len(model.__name__), ""]
        lines += [*inspect.cleandoc(model.__doc__ or "").splitlines(), "", *field_rows(model)]
    return lines


def models_below(top: type[BaseModel]) -> list[type[BaseModel]]:
    """The model and those that its fields name, in the order in which they are met."""
    found = [top]
    for model in found:
        for field in model.model_fields.values():
            found += [inner for inner in models_in(field.annotation) if inner not in found]
    return found


def models_in(annotation: object) -> list[type[BaseModel]]:
    """Models that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in models_in(part)]


def field_rows(model: type[BaseModel]) -> list[str]:
    """A table of fields: name, what it takes, the default."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 25 45 30", ""]
    lines += ["   * - field", "     - takes", "     - default"]
    for name, field in model.model_fields.items():
        lines += [f"   * - ``{name}``", f"     - {takes(field)}", f"     - {default(field)}"]
    return [*lines, ""]


def takes(field: FieldInfo) -> str:
    """The type as it is written, and the bounds."""
    bounds = ", ".join(str(bound) for bound in field.metadata if hasattr(bound, "__slots__"))
    text = f"``{told(field.annotation)}``" + (f", {bounds.replace('*', '')}" if bounds else "")
    return text + (f". {field.description}" if field.description else "")


def told(annotation: object) -> str:
    """A type in the words of Python, without its modules."""
    if annotation is type(None):
        return "None"
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return told(parts[0])
    if origin is typing.Literal:
        return " | ".join(repr(part) for part in parts)
    if origin is None:
        return getattr(annotation, "__name__", str(annotation))
    inner = [told(part) for part in parts if part is not Ellipsis]
    if str(origin) in ("typing.Union", "<class 'types.UnionType'>"):
        return " | ".join(inner)
    return f"{getattr(origin, '__name__', origin)}[{', '.join(inner)}]"


def default(field: FieldInfo) -> str:
    """The default, or that there is none."""
    if field.is_required():
        return "*required*"
    value = field.get_default(call_default_factory=True)
    return f"``{type(value).__name__}()``" if isinstance(value, BaseModel) else f"``{value!r}``"
