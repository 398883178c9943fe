"""A small slice of the table of architectures; benchmarks/architectures.py makes all of it."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "benchmarks/architectures.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("architectures", FILE)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("git", None),  # a tower for images beside the blocks
        ("longformer", None),  # fills its last window
        ("clip", "model.text_model"),
        ("bart", 'check=("reference", "kernel", "batch", "edit")'),  # counts from the left edge
        ("fnet", "batch_size=1"),  # has no mask
        ("mamba", None),
    ],
)
def test_an_architecture_is_read_right_or_as_the_message_advises(script, kind, advice):
    names = {kind: name for kind, _, name in script.kinds()}
    found = script.tried(kind, names[kind])
    assert found["outcome"] == "right", found
    assert found["difference"] < script.TOLERANCE
    assert found.get("advice") == advice


def test_what_cannot_be_read_is_refused_without_advice_that_fails(script):
    names = {kind: name for kind, _, name in script.kinds()}
    found = script.tried("fsmt", names["fsmt"])
    assert found["outcome"] == "refused"
    assert "get_encoder" not in found["why"]  # its encoder is no model of transformers


def test_the_page_counts_what_it_lists(script):
    rows = [
        {"type": "a", "model": "A", "outcome": "right", "difference": 1e-7},
        {"type": "b", "model": "B", "outcome": "right", "difference": 1e-7, "advice": "x"},
        {"type": "c", "model": "C", "outcome": "refused", "why": "no"},
        {"type": "d", "model": "D", "outcome": "not built", "why": "takes no text"},
    ]
    page = script.page(rows)
    assert "Of 3 architectures 2 are read right, 1 of them by following the advice" in page
    assert "1 are refused" in page
    assert "| c | C | refused |" in page
