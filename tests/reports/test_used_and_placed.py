"""Sentences on use and on the place of a state: made of verdicts, with the opposite of each."""

from dataclasses import replace

import pytest

from linrep.reports.findings import answers, findings
from linrep.reports.placed_findings import placed_findings, used_findings
from linrep.reports.through import Through
from linrep.reports.verdicts import Verdict

from .test_findings import SITES, study
from .test_use import USED

SAID = Through(SITES[0], 0.8, 0.7, 0.9, 0.1, 0.2, 0.7, 0.2, 2, 2)


def with_use(*states):
    """A study in which states were exchanged at three places."""
    made = study(at=(1, 2))
    rows = [
        replace(
            row,
            exchange=replace(USED, site=row.site, target=row.target),
            verdicts=replace(row.verdicts, causal=Verdict(state, "so it is")),
        )
        for row, state in zip(made.comparison.rows, states, strict=True)
    ]
    return replace(made, comparison=replace(made.comparison, rows=tuple(rows)))


def with_map(run, *, state):
    """A study of a model in a basis of its own, with one verdict for all cells."""
    (only,) = run.studies
    rows = tuple(
        replace(row, through=SAID, verdicts=replace(row.verdicts, aligned=Verdict(state, "so")))
        for row in only.comparison.rows
    )
    return replace(only, comparison=replace(only.comparison, rows=rows))


def test_what_is_used_is_said_with_its_share_and_its_places():
    (finding,) = used_findings(with_use("no", "yes", "yes"))
    assert finding.text.startswith("The model uses label")
    assert finding.details[0].text == (
        "label: 0.640 [0.600 to 0.700] of the way after block 0, used at 2 of 3 places"
    )


@pytest.mark.parametrize("states", [("no", "no", "no"), ("no", "not tested", "no")])
def test_what_is_not_used_is_not_said_to_be(states):
    text = " ".join(findings(with_use(*states)))
    assert "The model uses" not in text
    assert "That the model uses label is not shown" in text


def test_of_exchanges_that_could_not_be_judged_nothing_is_said():
    assert used_findings(with_use(*["not tested"] * 3)) == []
    assert used_findings(study()) == []


def test_up_to_a_map_states_lie_where_theory_puts_them_or_do_not(run):
    held, lost, untold = (with_map(run, state=state) for state in ("yes", "no", "not tested"))
    cells = sum(row.subspaces is not None for row in held.comparison.rows)
    assert f"At {cells} of the {cells} cells" in placed_findings(held)[0].text
    assert len(placed_findings(held)[0].details) == cells
    (never,) = placed_findings(lost)
    assert never.text.startswith(f"At none of the {cells} cells")
    assert "0.900 and more than chance gives are required" in never.text
    assert placed_findings(untold) == []
    assert not any("theorem puts it" in finding.text for finding in answers(held))
