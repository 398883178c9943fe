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


def made(text: str, day: str) -> str:
    """The page with a day below its first command."""
    return text.replace("      --b\n", f"      --b\n\nMade {day}.\n")


@pytest.mark.parametrize("write", ["", "2026-01-02"])
def test_what_changed_is_told_and_written_on_request(place: Path, write: str) -> None:
    one, _ = results.blocks_of("page", PAGE)
    assert results.compared(one, place, None, write=write) == ["row 2 (y 2), value: 2 -> 5"]
    after = made(PAGE.replace("| y | 2 |", "| y | 5 |"), write) if write else PAGE
    assert (place / "docs/page.md").read_text() == after


def test_of_what_did_not_change_the_day_is_new(place: Path) -> None:
    (place / "benchmarks/one.py").write_text(SCRIPT.replace("| y | 5 |", "| y | 2 |"))
    for day in ("2026-01-02", "2026-03-04"):  # and it stands there once
        one, _ = results.blocks_of("page", (place / "docs/page.md").read_text())
        assert results.compared(one, place, None, write=day) == []
        assert (place / "docs/page.md").read_text() == made(PAGE, day)
    again, _ = results.blocks_of("page", made(PAGE, "2026-03-04"))
    assert [table.rows for table in again.tables] == [(("x", "1"), ("y", "2"))]


def test_each_block_has_a_day_of_its_own() -> None:
    _, two = results.blocks_of("page", PAGE)
    after = results.dated(PAGE, two, "2026-01-02")
    assert after == PAGE.replace("    linrep schema\n", "    linrep schema\n\nMade 2026-01-02.\n")


def test_tables_of_a_run_s_page_are_found_and_printed_ones_win(place: Path) -> None:
    (place / "benchmarks/one.py").write_text(
        SCRIPT + "from pathlib import Path\n"
        "run = Path('runs/one')\nrun.mkdir(parents=True)\n"
        "(run / 'report.md').write_text('| what | value |\\n|---|---|\\n| x | 9 |\\n\\n'\n"
        "    '| only there | value |\\n|---|---|\\n| w | 8 |\\n')\n"
    )
    page = PAGE.replace("Text.", "| only there | value |\n|---|---|\n| w | 7 |\n\nText.")
    (place / "docs/page.md").write_text(page)
    one, _ = results.blocks_of("page", page)
    told = results.compared(one, place, None)
    assert sorted(told) == ["row 1 (w 7), value: 7 -> 8", "row 2 (y 2), value: 2 -> 5"]


def test_a_file_that_the_document_shows_is_there_for_its_commands(place: Path) -> None:
    (place / "benchmarks/one.py").write_text(
        "print('| what | value |\\n|---|---|\\n| x | 1 |\\n| y |', "
        "open('small.yaml').read().strip()[-1], '|')"
    )
    page = PAGE + "\n`small.yaml` is\n\n    a:\n      b: 4\n"
    (place / "docs/page.md").write_text(page)
    one, _ = results.blocks_of("page", page)
    assert results.compared(one, place, None) == ["row 2 (y 2), value: 2 -> 4"]


def test_a_command_that_fails_is_a_failure(place: Path) -> None:
    (place / "benchmarks/one.py").write_text("raise SystemExit(3)")
    one, _ = results.blocks_of("page", PAGE)
    with pytest.raises(RuntimeError, match="status 3"):
        results.compared(one, place, None)


def test_every_document_of_results_has_commands_and_tables() -> None:
    for page in results.PAGES:
        blocks = results.blocks_of(page, (ROOT / f"docs/{page}.md").read_text())
        assert blocks, page
