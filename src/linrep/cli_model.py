"""Commands that make models: construct one from a grammar, or train one on its sentences."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .cli_common import JsonFlag, OutFolder, Seed, add, announce, emit, quiet
from .cli_options import chosen_options, with_construction

__all__ = ["register"]

GrammarFile = Annotated[Path, typer.Argument(help="Grammar: text format of nltk.PCFG, or JSON.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    add(
        app,
        with_construction(construct),
        "Example: linrep construct language.cfg --out models/made",
    )
    add(app, train, "Example: linrep train --grammar language.cfg --out models/trained")


def construct(file: GrammarFile, out: OutFolder, as_json: JsonFlag = False, **chosen: Any) -> None:
    """Compute a transformer's weights from a grammar; an ordinary Hugging Face folder."""
    from .grammars import Grammar
    from .reports import fresh_folder, refuse_occupied

    refuse_occupied(out)
    read = Grammar.from_file(file)
    announce("loading PyTorch")
    quiet()
    from .constructions import GrammarTransformer

    made = GrammarTransformer.from_grammar(read, **chosen_options(chosen))
    with fresh_folder(out) as folder:
        made.save_pretrained(folder)
    counted = made.accounting()
    sizes = [vars(row) for row in counted.rows]
    notes = [f"note: {note}" for note in read.notes]
    facts = {"model": str(out), "accounting": sizes, "exactness": str(made.guarantee)}
    emit(
        facts | {"notes": list(read.notes)},
        "\n".join([str(counted), *notes, "", f"model: {out}"]),
        as_json=as_json,
    )


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
