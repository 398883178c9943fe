"""Damaged stores of activations: each is refused in one message, or read.

    python benchmarks/fuzz_stores.py              # 1,000 of each kind
    python benchmarks/fuzz_stores.py --n 100000 --seed 7

A store is opened, half the time with every byte verified, and all its rows are read. What is
counted is explained in fuzzing.py.
"""

import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from fuzzing import JSON_WORDS, Reader, damaged_bytes, damaged_json, main

from linrep.hooks import Activations, capture
from linrep.models import PlainConfig, PlainTransformer
from linrep.models.twin import initialise

CORPUS = [["a", "b"], ["b"], ["a", "a", "b"], ["b", "a"]]
MANIFEST = "manifest.json"
VALUES = ["shard-00001.safetensors", "../x.safetensors", "float16", "bfloat16", "0" * 16, "0" * 64]


def write(folder: Path) -> None:
    """A store of several shards, of a tiny model."""
    size = {"hidden_size": 4, "num_attention_heads": 1, "intermediate_size": 4}
    config = PlainConfig(vocabulary=["<bos>", "a", "b", "<eos>"], **size)
    model = initialise(PlainTransformer(config), seed=0).eval()
    capture(model, CORPUS, store=folder, shard_words=3, progress=False)


def facts(given: tuple[Path, bool]) -> dict[str, Any]:
    """All that a store holds."""
    folder, verify = given
    acts = Activations.open(folder, verify=verify)
    found: dict[str, Any] = {site: np.asarray(acts[site]).tolist() for site in acts.sites}
    return found | {"kept": acts.kept.tolist(), "complete": acts.complete, "shown": repr(acts)}


def damaged_manifest(text: str, chance: random.Random) -> tuple[bytes, str]:
    """A manifest's bytes; now and then without checksums, as if it had never been checked."""
    if chance.random() < 0.05:
        manifest = json.loads(text)
        words = chance.choice([0, 1, 9, 10**6, 2**40, 2**53])
        manifest["corpus"]["words"] = manifest["words"]["total"] = words
        manifest["shards"][-1]["end"] = words
        return json.dumps(manifest).encode(), f"{words} words"
    data, done = damaged_json(text, chance, JSON_WORDS, VALUES)
    if chance.random() < 0.3:
        try:
            parsed = json.loads(data)
            for shard in parsed["shards"]:
                shard.pop(chance.choice(["sha256", "sums"]), None)
            return json.dumps(parsed).encode(), f"{done}, checksums dropped"
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
    return data, done


def damage_shard(file: Path, others: list[Path], chance: random.Random) -> str:
    """Change the file of a shard, and say how."""
    way = chance.choice(["bytes", "bytes", "bytes", "gone", "folder", "other", "header"])
    data, done = file.read_bytes(), ""
    if way == "bytes":
        data, done = damaged_bytes(data, chance)
    elif way == "header":
        size = int.from_bytes(data[:8], "little")
        head, done = damaged_json(data[8 : 8 + size].decode(), chance, JSON_WORDS)
        data = len(head).to_bytes(8, "little") + head + data[8 + size :]
    elif way == "other":
        data = chance.choice(others).read_bytes()
    file.unlink()
    if way == "folder":
        file.mkdir()
    elif way != "gone":
        file.write_bytes(data)
    return f"{file.name}: {way} {done}"


def readers(scratch: Path) -> list[Reader]:
    """A store with its manifest damaged, and one with a shard damaged."""
    whole, copy = scratch / "whole", scratch / "copy"
    write(whole)
    shutil.copytree(whole, copy)
    files = sorted(whole.iterdir())
    text = (whole / MANIFEST).read_text()

    spoiled = {MANIFEST}

    def fresh(next_one: str) -> None:
        while spoiled:
            name = spoiled.pop()
            if (copy / name).is_dir():
                (copy / name).rmdir()
            shutil.copyfile(whole / name, copy / name)
        spoiled.add(next_one)

    def manifest(chance: random.Random) -> tuple[tuple[Path, bool], str]:
        fresh(MANIFEST)
        data, done = damaged_manifest(text, chance)
        (copy / MANIFEST).write_bytes(data)
        return (copy, chance.random() < 0.5), done

    def shard(chance: random.Random) -> tuple[tuple[Path, bool], str]:
        name = chance.choice([file.name for file in files if file.name != MANIFEST])
        fresh(name)
        return (copy, chance.random() < 0.5), damage_shard(copy / name, files, chance)

    expected = facts((whole, True))
    return [
        Reader("manifests of stores", manifest, facts, expected),
        Reader("shards of stores", shard, facts, expected),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__, readers))
