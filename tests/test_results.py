"""The numbers of the documents are found with their commands, and what changed is told."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("results", ROOT / "benchmarks/results.py")
assert SPEC is not None
assert SPEC.loader is not None
results = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = results
SPEC.loader.exec_module(results)

PAGE = """# A page

    python benchmarks/one.py --a \\
      --b

| what | value |
|---|---|
| x | 1 |
| y | 2 |

Text.

    linrep schema

| other | value |
|---|---|
| z | 3 |
"""
SCRIPT = """import sys
assert sys.argv[1:] == ["--a", "--b"]
print("| what | value |\\n|---|---|\\n| x | 1 |\\n| y | 5 |")
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "docs/page.md").write_text(PAGE)
    (tmp_path / "benchmarks/one.py").write_text(SCRIPT)
    return tmp_path


def test_each_command_has_the_tables_below_it() -> None:
    one, two = results.blocks_of("page", PAGE)
    assert one.commands == ("python benchmarks/one.py --a --b",)
    assert [table.rows for table in one.tables] == [(("x", "1"), ("y", "2"))]
    assert two.commands == ("linrep schema",)
    assert [table.head for table in two.tables] == [("other", "value")]


@pytest.mark.parametrize("write", [False, True])
def test_what_changed_is_told_and_written_on_request(place: Path, write: bool) -> None:
    one, _ = results.blocks_of("page", PAGE)
    assert results.compared(one, place, None, write=write) == ["row 2 (y 2), value: 2 -> 5"]
    after = PAGE.replace("| y | 2 |", "| y | 5 |") if write else PAGE
    assert (place / "docs/page.md").read_text() == after


def test_what_did_not_change_is_left_alone(place: Path) -> None:
    (place / "benchmarks/one.py").write_text(SCRIPT.replace("| y | 5 |", "| y | 2 |"))
    one, _ = results.blocks_of("page", PAGE)
    assert results.compared(one, place, None, write=True) == []
    assert (place / "docs/page.md").read_text() == PAGE


def test_a_command_that_fails_is_a_failure(place: Path) -> None:
    (place / "benchmarks/one.py").write_text("raise SystemExit(3)")
    one, _ = results.blocks_of("page", PAGE)
    with pytest.raises(RuntimeError, match="status 3"):
        results.compared(one, place, None, write=False)


def test_every_document_of_results_has_commands_and_tables() -> None:
    for page in results.PAGES:
        blocks = results.blocks_of(page, (ROOT / f"docs/{page}.md").read_text())
        assert blocks, page
