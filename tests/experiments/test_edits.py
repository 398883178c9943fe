"""Erasing and steering in a study: what the numbers say, and that every page says the same."""

import json

import pytest

from linrep import read_run, write_run
from linrep.core import ErasedRow, SteeredRow
from linrep.reports.edited import erased_lines, steered_lines


@pytest.fixture(scope="module")
def both(small_run):
    return small_run.study("random_hierarchy")


def accuracy(rows, arm, target, read, at):
    (row,) = [
        row for row in rows
        if (row.arm, row.target, row.read, row.read_at) == (arm, target, read, at)
    ]  # fmt: skip
    return row


def test_an_erased_state_is_gone_where_it_was_and_others_stay(both):
    """A constructed model writes height 1 in block 0 and height 2 in block 1, apart."""
    sites = {row.target: row.site for row in both.erased}
    assert sites == {f"height {h}": f"blocks.{h - 1}.hook_resid_post" for h in (1, 2)}
    for target, site in sites.items():
        whole = accuracy(both.erased, "none", target, target, site)
        assert whole.accuracy > 0.95
        assert (whole.kl, whole.removed) == (0, 0)
        row = accuracy(both.erased, "leace", target, target, site)
        assert row.accuracy < whole.chance + 0.1  # LEACE: no linear probe does better
        assert 0 < row.removed < 1
        assert row.kl > 0.1
    row = accuracy(both.erased, "subspace", "height 1", "height 1", sites["height 1"])
    assert row.accuracy < row.chance + 0.1
    last = "blocks.3.hook_resid_post"
    gone, random = (
        accuracy(both.erased, arm, "height 2", "height 1", last) for arm in ("subspace", "random")
    )
    assert gone.accuracy == accuracy(both.erased, "none", "height 2", "height 1", last).accuracy
    assert random.accuracy <= gone.accuracy


def test_a_push_moves_the_answer_both_ways(both):
    for target in ("height 1", "height 2"):
        low, none, high = (row for row in both.steered if row.target == target)
        assert (low.strength, none.strength, high.strength) == (-0.5, 0, 0.5)
        assert (none.effect, none.wrong, none.damage) == (0, 0, pytest.approx(0, abs=1e-9))
        assert low.effect < 0 < high.effect
        assert low.n >= 8


def test_what_is_not_asked_is_not_in_a_study(small_run, both):
    assert {type(row) for row in both.erased} == {ErasedRow}
    assert {type(row) for row in both.steered} == {SteeredRow}
    other = small_run.study("latin")
    assert (other.erased, other.steered) == ((), ())


def test_the_page_the_markdown_and_the_json_say_the_same(small_run, both, tmp_path):
    folder = write_run(small_run, tmp_path / "run")
    again = read_run(folder).study("random_hierarchy")
    assert (again.erased, again.steered) == (both.erased, both.steered)
    page, text = ((folder / f"report.{kind}").read_text("utf-8") for kind in ("html", "md"))
    data = json.loads((folder / "report.json").read_text("utf-8"))
    (study,) = [one for one in data["studies"] if one["name"] == "random_hierarchy"]
    assert study["erased"] == [vars(row) for row in both.erased]
    assert study["steered"] == [vars(row) for row in both.steered]
    for line in (*erased_lines(both.erased), *steered_lines(both.steered)):
        assert "| " + " | ".join(line) + " |" in text
        assert f">{line[-1]}</td>" in page
    for words in ("What is lost when a state is taken out", "What a push along the state does"):
        assert words in page
    assert page.count("A state taken out, and read further on") == 1
