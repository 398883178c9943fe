"""What is true of one cell is not said of the model; a cause is told only where it was found."""

import math
from dataclasses import replace

import numpy as np
import pytest

from linrep.probes import HeldOutNumbers
from linrep.reports import Check, compare_runs
from linrep.reports.by_group import group_scores
from linrep.reports.carried_findings import carried
from linrep.reports.constructed_findings import constructed_findings
from linrep.reports.differing import beside
from linrep.reports.findings import DIVERGENCE, answers, findings
from linrep.reports.html import render_html
from linrep.reports.placed_findings import used_findings
from linrep.reports.verdicts import Verdict

from .test_findings import SITES, moved, study
from .test_use import USED


def with_verdict(made, site, **told):
    """The study with other verdicts at one site."""
    rows = tuple(
        replace(row, verdicts=replace(row.verdicts, **told)) if row.site == site else row
        for row in made.comparison.rows
    )
    return replace(made, comparison=replace(made.comparison, rows=rows))


def with_scores(made, site, **told):
    """The study with other numbers at one site."""
    rows = tuple(dict(row) | told if row["site"] == site else row for row in made.scores.rows)
    return replace(made, scores=replace(made.scores, rows=rows))


def test_a_target_that_is_read_at_some_places_is_not_said_to_be_unread() -> None:
    made = with_scores(study(at=(1, 2)), SITES[0], validation=0.99)
    said = findings(made)[0]
    assert "can be read from the stream from block 0 on, though not where validation data" in said
    assert "(accuracy 0.800 [0.700 to 0.900] after block 0; 5 untrained models" in said
    assert "not shown to be readable" not in said


@pytest.mark.parametrize("best", [1, 2])
def test_places_beyond_the_surface_are_counted_beside_the_place_that_is_told(best: int) -> None:
    made = with_verdict(
        study(at=(1, 2)), SITES[2], selective=Verdict("no", "no more than the words give", "x")
    )
    said = findings(with_scores(made, SITES[best], validation=0.9))[0]
    if best == 1:
        assert "at 1 of 3 places (block 0) beyond what its words" in said
    else:
        assert "but it is not shown to be more than its words, letters and length give" in said
        assert said.endswith("; it is beyond that at 1 of 3 places (block 0).")
    assert "places but" not in said


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"p_unseen": 0.4, "unseen": 0.5, "n_unseen": 9}, "but at texts that were never trained on "
         "it is not shown to be read"),
        ({"p_embedding": 0.4, "embedding": 0.75}, "but it is not shown to be more than the "
         "embedding gives (0.750)"),
    ],
)  # fmt: skip
def test_the_question_that_failed_is_the_one_that_is_told(told: dict, said: str) -> None:
    assert said in findings(study(**told))[0]


def test_a_check_that_failed_stands_in_front_of_everything() -> None:
    failed = Check("capture: largest error", 1.0, "<=", 0.1, "what was captured is what was run")
    made = replace(study(at=(1, 2)), checks=(failed,))
    assert findings(made)[0].startswith("Failed: capture: largest error")
    page = render_html_of(made)
    assert "Failed: capture" in page.split("What was not tested")[0]
    unlearned = Verdict("not tested", "the model has not learned its language (3 nats)")
    for site in SITES:
        made = with_verdict(made, site, decodable=unlearned)
    assert [told.good for told in answers(made)][0] is False


def render_html_of(made) -> str:
    from linrep.reports import Run

    return render_html(Run("t", "", {}, {}, (made, replace(made, name="other"))))


def test_a_language_is_learned_only_where_verdicts_say_so() -> None:
    made = replace(study(), facts={DIVERGENCE: "3 nats"})
    assert findings(made)[0].startswith("The model has learned its language")
    bare = replace(made, comparison=replace(made.comparison, rows=()))
    assert not any("has learned" in said for said in findings(bare))


def test_what_is_not_shown_to_carry_over_is_not_said_to_be_lost() -> None:
    rows = moved(0.6, False).rows
    assert "is not shown to carry over to facts (0.600" in carried(rows, "cities")
    assert carried(rows[:1], "cities") == ""  # scored on no other set
    flipped = [rows[0], replace(rows[1], score=0.2, low=0.1, high=0.3)]
    said = "but the probe of cities is right less often than a guess on facts (0.200"
    assert carried(flipped, "cities").startswith(said)


def test_causes_of_constructed_models_are_those_of_their_verdicts(run) -> None:
    made = run.studies[0]
    rows = []
    for row in made.comparison.rows:
        if row.subspaces is None or not row.subspaces.written:
            rows.append(row)
            continue
        read = Verdict(
            "no",
            "not shown to be more than an untrained model of this shape gives (0.6 against 0.6)",
        )
        used = Verdict("no", "hardly any effect: an exchange goes 0.02 of the way")
        verdicts = replace(row.verdicts, decodable=read, causal=used)
        rows.append(replace(row, verdicts=verdicts, exchange=USED, predicted_use=True))
    made = replace(made, comparison=replace(made.comparison, rows=tuple(rows)))
    told = " ".join(map(str, constructed_findings(made)))
    assert "it is read from untrained models as well" in told
    assert "words give it away" not in told
    assert "(not in the others: hardly any effect)" in told
    assert "random subspaces" not in told


def test_a_name_with_a_colon_is_told_whole() -> None:
    made = study()
    rows = tuple(
        replace(
            row, target="pos: noun", exchange=USED,
            verdicts=replace(row.verdicts, causal=Verdict("yes", "used")),
        )
        for row in made.comparison.rows
    )  # fmt: skip
    made = replace(made, comparison=replace(made.comparison, rows=rows))
    assert "The model uses pos: noun:" in str(used_findings(made)[0])


def test_runs_without_intervals_or_verdicts_are_neither_worse_nor_equal(run) -> None:
    def bare(score: float):
        made = run.studies[0]
        rows = tuple(dict(row) | {"accuracy": score, "interval": None} for row in made.scores.rows)
        scores = replace(made.scores, rows=rows, by_group={})
        made = replace(made, scores=scores, comparison=replace(made.comparison, rows=()))
        return replace(run, studies=(made,))

    found = compare_runs(bare(0.8), bare(0.1))
    assert found.worse == found.changes  # lower, and nothing says how sure that is
    assert compare_runs(bare(0.8), bare(0.8)).worse == ()
    assert {(one.apart, one.rung_before, one.rung_after) for one in found.changes} == {
        (None, None, None)
    }
    sides = beside(bare(0.8), bare(0.1))
    assert "no intervals" in sides.said(found.changes[0])
    assert not any("rung" in said for said in sides.sentences)


def test_numbers_that_do_not_vary_keep_no_credit() -> None:
    held = HeldOutNumbers(
        rows=np.arange(40), predicted=np.zeros((40, 1)), true=np.ones((40, 1)),
        credit=np.full(40, math.nan), groups=np.arange(40) // 2, columns=(),
    )  # fmt: skip
    assert group_scores({("a", "y"): held}, "corpus") == {}
