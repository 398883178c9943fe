"""Damaged grammars, of text and of JSON: each is refused in one message, or answers.

    python benchmarks/fuzz_grammars.py            # 1,000 of each kind
    python benchmarks/fuzz_grammars.py --n 100000 --seed 7

What ``linrep grammar FILE --sample 3 --next ''`` does is done with each: it is read, counted,
sampled from, and asked for its first token. What is counted is explained in fuzzing.py.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

from fuzzing import JSON_WORDS, Reader, damaged_json, damaged_text, main

from linrep.grammars import Grammar

TEXTS = [
    "S -> NP VP [0.7] | NP [0.3]\nNP -> 'the' N | N\nVP -> 'sees' NP [1/3] | 'sleeps' [2/3]\n"
    "N -> 'dog' | 'cat'\n",
    "# a comment\n%start A\nB -> 'b' | \"it's\" 'c' \\\n  | 'd'\nA -> B B [1e-3] | B [0.999]\n",
    "S -> S\\|x S\\|x [0.25] | 'a' [0.75]\nS\\|x -> 'x' | 'y' | 'z'\n",
]
WORDS = [
    "->", "|", "'", '"', "[", "]", "[0.5]", "[1]", "[0]", "[-1]", "[1e400]", "[1/0]", "S", "NP",
    "'a'", "''", "\\", "\\\n", "%start S", "%", "#", "\n", "<bos>", "'<eos>'", "S -> S",
    "A -> 'a'\n", " | 'b'", "(", "S -> A A\n", "\nS -> ",
]  # fmt: skip
CFG3 = {
    "idx": [[1], [2, 3], [4, 5, 6]],
    "all": [
        [{"id": 1, "children": [[0, 1], [1, 1, 0]]}],
        [{"id": 2, "children": [[0, 1], [2]]}, {"id": 3, "children": [[1, 2], [0, 0]]}],
        [{"id": 4, "children": []}, {"id": 5, "children": []}, {"id": 6, "children": []}],
    ],
}


def facts(grammar: Grammar) -> list[Any]:
    """What a grammar says of itself, down to three sentences."""
    return [
        str(grammar), grammar.depth, grammar.terminals, grammar.nonterminals,
        sorted(grammar.lengths), grammar.n_derivations, grammar.n_shapes, grammar.notes,
        grammar.next_token([]), grammar.sample(3, seed=0).sentences,
    ]  # fmt: skip


def of_file(file: Path) -> list[Any]:
    return facts(Grammar.from_file(file))


def readers(scratch: Path) -> list[Reader]:
    """Grammars as text, as files, and as the JSON of the cfg3 family."""
    file, archive = scratch / "grammar.cfg", scratch / "grammar.json"

    def text(chance: random.Random) -> tuple[str, str]:
        return damaged_text(chance.choice(TEXTS), chance, WORDS)

    def written(chance: random.Random) -> tuple[Path, str]:
        damaged, done = text(chance)
        file.write_text(damaged, encoding="utf-8", errors="surrogatepass", newline="")
        return file, done

    def cfg3(chance: random.Random) -> tuple[Path, str]:
        damaged, done = damaged_json(json.dumps(CFG3), chance, JSON_WORDS)
        archive.write_bytes(damaged)
        return archive, done

    file.write_text(TEXTS[0])
    archive.write_text(json.dumps(CFG3))
    return [
        Reader("grammar text", text, lambda given: facts(Grammar.from_text(given)), of_file(file)),
        Reader("grammar file", written, of_file, of_file(file)),
        Reader("grammar JSON", cfg3, of_file, of_file(archive)),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__, readers))
