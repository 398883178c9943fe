"""Documents: decisions have their four parts, links lead somewhere, the glossary is complete."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
if not DOCS.is_dir():
    pytest.skip("no checkout", allow_module_level=True)
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
PACKAGES = (
    "src/linrep/core", "grammars", "piecewise", "models", "constructions", "probes", "hooks",
    "causal", "reports", "experiments",
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
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
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
