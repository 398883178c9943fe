"""A page of a hundred places and fifty targets: every cell is there, and it stays small."""

import re

import pytest

from linrep.reports import Comparison, Run, Scores, Study, figures as figures
from linrep.reports.html import render_html
from linrep.reports.markdown import render_markdown
from linrep.reports.row import Row
from linrep.reports.verdicts import Verdict, Verdicts

COLUMNS = (
    "chance", "random_weights", "surface", "ceiling", "position", "previous_word", "word_identity",
    "next_word", "embedding", "shuffled", "control_task", "selectivity", "balanced_accuracy",
    "macro_f1", "nll", "p", "q", "p_family", "p_untrained", "p_surface",
)  # fmt: skip


def large(sites, targets):
    yes = Verdict("yes", "0.800 is above chance (0.500), shuffled labels and untrained models")
    no = Verdict("not tested", "no states of these targets were exchanged")
    cells = [
        (f"blocks.{site}.hook_resid_post", f"target {target}")
        for site in range(sites)
        for target in range(targets)
    ]
    rows = [
        {"site": site, "target": target, "accuracy": 0.8, "validation": 0.8,
         "interval": [0.7, 0.9], "n_test": 500, **dict.fromkeys(COLUMNS, 0.5)}
        for site, target in cells
    ]  # fmt: skip
    compared = tuple(Row(*cell, Verdicts(yes, yes, no, no)) for cell in cells)
    study = Study("large", "q", {"blocks": sites}, Scores(tuple(rows)), Comparison(compared))
    return Run("t", "q", {}, {}, (study,))


@pytest.fixture
def without_figures(monkeypatch):
    """What tables, maps and sentences weigh; figures have their own tests."""
    monkeypatch.setattr(figures, "study_figures", lambda study: {})


@pytest.mark.usefixtures("without_figures")
def test_a_large_page_has_every_cell_and_stays_small():
    from plotly.offline import get_plotlyjs

    run = large(100, 50)
    page = render_html(run).replace(get_plotlyjs(), "")
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {f"large/blocks.{i}.resid_post/target-{j}" for i in range(100) for j in range(50)} <= {
        *ids
    }
    assert len(page.encode()) < 1000 * 5000  # a kilobyte for each cell, all of it folded
    first = page.split('class="study"', 1)[0]
    assert len(first.split("</style>", 1)[1]) < 20_000
    assert "scores.csv beside this page has all" in page
    assert len(render_markdown(run)) < 1000 * 5000


@pytest.mark.usefixtures("without_figures")
def test_a_small_page_has_every_column():
    page = render_html(large(3, 2))
    assert "scores.csv beside this page" not in page
    assert "balanced accuracy</th>" in page
