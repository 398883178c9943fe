"""One small run: its checks hold, its numbers are right, and every page of it says the same."""

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
    assert page.count('aria-label="A state taken out, and read further on') == 1


def test_every_check_holds(study):
    failed = [str(check) for check in study.checks if not check.passed]
    # in "latin" every sentence is possible: no exchange can be seen there
    assert len(study.checks) == (9 if study.name == "latin" else 10)
    assert not failed


def test_the_staircase(small_run):
    """P4: 1/q until the layer of the height, 1 from there on; never between."""
    rows = small_run.study("latin").scores.rows
    for row in rows:
        height = int(str(row["target"]).split()[1])
        blocks = 0 if "pre" in row["site"] else int(row["site"].split(".")[1]) + 1
        assert row["ceiling"] == pytest.approx(1.0 if blocks >= height else 1 / 3, abs=1e-12)
        if blocks >= height:
            assert row["accuracy"] == 1.0
        else:
            assert row["interval"][0] < 1 / 3 + 0.05
            assert row["accuracy"] < 0.5


def test_no_probe_exceeds_its_ceiling_beyond_the_interval(study):
    """P3."""
    for row in study.scores.rows:
        assert row["interval"][0] <= row["ceiling"] + 1e-12


def test_states_are_aligned_where_written_and_not_before(study):
    for row in study.comparison.rows:
        assert row.subspaces is None or row.subspaces.as_predicted, (row.site, row.target)
        if row.subspaces and not row.subspaces.written:
            assert row.verdicts.aligned.state == "no"
    assert any(row.subspaces.written for row in study.comparison.rows if row.subspaces)


def overlap_check(study):
    return next(check for check in study.checks if "smallest overlap" in check.name)


def dimensions(study):
    """target -> most dimensions learned, and those predicted, as the comparison table shows."""
    found = {}
    for row in study.comparison.rows:
        if row.subspaces and row.subspaces.written:
            learned, predicted = row.subspaces.dim_learned, row.subspaces.dim_predicted
            found[row.target] = max(learned, found.get(row.target, (0, 0))[0]), predicted
    return found


def test_a_pattern_smaller_than_predicted_is_said_to_lie_in_it(small_run):
    """An overlap is 1 as soon as the smaller subspace lies in the larger."""
    whole, part = small_run.study("latin"), small_run.study("random_hierarchy")
    assert all(learned == predicted for learned, predicted in dimensions(whole).values())
    assert overlap_check(whole).meaning == "the learned pattern is the predicted subspace"
    fewer = {target: dims for target, dims in dimensions(part).items() if dims[0] < dims[1]}
    assert fewer
    for target, (learned, predicted) in fewer.items():
        said = f"lies in it without filling it ({target}: {learned} of {predicted} dimensions"
        assert said in overlap_check(part).meaning


def test_the_ceiling_check_says_whose_ceilings_and_which_intervals(study):
    (meaning,) = [check.meaning for check in study.checks if "the ceiling" in check.name]
    assert "wider than those printed" in meaning
    assert "not of its random-weight twin's" in meaning


def test_notes_about_lost_dimensions_agree_with_the_table(study):
    lost = [note for note in study.scores.notes if "pattern dimensions" in note]
    assert len(lost) == sum(learned < most for learned, most in dimensions(study).values())
    for target, (learned, most) in dimensions(study).items():
        if learned < most:
            (note,) = [note for note in lost if note.startswith(f"{target}: ")]
            assert note == (
                f"{target}: {most - learned} of {most} pattern dimensions cannot be told from the "
                f"other states of the stream, or are not written; its learned pattern has at most "
                f"{learned}"
            )
