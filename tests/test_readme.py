"""What the README shows is run."""

import re
import shlex
from pathlib import Path

import pytest

from linrep.cli import app

README = Path(__file__).resolve().parents[1] / "README.md"
if not README.is_file():
    pytest.skip("no checkout", allow_module_level=True)
TEXT = README.read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.S)


def test_the_example_runs_and_finds_what_was_written(capsys):
    (example,) = blocks("python")
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) <= 10
    names: dict[str, object] = {}
    exec(compile(example, str(README), "exec"), names)
    assert "blocks.2.hook_resid_post" in capsys.readouterr().out
    frame = names["compared"].to_frame()
    written = frame[frame["written"]]
    assert (written["overlap"] > written["null_high"]).all()
    assert (written["rung"] >= 3).all()
    assert (frame[~frame["written"]]["rung"] == 0).all()


def test_every_command_shown_exists_with_its_options():
    import typer

    known = typer.main.get_command(app).commands
    shown = [line.split("#")[0] for text in blocks("console") for line in text.splitlines()]
    commands = [shlex.split(line) for line in shown if line.startswith("linrep ")]
    assert {words[1] for words in commands} == set(known)
    for words in commands:
        options = {name for p in known[words[1]].params for name in p.opts}
        assert {word for word in words if word.startswith("--")} <= options, words


def test_every_folder_named_exists():
    named = re.findall(r"`([a-z_/]+)/`", TEXT)
    assert named
    assert not [name for name in named if not (README.parent / name).is_dir()]


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert target.startswith("http") or (README.parent / target).exists(), target
