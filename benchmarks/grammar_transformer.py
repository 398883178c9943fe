"""Time and memory of the grammar transformer on the published cfg3 grammars and on families.

Run: ``python benchmarks/grammar_transformer.py [FILE.json ...]``
"""

import resource
import sys
import time

import numpy as np

from linrep.constructions import ConstructionError, GrammarTransformer
from linrep.grammars import Grammar, families


def measure(name: str, grammar: Grammar, backend: str, length: int | None = None) -> None:
    start = time.process_time()
    try:
        model = GrammarTransformer.from_grammar(grammar, backend=backend)
    except ConstructionError as error:
        print(f"{name:<28}{backend:<8}{error}")
        return
    assembled = time.process_time() - start
    drawn = grammar.sample(40, seed=1).sentences
    chosen = sorted(drawn, key=lambda s: abs(len(s) - (length or len(s))))[:2]
    start = time.process_time()
    rows = model.next_tokens(chosen)
    forward = time.process_time() - start
    error = max(
        float(np.abs(found - grammar.next_token_probabilities(s)).max())
        for found, s in zip(rows, chosen, strict=True)
    )
    program, peak = model.program, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{name:<28}{backend:<8}layers {len(program.layers):>3}  neurons {program.n_neurons:>8,}  "
        f"width {len(program.registry):>8,}  assembly {assembled:6.2f} s  "
        f"forward 2 x {max(map(len, chosen))}: {forward:6.2f} s  error {error:.1e}  "
        f"peak so far {peak:.2f} GiB"
    )


def main() -> None:
    for backend in ("dense", "sparse"):
        measure("latin 4, depth 6", families.latin(4, 6), backend)
        measure("hierarchy 8 x 4, depth 5", families.random_hierarchy(8, 4, 2, 5), backend)
    for file in sys.argv[1:]:
        grammar = Grammar.from_file(file)
        for backend in ("dense", "sparse"):
            measure(file.rsplit("/", 1)[-1], grammar, backend, length=235)


if __name__ == "__main__":
    main()
