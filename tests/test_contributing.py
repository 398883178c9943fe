"""Pages for those who carry on: what they name exists, and what they show runs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs/contributing").glob("add-*.md"))
if not PAGES or not (ROOT / "setup.cfg").is_file():
    pytest.skip("no checkout", allow_module_level=True)
NAMING = [
    *PAGES,
    *(ROOT / name for name in ("CONTRIBUTING.md", "DATASETS.md")),
    *(ROOT / "docs" / name for name in ("architecture.md", "formats.md", "releasing.md")),
]
MADE = {"settings.yaml", "report.md"}  # files that runs have
FILE = re.compile(r"`((?:\.?[\w-]+/)*\.?[\w-]+\.(?:py|pyi|md|cfg|toml|txt|yml|yaml|cff|in))`")
FOLDER = re.compile(r"`((?:\.?[\w-]+/)+)`")


def ids(path):
    return path.name


def named(text):
    """Paths of files and folders that a page names."""
    found = {*FILE.findall(text), *FOLDER.findall(text)}
    return {name for name in found if name.rpartition("/")[2] not in MADE}


@pytest.mark.parametrize("page", NAMING, ids=ids)
def test_every_path_named_exists(page):
    told = named(page.read_text("utf-8"))
    missing = [name for name in told if not (ROOT / name).exists()]
    assert told
    assert not missing


def test_a_path_that_does_not_exist_would_be_seen():
    told = named("`probes/nowhere.py`, `no/such/folder/` and `settings.yaml`, not `a.b()`")
    assert told == {"probes/nowhere.py", "no/such/folder/"}
    assert sum(len(named(page.read_text("utf-8"))) for page in PAGES) > 60


def rows(page):
    """File and names of each row of a page's tables of files."""
    for line in page.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            yield cells[0].strip("`"), re.findall(r"`([^`]+)`", cells[1])


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_name_stands_in_its_file(page):
    listed = list(rows(page))
    assert len(listed) > 8
    for file, names in listed:
        text = (ROOT / file).read_text("utf-8")
        assert names, file
        for name in names:
            assert re.search(rf"(?<![\w]){re.escape(name)}", text), f"{file} has no {name}"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_page_has_its_parts_and_its_example_runs(page):
    text = page.read_text("utf-8")
    for part in (
        "Files to touch, in order",
        "The smallest complete example",
        "Tests that must exist",
        "What the suite then checks by itself",
    ):
        assert f"## {part}\n" in text, part
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    assert "assert " in example
    exec(compile(example, str(page), "exec"), {"__name__": page.stem})


def test_the_commands_are_those_of_the_makefile():
    """Each ``make`` target that a page names is one."""
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    said = set()
    for page in NAMING:
        said |= set(re.findall(r"`?make ([a-z-]+)", "\n".join(_commands(page))))
    assert {"test", "setup"} <= said
    assert said <= targets


def _commands(page):
    """Lines of console blocks, and code in running text."""
    text = page.read_text("utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        yield from block.splitlines()
    yield from re.findall(r"`(make [^`]+)`", text)
