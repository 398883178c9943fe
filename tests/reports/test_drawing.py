"""Laws of the figures: what is shown first, what is hidden, what turns and keeps its lengths."""

import gzip
import hashlib
import json
import re
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, strategies as st
from plotly.offline import get_plotlyjs_version

from linrep.core import Subspace
from linrep.probes import HeldOut
from linrep.reports import RecordError, read_run, write_run
from linrep.reports.carrying import carrying_figure
from linrep.reports.classes import MOST_CLASSES, Classes, classes_of
from linrep.reports.drawing.accuracy import HIDDEN, STRONGEST, accuracy_figure
from linrep.reports.drawing.confusion import confusion_figure
from linrep.reports.drawing.emergence import emergence_figure, first_sites
from linrep.reports.drawing.page import BUNDLE, FigurePage
from linrep.reports.drawing.palette import DARK
from linrep.reports.drawing.turning import turned, turning_figure
from linrep.reports.figures import study_figures
from linrep.reports.rungs import baselines
from linrep.reports.verdicts import Verdict

from .conftest import SITES
from .full import full_run

ASSETS = files("linrep.reports").joinpath("assets")
EPS = float(np.finfo(np.float64).eps)


def test_the_bundle_is_that_of_plotly_itself():
    """Of the version that plotly.py draws with, and byte for byte what was published."""
    code = gzip.decompress(ASSETS.joinpath(BUNDLE).read_bytes())
    version = re.search(rb"plotly\.js \(cartesian - minified\) v([\d.]+)", code)
    assert version is not None
    assert version[1].decode().split(".")[0] == get_plotlyjs_version().split(".")[0]
    told = ASSETS.joinpath("README.md").read_text("utf-8")
    assert f"{hashlib.sha256(code).hexdigest()}  plotly-cartesian.min.js" in told
    assert f"| {version[1].decode()} |" in told


def names(figure, visible):
    return {trace.name for trace in figure.data if (trace.visible != "legendonly") == visible}


def test_only_the_strongest_baseline_is_shown_at_first(run):
    (study,) = run.studies
    figure = accuracy_figure(study.scores, study.comparison)
    assert names(figure, True) <= {"probe", "ceiling", "predicted", STRONGEST}
    assert STRONGEST in names(figure, True)
    known = {label for label, _, _ in HIDDEN.values()}
    assert names(figure, False) <= known
    strongest = [trace for trace in figure.data if trace.name == STRONGEST]
    for trace, target in zip(strongest, ("height 1", "height 2"), strict=True):
        rows = [row for row in study.scores.rows if row["target"] == target]
        best = [max(v for v in baselines(row).values() if v is not None) for row in rows]
        assert list(trace.y) == best


def test_a_study_without_baselines_shows_none(run):
    (study,) = run.studies
    bare = [{k: v for k, v in row.items() if k in ("site", "target", "accuracy", "interval")}
            for row in study.scores.rows]  # fmt: skip
    figure = accuracy_figure(replace(study.scores, rows=tuple(bare)))
    assert {trace.name for trace in figure.data} == {"probe"}


def test_emergence_is_the_first_place_that_is_decodable(run):
    (study,) = run.studies
    rows = study.comparison.rows
    found = first_sites(rows)
    for target in ("height 1", "height 2"):
        yes = [r.site for r in rows if r.target == target and r.verdicts.decodable.state == "yes"]
        assert found[target] == (yes[0], None)
    never = [
        replace(row, verdicts=replace(row.verdicts, decodable=Verdict("no", "chance")))
        for row in rows
    ]
    assert first_sites(never) == {"height 1": (None, None), "height 2": (None, None)}
    (said,) = emergence_figure(never).layout.annotations
    assert said.text == "No target is decodable anywhere."


def spaces(seed, first, second):
    rng = np.random.default_rng(seed)
    return Subspace(rng.standard_normal((9, first))), Subspace(rng.standard_normal((9, second)))


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5), st.floats(0, 1))
def test_what_turns_begins_in_one_subspace_ends_in_the_other_and_keeps_lengths(seed, k, m, share):
    """Rounding alone: products of 9 terms, through an angle that is known to about 1e-8."""
    learned, predicted = spaces(seed, k, m)
    tolerance = 1e-7
    start, end = turned(learned, predicted, 0.0), turned(learned, predicted, 1.0)
    assert np.allclose(learned.project(start.T).T, start, atol=tolerance)
    assert np.allclose(predicted.project(end.T).T, end, atol=tolerance)
    frame = turned(learned, predicted, share)
    assert frame.shape == (9, min(k, m))
    assert np.allclose(frame.T @ frame, np.eye(min(k, m)), atol=tolerance)


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_nothing_turns_where_both_subspaces_are_one(seed, k):
    learned, _ = spaces(seed, k, 1)
    mixed = Subspace(learned.basis @ np.linalg.qr(spaces(seed + 1, k, k)[0].basis[:k])[0])
    begin, end = turned(learned, mixed, 0.0), turned(learned, mixed, 1.0)
    assert np.allclose(begin, end, atol=64 * EPS)


def planted_classes(k, m, classes=4, seed=0):
    learned, predicted = spaces(seed, k, m)
    means = np.random.default_rng(seed).standard_normal((classes, 9))
    tables = [tuple(map(tuple, (means @ space.basis).tolist())) for space in (learned, predicted)]
    counts = tuple(tuple(int(i == j) for j in range(classes)) for i in range(classes))
    kept = Classes("t", "s", tuple("abcdefg"[:classes]), counts, *tables)
    return kept, learned, predicted, means


@pytest.mark.parametrize(("k", "m", "kind"), [(3, 4, "scatter3d"), (2, 5, "scatter"),
                                              (1, 1, "scatter")])  # fmt: skip
