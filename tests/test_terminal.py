"""The commands in terminals of several widths, piped, without colour, and under Ctrl-C."""

import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from linrep.cli_terminal import folded

fcntl = pytest.importorskip("fcntl")
pty = pytest.importorskip("pty")
termios = pytest.importorskip("termios")

RUN = Path(__file__).with_name("formats") / "run_1"
WIDTHS = (40, 80, 200)
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOURS = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-7]|4[0-7]|9[0-7]|38|48)(?:;[0-9;]*)?m")
COMMANDS = (
    "demo", "probe", "run", "report", "compare", "check", "schema", "calibrate", "grammar",
    "regions", "construct", "train", "sweep", "maxout", "scaling", "experiment",
)  # fmt: skip
SHOWN = (
    ["--help"], ["check", str(RUN)], ["check", str(RUN), "--require", "accuracy>=0.99"],
    ["compare", str(RUN), str(RUN)], ["experiment", "list"], ["grammar", "language.cfg"],
    ["grammar", "language.cfg", "--sample", "2", "--next", "the"], ["regions", "tent:5"],
    ["check", "no/such/run"], ["grammar", "--nonsense"], ["report", str(RUN), "--to", "x.txt"],
    ["report", str(RUN), "--format", "docx"], ["compare", str(RUN), str(RUN), "--out", "x.pdf"],
)  # fmt: skip


def begun(words, width, folder, **environment):
    """A command in a terminal of this width: its process and the terminal's other end."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "linrep", *words], stdin=slave, stdout=slave, stderr=slave,
        cwd=folder, env={**kept, "TERM": "xterm-256color", **environment},
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    return process, master


def read(master):
    """Everything until the terminal closes."""
    parts = []
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # Linux's way to say that nobody writes any more
            break
        if not part:
            break
        parts.append(part)
    os.close(master)
    return b"".join(parts).decode("utf-8", "replace").replace("\r\n", "\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "language.cfg").write_text(
        'S -> NP V [0.6] | NP V NP [0.4]\nNP -> "the" N | "the" A N\n'
        'N -> "dog" | "cat"\nA -> "big" | "small"\nV -> "sees" | "hears"\n'
    )
    return folder


def shown(words, width, folder, **environment):
    process, master = begun(words, width, folder, **environment)
    text = read(master)
    return process.wait(timeout=120), text


def too_wide(text, width):
    """Lines that do not fit and hold more than one word: those were to be folded."""
    lines = ESCAPES.sub("", text).split("\n")
    return [line for line in lines if len(line) > width and len(line.split()) > 1]


# -- widths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_what_a_command_says_fits_a_narrow_terminal(words, place):
    status, text = shown(words, 40, place)
    assert status in (0, 1, 2)
    assert not too_wide(text, 40)
    assert "Traceback" not in text


@pytest.mark.parametrize("width", WIDTHS)
def test_help_fits_and_no_name_is_cut_off(width, place):
    """In one process for all commands: the width is what COLUMNS says."""
    script = (
        "import sys\nfrom linrep.cli import main\nfor name in sys.argv[1:]:\n"
        "    print('#', name, flush=True)\n    try:\n        main([name, '--help'])\n"
        "    except SystemExit as end:\n        assert not end.code\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *COMMANDS], capture_output=True, text=True, timeout=240,
        cwd=place, env={**os.environ, "COLUMNS": str(width), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    parts = dict(part.split("\n", 1) for part in done.stdout.split("# ")[1:])
    assert list(parts) == list(COMMANDS)
    for name, text in parts.items():
        assert not too_wide(text, width), name
        assert "…" not in text, name
        assert f"linrep {name}" in " ".join(text.split())
        assert "--json" in text
        assert "--help" in text


def test_a_wide_terminal_leaves_lines_whole(place):
    _, narrow = shown(["experiment", "list"], 40, place)
    _, wide = shown(["experiment", "list"], 200, place)
    assert len(narrow.splitlines()) > len(wide.splitlines()) == 10
    assert " ".join(narrow.split()) == " ".join(wide.split())


WORDS = st.lists(st.text("abc|", min_size=1, max_size=9).filter(lambda w: w[0] != "|"), min_size=1)


@given(lines=st.lists(WORDS, min_size=1, max_size=4), width=st.integers(12, 60),
       indent=st.integers(0, 4))  # fmt: skip
def test_folding_keeps_every_word_in_order_and_the_width(lines, width, indent):
    text = "\n".join(" " * indent + " ".join(words) for words in lines)
    made = folded(text, width)
    assert made.split() == text.split()
    assert not too_wide(made, width)


@given(rows=st.lists(st.lists(st.sampled_from(["1.25", "a few words", "x|y"]), min_size=3,
                              max_size=3), min_size=1, max_size=4))  # fmt: skip
def test_a_table_that_does_not_fit_becomes_a_list_of_its_rows(rows):
    from linrep.reports.markdown_parts import as_table

    table = as_table(["name", "what it is", "n"], rows)
    assert folded(table, 200) == table
    listed = folded(table, 24).split("\n")
    cells = [line.split(": ", 1)[1] for line in listed if line]
    assert cells == [cell for row in rows for cell in row]


def test_a_long_word_stays_whole():
    path = "/a/very/long/path/that/somebody/copies/report.html"
    assert path in folded(f"report: {path}", 20).split()


# -- piped, and without colour --------------------------------------------------------------------


@pytest.mark.parametrize("words", [["--help"], ["check", str(RUN)], ["experiment", "list"],
                                   ["check", "no/such/run"]], ids=" ".join)  # fmt: skip
def test_nothing_is_folded_or_coloured_for_another_program(words, place):
    done = subprocess.run(
        [sys.executable, "-m", "linrep", *words], capture_output=True, text=True, timeout=120,
        cwd=place, env={**os.environ, "COLUMNS": "40"},
    )  # fmt: skip
    assert "\x1b" not in done.stdout + done.stderr
    if words in (["experiment", "list"], ["check", "no/such/run"]):
        assert max(map(len, (done.stdout + done.stderr).splitlines())) > 40
        assert len(done.stderr.splitlines()) <= 1


@pytest.mark.parametrize("words", [["--help"], ["check", "--help"], ["grammar", "--nonsense"]],
                         ids=" ".join)  # fmt: skip
def test_no_colour_where_none_is_wanted(words, place):
    status, text = shown(words, 200, place, NO_COLOR="1")
    assert not COLOURS.search(text)
    again, coloured = shown(words, 200, place)
    assert status == again
    assert COLOURS.search(coloured)
    assert ESCAPES.sub("", text) == ESCAPES.sub("", coloured)


# -- Ctrl-C ---------------------------------------------------------------------------------------


def test_ctrl_c_in_a_narrow_terminal_ends_in_one_message(place):
    process, master = begun(["demo", "--out", "made"], 40, place)
    said = b""
    deadline = time.monotonic() + 120
    while b"loading" not in said and time.monotonic() < deadline:
        said += os.read(master, 4096)
    os.write(master, b"\x03")  # the key, through the terminal
    text = said.decode() + read(master)
    assert process.wait(timeout=120) == 128 + signal.SIGINT
    assert "Traceback" not in text
    assert "interrupted; nothing half-written is left" in " ".join(text.split())
    assert not too_wide(text.split("linrep:")[-1], 40)
    assert os.listdir(place) == ["language.cfg"]
