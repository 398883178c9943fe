"""Damaged settings of experiments: each is refused in one message, or read.

    python benchmarks/fuzz_settings.py            # 1,000 of each kind
    python benchmarks/fuzz_settings.py --n 100000 --seed 7

Files are damaged as text and as data, and ``--set`` with damaged names and values. What is counted
is explained in fuzzing.py.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

from fuzzing import JSON_WORDS, Reader, damaged_bytes, damaged_json, damaged_text, main

from linrep.experiments.settings import read_settings

TEXT = """title: A staircase
question: ''
studies:
- name: planted
  language:
    source: grammar_text
    text: |
      S -> 'a' B
      B -> 'b' | 'c'
  model: {source: constructed, rotation: 1}
  sentences: 200
  probes:
    heights: [1, 2]
    C: [0.1, 1.0e+2]
    permutations: 50
- name: second
  language: {source: latin, order: 2, depth: 2}
  model: {source: loaded, path: models/made}
  seed: 7
"""
DATA = {
    "title": "A staircase",
    "studies": [
        {
            "name": "planted",
            "language": {"source": "treebank", "paths": "trees/*.ptb", "unary": "keep"},
            "model": {"source": "loaded", "path": "models/made"},
            "probes": {"heights": [1, 2], "C": 1.0, "controls": ["position"], "twins": 1},
        }
    ],
}
WORDS = [
    ": ", "- ", "? ", "&a ", "*a", "<<: ", "!!python/object/apply:os.getcwd []", "!x ", "|\n",
    ">-\n", "{", "}", "[", "]", ",", "\t", "\n", "\n  ", "---\n", "...\n", "%YAML 1.1\n", "@", "`",
    "#", "'", '"', "\\", "~", "null", "yes", "2001-99-99", "2001-12-14t21:59:43.10-05:00", "0b_",
    "0o8", "1:60", ".inf", ".nan", "!!binary x", "!!set {a}", "!!int x", "=", "title", "studies",
]  # fmt: skip
NAMES = [
    "title", "studies", "studies.0", "studies.0.name", "studies.0.sentences", "studies.-1.seed",
    "studies.0.probes.C", "studies.9.name", "studies.x", "", ".", "studies.0.model", "a.b",
    "studies.0.probes.bootstrap",
]  # fmt: skip


def readers(scratch: Path) -> list[Reader]:
    """Settings as YAML text, as data, and with single names set."""
    file, whole = scratch / "settings.yaml", scratch / "whole.yaml"

    def text(chance: random.Random) -> tuple[tuple[Path], str]:
        damaged, done = damaged_text(TEXT, chance, WORDS)
        data = damaged.encode("utf-8", "surrogatepass")
        if chance.random() < 0.1:
            data, done = damaged_bytes(data, chance)
        file.write_bytes(data)
        return (file,), done

    def data(chance: random.Random) -> tuple[tuple[Path], str]:
        damaged, done = damaged_json(json.dumps(DATA), chance, JSON_WORDS)
        file.write_bytes(damaged)
        return (file,), done

    def override(chance: random.Random) -> tuple[tuple[Path, tuple[str]], str]:
        name, value = chance.choice(NAMES), chance.choice(["1", "[1, 2]", "{a: 1}", "text"])
        one, done = damaged_text(f"{name}={value}", chance, [*WORDS, *NAMES])
        return (whole, (one,)), f"--set: {done}"

    def read(given: tuple[Any, ...]) -> Any:
        return read_settings(*given).dump()

    whole.write_text(TEXT)
    expected = read((whole,))
    return [
        Reader("settings as text", text, read, expected),
        Reader("settings as data", data, read, expected),
        Reader("settings set", override, read, expected),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__, readers))
