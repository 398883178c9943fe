"""Two runs beside each other: paired where they can be, one level over all cells, one page."""

import html
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from linrep.probes import HeldOut
from linrep.reports import (
    RecordError,
    RegressionError,
    ReportError,
    compare_runs,
    read_run,
    report_difference,
    write_run,
)
from linrep.reports.by_group import GroupFile, GroupScores, group_scores
from linrep.reports.difference_page import DifferenceFile
from linrep.reports.differing import beside, signed

SITES = ("blocks.0.hook_resid_pre", *(f"blocks.{i}.hook_resid_post" for i in range(3)))
TARGETS = ("height 1", "height 2")
GROUPS = 60


def with_credit(run, credit, mark="one"):
    """The run with credit by group; its scores are those of the credit."""
    study = run.studies[0]
    tokens = tuple(map(float, np.arange(GROUPS) % 4 + 2))
    kept = {
        target: GroupScores(mark, tokens, {site: tuple(credit[site, target]) for site in SITES})
        for target in TARGETS
    }
    rows = tuple(
        dict(row) | {"accuracy": float(sum(credit[row["site"], row["target"]]) / sum(tokens)),
                     "interval": [0.0, 1.0]}
        for row in study.scores.rows
    )  # fmt: skip
    scores = replace(study.scores, rows=rows, by_group=kept)
    return replace(run, studies=(replace(study, scores=scores),))


def drawn(rng, better=()):
    """Right tokens of each group at every cell: alike at all cells of a group, as in a model."""
    tokens = np.arange(GROUPS) % 4 + 2
    ease = rng.normal(0.5, 1.0, GROUPS)
    credit = {}
    for site in SITES:
        for target in TARGETS:
            lift = 2.0 * ((site, target) in better)
            p = 1 / (1 + np.exp(-(ease + lift + rng.normal(0, 0.3, GROUPS))))
            credit[site, target] = rng.binomial(tokens, p).astype(float)
    return credit


def swapped(rng, one, other):
    """Two runs that are exchangeable: in each group at random one is the other."""
    turn = rng.integers(0, 2, GROUPS).astype(bool)
    return ({cell: np.where(turn, other[cell], one[cell]) for cell in one},
            {cell: np.where(turn, one[cell], other[cell]) for cell in one})  # fmt: skip


# -- what the test says ---------------------------------------------------------------------------


def test_a_run_and_itself_do_not_differ(run):
    one = with_credit(run, drawn(np.random.default_rng(0)))
    found = compare_runs(one, one)
    assert not found.different
    assert not found.worse
    assert not found.untested
    assert all(each.p == 1.0 and each.differ == 0 for each in found.changes)
    assert "No test group differs in how much is right, at any of the 8 cells" in " ".join(
        beside(one, one).sentences
    )


def test_false_differences_between_exchangeable_runs_are_no_more_than_the_level(run):
    """Of 120 pairs at most as many show a difference as 5 % lets happen once in a thousand."""
    false, pairs = 0, 120
    for seed in range(pairs):
        rng = np.random.default_rng(seed)
        one, other = swapped(rng, drawn(rng), drawn(rng))
        found = compare_runs(with_credit(run, one), with_credit(run, other), seed=seed)
        false += bool(found.different)
    assert false <= stats.binom.ppf(0.999, pairs, 0.05)


def test_what_differs_is_found_and_the_rest_is_not(run):
    rng = np.random.default_rng(3)
    better = {(SITES[2], "height 1"), (SITES[3], "height 1")}
    base = drawn(rng)
    lifted = dict(base)
    for cell in better:  # in two groups of three every token is right
        lifted[cell] = np.where(np.arange(GROUPS) % 3 > 0, np.arange(GROUPS) % 4 + 2, base[cell])
    before, after = with_credit(run, base), with_credit(run, lifted)
    found = compare_runs(before, after)
    assert {(c.site, c.target) for c in found.different} == better
    assert all(c.answer == "higher" and c.low > 0 for c in found.different)
    assert not found.worse
    back = compare_runs(after, before)
    assert {(c.site, c.target) for c in back.worse} == better
    for there, here in zip(found.changes, back.changes, strict=True):  # the mirror image
        assert (there.p, there.difference) == (here.p, -here.difference)


