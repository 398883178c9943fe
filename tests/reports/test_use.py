"""The fourth rung: from one exchange to an answer, and onto the page."""

from dataclasses import dataclass, field, replace

import pytest

from linrep.core import CellScore, Prediction, Subspace
from linrep.reports import compare, read_run, write_run
from linrep.reports.use import causal

NAN = float("nan")
CELL = ("blocks.1.hook_resid_post", "height 1")
USED = CellScore(
    *CELL, "KL", "last token", 2, 40, 40, 40,
    base=1.4, source=0.001, edit=0.5, whole=0.4, readout=1.4, random=1.4, placebo=1.3, drawn=1.1,
    twin=1.4, share=0.64, share_low=0.6, share_high=0.7, share_whole=0.71, share_readout=0.0,
    share_random=0.0, share_placebo=0.07, share_drawn=0.2, share_drawn_high=0.5, share_twin=0.0,
    equal_base=0.001, equal_edit=0.003, completeness=0.6, completeness_drawn=0.2,
    selectivity=0.99, reliability=0.75,
    error=0.9, error_base=1.0, change=0.9, identity=True, follows=True, p=1e-5,
)  # fmt: skip


@dataclass
class Found:
    """What a comparison needs of exchanges."""

    cells: dict[tuple[str, str], CellScore] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ({}, "yes", "0.640 of the way"),
        ({"isolation": 0.9, "isolation_of": "depth"}, "yes", "predictions of depth left 0.900"),
        ({"p": 0.2}, "no", "not shown to do more than random"),
        ({"p": NAN}, "not tested", "no control"),
        ({"share": 0.02, "completeness": 0.02}, "no", "hardly any effect"),
        ({"share": 0.5, "completeness": 0.0}, "no", "hardly any effect"),
        ({"share": 0.0, "completeness": 0.0, "change": 0.0}, "no", "changes nothing"),
        ({"completeness_drawn": 0.7}, "no", "drawn at random from the states do more"),
        ({"equal_edit": 0.9}, "no", "equal labels are disturbed"),
        ({"n_groups": 5}, "not tested", "at least 20"),
        ({"identity": False}, "not tested", "own state"),
        ({"follows": False}, "not tested", "does not follow the language"),
        ({"base": 0.0, "follows": False}, "not tested", "hardly depends on the state"),
        ({"measure": "log-odds", "completeness": 0.0}, "yes", "of the way"),
    ],
)
def test_each_answer_has_its_reason(change, state, words):
    found = causal(replace(USED, **change))
    assert found.state == state
    assert words in found.reason
    weak = "hardly" in words or "nothing" in words
    instead = "not used from here" if weak else "use not shown"
    assert found.instead == (instead if state == "no" else "")


def test_theory_is_named_in_the_reason():
    claim = Prediction(*CELL, Subspace([[1.0], [0.0]]), True, "boundary", 1, used=False)
    assert "theory says that it is not used here" in causal(USED, claim=claim).reason


def test_equal_rows_are_equal_also_where_something_was_not_measured():
    first, second = (replace(USED, twin=float("nan")) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first != USED


def test_a_page_holds_its_level_over_all_decodable_cells(grid):
    cells = [(row["site"], row["target"]) for row in grid.rows]
    done = {(s, t): replace(USED, site=s, target=t, p=0.004) for s, t in cells}
    read = [v.decodable.state == "yes" for v in compare(grid, draws=10).verdicts.values()]
    for p, state in ((0.04 / sum(read), "yes"), (0.06 / sum(read), "no")):
        rows = {cell: replace(row, p=p) for cell, row in done.items()}
        found = compare(grid, grid.predictions, exchanges=Found(rows), draws=50).verdicts
        for verdicts in found.values():
            can = verdicts.decodable.state == "yes"
            assert verdicts.causal.state == (state if can else "not tested")
    assert found[CELL].headline == "aligned, use not shown"


def test_rung_four_needs_the_others(nothing_found):
    done = {
        (row["site"], row["target"]): replace(USED, site=row["site"], target=row["target"])
        for row in nothing_found.rows
    }
    found = compare(nothing_found, nothing_found.predictions, exchanges=Found(done), draws=20)
    assert all(verdicts.rung == 0 for verdicts in found.verdicts.values())


def test_what_was_not_exchanged_is_told(grid):
    found = compare(grid, draws=10, exchanges=Found({}, ("too few sentences",)))
    assert found.verdicts[CELL].causal.reason == "too few sentences"


def test_the_page_shows_present_beside_used(make, grid, tmp_path):
    run = make()
    done = Found({CELL: replace(USED, twin=float("nan"), share_twin=float("nan"),
                                isolation=0.912, isolation_of="height 7")})  # fmt: skip
    study = replace(
        run.studies[0], comparison=compare(grid, grid.predictions, exchanges=done, draws=20)
    )
    folder = write_run(replace(run, studies=(study,)), tmp_path / "run")
    page = (folder / "report.html").read_text("utf-8")
    for words in (
        "height 7",
        "0.912",
        "used: effect share",
        "Is the state used?",
        "effect share",
        "0.640",
    ):
        assert words in page
    text = (folder / "report.md").read_text("utf-8")
    assert "0.640" in text
    assert "left by the whole state" not in text  # what was not measured at all has no column
    assert "searched for (DAS)" not in text
    again = read_run(folder).studies[0].comparison
    assert again == study.comparison
    assert again.verdicts[CELL].word == "causal"
