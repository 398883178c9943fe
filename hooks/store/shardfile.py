"""One shard on disk: a safetensors file that appears whole or not at all.

The file is ordinary safetensors (any tool reads it); it is written and mapped here because the
library's reader costs a hundred times more per cold open and copies bfloat16.
"""

import hashlib
import json
import mmap
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path as Folder
from typing import Any, final

import numpy as np

from ..errors import StoreError
from ..reading.settings import Dtype

__all__ = ["ShardFile", "header_of", "replace_file", "sums_of", "write_shard"]

_NAMES = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16"}
_NUMPY = {"float32": "<f4", "float64": "<f8", "float16": "<f2", "bfloat16": "<u2"}
_ALIGN = 64
_BLOCK = 4096  # words of 8 bytes per block of the quick checksum
# Bytes written, or read to verify, at once. On a virtual machine whose free memory is lent back to
# its host, pieces of 16 MiB were written at a fourth of the speed of pieces of 256 KiB.
_CHUNK = 1 << 18
_SYNC = getattr(os, "fdatasync", os.fsync)  # not every system has the quicker one


def header_of(sites: Sequence[str], rows: int, d_model: int, dtype: Dtype) -> bytes:
    """The file's first bytes; they follow from what is inside, so readers know them too."""
    size = rows * d_model * np.dtype(_NUMPY[dtype]).itemsize
    entries = {
        site: {
            "dtype": _NAMES[dtype],
            "shape": [rows, d_model],
            "data_offsets": [i * size, (i + 1) * size],
        }
        for i, site in enumerate(sites)
    }
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGN)
    return len(text).to_bytes(8, "little") + text


def write_shard(
    file: Folder, arrays: Mapping[str, np.ndarray], d_model: int, dtype: Dtype
) -> dict[str, Any]:
    """Write a shard under a temporary name, flush it to the disk, then rename it.

    Returns:
        dict[str, Any]: ``sha256`` of the file and the quick ``sums`` of each site.

    Raises:
        StoreError: the disk is full or refuses; nothing of the shard is left behind.
    """
    rows = len(next(iter(arrays.values())))
    header = header_of(list(arrays), rows, d_model, dtype)
    # The digest is computed beside the write, which waits for the disk.
    with ThreadPoolExecutor(1) as beside, ThreadPoolExecutor(1) as sync:
        facts = beside.submit(_facts, header, arrays)
        replace_file(file, lambda handle: _pour(handle, header, arrays, sync))
        return facts.result()


def _pour(
    handle: Any, header: bytes, arrays: Mapping[str, np.ndarray], sync: ThreadPoolExecutor
) -> None:
    """Write all bytes; what is written goes to the disk while the rest is still being copied."""
    handle.write(header)
    flushed: list[Future[None]] = []
    for array in arrays.values():
        raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        for begin in range(0, len(raw), _CHUNK):
            handle.write(raw[begin : begin + _CHUNK])
        if not flushed or flushed[-1].done():
            handle.flush()
            flushed.append(sync.submit(_SYNC, handle.fileno()))
    for done in flushed:
        done.result()


