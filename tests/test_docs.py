"""Documents: decisions have their four parts, links lead somewhere, the glossary is complete."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
if not DOCS.is_dir():
    pytest.skip("no checkout", allow_module_level=True)
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PACKAGES = (
    "src/linrep/core", "corpora", "grammars", "piecewise", "models", "constructions", "probes",
    "hooks", "causal", "reports", "experiments",
)  # fmt: skip
PARTS = ("Question", "Choice", "Reason", "What would change it")


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_has_its_parts(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    for part in PARTS:
        assert f"**{part}.**" in text, part
    assert len(text.split()) < 400


def test_there_are_decisions():
    assert len(DECISIONS) >= 8


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    prose = re.sub(r"`[^`]*`", "", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#]+)\)", prose):
        assert target.startswith("http") or (path.parent / target).exists(), target


def test_every_axis_in_an_annotation_is_in_the_glossary():
    """Names of axes come from one place."""
    table = (DOCS / "glossary.md").read_text(encoding="utf-8").split("## Terms")[0]
    known = set(re.findall(r"`([^`]+)`", table))
    used: dict[str, str] = {}
    for folder in PACKAGES:
        for path in (ROOT / folder).rglob("*.py"):
            shapes = re.findall(
                r'\[(?:np\.ndarray|(?:torch\.)?Tensor), "([^"]+)"\]', path.read_text("utf-8")
            )
            axes = {axis.lstrip("#*") for shape in shapes for axis in shape.split()}
            used |= {
                axis: path.name for axis in axes if axis not in ("_", "...") and not axis.isdigit()
            }
    assert len(used) > 40  # the scan sees the annotations
    assert not {axis: name for axis, name in used.items() if axis not in known}


def test_every_word_of_the_report_is_explained_once():
    from linrep.reports.words import WORDS

    assert len({word for word, _ in WORDS}) == len(WORDS)


def cited():
    """``docs/theory/FILE.md, section(s) N [and M]`` in the code, with where it stands."""
    pattern = re.compile(
        r"docs/theory/(\w+\.md),?\s+sections?\s+([\d.]+\d|\d)(?:\s+and\s+([\d.]+))?"
    )
    for folder in PACKAGES:
        for path in (ROOT / folder).rglob("*.py"):
            for name, *sections in pattern.findall(path.read_text("utf-8")):
                yield from (
                    (path.name, name, section.rstrip(".")) for section in sections if section
                )


def test_every_section_of_the_theory_that_is_cited_exists():
    found = set(cited())
    assert len(found) > 15
    for where, name, section in found:
        text = (DOCS / "theory" / name).read_text("utf-8")
        assert re.search(rf"^#+ {re.escape(section)}\.? ", text, re.M), (where, name, section)


def test_the_code_cites_no_theory_that_the_repository_does_not_hold():
    loose = re.compile(r"theory, (section )?\d|section \d+ of the theory|theory of exact")
    for folder in PACKAGES:
        for path in (ROOT / folder).rglob("*.py"):
            assert not loose.search(path.read_text("utf-8")), path


def test_every_claim_on_a_page_is_stated_in_the_theory():
    from linrep.core import CLAIMS

    text = "".join(path.read_text("utf-8") for path in (DOCS / "theory").glob("*.md"))
    assert not [name for name in CLAIMS if f"**{name}" not in text]
    source = (ROOT / "constructions/grammar/predictions.py").read_text("utf-8")
    made = set(re.findall(r"P\d", " ".join(re.findall(r"claim ?= ?(.*)", source))))
    assert made
    assert made <= set(CLAIMS)


def test_the_theory_names_files_that_exist():
    for path in (DOCS / "theory").glob("*.md"):
        rows = [row for row in path.read_text("utf-8").splitlines() if row.startswith("| ")]
        for row in rows:
            last = ""
            for name in re.findall(r"`([\w/]+(?:\.py|/))`", row):
                last = name.rsplit("/", 1)[0] + "/" if "/" in name.rstrip("/") else last
                here = ROOT / name if "/" in name.rstrip("/") else ROOT / last / name
                assert here.exists() or list(ROOT.glob(f"constructions/grammar/**/{name}")), name
