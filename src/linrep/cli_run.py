"""Commands that make runs: the demo, a probe of any model, any experiment from its settings."""

from pathlib import Path
from typing import Annotated

import typer

from .cli_common import (
    EngineName,
    GrammarName,
    JsonFlag,
    OutFolder,
    Overwrite,
    Seed,
    add,
    announce,
    emit_run,
    quiet,
)

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    add(app, demo, "Example: linrep demo --out runs/demo")
    add(app, probe, PROBE_EXAMPLES)
    add(app, run, "Example: linrep run runs/demo/settings.yaml --out runs/again")


PROBE_EXAMPLES = (
    "Examples: linrep probe --model gpt2 --data a.csv --target label --out runs/truth ;  "
    "linrep probe --model bert-base-uncased --data 'ud/*.conllu' --target upos --target depth "
    "--out runs/ud ;  linrep probe --model bert-base-uncased --trees 't/*.ptb' --out runs/bert ;  "
    "linrep probe --model runs/model --grammar language.cfg --targets beliefs --out runs/trained"
)


def demo(
    out: OutFolder = Path("runs/demo"),
    seed: Seed = 0,
    engine: EngineName = "local",
    overwrite: Overwrite = False,
    as_json: JsonFlag = False,
) -> None:
    """Grammar to constructed model to probes to report, embedded; two minutes of one core."""
    from .experiments.demo import demo_settings

    _make(demo_settings(seed), out, engine, overwrite, as_json)


