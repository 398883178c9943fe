"""What a reader of the first screen needs beside the sentences: rivals, sizes, names, reasons."""

from dataclasses import replace

import pytest

from linrep.core import Invariant
from linrep.reports import Classes, Run, Scores, Verdict
from linrep.reports.about import about, how_to_read
from linrep.reports.drawing.accuracy import accuracy_figure
from linrep.reports.figures import study_figures
from linrep.reports.findings import answers, findings
from linrep.reports.html import render_html
from linrep.reports.overlap_table import OVERLAP_COLUMNS, overlap_lines
from linrep.reports.placed_findings import invariant_findings
from linrep.reports.untested import (
    EVIDENT,
    POINT,
    further_reasons,
    remedies,
    untested,
    untested_lines,
)
from linrep.reports.values import site_order

from .test_findings import SITES, study
from .test_first_screen import several


def test_a_sentence_of_several_targets_has_the_untrained_models_beside_each():
    told = answers(several())[0]
    assert "better than from untrained models and beyond what its words" in told.text
    told_of = "(these give 0.500; 5 untrained models there at most 0.500; chance 0.500)"
    assert all(told_of in each.text
               for each in told.details)  # fmt: skip


def test_where_nothing_is_read_no_untrained_model_is_beaten():
    for line in findings(study(at=())):
        assert "untrained models at most" not in line
        assert "better than from untrained models" not in line


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("0", "1"), "Label (0 or 1) of each statement can be read"),
        (("no", "yes", "unknown"), "Label (no or yes or unknown) of each statement"),
        (("a", "b", "c", "d"), "Label of each statement can be read"),
        (("a class with a name too long to be said", "b"), "Label of each statement can be read"),
        (("one",), "Label of each statement can be read"),
    ],
)
def test_few_classes_are_named(names, said):
    counts = tuple((1,) * len(names) for _ in names)
    kept = Classes("label", SITES[2], names, counts, ((0.0,),) * len(names), ())
    assert findings(replace(study(), classes=(kept,)))[0].startswith(said)


def test_a_page_says_on_how_much_it_was_scored():
    told = dict(about(study(n_test=300, n_groups=150, at=(0, 1, 2))))
    assert told["Scored on"] == "300 held-out statements in 150 groups"
    assert dict(about(study(n_test=40, at=(0, 1, 2))))["Scored on"] == "40 held-out statements"
    assert "Scored on" not in dict(about(study()))


def test_two_reasons_are_both_said_and_no_reason_is_lost():
    made = several()
    lines = untested_lines([made])
    for rung in ("decodable", "aligned", "causal", "selective"):
        entries = [entry for entry in untested([made]) if entry.reason != EVIDENT]
        mine = [entry for entry in entries if entry.rung == rung]
        if len(mine) == 2:
            assert any(all(entry.reason in line for entry in mine) for line in lines)
    said = " ".join([*lines, *further_reasons([made])])
    assert all(entry.reason in said for entry in untested([made]))


def test_of_points_nothing_is_said_of_words_around_them():
    made = replace(study(p_surface=None), piece=POINT)
    page = " ".join([*findings(made), *untested_lines([made]), *remedies([made])])
    assert (
        "Label of each input can be read from the stream at 1 of 3 places (at best accuracy" in page
    )
    assert "neighbours" not in page
    assert "minimal_pairs" not in page
    assert "there are no words around it" in page


def test_the_picture_on_top_names_its_study_where_there_are_several():
    one = replace(study(), name="first one")
    alone, both = (
        render_html(Run("t", "", {}, {}, studies))
        for studies in ((one,), (one, replace(study(), name="other")))
    )
    assert "<b>first one</b>. What the probe reads by layer" in both
    assert "<b>first one</b>." not in alone


def test_untrained_models_that_read_more_elsewhere_are_told():
    made = study(random_weights=0.5)
    rows = tuple(dict(row) | ({"random_weights": 0.7} if row["site"] == SITES[0] else {})
                 for row in made.scores.rows)  # fmt: skip
    told = findings(replace(made, scores=Scores(rows)))[0]
    assert "5 untrained models there at most 0.500, at other places up to 0.700)" in told
    assert "other places" not in findings(made)[0]


