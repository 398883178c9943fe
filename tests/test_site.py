"""The documentation site: every page is read and every link resolved; the gallery is not run."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
if not (DOCS / "conf.py").is_file():
    pytest.skip("no checkout", allow_module_level=True)
if any(find_spec(name) is None for name in ("sphinx", "sphinx_gallery", "myst_parser")):
    pytest.skip("the extra linrep[docs] is not installed", allow_module_level=True)


def build(source, out, builder="dummy"):
    """The fast build of a copy of the folder, warnings being errors."""
    extensions = str(DOCS / "_ext")
    path = os.pathsep.join([str(ROOT / "src"), extensions, os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-W", "--keep-going", "-q"]
    return subprocess.run(
        [*command, str(source), str(out)],
        env=os.environ | {"LINREP_DOCS": "fast", "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def test_the_site_builds_without_a_warning(tmp_path):
    """Reference, commands, settings from the code; a public name that is missing is a warning."""
    source = tmp_path / "docs"
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("gallery", "__pycache__"))
    done = build(source, tmp_path / "out")
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture
def small(tmp_path):
    """A folder with the settings of the site, which draws nothing from the code."""
    source = tmp_path / "docs"
    (source / "_static").mkdir(parents=True)
    settings = (DOCS / "conf.py").read_text("utf-8")
    for line in ('    "sphinx_gallery.gen_gallery",\n', '    "linrep_site",\n'):
        assert line in settings
        settings = settings.replace(line, "")
    (source / "conf.py").write_text(settings, "utf-8")
    return source


def test_a_link_that_leads_nowhere_is_refused(small, tmp_path):
    """The opposite: the same settings, two pages, one wrong link."""
    (small / "index.md").write_text("# One\n\n[two](two.md#a-place)\n", "utf-8")
    (small / "two.md").write_text("---\norphan: true\n---\n\n# Two\n\n## A place\n", "utf-8")
    assert build(small, tmp_path / "right").returncode == 0
    (small / "index.md").write_text("# One\n\n[two](two.md#no-place)\n", "utf-8")
    done = build(small, tmp_path / "wrong")
    assert done.returncode != 0
    assert "no-place" in done.stderr


def test_a_formula_needs_no_network(small, tmp_path):
    """Every request of a page is of a file beside it; a picture from elsewhere is refused."""
    (small / "index.md").write_text("# One\n\nAs $x^2$ says.\n", "utf-8")
    done = build(small, tmp_path / "right", "html")
    assert done.returncode == 0, done.stderr[-2000:]
    (script,) = re.findall(
        r'src="([^"]*mathjax[^"?]*)', (tmp_path / "right/index.html").read_text()
    )
    assert (tmp_path / "right" / script).is_file()
    (small / "index.md").write_text("# One\n\n![x](https://example.org/x.png)\n", "utf-8")
    done = build(small, tmp_path / "wrong", "html")
    assert done.returncode != 0
    assert "index.html asks for https://example.org/x.png" in done.stderr


@pytest.fixture
def pages(monkeypatch):
    """What the site draws from the code."""
    monkeypatch.syspath_prepend(DOCS / "_ext")
    return importlib.import_module("linrep_site")


def test_the_reference_holds_every_public_name_once(pages):
    import linrep

    shown = pages.page_of()
    assert {f"linrep.{name}" for name in linrep.__all__} <= shown.keys()
    homes = set(shown.values())
    ids = {pages.identity(home, name) for home, name in homes}
    assert len(ids) == len(shown)
    for package in pages.PACKAGES:
        assert {pages.identity(package, name) for name in pages.face(package)} <= ids, package
        text = (DOCS / f"reference/{package}.rst").read_text("utf-8")
        assert f".. names-of:: {package}\n" in text


def test_a_name_that_no_page_shows_is_a_warning(pages, monkeypatch):
    said = []
    monkeypatch.setattr(pages.LOGGER, "warning", lambda text, path: said.append(path))
    modules = ("linrep.families", "linrep.examples")
    shown = dict.fromkeys(path for path in pages.page_of() if path != "linrep.capture")
    domain = SimpleNamespace(objects={path: None for path in shown if path not in modules})
    pages.none_is_missing(None, SimpleNamespace(get_domain=lambda name: domain))
    assert said == ["linrep.capture"]


def test_every_command_and_every_setting_is_drawn(pages):
    commands = "\n".join(pages.command_lines())
    for name in ("probe", "check", "compare", "train", "sweep"):
        assert f"\nlinrep {name}\n---" in commands
    settings = "\n".join(pages.settings_lines("Experiment"))
    for name in ("StudySettings", "Probes", "LatinFamily", "Constructed"):
        assert f"\n{name}\n---" in settings
    assert "``sentences``" in settings
