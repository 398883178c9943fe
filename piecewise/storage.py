"""Reads the arrays of a saved network, and refuses what is none."""

import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from .errors import NetworkError
from .layer import by_rank

__all__ = ["read_archive", "read_arrays"]


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
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error, NotImplementedError) as error:
        raise NetworkError(f"{path} is not a saved maxout network (.npz): {error}") from error


def read_arrays(arrays: dict[str, np.ndarray]) -> tuple[list[Any], list[Any], Any, Any]:
    """Weights, biases, read-out and its bias, from the names ``MaxoutNetwork.to_arrays`` gives.

    Raises:
        NetworkError: a name is missing, or shapes or ranks do not fit.
    """
    depth = sum(name.startswith("weight_") for name in arrays)
    weights, biases = [], []
    try:
        for i in range(depth):
            layer = [np.asarray(arrays[f"{part}_{i}"]) for part in ("weight", "bias", "ranks")]
            _check_layer(i + 1, *layer)
            weights.append(by_rank(layer[0], layer[2]))
            biases.append(by_rank(layer[1], layer[2]))
        return weights, biases, arrays["readout"], arrays["readout_bias"]
    except KeyError as error:
        raise NetworkError(f"no maxout network in these arrays: {error} is missing") from error


def _check_layer(number: int, weight: np.ndarray, bias: np.ndarray, ranks: np.ndarray) -> None:
    if ranks.dtype.kind not in "iu":
        raise NetworkError(
            f"the ranks of layer {number} are whole numbers, one for each unit; received "
            f"{ranks.dtype} {str(ranks.tolist())[:60]}"
        )
    if weight.ndim != 3 or bias.shape != weight.shape[:2] or ranks.shape != weight.shape[:1]:
        raise NetworkError(
            f"layer {number} has weights [unit, piece, input], biases [unit, piece] and ranks "
            f"[unit]; received shapes {weight.shape}, {bias.shape}, {ranks.shape}"
        )
    if not ((ranks >= 1) & (ranks <= weight.shape[1])).all():
        raise NetworkError(
            f"layer {number} has ranks between 1 and {weight.shape[1]}; received {ranks.tolist()}"
        )
