"""What stands around the code says the same as the code: citation, hooks, workflow, archive."""

import configparser
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import linrep

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "setup.cfg").is_file() or not (ROOT / ".github").is_dir():
    pytest.skip("no checkout", allow_module_level=True)
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg", encoding="utf-8")
PYTHONS = re.findall(r"Python :: (3\.\d+)", CONFIG["metadata"]["classifiers"])
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))


def test_the_citation_is_of_this_version_and_invents_nothing():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors", "type"} <= set(cited)
    assert cited["version"] == linrep.__version__
    assert cited["license"] == CONFIG["metadata"]["license"]
    assert cited["authors"] == [{"name": "The linrep developers"}]
    assert "doi" not in cited
    assert cited["title"].lower().endswith(CONFIG["metadata"]["description"].lower())
    assert set(cited["keywords"]) <= set(CONFIG["metadata"]["keywords"].split(", "))


def commands_of(target):
    """Lines of a target of the Makefile."""
    text = (ROOT / "Makefile").read_text("utf-8")
    (body,) = re.findall(rf"^{target}:.*\n((?:\t.*\n?)+)", text, re.M)
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in body.splitlines()]


def test_hooks_are_what_the_test_command_runs_before_the_tests():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    (repository,) = config["repos"]
    assert repository["repo"] == "local"  # nothing is fetched
    entries = [hook["entry"] for hook in repository["hooks"]]
    whole = commands_of("test")
    assert entries == [line for line in whole if "pytest" not in line]
    assert len(whole) == len(entries) + 1
    assert all(hook["language"] == "system" for hook in repository["hooks"])
    assert not any(hook["pass_filenames"] for hook in repository["hooks"])


def test_the_workflow_calls_the_one_command_on_every_python():
    job = WORKFLOW["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == PYTHONS
    assert CONFIG["options"]["python_requires"] == f">={PYTHONS[0]}"
    assert [step["run"] for step in job["steps"] if "run" in step] == ["bash .ci/run"]
    assert (ROOT / ".ci/run").read_text("utf-8").splitlines()[-1] == "make test"
    assert "PYTHON   ?= " in (ROOT / "Makefile").read_text("utf-8")  # the workflow names one


def test_publishing_needs_the_tests_a_tag_and_no_secret():
    jobs = WORKFLOW["jobs"]
    assert jobs["package"]["needs"] == "test"
    assert jobs["package"]["if"] == "startsWith(github.ref, 'refs/tags/v')"
    assert jobs["publish"]["needs"] == "package"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    text = (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    assert not re.search(r"secrets\.|password|token:", text.replace("id-token:", ""))


@pytest.mark.parametrize(("tag", "passes"), [(f"v{linrep.__version__}", True), ("v9.9.9", False)])
def test_a_tag_has_to_name_the_version(tag, passes):
    (step,) = [s for s in WORKFLOW["jobs"]["package"]["steps"] if "tag" in s.get("name", "")]
    done = subprocess.run(
        ["bash", "-c", step["run"]], cwd=ROOT, env={"GITHUB_REF_NAME": tag, "PATH": "/usr/bin:/bin"}
    )
    assert (done.returncode == 0) == passes


def test_the_source_archive_takes_every_document_of_the_top_folder():
    listed = set((ROOT / "MANIFEST.in").read_text("utf-8").split())
    documents = {path.name for path in ROOT.iterdir() if path.suffix in (".md", ".cff", ".toml")}
    assert len(documents) > 6
    assert documents - {"pyproject.toml"} <= listed  # setuptools adds that one itself
    assert {".ci", ".github", ".pre-commit-config.yaml"} <= listed


def test_data_sets_are_named_with_their_licences():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "DATASETS.md").read_text("utf-8").splitlines()
        if line.startswith("| ")
    ]
    heads = [row for row in rows if row[0] in ("data", "model")]
    assert len(heads) == 2
    for row in (row for row in rows if row not in heads):
        licence = row[3] if len(row) == 5 else row[2]
        assert re.match(r"(CC BY|MIT|Apache-2\.0)", licence), row
    pretrained = (ROOT / "docs/pretrained.md").read_text("utf-8")
    told = "".join(row[0] + row[-3] for row in rows)
    for name in ("Truth_is_Universal", "wesg52/world-models"):
        assert name in pretrained
        assert name in told or name in " ".join(map(" ".join, rows))


def test_no_two_classes_of_the_package_have_one_name():
    """One name, one meaning; what begins with an underline is its own module's."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    homes = {}
    for name in listed:
        if name.startswith(("tests/", "benchmarks/", "docs/", "notebooks/")):
            continue
        for found in re.findall(r"^class ([A-Za-z]\w*)", (ROOT / name).read_text("utf-8"), re.M):
            homes.setdefault(found, []).append(name)
    if not listed:
        pytest.skip("no checkout of git")
    assert len(homes) > 200
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
