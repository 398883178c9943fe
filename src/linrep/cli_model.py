"""The command that makes a model without training: construct one from a grammar."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .cli_common import JsonFlag, OutFolder, add, announce, emit, quiet
from .cli_options import chosen_options, with_construction

__all__ = ["register"]

GrammarFile = Annotated[Path, typer.Argument(help="Grammar: text format of nltk.PCFG, or JSON.")]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add(
        app,
        with_construction(construct),
        "Example: linrep construct language.cfg --out models/made",
    )


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
