"""Learned beside predicted on published grammars, through the sparse back end.

    python benchmarks/published_grammars.py FOLDER --page docs/published_grammars.md

FOLDER holds cfg3b.json, cfg3f.json, cfg3i.json and cfg3j.json (Physics of Language Models, part 1).
Each grammar is compiled, sentences are drawn, and at four places (the embedding, after three
blocks, half way, the end) the pattern of every chart value is laid beside its named directions; so
is cfg3b with a rule that nothing reaches. Each runs in a process of its own: time is processor time
of one core, memory the largest that the process held.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

GRAMMARS = {
    "cfg3b": 60, "cfg3b, a rule that nothing reaches": 24, "cfg3f": 24, "cfg3i": 40, "cfg3j": 24,
}  # fmt: skip
"""Name -> tokens read of each sentence."""
START, END = "<!-- counts -->", "<!-- end of counts -->"
ALIGNED = 0.99


def one(name: str, folder: Path, first: int) -> dict[str, Any]:
    """One grammar, in this process."""
    import resource
    import time

    from linrep.constructions import GrammarTransformer
    from linrep.experiments.sparse_charts import sparse_chart_cells
    from linrep.grammars import Grammar

    grammar = Grammar.from_file(folder / f"{name.split(',')[0]}.json")
    if "," in name:
        grammar = Grammar.from_text(f"{grammar}\nunused -> '1' '2'")
    corpus = grammar.sample(2400 // first, seed=0)
    begun = time.process_time()
    made = GrammarTransformer.from_grammar(grammar, backend="sparse")
    built = time.process_time()
    layers = len(made.program.layers)
    cells = sparse_chart_cells(made, corpus, [0, 3, layers // 2, layers], first=first)
    written = [cell for cell in cells if cell.written]
    return {
        "grammar": name,
        "notes": list(grammar.notes),
        "coordinates": len(made.registry),
        "tokens": sum(min(len(s), first) for s in corpus.sentences),
        "written": len(written),
        "aligned": sum(cell.overlap >= ALIGNED for cell in written),
        "unwritten": len(cells) - len(written),
        "clean": sum(not cell.learned for cell in cells if not cell.written),
        "dimensions": sum(cell.predicted for cell in written),
        "build": built - begun,
        "compare": time.process_time() - built,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def lines(found: list[dict[str, Any]]) -> list[str]:
    """A table in Markdown."""
    out = [
        "| grammar | coordinates | tokens | aligned of written | clean of unwritten | dimensions "
        "compared | build, s | compare, s | memory, GiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        out.append(
            f"| {row['grammar']} | {row['coordinates']:,} | {row['tokens']:,} | "
            f"{row['aligned']} of {row['written']} | {row['clean']} of {row['unwritten']} | "
            f"{row['dimensions']} | {row['build']:.0f} | {row['compare']:.0f} | "
            f"{row['memory']:.1f} |"
        )
    notes = [f"{row['grammar']}: {note}." for row in found for note in row["notes"]]
    return [*out, *([""] if notes else []), *notes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=list(GRAMMARS), help="this grammar, in this process")
    parser.add_argument("--page", type=Path, help="Markdown to write the table into")
    asked = parser.parse_args()
    if asked.only:
        print(json.dumps(one(asked.only, asked.folder, GRAMMARS[asked.only])))
        return
    found = []
    for name in GRAMMARS:
        command = [sys.executable, __file__, str(asked.folder), "--only", name]
        one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=one_thread)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print("\n".join(lines(found[-1:])[2:]), flush=True)
    if asked.page:
        text = asked.page.read_text("utf-8") if asked.page.exists() else f"{START}\n{END}\n"
        before, after = text.split(START)[0], text.split(END)[1]
        table = "\n".join(lines(found))
        asked.page.write_text(f"{before}{START}\n{table}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
