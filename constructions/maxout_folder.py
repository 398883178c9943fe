"""Reads the folder of a saved maxout transformer, and refuses what is none."""

from pathlib import Path
from typing import Any

from ..core import as_path
from ..models import LoadError, PlainTransformer, load
from ..piecewise import Box
from .maxout_error import MaxoutError
from .maxout_layout import MaxoutLayout

__all__ = ["read_folder"]

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
    try:
        model: Any = load(path).model
    except LoadError as error:
        raise MaxoutError(f"no maxout transformer in {str(folder)!r}: {error}") from error
    model.eval()
    data = getattr(model.config, "linrep", None) or {}
    if data.get("construction") != "maxout" or not isinstance(model, PlainTransformer):
        raise MaxoutError(
            f"{str(folder)!r} holds no maxout transformer (construction "
            f"{data.get('construction')!r}, {type(model).__name__}); {_REMEDY}, "
            "models.load reads any model"
        )
    return model, MaxoutLayout.from_json(data["layout"]), Box(*data["box"])
