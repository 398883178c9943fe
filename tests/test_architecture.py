"""The page on architecture shows the imports as they are."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "docs/draw_imports.py"
if not SCRIPT.is_file() or not (ROOT / "setup.cfg").is_file():
    pytest.skip("no checkout", allow_module_level=True)
SPEC = importlib.util.spec_from_file_location("draw_imports", SCRIPT)
drawer = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(drawer)


def test_the_page_shows_what_the_command_prints():
    _, drawn, _ = drawer.parted(drawer.PAGE.read_text("utf-8"))
    assert drawn == drawer.drawing(), "run: python docs/draw_imports.py --write"


def test_the_imports_that_are_drawn_are_those_of_the_modules():
    """Read off single files, without the graph: what is there is drawn, what is not is not."""
    rooms = drawer.imports()
    assert "from ..core import" in (ROOT / "corpora/treebank.py").read_text("utf-8")
    assert rooms["corpora"] == {"core"}
    assert rooms["core"] == set()
    assert {"reports", "probes", "causal", "hooks"} <= rooms["experiments"]
    assert "experiments" not in set().union(
        *(rooms[name] for name in rooms if name != "command line")
    )


def test_arrows_leave_out_what_follows_and_nothing_else():
    rooms = {"a": {"b", "c", "d"}, "b": {"c"}, "c": set(), "d": set()}
    assert drawer.arrows(rooms) == [("a", "b"), ("a", "d"), ("b", "c")]
    whole = drawer.imports()
    kept: dict[str, set[str]] = {room: set() for room in whole}
    for upper, lower in drawer.arrows(whole):
        kept[upper].add(lower)
    for room in whole:
        assert drawer.reachable(kept, room) == drawer.reachable(whole, room)
    assert sum(map(len, kept.values())) < sum(map(len, whole.values()))


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="lacks <!-- drawn by"):
        drawer.parted("no marks")
