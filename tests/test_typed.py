"""The public face types: the stub names what there is, and editors complete it."""

import ast
from pathlib import Path

import jedi
import pytest

import linrep

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "setup.cfg").is_file():
    pytest.skip("no checkout", allow_module_level=True)
STUB = ROOT / "src/linrep/__init__.pyi"


def test_the_stub_names_what_the_table_names():
    """A public name stands in both: ``from .package import (name as name)``, and in ``_HOME``."""
    seen = {
        alias.asname: node.module
        for node in ast.parse(STUB.read_text("utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == linrep._HOME


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("linrep.", "capture"),
        ("linrep.capture(model, corpus).", "sites"),
        ("linrep.probe(acts, corpus).", "to_frame"),
        ("linrep.families.", "latin"),
        ("linrep.read_run('folder').", "studies"),
    ],
)
def test_editors_complete(text, name):
    project = jedi.Project(str(ROOT / "src"), added_sys_path=[str(ROOT / "src")])
    source = f"import linrep\n{text}"
    found = jedi.Script(source, project=project).complete(2, len(text))
    assert name in {completion.name for completion in found}
