"""Every error on the page of errors is provoked, and says what the page says that it says."""

import re
import shutil
from pathlib import Path

import pytest

from linrep.core import LinrepError

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/guide/errors.md"
if not PAGE.is_file():
    pytest.skip("no checkout", allow_module_level=True)
TEXT = PAGE.read_text("utf-8")
ENTRY = re.compile(
    r"^### (?P<title>[^\n]+)\n\n```python\n(?P<code>.*?)```\n\n"
    r"```text\n(?P<kind>\w+): (?P<message>.*?)\n```\n\n"
    r"\*\*Cause\.\*\* (?P<cause>[^\n]+)\n\n\*\*Remedy\.\*\* (?P<remedy>[^\n]+)\n",
    re.S | re.M,
)
ENTRIES = [found.groupdict() for found in ENTRY.finditer(TEXT)]
(BEFORE,) = re.findall(r"```python\n(.*?)```", TEXT.split("\n## ")[0], re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_small_model):
    """What the page supposes: a model folder and a run."""
    here = tmp_path_factory.mktemp("errors")
    write_small_model(here / "a/model/folder", ["the", "dog", "cat", "sees", "hello"])
    shutil.copytree(ROOT / "tests/formats/run_1", here / "runs/demo")
    return here


def test_every_entry_has_its_parts():
    assert len(ENTRIES) == len(re.findall(r"^### ", TEXT, re.M)) >= 30
    assert len({entry["title"] for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["title"].replace(" ", "-"))
def test_the_error_comes_and_says_so(entry, folder, monkeypatch):
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    exec(compile(BEFORE, str(PAGE), "exec"), names)
    with pytest.raises(LinrepError) as caught:
        exec(compile(entry["code"], str(PAGE), "exec"), names)
    assert type(caught.value).__name__ == entry["kind"]
    said = " ".join(str(caught.value).split())
    parts = [re.escape(part) for part in " ".join(entry["message"].split()).split("...")]
    assert re.fullmatch(".*".join(parts), said), said
