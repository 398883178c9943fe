"""The public face types: stubs, mypy, editors; the README and the notebooks are held to it."""

import ast
import json
import os
import re
import subprocess
import sys
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


def written(folder):
    """README's example, the notebooks, and a file that uses every public name."""
    readme = (ROOT / "README.md").read_text("utf-8")
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", readme, flags=re.S)):
        (folder / f"readme_{number}.py").write_text(block, "utf-8")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        (folder / f"book_{path.stem}.py").write_text("\n\n".join(code) + "\n", "utf-8")
    every = "".join(f"print(linrep.{name})\n" for name in linrep.__all__)
    (folder / "every_name.py").write_text(f"import linrep\n\n{every}", "utf-8")
    return sorted(map(str, folder.glob("*.py")))


def mypy(*files):
    """Strict, with what an installed linrep shows: its own annotations."""
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "setup.cfg"), *files],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "MYPYPATH": str(ROOT / "src")},
    )  # fmt: skip


def test_mypy_takes_what_users_write(tmp_path):
    done = mypy(*written(tmp_path))
    assert done.returncode == 0, done.stdout


def test_mypy_refuses_what_is_wrong(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import linrep\n\nlinrep.capture()\nlinrep.nonsense\n", "utf-8")
    done = mypy(str(wrong))
    assert done.returncode == 1
    assert "call-arg" in done.stdout
    assert 'no attribute "nonsense"' in done.stdout


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
