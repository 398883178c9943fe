"""What the pages of the guide show is run, block after block, in the order of each page."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs/guide"
if not GUIDE.is_dir():
    pytest.skip("no checkout", allow_module_level=True)
PAGES = sorted(GUIDE.glob("*.md"))
BLOCK = re.compile(r"(?:<!-- not run: ([^\n]*) -->\n)?```(\w+)\n(.*?)```", re.S)


def blocks(path, language):
    """(why it is not run, text) of each block of a language."""
    found = BLOCK.findall(path.read_text("utf-8"))
    return [(why, text) for why, named, text in found if named == language]


PYTHON = [page for page in PAGES if any(not why for why, _ in blocks(page, "python"))]


def small_model(folder):
    """A folder with a small model, random weights, of the words that the pages use."""
    import transformers as tf
    from tokenizers import Tokenizer, models, pre_tokenizers

    text = " ".join(page.read_text("utf-8") for page in PAGES)
    words = ["<unk>", *sorted(set(re.findall(r"\w+|[^\w\s]", text)))]
    vocabulary = {word: number for number, word in enumerate(words)}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = tf.PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")
    tokenizer.pad_token = "<unk>"
    tokenizer.save_pretrained(folder)
    size = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32}
    tf.set_seed(0)
    tf.GPT2LMHeadModel(tf.GPT2Config(vocab_size=len(words), **size)).save_pretrained(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("guide")
    small_model(here / "a/model/folder")
    return here


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: page.stem)
def test_every_python_block_runs(page, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    for why, text in blocks(page, "python"):
        if not why:
            exec(compile(text, str(page), "exec"), names)
    assert capsys.readouterr().out


def test_every_command_shown_exists_with_its_options():
    import typer

    from linrep.cli import app

    known = typer.main.get_command(app).commands
    seen = set()
    for page in PAGES:
        for _, text in blocks(page, "console"):
            for line in text.replace("\\\n", " ").splitlines():
                words = shlex.split(line.split("#")[0])
                if not words or words[0] != "linrep":
                    continue
                seen.add(words[1])
                options = {name for p in known[words[1]].params for name in p.opts}
                assert {word for word in words if word.startswith("--")} <= options, line
    assert len(seen) > 8


def test_what_is_not_run_says_why():
    skipped = [why for page in PAGES for why, _ in blocks(page, "python") if why]
    assert len(skipped) <= 3
    assert all(len(why.split()) > 2 for why in skipped)