@pytest.mark.parametrize(("balanced", "told"), [(0.4, True), (0.75, False), (None, False)])
def test_an_accuracy_that_rare_classes_do_not_share_is_told_with_them(balanced, told):
    said = findings(study(balanced_accuracy=balanced))[0]
    assert ("balanced accuracy 0.400, after block 1" in said) == told
    assert ("balanced" in said) == told


def test_what_untrained_models_give_as_well_is_called_so_and_not_undecodable():
    made = study(p_untrained=0.6, at=(0, 1, 2))
    words = {row.verdicts.headline for row in made.comparison.rows}
    assert words == {"not more than untrained models"}
    page = render_html(Run("t", "", {}, {}, (made,)))
    assert "<b>not more than untrained models" in page
    assert "<b>not decodable" not in page


def test_a_picture_of_few_targets_stands_once():
    captions = list(study_figures(study()))
    assert sum("by layer" in caption for caption in captions) == 1
    assert not any("theory" in caption for caption in captions)


def test_the_surface_is_told_by_what_gives_most_of_it():
    made = study(length=0.61, characters=0.55)
    assert "beyond what its words, letters and length give (0.610)" in findings(made)[0]
    assert "give (0.500)" in findings(study(length=0.4))[0]


def test_a_part_of_the_surface_that_gives_more_than_the_probe_is_not_hidden():
    said = findings(study(length=0.85))[0]
    assert "give together (0.500), but one of them gives 0.850" in said


def test_the_verdict_in_words_is_that_of_the_map():
    made = study(p_untrained=0.6, at=(0, 1, 2))
    for row in made.comparison.rows:
        assert row.verdicts.sentence.startswith(f"{row.verdicts.headline}: not shown to be more")


def test_places_that_were_looked_at_are_named():
    made = study(at=(1, 2))
    few = replace(made, facts={"blocks": 12})
    assert "at 2 of the 3 places that were looked at: block 0 and block 1 (" in findings(few)[0]
    assert "looked at" not in findings(made)[0]


def test_numbers_without_a_basis_are_counted_by_what_they_say():
    told = {"target": "height 1", "site": "", "predicted": 1.0, "measured": 1.0, "low": 1.0,
            "high": 1.0, "null_low": 0.0, "null_high": 0.5, "null": "", "reason": ""}  # fmt: skip
    rows = tuple(
        Invariant(name=f"number {i}", state=state, **told)
        for i, state in enumerate(("as predicted", "not telling", "not telling"))
    )
    (said,) = invariant_findings(replace(study(), invariants=rows))
    assert said.text.startswith("Of 3 numbers that do not depend on the model's basis, 2 are the")
    assert said.text.endswith("not as in untrained models (number 0 of height 1)")
    assert invariant_findings(study()) == []


def test_panels_stand_in_the_order_that_was_asked_for(run):
    (made,) = run.studies
    targets = site_order([str(row["target"]) for row in made.scores.rows])
    for asked in (targets, targets[::-1]):
        figure = accuracy_figure(made.scores, made.comparison, asked)
        titles = [note.text.split(" (")[0] for note in figure.layout.annotations]
        assert titles == asked


def test_what_could_not_be_tested_is_no_answer_of_the_table(run):
    (made,) = run.studies
    row = next(row for row in made.comparison.rows if row.subspaces and row.subspaces.written)
    column = list(OVERLAP_COLUMNS).index("as_predicted") + 2
    lost = replace(row.subspaces, overlap=0.0)
    for state, said in (("no", "no"), ("not tested", "not tested")):
        told = replace(row.verdicts, aligned=Verdict(state, "why"))
        (line,) = overlap_lines([replace(row, subspaces=lost, verdicts=told)])
        assert line[column] == said


def test_how_to_read_counts_the_blocks_of_the_models():
    assert "0–11 are 12 blocks" in how_to_read([replace(study(), facts={"blocks": 12})])
    assert "are counted" not in how_to_read([study()])
    assert how_to_read([replace(study(), scores=Scores(()))]) == ""
