"""Options and habits that the commands share."""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .cli_terminal import PlainHelp, for_stream

if TYPE_CHECKING:
    from .reports import Run

__all__ = [
    "EngineName",
    "GrammarName",
    "JsonFlag",
    "OutFolder",
    "Overwrite",
    "Seed",
    "add",
    "announce",
    "emit",
    "emit_run",
    "printable",
    "quiet",
]

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and line feed

EngineName = Annotated[
    str,
    typer.Option(
        "--engine",
        help="Where the work runs: local, processes:N, ray (a local cluster is started "
        "unless one runs) or ray://host:port. The results are the same.",
    ),
]
GrammarName = Annotated[
    str | None,
    typer.Option("--grammar", help="Grammar file, or latin:3:3 and the like, instead of trees."),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder to make; it must not exist.")]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace the run that stands there, once this one is whole."),
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=2**32 - 1, help="Seed of everything random.")
]


def add(app: typer.Typer, command: Callable[..., None], example: str) -> None:
    """Make a function a command: its name, the first paragraph of its docstring, an example."""
    about = (command.__doc__ or "").split("\n\n")[0]
    app.command(command.__name__, cls=PlainHelp, help=about, epilog=example)(command)


def emit(data: object, text: str, *, as_json: bool) -> None:
    """Print a result, for people or for machines.

    A reader who has seen enough (``linrep check RUN | head``) ends the printing, not the command:
    its status says what it found.
    """
    if as_json:
        from .reports.values import plain

        shown = json.dumps(plain(data), ensure_ascii=False, indent=1, allow_nan=False)
    else:
        shown = for_stream(printable(text), sys.stdout)
    try:
        print(shown, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush


def printable(text: str) -> str:
    r"""Text that changes nothing of a terminal: control characters as their codes.

    >>> print(printable("a" + chr(27) + "[31mb"))
    a\x1b[31mb
    """
    return CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def announce(text: str) -> None:
    """Say on standard error what is going on; silent when nobody watches."""
    if sys.stderr.isatty():
        print(for_stream(text, sys.stderr), file=sys.stderr)


def emit_run(run: "Run", folder: Path, *, as_json: bool) -> None:
    """Sum up a run and say where its report lies; status 1 if one of its checks failed.

    Raises:
        Exit: a check of the run failed.
    """
    from .reports import summary_lines
    from .reports.report_json import run_json

    page = folder / "report.html"
    text = "\n".join([*summary_lines(run), "", f"report: {page}"])
    emit(run_json(run) | {"run": str(folder), "report": str(page)}, text, as_json=as_json)
    if not run.passed:
        raise typer.Exit(1)


def quiet() -> None:
    """Keep the libraries' own chatter off the terminal, and the commands off the network.

    A hub id is looked up in the local cache only; ``HF_HUB_OFFLINE=0`` in the environment
    allows downloads.
    """
    import os
    import warnings

    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when transformers is first imported

    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
