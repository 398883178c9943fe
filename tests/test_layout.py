"""The layout: every package listed, linked, imported from here once; modules stay short."""

import configparser
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "setup.cfg").is_file():
    pytest.skip("no checkout", allow_module_level=True)
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg", encoding="utf-8")
LISTED = set(CONFIG["options"]["packages"].split())
FOLDERS = {
    name.strip(): ROOT / folder.strip()
    for name, folder in (
        line.split("=") for line in CONFIG["options"]["package_dir"].strip().splitlines()
    )
}
LONGEST = 300


def test_every_package_is_listed():
    found = set()
    for name, folder in FOLDERS.items():
        for init in folder.rglob("__init__.py"):  # rglob does not follow links
            found.add(".".join((name, *init.parent.relative_to(folder).parts)))
    assert found == LISTED


def test_every_mapped_folder_has_a_link_for_editors():
    for name, folder in FOLDERS.items():
        if name != "linrep":
            link = ROOT / "src/linrep" / name.removeprefix("linrep.")
            assert link.resolve() == folder.resolve(), (
                f"{link} is no link to {folder}: `make links`"
            )


def test_no_second_copy_under_a_top_level_name():
    import linrep.probes  # noqa: F401

    for name in FOLDERS:
        short = name.removeprefix("linrep.")
        module = sys.modules.get(short)
        assert short == "linrep" or module is None or not str(module.__file__).startswith(str(ROOT))


def test_every_data_file_of_the_report_is_packaged():
    patterns = CONFIG["options.package_data"]["linrep.reports"].replace(",", " ").split()
    kept = {path for pattern in patterns for path in (ROOT / "reports").glob(pattern)}
    others = {p for p in (ROOT / "reports").rglob("*") if p.is_file() and p.suffix != ".py"}
    assert {path for path in others if "__pycache__" not in path.parts} == kept


def modules():
    for folder in FOLDERS.values():
        yield from (path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def test_modules_are_short():
    lengths = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in modules()}
    assert not {name: n for name, n in lengths.items() if n > LONGEST}


def test_every_module_says_what_it_is_for_and_what_it_exports():
    import ast

    for path in modules():
        tree = ast.parse(path.read_text("utf-8"))
        assert ast.get_docstring(tree), path
        names = {t.id for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)
                 for t in getattr(node, "targets", [getattr(node, "target", None)])
                 if isinstance(t, ast.Name)}  # fmt: skip
        assert "__all__" in names or path.name == "__main__.py", path
