"""A folder of shards and a manifest: atomic, resumable, refusing to mix."""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path as Folder
from typing import Any, final

import numpy as np

from ..errors import StoreError
from ..inputs.corpus import fingerprint_of
from ..reading.settings import Dtype
from .manifest import ARITHMETIC, differences
from .rows import Rows, absent
from .shardfile import ShardFile, replace_file
from .store_manifest import MANIFEST, read_store_manifest

__all__ = ["Store", "read_store", "refuse_foreign"]

# Half-written files of our own, as :func:`replace_file` names them.
_SCRATCH = re.compile(r"\.(manifest\.json|shard-[0-9]+\.safetensors)\.[0-9]+\.tmp")
# What may differ between two runs that write the same store.
_FREE = ("self_check", "shards", "software")


@final
class Store:
    """A store being written: knows its plan, what is finished, and who may go on.

    The manifest is written before the first shard and again after each, always as a whole; a
    shard counts only once the manifest names its digest. So a process may be killed at any
    instant: what the manifest names is whole, the rest is captured again, to the same bytes where
    the same functions compute; the manifest says where others did.

    Args:
        folder: where; made if need be.
        identity: what makes these activations what they are.
        bounds: first word of each shard, and the number of words.
        check: the self-check, run unless the store is complete; a new store keeps its findings.

    Raises:
        StoreError: the folder holds something else, or is being written by another process.
    """

    def __init__(
        self,
        folder: Folder,
        identity: dict[str, Any],
        bounds: Sequence[int],
        check: Callable[[], dict[str, Any]],
    ) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder} cannot be made: {error.strerror}") from error
        self._lock = _lock(folder)
        try:
            refuse_foreign(folder)
            found = self._resumed(identity, bounds)
            self._sweep()
            if found is None:
                self.manifest = self._begun({**identity, "self_check": check()}, bounds)
            else:
                self.manifest = found
                if self.todo():
                    check()
                    _note_arithmetic(self.manifest, identity)
        except BaseException:
            self.close()
            raise

    def todo(self) -> list[int]:
        """Shards that are not finished: never begun, or their file is gone."""
        return [
            i
            for i, shard in enumerate(self.manifest["shards"])
            if "sha256" not in shard or not (self.folder / shard["file"]).is_file()
        ]

    def file(self, index: int) -> Folder:
        """Where a shard belongs."""
        return self.folder / str(self.manifest["shards"][index]["file"])

    def finish(self, index: int, record: Mapping[str, Any]) -> None:
        """Note that a shard is on the disk.

        Raises:
            StoreError: the manifest cannot be written.
        """
        self.manifest["shards"][index].update(record)
        _write_manifest(self.folder, self.manifest)

    def close(self) -> None:
        """Let others write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _sweep(self) -> None:
        """Remove what a killed process left half-written, and nothing else."""
        for file in self.folder.iterdir():
            if _SCRATCH.fullmatch(file.name):
                file.unlink(missing_ok=True)

    def _resumed(self, identity: dict[str, Any], bounds: Sequence[int]) -> dict[str, Any] | None:
        if not (self.folder / MANIFEST).exists():
            return None
        found = read_store_manifest(self.folder)
        wrong = differences(_comparable(identity), _comparable(found))
        begun = [shard["begin"] for shard in found["shards"]]
        if not wrong and begun != list(bounds[:-1]):
            wrong = ["the shards are cut at other words"]
        if wrong and not any("sha256" in shard for shard in found["shards"]):
            return None  # begun and never filled, as after a refusal: nothing is lost
        if wrong:
            raise StoreError(
                f"{self.folder} holds activations of something else: {'; '.join(wrong[:6])}. "
                "Choose another folder, or delete this one"
            )
        return found

    def _begun(self, identity: dict[str, Any], bounds: Sequence[int]) -> dict[str, Any]:
        digits = max(5, len(str(len(bounds))))
        shards = [
            {"file": f"shard-{i:0{digits}d}.safetensors", "begin": int(a), "end": int(b)}
            for i, (a, b) in enumerate(zip(bounds[:-1], bounds[1:], strict=True))
        ]
        manifest = {**identity, "shards": shards}
        _write_manifest(self.folder, manifest)
        return manifest


def refuse_foreign(folder: Folder) -> None:
    """Look whether a folder is a store, empty, or not there; nothing in it is touched.

    Raises:
        StoreError: it holds something else.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise StoreError(f"{folder} is a file; a folder was expected: choose another path")
    others = [file.name for file in folder.iterdir() if not _SCRATCH.fullmatch(file.name)]
    if others and MANIFEST not in others:
        raise StoreError(
            f"{folder} holds other files and no {MANIFEST}, such as {min(others)}: choose an empty "
            "folder"
        )
    if others:
        read_store_manifest(folder)


