"""What the README shows is run."""

import re
import shlex
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from linrep.cli import app

README = Path(__file__).resolve().parents[1] / "README.md"
if not README.is_file():
    pytest.skip("no checkout", allow_module_level=True)
TEXT = README.read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.S)


@pytest.fixture(scope="module")
def ten_lines():
    """The names that the first example leaves behind, and what it printed."""
    example = blocks("python")[0]
    names: dict[str, object] = {}
    with redirect_stdout(StringIO()) as printed:
        exec(compile(example, str(README), "exec"), names)
    return names, printed.getvalue()


def test_the_example_runs_and_finds_what_was_written(ten_lines):
    lines = [line for line in blocks("python")[0].splitlines() if line.strip()]
    assert len(lines) <= 10
    names, printed = ten_lines
    assert "blocks.2.hook_resid_post" in printed
    frame = names["compared"].to_frame()
    written = frame["written"].fillna(False).astype(bool)  # without a pattern there is none
    assert written.any()
    assert (frame[written]["overlap"] > 0.99).all()
    assert (frame[written]["rung"] >= 3).all()
    assert (frame[~written]["rung"] == 0).all()


def test_the_example_and_a_study_are_the_same_instrument(ten_lines):
    """What the demo does with its languages, done with that of the example: cell by cell."""
    from linrep.experiments import StudySettings, run_study
    from linrep.experiments.scores import scores_of
    from linrep.experiments.settings import Causal, Constructed, LatinFamily, Probes

    names, _ = ten_lines
    study, _ = run_study(
        StudySettings(
            name="latin",
            language=LatinFamily(order=3, depth=3),
            model=Constructed(rotation=1),
            sentences=400,
            probes=Probes(
                heights=(1, 2), positions="boundary", charts=False, causal=Causal(run="no")
            ),
        )
    )
    found, compared = names["found"], names["compared"]
    learned = study.subspaces["learned"]
    assert set(found.patterns) == set(learned)
    for cell, pattern in found.patterns.items():
        assert np.array_equal(pattern.basis, learned[cell].basis), cell
    assert not found.to_frame()["ceiling"].isna().any()
    assert scores_of(found).rows == study.scores.rows
    assert compared.rows == study.comparison.rows
    assert any(row.subspaces and row.subspaces.written for row in compared.rows)


def small_model(folder, words):
    """A folder with a model of these words and its tokenizer."""
    import transformers as tf
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: number for number, word in enumerate(["<pad>", *sorted(words)])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tf.PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>").save_pretrained(folder)
    size = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 16}
    tf.set_seed(0)
    tf.GPT2LMHeadModel(tf.GPT2Config(vocab_size=len(vocabulary), **size)).save_pretrained(folder)


def test_the_example_on_a_table_runs(capsys, tmp_path, monkeypatch):
    """Statements of cities, true and false, read from a file, through a small model's folder."""
    monkeypatch.chdir(tmp_path)
    rows = [(f"c{i} is in l{(i + j) % 7}", 1 - j, f"c{i}") for i in range(60) for j in range(2)]
    lines = [",".join(map(str, row)) for row in (("statement", "label", "city"), *rows)]
    (tmp_path / "statements.csv").write_text("\n".join(lines) + "\n", "utf-8")
    small_model(tmp_path / "a/model/folder", {word for row in rows for word in row[0].split()})
    example = blocks("python")[1]
    exec(compile(example, str(README), "exec"), {})
    assert "blocks.1.hook_resid_post" in capsys.readouterr().out


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
