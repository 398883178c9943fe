"""Commands about languages and networks: validate, count, sample, predict; count regions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .cli_common import JsonFlag, Seed, add, announce, emit, printable, quiet

if TYPE_CHECKING:
    from .grammars import Grammar
    from .piecewise import MaxoutNetwork, PlaneRegions, SegmentRegions

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    add(app, grammar, GRAMMAR_EXAMPLE)
    add(app, regions, REGIONS_EXAMPLES)


GRAMMAR_EXAMPLE = (
    "Examples: linrep grammar language.cfg --sample 5 --next 'the dog' ;  "
    "linrep grammar recursive.cfg --unroll 6 --out bounded.cfg ;  "
    "linrep grammar language.cfg --below NP --out phrases.cfg"
)
BUDGETS = {1: 100_000, 2: 1_000_000}  # cells at most, by the number of inputs
REGIONS_EXAMPLES = (
    "Examples: linrep regions network.npz --low -1 --high 1 ;  linrep regions tent:5 ;  "
    "linrep regions zigzag:3:4"
)


def grammar(
    file: Annotated[Path, typer.Argument(help="Grammar: text format of nltk.PCFG, or JSON.")],
    sample: Annotated[int, typer.Option(min=0, help="Sentences to sample.")] = 0,
    after: Annotated[
        str | None, typer.Option("--next", help="Distribution of the token after these tokens.")
    ] = None,
    unroll: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="DEPTH",
            help="Keep the derivations of at most this many edges from root to token: makes a "
            "grammar of any recursive one, and removes empty right-hand sides.",
        ),
    ] = None,
    without_empty: Annotated[
        bool, typer.Option("--without-empty", help="Remove empty right-hand sides (epsilon).")
    ] = False,
    below: Annotated[
        str | None,
        typer.Option(metavar="SYMBOL", help="Start at this nonterminal: its language alone."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the grammar to this new file, as text.")
    ] = None,
    seed: Seed = 0,
    as_json: JsonFlag = False,
) -> None:
    """Validate a grammar, count what it generates, sample, predict the next token; bound its depth.

    Raises:
        LanguageError: both ways of changing it are asked for, or the new file exists.
    """
    from .grammars import LanguageError

    if unroll is not None and without_empty:
        raise LanguageError(
            "--unroll and --without-empty were both given: --unroll removes empty right-hand "
            "sides too, so give it alone"
        )
    if out is not None and out.exists():
        raise LanguageError(f"{out} exists already; nothing was written: name a new file")
    read = _read(file, unroll, without_empty)
    if below is not None:
        read = read.below(below)
    data = _about(read)
    following: dict[str, float] = {}
    if after is not None:  # refused before anything is written
        answer = read.next_token(after.split())
        following = {str(token): float(share) for token, share in answer.items()}
    sentences = read.sample(sample, seed=seed).sentences if sample else ()
    if out is not None:
        _write(read, out, file, unroll, below)
        data["written to"] = str(out)
    lines = [f"{name}: {value}" for name, value in data.items()]
    if after is not None:
        data["next"] = following
        shown = sorted(following.items(), key=lambda item: -item[1])
        lines += ["", f"after {after!r}:"]
        lines += [f"  {token}  {share:.6g}" for token, share in shown if share > 0]
    if sample:
        drawn = [" ".join(words) for words in sentences]
        data["sample"] = drawn
        lines += ["", *drawn]
    emit(data, "\n".join(lines), as_json=as_json)


def _read(file: Path, depth: int | None, without_empty: bool) -> "Grammar":
    """The grammar of a file, as it is or changed."""
    from .grammars import Grammar, unroll
    from .grammars.derived.unroll import without_empty as remove_empty

    if depth is not None:
        return unroll(file, depth)
    return remove_empty(file) if without_empty else Grammar.from_file(file)


def _write(
    grammar: "Grammar", out: Path, source: Path, depth: int | None, below: str | None
) -> None:
    """The text of a grammar, with a line that says where it comes from."""
    from .core import writing

    bound = "" if depth is None else f", derivations of at most {depth} edges"
    start = "" if below is None else f", below {printable(below)}"
    head = f"# {printable(source.name)}{bound}{start}; probability cut off: {_share(grammar)}\n"
    with writing("the grammar", out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(f"{head}{grammar}\n", encoding="utf-8")


def _share(grammar: "Grammar") -> str:
    return f"{float(grammar.lost_mass):.6g}"


def _about(grammar: "Grammar") -> dict[str, object]:
    lengths = sorted(grammar.lengths)
    return {
        "start": grammar.start,
        "depth": grammar.depth,
        "rules": len(grammar.rules),
        "nonterminals": len(grammar.nonterminals),
        "terminals": len(grammar.terminals),
        "shortest sentence": lengths[0],
        "longest sentence": lengths[-1],
        "derivations": grammar.n_derivations,
        "tree shapes": grammar.n_shapes,
        "probability cut off": _share(grammar),
        "notes": "; ".join(grammar.notes) or "none",
    }


def regions(
    net: Annotated[
        str, typer.Argument(help="Network .npz, MaxoutTransformer folder, tent:L, zigzag:R:L.")
    ],
    low: Annotated[float, typer.Option(help="Lower end of every input.")] = 0.0,
    high: Annotated[float, typer.Option(help="Upper end of every input.")] = 1.0,
    budget: Annotated[
        int | None,
        typer.Option(
            min=1, help="Cells at most; by default 100000 of one input, a million of two."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Count the linear regions of a network of one input (exactly) or of two.

    Raises:
        SliceError: more than two inputs, or a box that is empty.
    """
    from .piecewise import SliceError

    if not low < high:
        raise SliceError(f"--low must lie below --high; received {low:g} and {high:g}")

    network = _network(net)
    if network.n_inputs > 2:
        raise SliceError(
            f"the network has {network.n_inputs} inputs; this command counts over one or two: "
            "take a slice with linrep.regions_in_plane(net, Plane(...))"
        )
    found = _counted(network, low, high, budget or BUDGETS[network.n_inputs], _laps(net))
    counts = (found.n_cells, found.n_linear_regions, found.n_affine_maps)
    names = ("activation cells", "linear regions", "affine maps")
    data: dict[str, object] = {
        "inputs": network.n_inputs,
        "widths": list(network.widths),
        "box": [low, high],
        **dict(zip(names, counts, strict=True)),
    }
    emit(data, "\n".join(f"{name}: {value}" for name, value in data.items()), as_json=as_json)