def test_intervals_hold_the_difference_and_need_groups_that_differ(run):
    rng = np.random.default_rng(5)
    found = compare_runs(with_credit(run, drawn(rng)), with_credit(run, drawn(rng)))
    for each in found.changes:
        assert each.low <= each.difference <= each.high
    base = drawn(rng)
    other = {cell: values.copy() for cell, values in base.items()}
    other[SITES[0], "height 1"][:3] = 0
    few = compare_runs(with_credit(run, base), with_credit(run, other)).changes[0]
    assert (few.low, few.high) == (None, None)
    assert 0 < few.differ <= 3


def test_the_order_of_draws_is_the_seeds(run):
    rng = np.random.default_rng(6)
    one, other = with_credit(run, drawn(rng)), with_credit(run, drawn(rng))
    assert compare_runs(one, other) == compare_runs(one, other)
    assert compare_runs(one, other, seed=1) != compare_runs(one, other)


# -- what is not tested ---------------------------------------------------------------------------


def test_other_test_tokens_and_runs_that_kept_nothing_are_not_tested(run):
    credit = drawn(np.random.default_rng(7))
    here = with_credit(run, credit)
    for other, why in ((with_credit(run, credit, mark="two"), "test tokens are others"),
                       (run, "keeps no credit")):  # fmt: skip
        found = compare_runs(here, other)
        assert len(found.untested) == len(found.changes)
        assert all(why in each.why and each.answer == "not tested" for each in found.changes)
        told = " ".join(beside(here, other).sentences)
        assert "8 cells were not tested" in told
        assert why in told
        assert "same tokens right" not in told
        assert "differ at" not in told


# -- what is kept ---------------------------------------------------------------------------------


def held(right, groups, classes=("a", "b")):
    n = len(right)
    rng = np.random.default_rng(0)
    true = rng.integers(0, 2, n)
    return HeldOut(np.arange(n), np.where(right, true, 1 - true), true, np.zeros(n), groups,
                   classes, np.array([0.5, 0.5]), np.zeros(n))  # fmt: skip


def test_credit_by_group_is_the_probes_own():
    right, groups = np.array([1, 0, 1, 1, 1], bool), np.array([7, 7, 9, 9, 9])
    (one,) = group_scores({("s", "t"): held(right, groups)}, "corpus").values()
    assert one.tokens == (2.0, 3.0)
    assert one.credit["s"] == (1.0, 3.0)


def test_what_is_kept_is_bounded_and_sums_stay():
    right = np.random.default_rng(1).random(500) < 0.7
    cells = {(f"s{i}", "t"): held(right, np.arange(500)) for i in range(10)}
    (whole,) = group_scores(cells, "corpus").values()
    (joined,) = group_scores(cells, "corpus", most=1000).values()
    assert (len(whole.tokens), len(joined.tokens)) == (500, 100)
    assert sum(joined.tokens) == 500
    assert sum(joined.credit["s3"]) == sum(whole.credit["s3"]) == right.sum()
    assert whole.mark != joined.mark
    assert not group_scores(cells, "corpus", most=100)  # ten groups tell nothing


