"""What is shipped holds what it should: the source archive its tests, the wheel what users need.

A checkout whose symbolic links were lost is repaired by ``make links``; the test command runs it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import linrep

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "setup.cfg").is_file():
    pytest.skip("no checkout", allow_module_level=True)
ROOMS = ("corpora", "grammars", "piecewise", "models", "constructions", "hooks", "probes", "causal",
         "reports", "experiments")  # fmt: skip
SKIPPED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs")


def run(*command, folder, **variables):
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env={**os.environ, **variables},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def copy_without_links(folder):
    """The checkout as git makes it where the file system has no links: a text in their place."""
    shutil.copytree(ROOT, folder, symlinks=True, ignore=SKIPPED)
    for name in ROOMS:
        link = folder / "src/linrep" / name
        link.unlink()
        link.write_text(f"../../{name}", "utf-8")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The source archive and the wheel, built from a copy."""
    folder = tmp_path_factory.mktemp("shipped")
    shutil.copytree(ROOT, folder / "copy", symlinks=True, ignore=SKIPPED)
    build = "from setuptools import build_meta as b; b.build_sdist('..'); b.build_wheel('..')"
    run(sys.executable, "-W", "ignore", "-c", build, folder=folder / "copy")
    (archive,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return archive, wheel


@pytest.fixture(scope="module")
def site(shipped, tmp_path_factory):
    """The wheel, unpacked as an installation would."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(shipped[1]) as wheel:
        wheel.extractall(folder)
    return folder


def files(folder, suffix):
    kept = (p for p in folder.rglob(f"*{suffix}") if "__pycache__" not in p.parts)
    return {str(path.relative_to(folder)) for path in kept}


def test_a_checkout_without_links_is_repaired(tmp_path):
    folder = tmp_path / "checkout"
    copy_without_links(folder)
    said = run("make", "--no-print-directory", "links", folder=folder)
    for name in ROOMS:
        assert (folder / "src/linrep" / name).resolve() == (folder / name).resolve()
        assert f"src/linrep/{name} was no link" in said
    assert run("make", "--no-print-directory", "links", folder=folder) == ""


def test_the_source_archive_runs_its_own_tests(shipped, tmp_path):
    with tarfile.open(shipped[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    for name in ("tests", "docs", "benchmarks", "notebooks"):
        kept = {file for file in files(ROOT / name, "") if not file.startswith("gallery")}
        assert files(folder / name, "") == kept, name  # docs/gallery is what `make docs` executes
    run("make", "links", folder=folder)
    said = run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o",
        "addopts=--import-mode=importlib --strict-markers --strict-config",
        "tests/test_layout.py",
        "tests/test_readme.py::test_every_folder_named_exists", "tests/core/test_subspace.py",
        folder=folder, PYTHONPATH=str(folder / "src"),
    )  # fmt: skip
    assert re.search(r"\d+ passed", said)
    assert "failed" not in said


def test_the_wheel_holds_every_module_and_its_data(site):
    for name in ROOMS:
        assert files(site / "linrep" / name, ".py") == files(ROOT / name, ".py"), name
    assert (site / "linrep/py.typed").is_file()
    assert (site / "linrep/__init__.pyi").is_file()
    assert files(site / "linrep", ".cfg")
    own = {"linrep", f"linrep-{linrep.__version__}.dist-info"}
    assert {path.name for path in site.iterdir()} == own  # nothing else lands in site-packages


def test_the_wheel_runs_what_the_readme_shows(site, tmp_path):
    example = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)[0]
    check = f"import linrep\nassert linrep.__file__.startswith({str(site)!r}), linrep.__file__\n"
    assert "sample(400," in example
    fewer = example.replace("sample(400,", "sample(100,")  # in full: tests/test_readme.py
    (tmp_path / "example.py").write_text(check + fewer, "utf-8")
    said = run(sys.executable, "example.py", folder=tmp_path, PYTHONPATH=str(site))
    assert "blocks.2.hook_resid_post" in said


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """README's example, the notebooks, a file that uses every public name."""
    folder = tmp_path_factory.mktemp("written")
    readme = (ROOT / "README.md").read_text("utf-8")
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", readme, flags=re.S)):
        (folder / f"readme_{number}.py").write_text(block, "utf-8")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        (folder / f"book_{path.stem}.py").write_text("\n\n".join(code) + "\n", "utf-8")
    every = "".join(f"print(linrep.{name})\n" for name in linrep.__all__)
    (folder / "every_name.py").write_text(f"import linrep\n\n{every}", "utf-8")
    (folder / "wrong.py").write_text(WRONG, "utf-8")
    # The settings of the checkout (strict; other libraries' missing annotations are none of ours),
    # and what it knows of other libraries: to read PyTorch again would take a minute.
    own = (ROOT / "setup.cfg").read_text("utf-8")
    settings = own[own.index("[mypy]") : own.index("[importlinter]")]
    (folder / "mypy.ini").write_text(re.sub(r"(?m)^(mypy_path|packages) = .*\n", "", settings))
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", folder / "cache")
    return folder


WRONG = "import linrep\n\nlinrep.capture()\nlinrep.nonsense\n"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("mypy", "--config-file", "mypy.ini", "--cache-dir", "cache", "."),
         ("call-arg", 'no attribute "nonsense"')),
        (("basedpyright", "--level", "error", "--pythonpath", sys.executable),
         ("reportCallIssue", '"nonsense" is not a known')),
    ],
    ids=("mypy", "pyright"),
)  # fmt: skip
def test_type_checkers_take_what_users_write(site, written, command, told):
    """On the wheel, strictly; what is wrong is refused: each of its two lines, and no other."""
    (written / "pyrightconfig.json").write_text(
        json.dumps({"extraPaths": [str(site)], "typeCheckingMode": "standard"}), "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=written, env={**os.environ, "MYPYPATH": str(site)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    errors = [line for line in done.stdout.splitlines() if "error:" in line or " - error" in line]
    assert len(errors) == len(told), done.stdout
    for line, text, number in zip(errors, told, (3, 4), strict=True):
        assert f"wrong.py:{number}:" in line
        assert text in line
