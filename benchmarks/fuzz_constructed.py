"""Damaged folders of constructed models: each is refused in one message, or read as what it is.

    python benchmarks/fuzz_constructed.py         # 1,000 of each kind
    python benchmarks/fuzz_constructed.py --n 5000 --seed 7

What a construction notes in its folder is damaged: the grammar and settings of a grammar
transformer, its recipe where it is sparse, the layout of a maxout transformer. (Weights and the
rest of a folder: fuzz_models.py.) What is read computes once. What is counted is explained in
fuzzing.py.
"""

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import transformers as tf
from fuzzing import JSON_WORDS, Reader, damaged_data, damaged_json, file_contents, main

from linrep.constructions import GrammarTransformer, MaxoutTransformer
from linrep.grammars import Grammar
from linrep.piecewise import tent

GRAMMAR = "S -> A B [0.7] | B [0.3]\nA -> 'a' | 'b'\nB -> 'c' A | 'd' 'd'\n"
RECIPE = "linrep_sparse.json"
VALUES = ["shapes", "boolean", "log", "circular", "sparse", "dense", "float32", 3, "S -> 'a'"]


def grammar_facts(folder: Path) -> list[Any]:
    """What a grammar transformer computes, and what it says of itself."""
    made = GrammarTransformer.from_pretrained(folder)
    following = {token: round(share, 9) for token, share in made.next_token(["a"]).items()}
    names = made.registry.to_list()
    return [str(made.grammar), made.settings, following, str(made.guarantee), names]


def maxout_facts(folder: Path) -> list[Any]:
    """What a maxout transformer computes, and the network in it."""
    made = MaxoutTransformer.from_pretrained(folder)
    found = made([[0.25]]).tolist()
    return [made.layout, found, made.to_maxout().widths, len(made.readouts), repr(made)]


def noted(folder: Path) -> Callable[[random.Random], tuple[Path, str]]:
    """Damages what a folder's configuration notes of the construction."""
    file = folder / "config.json"
    whole = json.loads(file.read_text())

    def damage(chance: random.Random) -> tuple[Path, str]:
        data, done = damaged_data(whole["linrep"], chance, VALUES)
        file.write_text(json.dumps({**whole, "linrep": data}))
        return folder, done

    return damage


def readers(scratch: Path) -> list[Reader]:
    """A dense and a sparse grammar transformer, and a maxout transformer."""
    tf.utils.logging.set_verbosity_error()
    tf.utils.logging.disable_progress_bar()
    dense, sparse, maxout = (scratch / name for name in ("dense", "sparse", "maxout"))
    grammar = Grammar.from_text(GRAMMAR)
    GrammarTransformer.from_grammar(grammar).save_pretrained(dense)
    GrammarTransformer.from_grammar(grammar, backend="sparse").save_pretrained(sparse)
    MaxoutTransformer.from_network(tent(2), (0, 1)).save_pretrained(maxout)
    recipe = (sparse / RECIPE).read_text()
    whole = [grammar_facts(dense), grammar_facts(sparse), maxout_facts(maxout)]

    def recipes(chance: random.Random) -> tuple[Path, str]:
        data, done = damaged_json(recipe, chance, JSON_WORDS, VALUES)
        (sparse / RECIPE).write_bytes(data)
        return sparse, done

    return [
        Reader("dense grammar models", noted(dense), grammar_facts, whole[0], False, file_contents),
        Reader("sparse grammar models", recipes, grammar_facts, whole[1], False, file_contents),
        Reader("maxout models", noted(maxout), maxout_facts, whole[2], False, file_contents),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__, readers))