def probe(  # noqa: PLR0913 - one per option
    model: Annotated[str, typer.Option(help="Model folder, or hub id in the local cache.")],
    out: OutFolder,
    trees: Annotated[str | None, typer.Option(help="Glob of Penn-bracket files, quoted.")] = None,
    grammar: GrammarName = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Labelled text instead of trees: a table (.csv, .tsv, .jsonl, .parquet), a glob "
            "of CoNLL-U files, quoted, words and tags in columns (.conll, .txt), or spans, minimal "
            "pairs or chats (.jsonl)."
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="What of the data to recover: a column, upos, depth, Number, ...; of words in "
            "columns NAME for the last, NAME=1 for the second; repeatable."
        ),
    ] = None,
    transfer: Annotated[
        list[str] | None,
        typer.Option(
            help="Another file of the same kind: probes trained on --data are scored on it, and "
            "the other way round; repeatable."
        ),
    ] = None,
    text: Annotated[
        str,
        typer.Option(help="Column of the texts of a table; of minimal pairs two, comma between."),
    ] = "text",
    span: Annotated[
        str | None,
        typer.Option(
            help="What of each text is read: a column with its characters, or two with their "
            "places, comma between; of minimal pairs: difference; by default the whole text."
        ),
    ] = None,
    at: Annotated[
        str, typer.Option(help="Token that stands for what is read: last, first or mean.")
    ] = "last",
    number: Annotated[
        list[str] | None, typer.Option(help="Target whose integers are numbers; repeatable.")
    ] = None,
    answer: Annotated[
        bool, typer.Option(help="End chats with the mark behind which the model answers.")
    ] = False,
    most: Annotated[
        int | None, typer.Option(min=2, help="Texts at most, drawn by the seed; by default all.")
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(help="Blocks to read beside the embedding, comma between; by default all."),
    ] = None,
    heights: Annotated[
        str | None,
        typer.Option(
            help="Heights to probe, with commas between; by default every height with at least "
            "two labels, for treebanks of heights 1 to 4."
        ),
    ] = None,
    targets: Annotated[str, typer.Option(help="Of a grammar: labels, or beliefs too.")] = "labels",
    sentences: Annotated[int, typer.Option(min=2, help="Sampled from the grammar.")] = 1000,
    positions: Annotated[str, typer.Option(help="Tokens to probe: all or boundary.")] = "all",
    group: Annotated[
        str,
        typer.Option(
            help="Never divided between training and test: document, sentence, or auto "
            "(documents where there are several files, else sentences); of a table a column."
        ),
    ] = "auto",
    permutations: Annotated[int, typer.Option(min=0, help="Shuffles per p-value.")] = 200,
    codelength: Annotated[bool, typer.Option(help="Measure online codelength.")] = False,
    examples: Annotated[
        int, typer.Option(min=0, max=200, help="Held-out texts shown on the page; 0: no text.")
    ] = 24,
    causal: Annotated[
        str,
        typer.Option(
            help="Exchange states to see whether they are used: auto (where the language gives the "
            "exact answer and the model is small), yes or no."
        ),
    ] = "auto",
    das: Annotated[
        int,
        typer.Option(
            min=0,
            help="Epochs of a search for a subspace whose exchange works, at each site, with its "
            "own controls (distributed alignment search); 0: none.",
        ),
    ] = 0,
    erase: Annotated[
        bool,
        typer.Option(
            "--erase",
            help="Take each target out where it is first read, and measure what can still be read "
            "later and what the model loses.",
        ),
    ] = False,
    steer: Annotated[
        bool,
        typer.Option(
            "--steer",
            help="Push the stream from one symbol towards another, in doses: effect and damage.",
        ),
    ] = False,
    long_inputs: Annotated[
        str,
        typer.Option(
            help="Sentences beyond the model's context: refuse, window (read through windows that "
            "overlap) or cut (the words beyond are lost, and counted)."
        ),
    ] = "refuse",
    special_tokens: Annotated[
        bool, typer.Option(help="Let the tokenizer add its BOS, [CLS], [SEP].")
    ] = True,
    check: Annotated[
        str | None,
        typer.Option(
            help="Self-checks of the capture, comma between; by default all: special, arithmetic, "
            "reference, kernel, batch, padding, edit."
        ),
    ] = None,
    seed: Seed = 0,
    engine: EngineName = "local",
    overwrite: Overwrite = False,
    as_json: JsonFlag = False,
) -> None:
    """Probe a model on labelled text, a treebank or a grammar, beside its random-weight twins."""
    from .experiments.data_options import of_data
    from .experiments.treebank import probe_settings

    labelled = of_data(
        data, target, trees=trees, grammar=grammar, text=text, span=span, group=group, at=at,
        numbers=number, answer=answer, most=most, transfer=transfer,
    )  # fmt: skip
    settings = probe_settings(
        model, trees, grammar, heights=heights, sentences=sentences, positions=positions,
        groups=group, permutations=permutations, codelength=codelength, examples=examples,
        causal=causal, das=das, erase=erase, steer=steer, long_inputs=long_inputs,
        special_tokens=special_tokens, check=check, seed=seed, data=labelled, layers=layers,
        targets=targets,
    )  # fmt: skip
    _make(settings, out, engine, overwrite, as_json)


def run(
    settings: Annotated[Path, typer.Argument(help="YAML, such as the settings.yaml of a run.")],
    out: OutFolder,
    override: Annotated[
        list[str] | None, typer.Option("--set", help="dotted.name=value, repeatable.")
    ] = None,
    engine: EngineName = "local",
    overwrite: Overwrite = False,
    as_json: JsonFlag = False,
) -> None:
    """Run any experiment from its settings."""
    from .experiments.settings import read_settings

    _make(read_settings(settings, tuple(override or ())), out, engine, overwrite, as_json)


def _make(settings: object, out: Path, engine: str, overwrite: bool, as_json: bool) -> None:
    """Refuse early, run, write, sum up."""
    from .experiments.settings import Experiment
    from .reports import refuse_occupied, write_run

    assert isinstance(settings, Experiment)  # noqa: S101 - ours, and keeps the import lazy
    refuse_occupied(out, overwrite=overwrite)
    announce("loading PyTorch and TransformerLens")
    quiet()
    from .experiments.pipeline import run_experiment

    made = run_experiment(settings, engine=engine)
    folder = write_run(made, out, overwrite=overwrite)
    emit_run(made, folder, as_json=as_json)
