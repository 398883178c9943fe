"""Commands that train small models on a language, and go on where they were interrupted."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .cli_common import EngineName, JsonFlag, Seed, add, announce, emit, quiet

if TYPE_CHECKING:
    from .models import TrainedModel

__all__ = ["register"]

EXAMPLES = (
    "Examples: linrep train --grammar language.cfg --out models/trained ;  linrep train --grammar "
    "random_hierarchy:4:2:2:3 --steps 800 --learning-rate 0.002 --until 0.002 --out models/h ;  "
    "linrep train --grammar latin:3:3:one --checkpoints 500 --out models/l --resume"
)


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    add(app, train, EXAMPLES)
    add(app, sweep, "Example: linrep sweep sweep.yaml --out models/sweep --engine processes:2")


def train(  # noqa: PLR0913 - one per option
    grammar: Annotated[
        str,
        typer.Option(
            help="Grammar file to learn from, latin:ORDER:DEPTH[:one], or "
            "random_hierarchy:4:2:2:3 (symbols, rules of each, arity, depth; a seed behind them); "
            "a recursive grammar is first bounded (linrep grammar FILE --unroll DEPTH "
            "--out NEW)."
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder to make; it must not exist, unless it is resumed."),
    ],
    architecture: Annotated[
        str, typer.Option(help="plain, or gpt2 or llama of transformers; words are tokens.")
    ] = "plain",
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps at most.")] = 1000,
    sentences: Annotated[int, typer.Option(min=1, help="Sentences to learn from.")] = 4096,
    batch: Annotated[int, typer.Option(min=1, help="Sentences per step.")] = 64,
    learning_rate: Annotated[
        float, typer.Option(min=0.0, help="Peak rate; it falls to 0 over the steps.")
    ] = 1e-3,
    layers: Annotated[int, typer.Option(min=1, help="Blocks.")] = 4,
    width: Annotated[int, typer.Option(min=4, help="Width of the stream.")] = 64,
    heads: Annotated[int, typer.Option(min=1, help="Attention heads.")] = 4,
    measure_every: Annotated[
        int, typer.Option(min=0, help="Steps between two rows of the log; 0: at the end alone.")
    ] = 100,
    until: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Stop where the KL to the exact distribution is at most this, nats per token.",
        ),
    ] = None,
    checkpoints: Annotated[
        str | None,
        typer.Option(
            help="Keep models on the way, in OUT/checkpoints: a number n for every n-th step, or "
            "the steps, comma between (0: before the first; one step: 500,)."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on where a training in this folder was interrupted."),
    ] = False,
    seed: Seed = 0,
    as_json: JsonFlag = False,
) -> None:
    """Train a small causal transformer on a language's sentences, its distance to the truth logged.

    Raises:
        KeyboardInterrupt: it was interrupted; how to go on has been said.
    """
    from .experiments.languages import make_grammar
    from .experiments.naming import language_named
    from .reports import refuse_occupied

    if not resume:
        _refuse_begun(out)
        refuse_occupied(out)
    steps_kept = _steps(checkpoints)
    language: Any = make_grammar(language_named(grammar))
    announce("loading PyTorch")
    quiet()
    from .models import train as fit
    from .models.training import steps_done

    chosen: dict[str, Any] = {
        "architecture": architecture, "steps": steps, "sentences": sentences, "batch_size": batch,
        "learning_rate": learning_rate, "hidden_size": width, "num_hidden_layers": layers,
        "num_attention_heads": heads, "measure_every": measure_every, "until": until,
        "checkpoints": steps_kept, "seed": seed,
    }  # fmt: skip
    try:
        made = fit(language, folder=out, resume=resume, **chosen)
    except KeyboardInterrupt:
        if (out / "training.json").exists():
            told = f"linrep: training stands at step {steps_done(out) or 0} of {steps}; to go on, "
            print(told + "repeat the command with --resume", file=sys.stderr)
        raise
    facts = {"model": str(out), **_facts(made), "settings": made.settings}
    emit(facts, f"{_told(made, until)}\n\nmodel: {out}", as_json=as_json)


def sweep(
    settings: Annotated[
        Path,
        typer.Argument(help="YAML: language, depths, widths, seeds, steps, ..."),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the trainings; what is finished there stays.")
    ],
    override: Annotated[
        list[str] | None, typer.Option("--set", help="dotted.name=value, repeatable.")
    ] = None,
    engine: EngineName = "local",
    as_json: JsonFlag = False,
) -> None:
    """Train at every point of a grid; called again, it does what is not finished.

    Raises:
        KeyboardInterrupt: it was interrupted; how to go on has been said.
    """
    from .experiments import read_sweep

    asked = read_sweep(settings, tuple(override or ()))
    announce("loading PyTorch")
    quiet()
    from .experiments import run_sweep

    try:
        table = run_sweep(asked, out, engine=engine)
    except KeyboardInterrupt:
        print("linrep: to go on with the sweep, repeat the command", file=sys.stderr)
        raise
    rows = [asdict(row) for row in table.rows]
    shown = table.to_frame().drop(columns=["architecture", "depth", "width", "seed"])
    text = f"{shown.to_string(index=False)}\n\nsweep: {out}"
    emit({"sweep": str(out), "rows": rows}, text, as_json=as_json)


def _refuse_begun(out: Path) -> None:
    """A training that was interrupted is not begun again by accident.

    Raises:
        FolderError: there is one.
    """
    from .reports import FolderError

    if (out / "training.json").is_file() and not (out / "config.json").is_file():
        raise FolderError(
            f"the folder {out} holds a training that was interrupted; nothing was written: go on "
            "with --resume, or name another folder"
        )


def _steps(text: str | None) -> int | tuple[int, ...]:
    """Steps as an option has them: a number for every n-th, several for these.

    Raises:
        TrainingError: they are no whole numbers.
    """
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    numbers = [part for part in parts if part]
    if not numbers or not all(part.isdecimal() and len(part) < 19 for part in numbers):
        from .models import TrainingError

        raise TrainingError(
            "--checkpoints is a whole number, or several with commas between; received "
            f"{text!r:.80}"
        )
    return int(numbers[0]) if len(parts) == 1 else tuple(map(int, numbers))


def _facts(made: "TrainedModel") -> dict[str, Any]:
    """What a machine reads."""
    log = made.log
    return {
        "steps": len(made.losses),
        "loss": log.rows[-1].loss,
        "kl": log.kl,
        "entropy": log.floor,
        "log": log.to_dict(),
    }


def _told(made: "TrainedModel", until: float | None) -> str:
    """What a person reads."""
    log = made.log
    before = log.rows[-2].step if len(log.rows) > 1 else 0
    last = log.rows[-1].step
    steps = f"mean of steps {before + 1} to {last}" if last > before + 1 else f"step {last}"
    lines = [f"loss: {log.rows[-1].loss:.4f} nats per token (training sentences, {steps})"]
    if log.kl is None or log.floor is None:
        return "\n".join([*lines, f"KL to the exact distribution: not known; {log.note}"])
    lines += [
        f"KL to the exact distribution: {log.kl:.5f} nats per token (mean over {log.heldout} "
        "held-out sentences)",
        f"entropy floor: {log.floor:.4f} nats per token on the same sentences; the model's loss "
        f"there is {log.floor + log.kl:.4f}",
    ]
    if until is not None:
        reached = "reached" if log.kl <= until else "not reached"
        lines.append(f"KL of {until:g}: {reached} in {len(made.losses)} steps")
    return "\n".join(lines)
