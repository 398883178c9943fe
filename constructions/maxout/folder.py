"""Reads the folder of a saved maxout transformer, and refuses what is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...core import LinrepError, as_path
from ...models import LoadError, PlainTransformer, load
from ...piecewise import Box
from ..grammar.recipe import noted_in, reason_of
from .error import MaxoutError
from .layout import MaxoutLayout

__all__ = ["read_folder"]

Size = Annotated[int, Field(ge=1, le=10**6)]
Sizes = Annotated[list[Size], Field(min_length=1)]


class _Layout(BaseModel):
    model_config = ConfigDict(strict=True)

    n_inputs: Size
    n_outputs: Size
    widths: Sizes
    ranks: Annotated[list[Sizes], Field(min_length=1)]
    causal: bool


class _Noted(BaseModel):
    model_config = ConfigDict(strict=True)

    layout: _Layout
    box: Annotated[list[list[float]], Field(min_length=2, max_length=2)]


_REMEDY = "give the folder that MaxoutTransformer.save_pretrained wrote"


def read_folder(folder: str | Path) -> tuple[PlainTransformer, MaxoutLayout, Box]:
    """The model in eval mode, its layout and the box it was built for.

    Raises:
        MaxoutError: no folder there, or it holds no maxout transformer.
    """
    path = as_path(folder)
    if not path.is_dir():  # the loader would take it for the name of a model on the hub
        what = "a file is" if path.exists() else "nothing is"
        raise MaxoutError(f"no maxout transformer at {str(folder)!r}, {what} there; {_REMEDY}")
    noted = noted_in(path, "maxout")
    with _damage_named(folder):
        made = None if noted is None else _read(noted)
    try:
        model: Any = load(path).model
    except LoadError as error:
        raise MaxoutError(f"no maxout transformer in {str(folder)!r}: {error}") from error
    if made is None or not isinstance(model, PlainTransformer):
        named = getattr(model.config, "linrep", None)
        other = named.get("construction") if isinstance(named, dict) else None
        raise MaxoutError(
            f"{str(folder)!r} holds no maxout transformer (construction {other!r:.60}, "
            f"{type(model).__name__}); {_REMEDY}, models.load reads any model"
        )
    layout, box = made
    with _damage_named(folder):
        _fits(layout, model.config, box)
    return model.eval(), layout, box  # type: ignore[no-untyped-call]


@contextmanager
def _damage_named(folder: str | Path) -> Iterator[None]:
    try:
        yield
    except (LinrepError, ValidationError) as error:
        raise MaxoutError(
            f"what {str(folder)!r} notes of its maxout transformer is damaged "
            f"({reason_of(error)}); {_REMEDY}"
        ) from error


def _read(noted: dict[str, Any]) -> tuple[MaxoutLayout, Box]:
    whole = _Noted.model_validate(noted)
    return MaxoutLayout.from_json(whole.layout.model_dump()), Box(*whole.box)


def _fits(layout: MaxoutLayout, config: Any, box: Box) -> None:
    """Refuse the layout of another model.

    Raises:
        MaxoutError: sizes that differ.
    """
    sizes = (layout.d_model, layout.hidden, layout.units, layout.blocks)
    names = ("hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers")
    for name, size in zip(names, sizes, strict=True):
        if getattr(config, name) != size:
            raise MaxoutError(f"its layout makes {name} {size}, and it is {getattr(config, name)}")
    if layout.n_outputs != config.vocab_size or layout.causal == config.bidirectional:
        raise MaxoutError("its layout has other outputs, or another mask, than the model")
    if [len(ranks) for ranks in layout.ranks] != list(layout.widths):
        raise MaxoutError(
            f"its layout has {[len(ranks) for ranks in layout.ranks]} ranks by layer, and "
            f"{list(layout.widths)} units: one rank for each unit was expected"
        )
    if box.dim != layout.n_inputs:
        raise MaxoutError(f"its box has {box.dim} inputs, and its layout {layout.n_inputs}")
