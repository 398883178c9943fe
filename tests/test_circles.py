"""No module needs itself: not through others, not behind an import inside a function."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "setup.cfg").is_file():
    pytest.skip("no checkout", allow_module_level=True)
SOURCE = ROOT / "src" / "linrep"


def modules() -> dict[str, Path]:
    """Dotted name -> file, packages' own files left out: they only gather names."""
    found = {}
    folders = [SOURCE, *(p for p in SOURCE.iterdir() if p.is_dir() and p.is_symlink())]
    for folder in folders:
        prefix = () if folder == SOURCE else (folder.name,)
        for path in folder.resolve().rglob("*.py"):
            parts = path.relative_to(folder.resolve()).with_suffix("").parts
            if parts[-1] != "__init__" and "__pycache__" not in parts:
                found[".".join(("linrep", *prefix, *parts))] = path
    return found


def imported(name: str, text: str, known: dict[str, Path]) -> Iterator[str]:
    """Modules that this one imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.ImportFrom):
            continue
        above = name.split(".")[: -node.level] if node.level else []
        base = ".".join([*above, *(node.module.split(".") if node.module else [])])
        yield from (m for m in (base, *(f"{base}.{a.name}" for a in node.names)) if m in known)


def circle(texts: dict[str, str], known: dict[str, Path]) -> list[str]:
    """A circle of imports, or nothing."""
    graph = {name: set(imported(name, text, known)) - {name} for name, text in texts.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle_even_behind_imports_inside_functions():
    known = modules()
    assert len(known) > 250
    assert not circle({name: path.read_text("utf-8") for name, path in known.items()}, known)


def test_a_circle_behind_a_function_is_found():
    texts = {
        "linrep.a.one": "from .two import f",
        "linrep.a.two": "def f():\n    from .one import g\n    return g",
    }
    assert set(circle(texts, dict.fromkeys(texts, Path()))) == set(texts)
