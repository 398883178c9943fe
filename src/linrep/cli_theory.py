"""Commands that hold the two theorems to the weights: maxout networks, sizes of grammar models."""

from pathlib import Path
from typing import Annotated

import typer

from .cli_common import JsonFlag, OutFolder, Seed, add, announce, emit_run, quiet

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
    """Maxout networks as transformers: equality, regions, growth, probes; half a minute."""
    from .reports import refuse_occupied

    refuse_occupied(out)
    announce("loading PyTorch and TransformerLens")
    quiet()
    from .experiments.maxout.page import run
    from .reports import read_run

    run(out, tiny=tiny, seed=seed)
    emit_run(read_run(out), out, as_json=as_json)


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
