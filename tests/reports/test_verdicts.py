"""Each rung, and what must not reach it."""

import pytest

from linrep.probes.grid.notes import EMBEDDINGS
from linrep.reports import Verdict, Verdicts
from linrep.reports.rungs import decodable, selective, strongest_baseline

SITE = "blocks.1.hook_resid_post"
MEASURED = {
    "site": SITE, "accuracy": 0.75, "interval": (0.7, 0.8), "chance": 0.3, "surface": 0.5,
    "embedding": 0.5, "random_weights": 0.4, "control_task": 0.45, "unseen": 0.6, "n_unseen": 90,
    "n_twins": 5, "n_groups": 40, "n_classes": 3,
}  # fmt: skip
RUNG_1 = ("p_family", "p_untrained")
RUNG_2 = ("p_surface", "p_embedding", "p_unseen")
ROW = MEASURED | dict.fromkeys(RUNG_1 + RUNG_2, 0.004) | {"p_perfect": 0.001}
FEW_WORDS, MANY_WORDS = ({"word_types": n, "features": 64} for n in (64, 1000))


@pytest.mark.parametrize("name", RUNG_1)
def test_each_rival_of_the_first_rung_can_stop_it(name):
    assert decodable(ROW).state == "yes"
    stopped = decodable(ROW | {name: 0.051})
    assert stopped.state == "no"
    assert "p = 0.051" in stopped.reason
    assert decodable(ROW | {name: 0.03}, level=0.025).state == "no"


def test_a_score_at_chance_is_no_finding():
    """Whatever its p-value: labels may be shared unevenly."""
    assert decodable(ROW | {"chance": 0.75}).state == "no"
    assert decodable(ROW | {"chance": 0.999, "accuracy": 0.999}).state == "no"
    assert decodable(ROW | {"chance": None}).state == "not tested"


@pytest.mark.parametrize("classes", [1, 3])
def test_where_nothing_is_to_be_told_apart_nothing_is_missing(classes):
    """One class, or one at each position: chance is 1, which is no absence of the state."""
    constant = ROW | {"accuracy": 1.0, "chance": 1.0, "n_classes": classes}
    for found in (decodable(constant), selective(constant, **MANY_WORDS)):
        assert found.state == "not tested"
        assert found.reason.startswith("constant on this corpus")
        assert "other heights" in found.reason
    absent = constant | {"p_family": None, "p_untrained": None, "accuracy": 0.98}
    assert decodable(absent).state == "not tested"


@pytest.mark.parametrize("name", RUNG_1)
def test_what_was_not_asked_is_not_answered(name):
    assert decodable(ROW | {name: float("nan")}).state == "not tested"
    rest = dict.fromkeys(set(RUNG_1) - {name}, 0.5)
    assert decodable(ROW | rest | {name: None}).state == "no"  # another rival says no


@pytest.mark.parametrize("name", RUNG_2)
def test_losing_to_the_surface_is_not_absence(name):
    """An accuracy of 0.843 at chance 0.146, where the embedding has 0.879, is no absence."""
    assert decodable(ROW | {name: 0.9}).state == "yes"
    assert selective(ROW, **MANY_WORDS).state == "yes"
    stopped = selective(ROW | {name: 0.9}, **MANY_WORDS)
    assert stopped.state == "no"
    assert stopped.instead == "not beyond the word"
    untested = Verdict("not tested", "")
    told = Verdicts(decodable(ROW), stopped, untested, untested)
    assert told.sentence == "decodable, not beyond the word"


@pytest.mark.parametrize("site", EMBEDDINGS)
def test_the_embedding_is_no_baseline_for_itself(site):
    here = ROW | {"site": site, "embedding": 0.75}
    assert strongest_baseline(here) == ("surface", 0.5)
    found = selective(here, **MANY_WORDS)
    assert (found.state, found.instead) == ("not tested", "not beyond the word")


def test_what_the_surface_tells_cannot_be_beaten():
    """Where a probe without any error could not be told from the surface, losing says nothing."""
    assert selective(ROW | {"p_surface": 1.0}, **MANY_WORDS).state == "no"
    found = selective(ROW | {"p_surface": 1.0, "p_perfect": 1.0}, **MANY_WORDS)
    assert (found.state, found.instead) == ("not tested", "not beyond the word")


def test_too_few_permutations_are_no_verdict():
    found = decodable(ROW | {"p_family": 0.1}, permutations=9)
    assert found.state == "not tested"
    assert "at least 19" in found.reason
    assert decodable(ROW | {"p_family": 0.05}, permutations=19).state == "yes"
    assert decodable(ROW | {"p_family": 0.1}, permutations=19).state == "no"
    none = decodable(ROW | {"p_family": float("nan")}, permutations=0)
    assert (none.state, none.reason) == ("not tested", "no labels were shuffled")


def test_too_few_untrained_models_are_no_verdict():
    found = decodable(ROW | {"p_untrained": float("nan"), "n_twins": 2})
    assert found.state == "not tested"
    assert "2 untrained models were probed, at least 3 are needed" in found.reason


def test_too_few_groups_are_no_verdict():
    few = ROW | {"n_groups": 5}
    for found in (decodable(few), selective(few, **MANY_WORDS)):
        assert found.state == "not tested"
        assert found.reason.startswith("5 test groups, at least 6 are needed")
    told = "the language has 12 sentences"
    for found in (decodable(few, remedy=told), selective(few, remedy=told, **MANY_WORDS)):
        assert found.reason.endswith(told)


def test_control_tasks_stand_beside_and_do_not_decide():
    """They are read more often than a label that cannot be read more often than it is."""
    found = selective(ROW | {"control_task": 0.99, "p_control": 1.0}, **MANY_WORDS)
    assert found.state == "yes"
    assert found.reason.endswith("control tasks reach 0.990")
    few = selective(ROW, **FEW_WORDS)
    assert few.reason.endswith("as any would with 64 word types in 64 dimensions")


def test_a_no_ends_the_climb_and_untested_rungs_are_named():
    yes, no, open_ = Verdict("yes", ""), Verdict("no", ""), Verdict("not tested", "")
    assert Verdicts(no, yes, yes, yes).rung == 0
    assert Verdicts(no, yes, yes, yes).word == "not decodable"
    assert Verdicts(open_, open_, open_, open_).word == "not tested"
    assert Verdicts(yes, no, yes, yes).word == "decodable"
    assert Verdicts(yes, open_, yes, open_).untested == ("selective",)
    assert Verdicts(open_, open_, open_, open_).rung == 0
    assert Verdicts(yes, yes, yes, yes).word == "causal"
