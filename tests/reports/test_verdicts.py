"""Each rung, and what must not reach it."""

import pytest

from linrep.probes.account import EMBEDDINGS
from linrep.reports import Verdict, Verdicts
from linrep.reports.verdicts import decodable, selective, strongest_baseline

SITE = "blocks.1.hook_resid_post"
ROW = {"site": SITE, "accuracy": 0.75, "interval": (0.7, 0.8), "chance": 0.3}
BASELINES = ("position", "previous_word", "word_identity", "embedding", "random_weights")


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_can_stop_a_claim(name):
    assert decodable(ROW | {name: 0.5}).state == "yes"
    stopped = decodable(ROW | {name: 0.72})
    assert stopped.state == "no"
    assert name.replace("_", " ") in stopped.reason


@pytest.mark.parametrize("site", EMBEDDINGS)
def test_the_embedding_is_no_baseline_for_itself(site):
    here = ROW | {"site": site, "embedding": 0.75}
    assert decodable(here).state == "yes"
    assert strongest_baseline(here) == ("chance", 0.3)


def test_shuffled_labels_can_stop_a_claim():
    assert decodable(ROW | {"q": 0.01}).state == "yes"
    assert "q = 0.200" in decodable(ROW | {"q": 0.2}).reason
    assert "p over all cells = 0.200" in decodable(ROW | {"q": 0.01, "p_family": 0.2}).reason


def test_multiplicity_of_cells_does_not_stop_a_perfect_cell():
    assert decodable(ROW | {"q": 0.139, "p_family": 0.005}).state == "yes"


def test_too_few_permutations_are_no_verdict():
    found = decodable(ROW | {"p_family": 0.1}, permutations=9)
    assert found.state == "not tested"
    assert "at least 19" in found.reason
    assert decodable(ROW | {"p_family": 0.05}, permutations=19).state == "yes"
    assert decodable(ROW | {"p_family": 0.1}, permutations=19).state == "no"


def test_what_was_not_measured_is_said():
    assert "not measured: position" in decodable(ROW).reason
    assert decodable({"site": SITE, "chance": 0.3}).state == "not tested"
    assert decodable({"site": SITE, "interval": (0.7, 0.8)}).state == "not tested"
    assert decodable(ROW | {"interval": (float("nan"), float("nan"))}).state == "not tested"


def test_selectivity_needs_power():
    row = ROW | {"control_task": 0.5}
    assert selective(row, word_types=1000, features=64).state == "yes"
    assert selective(row, word_types=64, features=64).state == "not tested"
    assert selective(row | {"control_task": 0.71}, word_types=1000, features=64).state == "no"
    assert selective(ROW, word_types=1000, features=64).state == "not tested"


def test_a_longer_code_is_not_selective():
    row = ROW | {"control_task": 0.5, "codelength": 900.0, "control_codelength": 800.0}
    assert selective(row, word_types=1000, features=64).state == "no"


def test_a_no_ends_the_climb_and_untested_rungs_are_named():
    yes, no, open_ = Verdict("yes", ""), Verdict("no", ""), Verdict("not tested", "")
    assert Verdicts(no, yes, yes, yes).rung == 0
    assert Verdicts(no, yes, yes, yes).word == "not decodable"
    assert Verdicts(open_, open_, open_, open_).word == "not tested"
    assert Verdicts(yes, no, yes, yes).word == "decodable"
    assert Verdicts(yes, open_, yes, open_).untested == ("selective",)
    assert Verdicts(open_, open_, open_, open_).rung == 0
    assert Verdicts(yes, yes, yes, yes).word == "causal"
