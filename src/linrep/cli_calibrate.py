"""The command that asks what this instrument would say where there is nothing to find."""

from typing import Annotated

import typer

from .cli_common import GrammarName, JsonFlag, Seed, add, announce, emit, quiet

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    add(app, calibrate, "linrep calibrate --model DIR --trees 'trees/*.ptb' --runs 40")


def calibrate(
    model: Annotated[str, typer.Option(help="Model folder, or a hub id in the local cache.")],
    trees: Annotated[str | None, typer.Option(help="Glob of Penn-bracket files.")] = None,
    grammar: GrammarName = None,
    heights: Annotated[str | None, typer.Option(help="Heights to probe, comma between.")] = None,
    sentences: Annotated[int, typer.Option(min=2, help="Sampled from the grammar.")] = 300,
    positions: Annotated[str, typer.Option(help="Tokens to probe: all or boundary.")] = "all",
    group: Annotated[str, typer.Option(help="document, sentence or auto.")] = "auto",
    runs: Annotated[int, typer.Option(min=1, max=10_000, help="Pages of each kind.")] = 40,
    seed: Seed = 0,
    as_json: JsonFlag = False,
) -> None:
    """Count false claims: what would be said of untrained copies of a model, and of made-up labels?

    Raises:
        Exit: more pages say something false than 5 % and chance allow.
    """
    from .experiments.treebank import probe_settings

    settings = probe_settings(
        model, trees, grammar, heights=heights, sentences=sentences, positions=positions,
        groups=group, seed=seed,
    )  # fmt: skip
    announce("loading PyTorch and TransformerLens")
    quiet()
    from .experiments.calibration import calibrate as count

    found = count(settings.studies[0], runs=runs)
    told = [
        {"what": each.what, "true_rung": each.true_rung, "runs": each.runs, "false": each.false,
         "rate": each.rate, "interval": each.interval, "answer": each.answer}
        for each in found
    ]  # fmt: skip
    emit({"calibration": told}, "\n".join(map(str, found)), as_json=as_json)
    if any(each.answer == "too many" for each in found):
        raise typer.Exit(1)
