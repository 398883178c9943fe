"""Reads the arrays of a saved network, and refuses what is none."""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import NetworkError
from .layer import by_rank

__all__ = ["read_archive", "read_arrays"]

_PLENTY = 2**28


def read_archive(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` archive by name; nothing is unpickled.

    Raises:
        NetworkError: the file is missing, damaged or no archive.
    """
    try:
        with Path(path).open("rb") as file:  # np.load leaves a damaged file open
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                raise NetworkError(f"{path} holds one array, not a saved maxout network (.npz)")
            _refuse_bomb(path, loaded)
            return {name: loaded[name] for name in loaded.files}
    except NetworkError:
        raise
    except Exception as error:  # a file from anywhere breaks its parser in any way
        raise NetworkError(
            f"{path} is not a saved maxout network (.npz): {_first(error)}"
        ) from error


def _first(error: Exception) -> str:
    return f"{str(error) or type(error).__name__:.200}"


def _refuse_bomb(path: str | Path, loaded: Any) -> None:
    """Refuse an archive that unpacks to far more than it could hold of numbers.

    Raises:
        NetworkError: with both sizes.
    """
    entries = loaded.zip.infolist()
    whole, packed = (
        sum(getattr(e, size) for e in entries) for size in ("file_size", "compress_size")
    )
    if whole > max(_PLENTY, 100 * packed):
        raise NetworkError(
            f"{path} is not a saved maxout network (.npz): its {packed} bytes unpack to {whole}"
        )


def read_arrays(arrays: dict[str, np.ndarray]) -> tuple[list[Any], list[Any], Any, Any]:
    """Weights, biases, read-out and its bias, from the names ``MaxoutNetwork.to_arrays`` gives.

    Raises:
        NetworkError: a name is missing, or shapes or ranks do not fit.
    """
    depth = sum(name.startswith("weight_") for name in arrays)
    weights, biases = [], []
    try:
        for i in range(depth):
            layer = [_numbers(arrays, f"{part}_{i}") for part in ("weight", "bias", "ranks")]
            _check_layer(i + 1, *layer)
            weights.append(by_rank(layer[0], layer[2]))
            biases.append(by_rank(layer[1], layer[2]))
        return weights, biases, _numbers(arrays, "readout"), _numbers(arrays, "readout_bias")
    except KeyError as error:
        raise NetworkError(f"no maxout network in these arrays: {error} is missing") from error


def _numbers(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    """An array of real numbers; of ranks, whole ones.

    Raises:
        NetworkError: it holds something else.
    """
    array, ranks = np.asarray(arrays[name]), name.startswith("ranks")
    if array.dtype.kind not in ("iu" if ranks else "fiu"):
        kind = "whole" if ranks else "real"
        raise NetworkError(f"{name} holds {array.dtype} values; {kind} numbers were expected")
    return array


def _check_layer(number: int, weight: np.ndarray, bias: np.ndarray, ranks: np.ndarray) -> None:
    if weight.ndim != 3 or bias.shape != weight.shape[:2] or ranks.shape != weight.shape[:1]:
        raise NetworkError(
            f"layer {number} has weights [unit, piece, input], biases [unit, piece] and ranks "
            f"[unit]; received shapes {weight.shape}, {bias.shape}, {ranks.shape}"
        )
    if not ((ranks >= 1) & (ranks <= weight.shape[1])).all():
        raise NetworkError(
            f"layer {number} has ranks between 1 and {weight.shape[1]}; received {ranks.tolist()}"
        )
