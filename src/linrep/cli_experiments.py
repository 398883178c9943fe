"""The command that runs one experiment of a table, prints its few numbers and writes its page."""

from pathlib import Path
from typing import Annotated

import typer

from .cli_common import JsonFlag, Seed, add, announce, emit, quiet

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add(app, experiment, "Example: linrep experiment belief --out runs/belief")


def experiment(
    name: Annotated[str, typer.Argument(help="Which experiment; list prints their names.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to make; by default runs/NAME.")
    ] = None,
    tiny: Annotated[
        bool, typer.Option("--tiny", help="Small sizes: a look in seconds, no verdicts.")
    ] = False,
    model: Annotated[
        str | None, typer.Option(help="Pretrained model, for experiments that read one.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Folder (trees: quoted glob) of its labelled data.")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="YAML file of the experiment's sizes, in place of its own.")
    ] = None,
    seed: Seed = 0,
    as_json: JsonFlag = False,
) -> None:
    """Run one experiment, print its few numbers as a Markdown table, and write its page.

    Raises:
        Exit: a check of the run failed.
    """
    from .experiments.questions.table import QUESTIONS, answer, require

    if name == "list":
        emit(QUESTIONS, "\n".join(f"{key}: {about}" for key, about in QUESTIONS.items()),
             as_json=as_json)  # fmt: skip
        return
    require(name)
    from .reports import refuse_occupied

    folder = out or Path("runs") / name
    refuse_occupied(folder)
    announce("loading PyTorch and TransformerLens")
    quiet()
    found = answer(name, folder, tiny=tiny, seed=seed, model=model, data=data, settings=settings)
    page = folder / "report.html"
    checks = [str(check) for study in found.run.studies for check in study.checks]
    text = "\n".join([found.to_markdown(), "", *checks, f"report: {page}"])
    emit(
        {"rows": found.rows, "checks": checks, "run": str(folder), "report": str(page)}, text,
        as_json=as_json,
    )  # fmt: skip
    if not found.run.passed:
        raise typer.Exit(1)
