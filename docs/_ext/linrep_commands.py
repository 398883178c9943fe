"""The command line, as each command's ``--help`` prints it."""

import typer
from typer.testing import CliRunner

from linrep.cli import app

WIDTH = "100"


def command_lines() -> list[str]:
    """One section for each command with its help."""
    runner = CliRunner(env={"COLUMNS": WIDTH, "TERMINAL_WIDTH": WIDTH, "NO_COLOR": "1"})
    lines: list[str] = []
    for name in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        title = f"linrep {name}"
        text = runner.invoke(app, [name, "--help"], prog_name="linrep").output
        lines += [title, "-" * len(title), "", ".. code-block:: text", ""]
        lines += [f"   {line.rstrip()}" for line in text.strip().splitlines()] + [""]
    return lines