def _facts(header: bytes, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    digest = hashlib.sha256(header)
    for array in arrays.values():
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    sums = {site: sums_of(array) for site, array in arrays.items()}
    return {"sha256": digest.hexdigest(), "sums": sums}


def replace_file(file: Folder, write: Any) -> None:
    """Make a file appear whole or not at all, whatever happens in between.

    Raises:
        StoreError: the operating system refuses (no space, no permission).
    """
    scratch = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with scratch.open("wb") as handle:
            write(handle)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(scratch, file)
        _flush_folder(file.parent)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise StoreError(
            f"{file.name} cannot be written in {file.parent}: {error.strerror or error}; finished "
            "shards are kept: make room there, then repeat the same call to resume"
        ) from error


def _flush_folder(folder: Folder) -> None:
    """Make a rename survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sums_of(array: np.ndarray) -> list[str]:
    """Two sums over the bytes, at the speed of memory: any one changed word changes the first.

    The bytes are taken as 64-bit integers modulo 2^64: their sum, and the sum of the blocks' sums
    weighted by position, which moved blocks change. They find accidents as they are read;
    tampering is what the SHA-256 is for.

    >>> sums_of(np.zeros(8)) == sums_of(np.zeros(8)), sums_of(np.zeros(8)) == sums_of(np.ones(8))
    (True, False)
    """
    raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    words = raw[: len(raw) // 8 * 8].view(np.uint64)
    whole = words[: len(words) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    tail = np.concatenate([words[whole.size :], raw[len(words) * 8 :].astype(np.uint64)])
    blocks = np.append(whole.sum(axis=1, dtype=np.uint64), tail.sum(dtype=np.uint64))
    place = np.arange(1, len(blocks) + 1, dtype=np.uint64)
    return [f"{int(s):016x}" for s in (blocks.sum(dtype=np.uint64), (blocks * place).sum())]


@final
class ShardFile:
    """A finished shard, memory-mapped; each site is checked against its sums when first read.

    Args:
        file: where it lies.
        sites: what it should hold.
        rows: words it should hold.
        d_model: width.
        dtype: of the values.
        record: ``sha256`` and ``sums`` from the manifest.

    Raises:
        StoreError: missing, truncated, or its header is not the one expected.
    """

    def __init__(
        self,
        file: Folder,
        sites: Sequence[str],
        rows: int,
        d_model: int,
        dtype: Dtype,
        record: Mapping[str, Any],
    ) -> None:
        self._file, self._record, self._checked = file, record, set[str]()
        header = header_of(sites, rows, d_model, dtype)
        kind = np.dtype(_NUMPY[dtype])
        size = rows * d_model * kind.itemsize
        expected = len(header) + size * len(sites)
        if not file.is_file():
            raise StoreError(f"shard {file.name} is missing from {file.parent}: capture again")
        actual = file.stat().st_size
        if actual != expected:
            raise StoreError(
                f"shard {file.name} has {actual} bytes, expected {expected}: the file was cut "
                f"short or overwritten; {_REMEDY}"
            )
        with file.open("rb") as handle:
            self._map = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        raw = np.frombuffer(self._map, dtype=np.uint8)
        if raw[: len(header)].tobytes() != header:
            raise StoreError(f"shard {file.name} has a damaged header; {_REMEDY}")
        self._views = {}
        for i, site in enumerate(sites):
            begin = len(header) + i * size
            flat = raw[begin : begin + size].view(kind)
            self._views[site] = flat.reshape(rows, d_model)

    def site(self, name: str) -> np.ndarray:
        """The site's values as stored (bfloat16 as 16-bit integers), read-only, not copied.

        Raises:
            StoreError: its bytes are not the ones written.
        """
        view = self._views[name]
        if name not in self._checked:
            if sums_of(view) != list(self._record["sums"][name]):
                raise StoreError(
                    f"shard {self._file.name} is damaged at {name}: its bytes are not the ones "
                    f"that were written; {_REMEDY}"
                )
            self._checked.add(name)
        return view

    def leave(self) -> None:
        """Let go of the pages that were read; they are mapped again when they are asked for."""
        if hasattr(mmap, "MADV_DONTNEED"):  # not every system counts them as the process's own
            self._map.madvise(mmap.MADV_DONTNEED)

    def verify(self) -> None:
        """Check every byte against the manifest's SHA-256.

        Raises:
            StoreError: they differ.
        """
        digest = hashlib.sha256()
        with self._file.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                digest.update(chunk)
        if digest.hexdigest() != self._record["sha256"]:
            raise StoreError(f"shard {self._file.name} is damaged (SHA-256 differs); {_REMEDY}")


_REMEDY = "delete it and repeat the same capture call, which captures it again"