def test_the_figure_shows_class_means_as_the_directions_see_them(k, m, kind):
    kept, learned, predicted, means = planted_classes(k, m)
    figure = turning_figure(kept, learned, predicted)
    assert figure.data[0].type == kind
    steps = figure.layout.sliders[0].steps
    for share, step in ((0.0, steps[0]), (0.5, steps[5]), (1.0, steps[-1])):
        seen = means @ turned(learned, predicted, share)
        drawn = np.array([step.args[0][axis][0] for axis in "xyz"[: min(k, 3)]]).T
        # the same coordinates, in whatever order and sign
        assert np.allclose(np.sort(np.abs(drawn), axis=None), np.sort(np.abs(seen), axis=None))


def test_without_a_prediction_there_is_no_slider_and_without_means_a_refusal():
    kept, learned, predicted, _ = planted_classes(3, 3)
    assert not turning_figure(replace(kept, predicted=()), learned).layout.sliders
    with pytest.raises(RecordError, match="have no means"):
        turning_figure(replace(kept, learned=()), learned, predicted)


class Grid:
    """What is read of a grid of probes."""

    def __init__(self, held, site=SITES[1]):
        import pandas as pd

        self.held_out, self.patterns, self.targets = {(site, "t"): held}, {}, ("t",)
        self.frame = pd.DataFrame([
            {"site": SITES[0], "target": "t", "validation": 0.2, "accuracy": 0.9},
            {"site": site, "target": "t", "validation": 0.8, "accuracy": 0.5},
        ])  # fmt: skip

    def to_frame(self):
        return self.frame


def held(true, said, k):
    n = len(true)
    return HeldOut(
        np.arange(n), np.array(said), np.array(true), np.zeros(n), np.arange(n),
        tuple(f"class {i}" for i in range(k)), np.full(k, 1 / k), np.zeros(n),
    )  # fmt: skip


@given(st.data())
def test_every_held_out_token_is_counted_once_at_the_best_site(data):
    k = data.draw(st.integers(2, 30))
    true = data.draw(st.lists(st.integers(-1, k - 1), min_size=2, max_size=60))
    said = data.draw(st.lists(st.integers(0, k - 1), min_size=len(true), max_size=len(true)))
    if len(set(true)) < 2:
        return
    (kept,) = classes_of(Grid(held(true, said, k)), None)
    assert kept.site == SITES[1]
    assert len(kept.names) == len(set(kept.names)) <= MOST_CLASSES + 1
    counts = np.array(kept.counts)
    assert counts.sum() == len(true)
    if k <= MOST_CLASSES:  # nothing is merged: the right ones are on the diagonal
        assert np.trace(counts) == sum(a == b for a, b in zip(true, said, strict=True))


def test_a_target_of_one_class_has_no_matrix():
    assert classes_of(Grid(held([1, 1], [1, 0], 2)), None) == ()


def test_recall_is_drawn_beside_the_shares_of_each_class():
    kept = Classes("t", "s", ("a", "b"), ((3, 1), (0, 0)))
    figure = confusion_figure(kept)
    assert list(figure.data[0].z[0]) == [0.75, 0.25]
    assert list(figure.data[1].x) == [0.75, None]  # a class without tokens has none
    with pytest.raises(RecordError, match="a line in every table"):
        Classes("t", "s", ("a", "b"), ((3, 1),))


def test_classes_come_back_from_the_folder(run, tmp_path):
    (study,) = run.studies
    kept, *_ = planted_classes(2, 2)
    whole = replace(run, studies=(replace(study, classes=(kept,)),))
    assert read_run(write_run(whole, tmp_path / "new")).studies[0].classes == (kept,)
    assert read_run(write_run(run, tmp_path / "old")).studies[0].classes == ()
    assert "classes" not in json.loads((tmp_path / "old/studies/planted.json").read_text())


def test_one_picture_carries_a_study_and_stands_first(run):
    (study,) = run.studies
    caption, figure = carrying_figure(study)
    assert caption.startswith("Present")
    assert [a.text.split(":")[0] for a in figure.layout.annotations] == ["present", "aligned"]
    assert next(iter(study_figures(study))) == caption
    bare = [replace(row, subspaces=None) for row in study.comparison.rows]
    plain = replace(study, comparison=replace(study.comparison, rows=tuple(bare)))
    assert carrying_figure(plain)[0].startswith("What the probe reads by layer")
    nothing = replace(plain, scores=replace(study.scores, rows=()))
    assert carrying_figure(nothing) is None


def test_a_page_holds_the_style_once_and_no_name_ends_its_data():
    page, marks = FigurePage(), []
    for study in full_run().studies:
        for i, (caption, figure) in enumerate(study_figures(study).items()):
            marks.append(str(page.place(figure, f"plot-{i}", caption)))
    whole = "".join(marks)
    assert "<img" not in whole
    assert '"template"' not in whole
    for mark in marks:
        (text,) = re.findall(r'<script type="application/json">(.*?)</script>', mark)
        assert "<" not in text
        json.loads(text)
    scripts = str(page.scripts())
    assert scripts.count('id="plot-style"') == 1
    assert scripts.count('id="plotly-bundle"') == 1
    assert FigurePage().scripts() == ""


def test_every_colour_of_a_page_has_its_pair_in_the_dark():
    """A dark line on a dark page is not seen: colours in figures are those of the palette."""
    for study in full_run().studies:
        for figure in study_figures(study).values():
            plain = figure.to_plotly_json()
            plain["layout"].pop("template")
            used = set(re.findall(r'"(#[0-9a-f]{3,8})"', json.dumps(plain, default=list)))
            assert used <= set(DARK)
