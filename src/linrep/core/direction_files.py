"""Files of directions: safetensors with one JSON entry, or llama.cpp's control vectors."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .arguments import checked
from .control_vectors import control_vector, read_control_vector
from .direction_entry import REMEDY, made_of, told_of
from .directions import DirectionError, Directions
from .disk import writing
from .paths import as_path

__all__ = ["read_directions", "write_directions"]

ENTRY = "linrep"
SUFFIXES = (".safetensors", ".gguf")


@checked(DirectionError)
def write_directions(directions: Directions, path: str | os.PathLike[str]) -> Path:
    """Write directions to a file, whole or not at all.

    ``.safetensors`` keeps everything: each site's vectors in float64, and one JSON entry with
    model, norm, position rule, kind, operation, sign, scale and data hash. ``.gguf`` is the
    control vector of llama.cpp: ``direction.N`` in float32 is what is added to the stream after
    block N (counted from 0; block 0 has none), the scale multiplied in; it holds directions to be
    added after blocks, and nothing else. It needs the package ``gguf``.

    Args:
        directions: what to write.
        path: a file ending in .safetensors or .gguf; one that exists is replaced.

    Returns:
        The file.

    Raises:
        DirectionError: another ending, or directions that the format cannot hold.
        DiskError: it cannot be written there.

    >>> import tempfile
    >>> truth = Directions({"blocks.1.hook_resid_post": np.array([0.0, 3.0])}, "truth")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = read_directions(write_directions(truth, folder + "/truth.safetensors"))
    >>> again.target, again.vectors["blocks.1.hook_resid_post"].tolist()
    ('truth', [0.0, 3.0])
    """
    file = _suffixed(path)
    write = control_vector(directions) if file.suffix == ".gguf" else _plain(directions)
    with writing("the directions", file.parent):
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        os.close(handle)
        try:
            write(Path(name))
            Path(name).chmod(0o644)
            os.replace(name, file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return file


@checked(DirectionError)
def read_directions(path: str | os.PathLike[str]) -> Directions:
    """Read directions from a file.

    Of a control vector that another program wrote nothing is known but the vectors, the kind of
    model, and that they are added after their blocks.

    Args:
        path: a file that :func:`write_directions` wrote, or a control vector (.gguf).

    Raises:
        DirectionError: there is no such file, or it holds something else.
    """
    file = _suffixed(path)
    if not file.is_file():
        raise DirectionError(f"no file {file}: {REMEDY}")
    if file.suffix == ".gguf":
        return read_control_vector(file)
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        data = file.read_bytes()
        arrays = load(data)
        length = int.from_bytes(data[:8], "little")
        kept = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    except OSError as error:
        raise DirectionError(f"cannot read {file}: {error.strerror}: {REMEDY}") from error
    except (SafetensorError, ValueError, KeyError, RecursionError) as error:
        raise DirectionError(f"{file} is no safetensors file ({error!s:.120}): {REMEDY}") from error
    if ENTRY not in kept:
        raise DirectionError(
            f"{file} holds tensors ({', '.join(list(arrays)[:3])}), but not what they are: "
            f"a file of directions has an entry {ENTRY!r}: {REMEDY}"
        )
    return made_of(arrays, kept[ENTRY], file)


def _plain(directions: Directions) -> Callable[[Path], object]:
    """What writes a safetensors file."""
    from safetensors.numpy import save

    arrays = {site: np.ascontiguousarray(v) for site, v in directions.vectors.items()}
    written: bytes = save(arrays, metadata={ENTRY: told_of(directions)})
    return lambda file: file.write_bytes(written)


def _suffixed(path: str | os.PathLike[str]) -> Path:
    """The path, if its ending names a format.

    Raises:
        DirectionError: it does not.
    """
    file = as_path(path)
    if file.suffix not in SUFFIXES:
        raise DirectionError(
            f"{file} ends in {file.suffix or 'nothing'!r}; directions are kept in "
            f"{' or '.join(SUFFIXES)}"
        )
    return file