def read_store(
    folder: Folder, corpus: Any, *, verify: bool = False
) -> tuple[dict[str, np.ndarray | Rows], np.ndarray, dict[str, Any]]:
    """Arrays per site, memory-mapped, which words have a row, and the manifest of a store.

    An unfinished store opens with what it has.

    Raises:
        StoreError: no store, a damaged one, or of another corpus.
    """
    manifest = read_store_manifest(folder)
    if corpus is not None and fingerprint_of(corpus) != manifest["corpus"]["fingerprint"]:
        raise StoreError(
            f"{folder} was captured on another corpus ({manifest['corpus']['words']} words): pass "
            "the corpus that was captured, or capture this one"
        )
    shards = [_Shard(folder, manifest, i) for i in range(len(manifest["shards"]))]
    kept = np.ones(int(manifest["words"]["total"]), dtype=bool)
    kept[manifest["words"]["vanished"]] = False
    kept[manifest["words"]["cut"]] = False
    missing = []
    for shard in shards:
        if not shard.finished:
            kept[shard.begin : shard.end] = False
            missing.append(shard.name)
        elif verify:
            shard.opened.verify()
        else:
            shard.opened  # noqa: B018 - a truncated or missing file shows at once
    if missing:
        manifest["missing_shards"] = missing
    arrays = {site: _rows(site, shards, manifest) for site in manifest["sites"]}
    return arrays, kept, manifest


@final
class _Shard:
    """A shard as the manifest tells of it, opened when needed."""

    def __init__(self, folder: Folder, manifest: dict[str, Any], index: int) -> None:
        self._folder, self._manifest = folder, manifest
        self._entry = manifest["shards"][index]
        self.name = str(self._entry["file"])
        self.begin, self.end = int(self._entry["begin"]), int(self._entry["end"])
        self.finished = "sha256" in self._entry

    @cached_property
    def opened(self) -> ShardFile:
        m = self._manifest
        return ShardFile(
            self._folder / self.name,
            m["sites"],
            self.end - self.begin,
            int(m["model"]["d_model"]),
            m["settings"]["dtype"],
            self._entry,
        )

    def site(self, name: str) -> np.ndarray:
        return self.opened.site(name)

    def leave(self) -> None:
        self.opened.leave()


def _rows(site: str, shards: Sequence[_Shard], manifest: dict[str, Any]) -> np.ndarray | Rows:
    dtype: Dtype = manifest["settings"]["dtype"]
    width = int(manifest["model"]["d_model"])
    openers = [
        (lambda s=shard: s.site(site)) if shard.finished else absent(shard.name) for shard in shards
    ]
    wide = np.dtype(np.float64 if dtype == "float64" else np.float32)
    bounds = [shard.begin for shard in shards] + [shards[-1].end]
    leave = [shard.leave for shard in shards]
    return Rows(openers, bounds, width, wide, bfloat16=dtype == "bfloat16", leave=leave)


def _note_arithmetic(manifest: dict[str, Any], identity: Mapping[str, Any]) -> None:
    """Say so where the shards that follow are computed in another way than the first."""
    software = manifest.setdefault("software", {})
    before = software.get(ARITHMETIC, "not noted")
    now = identity.get("software", {}).get(ARITHMETIC, before)
    if now not in before.split("; later shards: "):
        software[ARITHMETIC] = f"{before}; later shards: {now}"


def _comparable(manifest: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in manifest.items() if k not in _FREE}
    model = dict(kept.get("model", {}))
    model.pop("name", None)  # the same weights may lie elsewhere now
    return {**kept, "model": model}


def _write_manifest(folder: Folder, manifest: dict[str, Any]) -> None:
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    replace_file(folder / MANIFEST, lambda handle: handle.write(text.encode()))


def _lock(folder: Folder) -> int | None:
    """Hold the folder; the system lets go when the process ends, however it ends.

    Raises:
        StoreError: somebody else holds it.
    """
    try:
        import fcntl
    except ImportError:  # pragma: no cover - not on POSIX
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise StoreError(
            f"{folder} is being written by another process: wait for it, or choose another folder"
        ) from error
    return handle
