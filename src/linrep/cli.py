"""The command line: results on standard output, progress on standard error.

Exit status 0: done; 1: a requirement failed; 2: a mistake to mend, one clear message; 130: Ctrl-C.
"""

import io
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from . import __version__, cli_language, cli_model, cli_run, cli_theory
from .cli_common import printable
from .core import LinrepError

__all__ = ["app", "main"]

app = typer.Typer(
    name="linrep",
    help="Is an abstract state a linear subspace of the residual stream, where theory says so?",
    epilog="Start with: linrep demo --out runs/demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli_run.register(app)
cli_language.register(app)
cli_model.register(app)
cli_theory.register(app)


def _version(asked: bool | None) -> None:
    if asked:
        typer.echo(f"linrep {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool | None = typer.Option(
        None, "--version", help="Print the version.", callback=_version, is_eager=True
    ),
) -> None:
    """Is an abstract state a linear subspace of the residual stream, where theory says so?"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit.

    Args:
        arguments: the command line without the program's name; by default that of the process.

    Raises:
        SystemExit: always, with the status.
    """
    for stream in (sys.stdout, sys.stderr):  # a locale without a character gets its code
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="linrep")
    except LinrepError as error:
        print(printable(f"linrep: {error}"), file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:  # a disk that is full, a place that may not be written
        where = f" {error.filename}" if error.filename else ""
        reason = error.strerror or error
        print(printable(f"linrep: the system refuses{where}: {reason}"), file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:  # outside the commands, where Typer does not catch it
        _interrupted()
    except SystemExit as end:
        if end.code == 130:
            _interrupted()
        raise


def _interrupted() -> NoReturn:
    # A Ctrl-C inside ``exec`` of a string (imports run one for every dataclass) marks CPython to
    # die of SIGINT at exit although we catch the exception here; the next ``exec`` of a string
    # that ends well takes the mark away (run_eval_code_obj in pythonrun.c).
    exec("")
    print("linrep: interrupted; nothing half-written is left", file=sys.stderr)
    raise SystemExit(130) from None
