"""A trained model beside a construction: what is measured, and what is not claimed of one."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from linrep import families, read_run, write_run
from linrep.core import Invariant, LinrepError, judged
from linrep.experiments import (
    LanguagesSettings,
    OneLanguage,
    SeedsSettings,
    SettingsError,
    StudySettings,
    TrainedSettings,
    seeds,
    trained,
    trained_languages,
)
from linrep.experiments.learned import Distance
from linrep.experiments.settings import (
    Causal,
    Constructed,
    HierarchyFamily,
    Probes,
    Trained,
    Treebank,
)
from linrep.models import train
from linrep.models.training import batch_ids
from linrep.models.training.exactness import APART, hold_out
from linrep.reports import Comparison, Verdict, Verdicts
from linrep.reports.findings import findings
from linrep.reports.invariants import invariant_lines

LANGUAGE = HierarchyFamily(n_symbols=4, n_rules=3, depth=3, seed=1)


def settings(**given):
    told = {
        "name": "small", "language": LANGUAGE,
        "model": Trained(steps=10, sentences=200, width=16, layers=2),
        "theory": Constructed(), "sentences": 150,
        "probes": Probes(
            positions="boundary", heights=(1,), C=10.0, permutations=20, bootstrap=50, twins=3,
            controls=("random_weights",), causal=Causal(run="no"),
        ),
    } | given  # fmt: skip
    return StudySettings(**told)


@pytest.fixture(scope="module")
def answered():
    one = settings()
    how = LanguagesSettings(
        languages={"small": OneLanguage(language=one.language, training=one.model)},
        sentences=one.sentences, probes=one.probes,
    )  # fmt: skip
    return trained_languages(how)


@pytest.fixture(scope="module")
def unlearned(answered):
    return answered.run


def test_the_divergence_is_that_of_its_definition():
    grammar = families.random_hierarchy(3, 2, 2, 2, seed=0)
    model = train(grammar, sentences=20, steps=5, hidden_size=16, num_hidden_layers=1).model
    held, _ = hold_out(grammar, 6, 2, model.config.vocabulary)
    sentences = grammar.sample(6, seed=2 + APART).sentences
    lost, entropy, tokens = 0.0, 0.0, 0
    for sentence in sentences:
        ids, mask = batch_ids([sentence], model.config.vocabulary)
        with torch.inference_mode():
            known = torch.log_softmax(model(ids, attention_mask=mask).logits[0].double(), -1)
        for read in range(len(sentence) + 1):
            exact = grammar.next_token_probabilities(sentence[:read])[-1]
            words = [*grammar.terminals, "<eos>"]
            for word, p in zip(words, exact, strict=True):
                if p > 0:
                    q = math.exp(float(known[read, model.config.vocabulary.index(word)]))
                    lost += p * math.log(p / q)
                    entropy -= p * math.log(p)
            tokens += 1
    assert (held.kl(model), held.floor) == pytest.approx((lost / tokens, entropy / tokens))


def test_a_model_that_knows_next_to_all_has_learned():
    assert Distance(0.01, 1.0, 0.5).learned
    assert not Distance(0.03, 1.0, 0.5).learned


def test_of_a_model_that_has_not_learned_no_state_is_claimed(unlearned):
    (study,) = unlearned.studies
    states = {
        getattr(row.verdicts, rung).state
        for row in study.comparison.rows
        for rung in ("decodable", "selective", "aligned", "causal")
    }
    assert states == {"not tested"}
    assert "has not learned its language" in study.comparison.rows[0].verdicts.sentence
    assert study.invariants == ()
    assert "nats per token" in study.facts["divergence from the exact next-token distribution"]


def test_a_page_begins_with_whether_the_language_was_learned(unlearned):
    (study,) = unlearned.studies
    (told,) = findings(study)
    assert told.startswith("The model has not learned its language: it is ")
    assert told.endswith("No state is claimed.")
    yes = Verdict("yes", "far above")
    rows = tuple(
        replace(row, verdicts=Verdicts(yes, yes, yes, yes)) for row in study.comparison.rows
    )
    first, *others = findings(
        replace(study, comparison=Comparison(rows, study.comparison.settings))
    )
    assert first.startswith("The model has learned its language: divergence")
    assert others[0].startswith("Height 1 of each token can be read")
    assert all("where a linear map" in text for text in others[1:])
    assert findings(replace(study, facts={})) == [told]  # the verdicts say it


def test_a_page_shows_what_does_not_depend_on_the_basis(unlearned, tmp_path):
    (study,) = unlearned.studies
    rows = (
        judged("dimensions", "height 1", "blocks.0.hook_resid_post", predicted=3.0, measured=3.0,
               nulls=(0.0, 1.0, 0.0, 1.0), resolution=1.0),
        judged("overlap", "height 1", "", predicted=0.0, measured=math.nan),
    )  # fmt: skip
    run = replace(unlearned, studies=(replace(study, invariants=rows),))
    write_run(run, tmp_path / "run")
    assert read_run(tmp_path / "run").study("small").invariants == rows
    for name in ("report.html", "report.md"):
        text = (tmp_path / "run" / name).read_text("utf-8")
        assert "hatever the basis" in text
        for cell in invariant_lines(rows)[0][:2]:
            assert cell in text
    told = json.loads((tmp_path / "run" / "report.json").read_text("utf-8"))["studies"][0]
    assert [row["name"] for row in told["invariants"]] == ["dimensions", "overlap"]
    assert set(told["invariants"][0]) == set(Invariant.__dataclass_fields__)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model": Constructed()}, "is one itself"),
        ({"language": Treebank(paths="*.ptb")}, "no grammar|needs a grammar"),
    ],
)
def test_theory_stands_beside_trained_models_of_a_grammar(change, why):
    with pytest.raises(SettingsError, match=why):
        settings(**change)


def test_training_needs_a_grammar():
    with pytest.raises(SettingsError, match="needs a grammar"):
        settings(language=Treebank(paths="*.ptb"), theory=None)


def test_facts_say_how_far_it_is():
    told = Distance(0.0123, 1.5, 0.544)
    (text,) = told.facts.values()
    assert "0.0123" in text
    assert "1.500" in text
    assert np.isclose(told.model / told.untrained, 0.0082)


def test_a_language_has_a_row_for_each_state(answered):
    (row,) = answered.rows
    assert (row["language"], row["state"]) == ("small", "height 1")
    assert row["verdict"] == "not tested"
    assert answered.to_markdown().count("\n") == 2


def test_states_along_training_and_with_fewer_blocks(unlearned, monkeypatch):
    """The study itself is that of the fixture; checkpoints and a smaller model are trained."""
    monkeypatch.setattr(
        "linrep.experiments.questions.trained.run_study", lambda asked: (unlearned.studies[0], {})
    )
    found = trained(tiny=True)
    names = [row["model"] for row in found.rows]
    assert names == ["trained", *["step 0"] * 2, *["step 20"] * 2, *["1 block"] * 2]
    along = {row["model"]: row.get("KL") for row in found.rows if row["state"] == "height 1"}
    assert along["step 0"] > along["step 20"] > 0
    captions = [picture.caption for picture in found.run.studies[0].pictures]
    assert len(captions) == 2
    assert "fewer blocks" in captions[1]


def test_seeds_are_summed_up(unlearned, monkeypatch):
    rows = [
        judged("dimensions", "height 1", "", predicted=3.0, measured=value, nulls=(0.0,) * 5)
        for value in (3.0, 2.0, 1.0)
    ]
    made = iter(rows)
    asked = []

    def study(settings, level):
        asked.append((settings.model.seed, settings.seed, level))
        return replace(unlearned.studies[0], name=settings.name, invariants=(next(made),)), {}

    monkeypatch.setattr("linrep.experiments.questions.seeds.run_study", study)
    found = seeds(SeedsSettings(seeds=3), seed=4)
    assert asked == [(seed, seed, 0.05 / 3) for seed in (4, 5, 6)]
    (row,) = found.rows
    assert (row["mean"], row["as predicted"], row["partly"]) == (2.0, "1 of 3", "2 of 3")
    assert row["interval"] == pytest.approx([2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5])
    assert found.run.studies[0].facts["models that learned the language"] == 0


@pytest.mark.parametrize("make", [trained, seeds, trained_languages])
def test_experiments_look_at_the_folder_first(make, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(LinrepError, match="is not empty"):
        make(tiny=True, out=tmp_path)


def test_experiments_need_grammars():
    trees = Treebank(paths="*.ptb")
    with pytest.raises(SettingsError, match="needs a grammar|has none"):
        trained(TrainedSettings(language=trees))
    with pytest.raises(SettingsError, match="needs a grammar|has none"):
        seeds(SeedsSettings(language=trees))
    with pytest.raises(SettingsError, match="has none"):
        trained_languages(LanguagesSettings(languages={"trees": OneLanguage(language=trees)}))
