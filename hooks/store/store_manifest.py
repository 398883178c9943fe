"""The manifest of a store: its schema, and what its parts must say of each other.

A store may come from anywhere. Names of shards are plain names inside it, shards follow each other
without a gap, and what does not meet the schema is refused in one message.
"""

import json
import re
from pathlib import Path as Folder
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...core.versions import other_version
from ..errors import StoreError
from .manifest import FORMAT

__all__ = ["MANIFEST", "read_store_manifest"]

MANIFEST = "manifest.json"

Count = Annotated[int, Field(ge=0, le=2**53)]
Sum = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)


class _Model(_Part):
    d_model: Annotated[int, Field(ge=1, le=2**31)]


class _Corpus(_Part):
    fingerprint: str
    words: Annotated[int, Field(ge=0, le=2**31)]  # for each a byte is held in memory


class _Settings(_Part):
    dtype: Literal["float32", "bfloat16", "float16", "float64"]


class _Words(_Part):
    total: Count
    vanished: list[Count]
    cut: list[Count]


class _ShardEntry(_Part):
    file: Annotated[str, Field(pattern=r"^shard-[0-9]+\.safetensors$")]
    begin: Count
    end: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    sums: dict[str, Annotated[list[Sum], Field(min_length=2, max_length=2)]] | None = None


class _StoreManifest(_Part):
    format: Literal["linrep activations 1"]
    model: _Model
    corpus: _Corpus
    settings: _Settings
    sites: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    words: _Words
    shards: Annotated[list[_ShardEntry], Field(min_length=1)]

    @model_validator(mode="after")
    def _parts_agree(self) -> "_StoreManifest":
        """Shards cover all words once, in order, and name every site.

        Raises:
            ValueError: they do not.
        """
        if len(set(self.sites)) < len(self.sites):
            raise ValueError("a site is named twice")
        if len({shard.file for shard in self.shards}) < len(self.shards):
            raise ValueError("two shards have one file")
        at = 0
        for shard in self.shards:
            if shard.begin != at or shard.end < at:
                raise ValueError(
                    f"{shard.file} holds words {shard.begin} to {shard.end}, where word {at} comes "
                    "next: a shard is missing, or stands in another place"
                )
            at = shard.end
            if (shard.sha256 is None) != (shard.sums is None):
                raise ValueError(f"{shard.file} has one of its two checksums")
            if shard.sums is not None and set(shard.sums) != set(self.sites):
                raise ValueError(f"{shard.file} has checksums of other sites")
        if at != self.words.total or self.words.total != self.corpus.words:
            raise ValueError(
                f"shards end at word {at}, of {self.words.total} words and a corpus of "
                f"{self.corpus.words}"
            )
        if any(i >= self.words.total for i in (*self.words.vanished, *self.words.cut)):
            raise ValueError("a word without an activation lies beyond the last word")
        return self


def read_store_manifest(folder: Folder) -> dict[str, Any]:
    """The manifest of a store, as it was written.

    Raises:
        StoreError: there is none, it is that of something else, or it contradicts itself.
    """
    file = folder / MANIFEST
    try:
        manifest: Any = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StoreError(f"{folder} is no store of activations: it has no {MANIFEST}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{file} cannot be read ({error!s:.200}): the store is damaged") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise StoreError(_no_store(file, manifest))
    try:
        _StoreManifest.model_validate(manifest)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "its parts"
        reason = first["msg"].removeprefix("Value error, ")
        raise StoreError(
            f"{file} is damaged: {place:.200}: {reason:.300}; capture again, into another folder"
        ) from None
    return manifest


def _no_store(file: Folder, manifest: Any) -> str:
    """What is said of a manifest of another format, or of another program."""
    name, _, own = FORMAT.rpartition(" ")
    written = manifest.get("format") if isinstance(manifest, dict) else None
    ours = re.fullmatch(rf"{name} ([0-9]{{1,9}})", written) if isinstance(written, str) else None
    if ours is None:
        return f"{file} is not of format {FORMAT!r}: it was written by something else"
    return (
        f"{file} is of format {written!r}; this linrep reads {FORMAT!r}: "
        f"{other_version(int(ours[1]), int(own))}, or capture again, into another folder"
    )
