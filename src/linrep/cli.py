"""The command line: results on standard output, progress on standard error.

Exit status 0: done; 1: a requirement failed; 2: a mistake to mend, one clear message; 130: Ctrl-C;
143: SIGTERM; 129: SIGHUP.
"""

import io
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import typer

from . import (
    __version__,
    cli_calibrate,
    cli_experiments,
    cli_language,
    cli_model,
    cli_reports,
    cli_run,
    cli_theory,
    cli_train,
)
from .cli_common import printable
from .cli_signals import end_of, listening
from .cli_terminal import for_stream
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
cli_reports.register(app)
cli_calibrate.register(app)
cli_language.register(app)
cli_model.register(app)
cli_train.register(app)
cli_theory.register(app)
cli_experiments.register(app)


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
    with listening() as received:
        try:
            app(args=None if arguments is None else list(arguments), prog_name="linrep")
        except LinrepError as error:
            _refused(str(error))
        except OSError as error:  # a disk that is full, a place that may not be written
            where = f" {error.filename}" if error.filename else ""
            _refused(f"the system refuses{where}: {error.strerror or error}")
        except KeyboardInterrupt:  # outside the commands, where Typer does not catch it
            end_of(received)
        except SystemExit as end:
            if received or end.code == 130:
                end_of(received)
            broken = end.__context__
            if isinstance(broken, BrokenPipeError):  # rich's own 1: help or a mistake, unread
                raise SystemExit(0 if broken.__context__ is None else 2) from None
            raise


def _refused(reason: str) -> NoReturn:
    with suppress(BrokenPipeError):  # a reader who has gone changes no status
        print(for_stream(printable(f"linrep: {reason}"), sys.stderr), file=sys.stderr)
    raise SystemExit(2) from None
