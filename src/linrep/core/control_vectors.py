"""Control vectors as llama.cpp reads and writes them: GGUF files with a tensor for each block."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .direction_entry import made_of, told_of
from .directions import DirectionError, Directions

__all__ = ["control_vector", "read_control_vector"]

ARCHITECTURE = "controlvector"
HINT = "controlvector.model_hint"
COUNT = "controlvector.layer_count"
OWN = "linrep.directions"  # what linrep knows beside; other programs pass it over
SITE = re.compile(r"blocks\.(\d+)\.hook_resid_post")
TENSOR = re.compile(r"direction\.(\d+)")


def control_vector(directions: Directions) -> Callable[[Path], None]:
    """What writes directions into a file that llama.cpp takes.

    Args:
        directions: to be added after blocks.

    Raises:
        DirectionError: they are something else, or ``gguf`` is not installed.
    """
    package = _gguf()
    vectors = {_block(site): directions.vectors[site] for site in directions.sites}
    if directions.operation != "add" or any(vector.ndim != 1 for vector in vectors.values()):
        raise DirectionError(
            "a control vector (.gguf) holds one direction for each block, to be added; received "
            f"{directions!r}: write it as .safetensors"
        )

    def write(file: Path) -> None:
        writer = package.GGUFWriter(file, ARCHITECTURE)
        writer.add_string(HINT, directions.model_type)
        writer.add_uint32(COUNT, max(vectors))
        writer.add_string(OWN, told_of(directions))
        for block, vector in sorted(vectors.items()):
            scaled = (directions.scale * vector).astype(np.float32)
            writer.add_tensor(f"direction.{block}", scaled)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    return write


def _block(site: str) -> int:
    """The number of the block after which a site lies.

    Raises:
        DirectionError: it lies elsewhere, or after block 0.
    """
    found = SITE.fullmatch(site)
    if found is None or int(found[1]) == 0:
        raise DirectionError(
            f"a control vector (.gguf) has its directions after blocks 1, 2, ...: llama.cpp adds "
            f"nothing at {site}: leave this site out, or write .safetensors"
        )
    return int(found[1])


def read_control_vector(file: Path) -> Directions:
    """Directions from a control vector; what linrep wrote beside them is read again.

    Args:
        file: that exists.

    Raises:
        DirectionError: it is no control vector, or ``gguf`` is not installed.
    """
    try:
        reader = _gguf().GGUFReader(file)
        kept = {name: _text(reader, name) for name in ("general.architecture", HINT, OWN)}
        tensors = {one.name: np.array(one.data) for one in reader.tensors}
    except DirectionError:
        raise
    except Exception as error:  # a file from anywhere breaks its parser in any way
        raise DirectionError(f"{file} is no GGUF file ({error!s:.120})") from error
    if kept["general.architecture"] != ARCHITECTURE:
        raise DirectionError(
            f"{file} holds {kept['general.architecture'] or 'something unnamed'!r:.60}; a control "
            f"vector was expected, a GGUF file of architecture {ARCHITECTURE!r}"
        )
    vectors = {}
    for name, vector in tensors.items():
        found = TENSOR.fullmatch(name)
        fits = vector.ndim == 1 and vector.dtype == np.float32
        if found is None or not fits or int(found[1]) == 0:
            raise DirectionError(
                f"{file}: tensor {name!r:.60} is {vector.dtype} of shape {vector.shape}; those of "
                "a control vector are direction.1, direction.2, ..., float32 [d_model] each"
            )
        vectors[f"blocks.{int(found[1])}.hook_resid_post"] = vector
    in_order = dict(sorted(vectors.items(), key=lambda one: _block(one[0])))
    if not kept[OWN]:
        return Directions(in_order, "control vector", model_type=kept[HINT])
    told = made_of(in_order, kept[OWN], file)
    unscaled = {site: vector / told.scale for site, vector in told.vectors.items()}
    return Directions(unscaled, **told.described())


def _text(reader: Any, name: str) -> str:
    """A text of the header; empty where there is none."""
    entry = reader.get_field(name)
    return "" if entry is None else bytes(entry.parts[-1]).decode("utf-8", "replace")


def _gguf() -> Any:
    """The package that reads and writes GGUF.

    Raises:
        DirectionError: it is not installed.
    """
    try:
        return import_module("gguf")
    except ImportError:
        raise DirectionError(
            "GGUF files are read and written by the package gguf, which is not installed: pip "
            "install gguf, or keep directions as .safetensors"
        ) from None
