"""Commands that hold the two theorems to the weights: maxout networks, sizes of grammar models."""

import json
from pathlib import Path
from typing import Annotated

import typer

from .cli_common import JsonFlag, OutFolder, Seed, add, announce, emit, emit_run, quiet

__all__ = ["register"]

Tiny = Annotated[bool, typer.Option("--tiny", help="Small sizes: a look in a few seconds.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    add(app, maxout, "Example: linrep maxout --out runs/maxout")
    add(app, scaling, "Example: linrep scaling --out runs/scaling")


def maxout(
    out: OutFolder = Path("runs/maxout"),
    seed: Seed = 0,
    tiny: Tiny = False,
    as_json: JsonFlag = False,
) -> None:
    """Maxout networks as transformers: equality, regions, growth, probes; half a minute.

    Raises:
        Exit: a check failed.
    """
    from .reports import fresh_folder, refuse_occupied

    refuse_occupied(out)
    announce("loading PyTorch and TransformerLens")
    quiet()
    from .experiments.maxout.page import run

    with fresh_folder(out) as folder:
        page = run(folder, tiny=tiny, seed=seed).name
    found = json.loads((out / "maxout.json").read_text("utf-8"))
    lines = []
    for question, answer in found.items():
        lines += [question, *(f"  {check}" for check in answer["checks"]), ""]
    text = "\n".join([*lines, f"report: {out / page}"])
    emit({"report": str(out / page), "questions": found}, text, as_json=as_json)
    if any(not c.startswith("ok") for answer in found.values() for c in answer["checks"]):
        raise typer.Exit(1)


def scaling(
    out: OutFolder = Path("runs/scaling"),
    grammar: Annotated[
        list[Path] | None,
        typer.Option(help="A grammar file of your own, held to the formulas too; repeatable."),
    ] = None,
    tiny: Tiny = False,
    as_json: JsonFlag = False,
) -> None:
    """Sizes of grammar transformers against depth, shapes and rules, held to the theorem's."""
    from .reports import refuse_occupied

    refuse_occupied(out)
    announce("loading PyTorch")
    quiet()
    from .experiments.scaling import run
    from .reports import read_run

    run(out, tiny=tiny, grammars=tuple(grammar or ()))
    emit_run(read_run(out), out, as_json=as_json)