def _counted(
    network: "MaxoutNetwork", low: float, high: float, budget: int, laps: int
) -> "SegmentRegions | PlaneRegions":
    """The regions of a network of one or two inputs; at least ``laps`` of them lie on [0, 1].

    Raises:
        BudgetError: too many.
    """
    from .piecewise import BudgetError, regions_in_plane, regions_on_segment

    if low <= 0 and high >= 1 and laps > budget:  # known beforehand: no need to count
        shown = laps if laps < 10**15 else f"more than 10^{len(str(laps)) - 1}"
        raise BudgetError(
            f"{shown} cells on [0, 1], above the budget of {budget}; bring --low and --high closer "
            "together or raise the budget"
        )
    if network.n_inputs == 1:
        return regions_on_segment(network, low, high, budget=budget)
    return regions_in_plane(network, (low, high), budget=budget)


def _laps(source: str) -> int:
    """Pieces on [0, 1] of a named family, which its sizes tell; 0 of other networks."""
    name, sizes = _family(source)
    if name == "tent":
        return int(2 ** sizes[0])
    return int((2 * sizes[0] - 1) ** sizes[1]) if name == "zigzag" else 0


def _family(source: str) -> tuple[str, list[int]]:
    """``tent`` or ``zigzag`` with its sizes; no name for any other source."""
    name, *sizes = source.split(":")
    numbers = [int(size) for size in sizes if size.isdecimal()]
    known = {"tent": 1, "zigzag": 2}.get(name) == len(numbers) == len(sizes)
    return (name, numbers) if known else ("", [])


def _network(source: str) -> "MaxoutNetwork":
    """A network by file, or a named family with its sizes.

    Raises:
        NetworkError: neither a file, nor a folder, nor a family.
    """
    from .piecewise import MaxoutNetwork, NetworkError, tent, zigzag

    name, sizes = _family(source)
    if name:
        return tent(*sizes) if name == "tent" else zigzag(*sizes)
    if Path(source).is_dir():
        announce("loading PyTorch")
        quiet()
        from .constructions import MaxoutTransformer

        return MaxoutTransformer.from_pretrained(source).to_maxout()
    if not Path(source).is_file():
        raise NetworkError(
            f"no network {source!r}: give the .npz file that MaxoutNetwork.save wrote, the folder "
            "that MaxoutTransformer.save_pretrained wrote, tent:DEPTH, or zigzag:RANK:DEPTH"
        )
    return MaxoutNetwork.load(source)
