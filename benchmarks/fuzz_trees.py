"""Damaged treebanks: each is refused in one message with its line, or read.

    python benchmarks/fuzz_trees.py               # 1,000 of each kind
    python benchmarks/fuzz_trees.py --n 100000 --seed 7

What is read becomes a corpus, whose words, labels and boundaries are asked for at every height up
to the fourth. What is counted is explained in fuzzing.py.
"""

import random
import sys
from pathlib import Path
from typing import Any

from fuzzing import Reader, damaged_bytes, damaged_text, main

from linrep.corpora.penn import parse_penn
from linrep.grammars import Corpus, corpus_of_trees, read_treebank

TEXTS = [
    "( (S (NP-SBJ-1 (DT the) (NN cat)) (VP (VBD sat) (PP (IN on) (NP (DT a) (NN mat)))) (. .)) )\n"
    "(S (NP (PRP I)) (VP (VBP see) (-NONE- *T*-1)))\n# a comment\n(FRAG (-LRB- -LRB-) (UH oh))\n",
    "( (IP-MAT (NP-SBJ *con*) (NP (N hon)) (CODE <x>) (PU .)) (ID 1_TEST;JP))\n"
    "( (IP-MAT (NP-SBJ (PRO he)) (VBD came) (. .)) (ID 2_TEST;JP))\n",
    "(ROOT (A (B (C (D (E e))))) (A (B b)\n (C c)))(X y)\n(S (A\\/B 1\\/2) (N=2 20\u00a0000))\n",
]
WORDS = [
    "(", ")", "()", "(())", "( )", "(S ", "(NP x)", "(-NONE- *)", "(ID 1)", "(CODE x)", "0", "*T*",
    "\n", "\n#", "%%", ";", "*x*", " ", "-LRB-", "-RRB-", "\\/", "(A (A (A ", ")))",
    "( (S (A b)) )",    "-", "=", "+", "|",
]  # fmt: skip


def facts(corpus: Corpus) -> list[Any]:
    """What probes ask of a corpus."""
    found: list[Any] = [corpus.sentences, [str(tree) for tree in corpus.trees]]
    for height in list(corpus.heights)[:4]:
        found += [corpus.labels(height).tolist(), corpus.boundary(height).tolist()]
    return found


def of_text(given: tuple[str, str, str]) -> list[Any]:
    text, unary, marks = given
    trees = parse_penn(text, unary=unary, marks=marks)
    return facts(corpus_of_trees(trees)) if trees else []


def of_file(file: Path) -> list[Any]:
    return facts(read_treebank(file))


def readers(scratch: Path) -> list[Reader]:
    """Trees as text, with every choice of reading, and as files."""
    file = scratch / "trees.ptb"

    def text(chance: random.Random) -> tuple[tuple[str, str, str], str]:
        damaged, done = damaged_text(chance.choice(TEXTS), chance, WORDS)
        choice = chance.choice(["keep", "collapse"]), chance.choice(["strip", "keep"])
        return (damaged, *choice), f"{done}; {choice}"

    def written(chance: random.Random) -> tuple[Path, str]:
        damaged, done = damaged_text(chance.choice(TEXTS), chance, WORDS)
        data = damaged.encode("utf-8", "surrogatepass")
        if chance.random() < 0.2:
            data, done = damaged_bytes(data, chance)
        file.write_bytes(data)
        return file, done

    file.write_text(TEXTS[0])
    whole = of_file(file)
    return [
        Reader("trees as text", text, of_text, whole),
        Reader("trees in a file", written, of_file, whole),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__, readers))
