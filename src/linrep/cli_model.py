"""Commands that make models: construct one from a grammar, or train one on its sentences."""

from pathlib import Path
from typing import Annotated

import typer

from .cli_common import JsonFlag, OutFolder, Seed, add, announce, emit, quiet

__all__ = ["register"]

GrammarFile = Annotated[Path, typer.Argument(help="Grammar: text format of nltk.PCFG, or JSON.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    add(app, construct, "Example: linrep construct language.cfg --out models/made")
    add(app, train, "Example: linrep train --grammar language.cfg --out models/trained")


def construct(  # noqa: PLR0913 - one per option
    file: GrammarFile,
    out: OutFolder,
    mode: Annotated[str, typer.Option(help="spans, or shapes (one parser per tree shape).")] = (
        "spans"
    ),
    passes: Annotated[int, typer.Option(help="2, or 1: half the depth.")] = 2,
    semiring: Annotated[str, typer.Option(help="probability, boolean, deterministic.")] = (
        "probability"
    ),
    head: Annotated[str, typer.Option(help="scores, probabilities or log.")] = "scores",
    log_error: Annotated[
        float, typer.Option(help="Error of a log head's values, at most, in nats.")
    ] = 1e-3,
    positions: Annotated[str, typer.Option(help="onehot, circular or bias.")] = "onehot",
    rotation: Annotated[
        int | None, typer.Option(min=0, help="Seed of a rotated residual basis.")
    ] = None,
    drowning: Annotated[
        str,
        typer.Option(
            help="refuse a rotated model whose rare scores drown in the basis' noise, or allow it."
        ),
    ] = "refuse",
    backend: Annotated[
        str,
        typer.Option(
            help="dense, or sparse for grammars whose dense model would be too large: the folder "
            "then holds a recipe that GrammarTransformer.from_pretrained reads."
        ),
    ] = "dense",
    max_parameters: Annotated[
        int, typer.Option(min=1, help="Largest dense model that is built.")
    ] = 50_000_000,
    max_shapes: Annotated[
        int, typer.Option(min=1, help="Most tree shapes that get a parser each.")
    ] = 1_000,
    as_json: JsonFlag = False,
) -> None:
    """Compute a transformer's weights from a grammar; an ordinary Hugging Face folder."""
    from .grammars import Grammar
    from .reports import fresh_folder, refuse_occupied

    refuse_occupied(out)
    read = Grammar.from_file(file)
    announce("loading PyTorch")
    quiet()
    from .constructions import GrammarTransformer

    made = GrammarTransformer.from_grammar(
        read, mode=mode, passes=passes, semiring=semiring, head=head, positions=positions,
        rotation=rotation, drowning=drowning, backend=backend, max_parameters=max_parameters,
        max_shapes=max_shapes, log_error=log_error,
    )  # fmt: skip
    with fresh_folder(out) as folder:
        made.save_pretrained(folder)
    counted = made.accounting()
    sizes = [vars(row) for row in counted.rows]
    facts = {"model": str(out), "accounting": sizes, "exactness": str(made.guarantee)}
    emit(facts, f"{counted}\n\nmodel: {out}", as_json=as_json)


def train(
    grammar: Annotated[Path, typer.Option(help="Grammar file to learn from.")],
    out: OutFolder,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 1000,
    sentences: Annotated[int, typer.Option(min=1, help="Sentences to learn from.")] = 4096,
    layers: Annotated[int, typer.Option(min=1, help="Blocks.")] = 4,
    width: Annotated[int, typer.Option(min=4, help="Width of the stream.")] = 64,
    heads: Annotated[int, typer.Option(min=1, help="Attention heads.")] = 4,
    seed: Seed = 0,
    as_json: JsonFlag = False,
) -> None:
    """Train a small causal transformer on the sentences of a grammar."""
    from .grammars import Grammar
    from .reports import fresh_folder, refuse_occupied

    refuse_occupied(out)
    read = Grammar.from_file(grammar)
    announce("loading PyTorch")
    quiet()
    from .core import refuse_full
    from .models import train as fit
    from .models.training import require_small

    size = require_small(hidden_size=width, num_hidden_layers=layers)
    refuse_full(out, 4 * size, "the trained model")
    made = fit(
        read, sentences=sentences, steps=steps, seed=seed,
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
    )  # fmt: skip
    with fresh_folder(out) as folder:
        made.model.save_pretrained(folder)
    last = made.losses[-max(1, len(made.losses) // 20) :]
    loss = sum(last) / len(last)
    floor = read.entropy / (float(read.mean_length) + 1)
    data = {"model": str(out), "loss": loss, "entropy": floor, "settings": made.settings}
    text = (
        f"loss: {loss:.4f} nats per token (mean of the last {len(last)} steps)\n"
        f"entropy of the derivations: {floor:.4f} nats per token, a floor if the grammar is "
        f"unambiguous\n\nmodel: {out}"
    )
    emit(data, text, as_json=as_json)