@pytest.mark.parametrize("change", ["corpus", "labels", "groups", "rows", "classes"])
def test_the_mark_is_of_tokens_labels_and_groups_and_not_of_answers(change):
    right, groups = np.ones(40, bool), np.arange(40) // 2
    base = held(right, groups)
    other = {
        "corpus": base,
        "labels": replace(base, true=1 - base.true),
        "groups": replace(base, groups=groups // 2),
        "rows": replace(base, rows=base.rows + 1),
        "classes": replace(base, classes=("a", "c")),
    }[change]
    name = "another" if change == "corpus" else "corpus"
    marks = [group_scores({("s", "t"): one}, corpus)["t"].mark
             for one, corpus in ((base, "corpus"), (other, name),
                                 (held(~right, groups), "corpus"))]  # fmt: skip
    assert marks[0] != marks[1]
    assert marks[0] == marks[2]


def test_a_folder_keeps_it_and_odd_records_are_refused(run, tmp_path):
    one = with_credit(run, drawn(np.random.default_rng(8)))
    again = read_run(write_run(one, tmp_path / "run"))
    found = compare_runs(one, again)
    assert not found.untested
    assert not found.different
    kept = one.studies[0].scores.by_group["height 1"]
    assert GroupFile.of(kept).record().credit == kept.credit
    with pytest.raises(RecordError, match="one number for each group"):
        GroupScores("m", (1.0, 2.0), {"s": (1.0,)})
    with pytest.raises(RecordError, match="tokens in every group"):
        GroupScores("m", (1.0, 0.0), {"s": (1.0, 0.0)})


# -- what is written ------------------------------------------------------------------------------


@pytest.fixture
def pair(run):
    rng = np.random.default_rng(9)
    base = drawn(rng)
    other = drawn(rng, better={(SITES[3], "height 2")})
    after = replace(with_credit(run, other), settings={"seed": 1}, title="another")
    return with_credit(run, base), after


def test_page_markdown_and_json_say_the_same(pair, tmp_path):
    files = [
        report_difference(*pair, tmp_path / f"d.{suffix}") for suffix in ("html", "md", "json")
    ]
    page, text, data = (file.read_text("utf-8") for file in files)
    told = json.loads(data)
    DifferenceFile.model_validate(told)
    plain = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
    for sentence in told["found"]:
        assert sentence in text
        assert sentence in plain
    for change in told["changes"]:
        assert change["answer"] in text
        assert signed(change["difference"]) in text
        assert signed(change["difference"]) in plain
    assert "seed" in told["settings"]
    assert "Settings that differ" in plain


def test_the_same_runs_give_the_same_bytes_and_the_page_needs_nothing(pair, tmp_path):
    one = report_difference(*pair, tmp_path / "a.html").read_bytes()
    assert report_difference(*pair, tmp_path / "b.html").read_bytes() == one
    assert not re.search(rb"(?:src|href)=.?(?:https?:|//)", one)
    assert len(one) < 200_000


def test_what_stands_in_a_run_stays_text(run, tmp_path):
    evil = "<img src=x onerror=alert(1)>[x](javascript:alert(1))|y\nz"
    study = run.studies[0]
    named = replace(study, names={"height 1": evil}, facts={"model": evil})
    other = replace(named, facts={"model": "b"})
    before = replace(run, title=evil, studies=(named,), settings={"a": evil})
    after = replace(run, title="b", studies=(other,))
    page = report_difference(before, after, tmp_path / "d.html").read_text("utf-8")
    text = report_difference(before, after, tmp_path / "d.md").read_text("utf-8")
    for shown in (page, text):
        assert "<img" not in shown
        assert "onerror" in shown
    assert "](javascript" not in text
    assert not [line for line in text.splitlines() if line.startswith("z")]


@pytest.mark.parametrize("name", ["d.pdf", "d", "d.txt"])
def test_other_files_and_other_runs_are_refused(run, tmp_path, name):
    with pytest.raises(ReportError, match=r"\.html, \.md or \.json"):
        report_difference(run, run, tmp_path / name)
    other = replace(run, studies=(replace(run.studies[0], name="other"),))
    with pytest.raises(RegressionError, match="share no"):
        report_difference(run, other, tmp_path / "d.html")
    with pytest.raises(RegressionError, match="before"):
        report_difference(3, run, tmp_path / "d.html")
    assert not list(tmp_path.iterdir())
