"""A trained model beside the constructed one of its grammar, through linear maps.

    python benchmarks/bases_trained.py                          # trains, then measures: 5 minutes
    python benchmarks/bases_trained.py --rules 3 --seed 1 --steps 2000      # another grammar
    python benchmarks/bases_trained.py --model FOLDER           # of a model trained before

Prints what maps there and back give on sentences that they did not see, and the overlap of each
height's learned pattern with what its map carries; for the trained model and for one of its
untrained twins, which is compared with the others.
"""

import argparse
from typing import Any

import torch

MAPS = [
    "site", "reference_site", "r2", "r2_twins", "r2_shuffled", "r2_back", "r2_back_twins",
    "r2_back_shuffled", "cca_held_out", "cca_held_out_twins", "cca_held_out_shuffled", "cka",
    "cka_twins", "cka_shuffled", "procrustes_held_out", "procrustes_held_out_twins",
    "procrustes_held_out_shuffled",
]  # fmt: skip
CELLS = [
    "site", "target", "map_reference_site", "map_dims", "overlap", "null_high",
    "null_covariance_high", "null_exchanged_high", "map_null_twins_high",
    "map_null_shuffled_high", "decodable", "selective", "aligned",
]  # fmt: skip


def measured(name: str, acts: Any, twins: list[Any], theirs: Any, built: Any, corpus: Any) -> None:
    import linrep
    from linrep.reports.theory import carried_from

    found = linrep.probe(
        acts, corpus, heights=[1, 2], positions="boundary", random_weights=twins, bootstrap=0,
        permutations=200, controls=("random_weights", "surface", "shuffled"),
    )  # fmt: skip
    sites = [*carried_from(built.predictions), theirs.sites[-1]]
    maps = linrep.linear_maps(
        acts, theirs, corpus, random_weights=twins, heights=[1, 2],
        reference_sites=sites, rows=~found.learned_from,
    )  # fmt: skip
    rows = linrep.compare(found, built.predictions, through=maps).to_frame()
    for title, table, columns in (
        ("maps (twins, shuffled: the largest)", maps.to_frame(), MAPS),
        ("overlaps through the map (null_ and _high: upper ends)", rows, CELLS),
    ):
        shown = table[columns].rename(columns=lambda column: column.removeprefix("map_"))
        for column in ("site", "reference_site"):
            shown[column] = shown[column].str.replace(".hook_resid_", " ", regex=False)
        text = shown.to_string(index=False, float_format="{:.2f}".format)
        print(f"\n{name}: {title}\n{text}")


def main() -> None:
    import linrep

    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    options.add_argument("--model", help="a folder that save_pretrained wrote")
    options.add_argument("--rules", type=int, default=2, help="rules of each symbol")
    options.add_argument("--seed", type=int, default=0, help="of the grammar")
    options.add_argument("--steps", type=int, default=2500, help="of training")
    asked = options.parse_args()
    torch.set_num_threads(1)
    grammar = linrep.families.random_hierarchy(4, asked.rules, 2, 3, seed=asked.seed)
    sizes = {"sentences": 20_000, "steps": asked.steps, "learning_rate": 2e-3}
    model = (
        linrep.load_model(asked.model).model if asked.model
        else linrep.train(grammar, **sizes).model
    )  # fmt: skip
    built = linrep.GrammarTransformer.from_grammar(grammar)
    corpus = grammar.sample(2000, seed=1)
    read = [model, *(linrep.random_twin(model, seed=seed) for seed in range(6)), built.model]
    trained, *twins, theirs = (linrep.capture(one, corpus, progress=False) for one in read)
    measured("trained", trained, twins[:5], theirs, built, corpus)
    measured("untrained", twins[5], twins[:5], theirs, built, corpus)


if __name__ == "__main__":
    main()
