"""A grammar's exact posteriors as targets: for any model, with every control, on the page."""

import json

import numpy as np
import pytest

from linrep import capture, probe, random_twin
from linrep.constructions import GrammarTransformer
from linrep.corpora import Corpus
from linrep.experiments import SettingsError, StudySettings, probe_settings, run_study
from linrep.experiments.settings import Causal, GrammarText, Loaded, Probes, Treebank
from linrep.grammars import Grammar, LanguageError, belief_targets, families
from linrep.probes.evidence.number_guesses import mean_guess, n_gram_guess
from linrep.reports import Run, write_run

AMBIGUOUS = "S -> X Y | Y X | X\nX -> A B | B A\nY -> B A | A A\nA -> 'a' | 'b'\nB -> 'b' | 'c'"


def test_they_are_the_grammars_posteriors():
    grammar = Grammar.from_text(AMBIGUOUS)
    corpus = grammar.sample(20, seed=0)
    found = {target.name: target for target in belief_targets(corpus)}
    assert list(found) == [
        "belief height 1", "belief height 2",
        "belief at boundary height 1", "belief at boundary height 2", "next token",
    ]  # fmt: skip
    sentence, row = corpus.sentences[3], int(np.flatnonzero(corpus.sentence_ids == 3)[0])
    for t in range(len(sentence)):
        told = grammar.ancestor_posterior(sentence, t, 1)
        belief = found["belief height 1"]
        values = dict(zip(belief.columns, belief.values[row + t], strict=True))
        assert {k: v for k, v in values.items() if v} == pytest.approx(told)
        after = grammar.next_token(sentence[: t + 1])
        assert found["next token"].values[row + t] == pytest.approx(list(after.values()))
    ends = np.isfinite(found["belief at boundary height 2"].values).all(axis=1)
    assert (ends == corpus.boundary(2)).all()
    assert found["next token"].columns[-1] == "the end"


def test_what_cannot_be_had_is_refused():
    corpus = families.latin(2, 2).sample(5, seed=0)
    with pytest.raises(LanguageError, match="received 'suffix'"):
        belief_targets(corpus, kinds=["suffix"])
    with pytest.raises(LanguageError, match="height"):
        belief_targets(corpus, heights=[7])
    texts = Corpus.from_texts(["a b", "b"])
    with pytest.raises(LanguageError, match="no grammar"):
        belief_targets(texts)
    with pytest.raises(SettingsError, match="--target names a target of labelled text"):
        probe_settings("model", None, "g.cfg", targets="upos")
    assert probe_settings("model", None, "g.cfg", targets="beliefs").studies[0].probes.beliefs
    with pytest.raises(SettingsError, match="this language has none"):
        StudySettings(
            name="x", language=Treebank(paths="*"), model=Loaded(path="m"),
            probes=Probes(beliefs=True),
        )  # fmt: skip


def test_a_model_that_holds_them_is_read_without_error_and_a_random_one_is_not():
    grammar = families.random_hierarchy(depth=2)
    corpus = grammar.sample(150, seed=0)
    made = GrammarTransformer.from_grammar(grammar, rotation=1)
    site = f"blocks.{len(made.program.layers) - 1}.hook_resid_post"
    wanted = belief_targets(corpus, kinds=["boundary"])
    options = {
        "targets": wanted, "positions": "all", "groups": "sentence", "permutations": 20,
        "bootstrap": 20,
    }  # fmt: skip
    read = {}
    for name, model in (("made", made.model), ("random", random_twin(made.model, seed=0))):
        acts = capture(model, corpus, sites=[site])
        (read[name],) = (row for row in probe(acts, corpus, **options).scores)
    assert read["made"].r2 >= 1 - 1e-9
    assert read["random"].r2 < 0.9
    assert read["made"].position < 0.3
    assert read["made"].n_gram > 0.9  # two words tell the symbol over them
    assert read["made"].surface >= read["made"].n_gram - 1e-12


def test_words_before_are_counted_one_by_one():
    """The last word alone says little here, the last two say all."""
    rng = np.random.default_rng(0)
    word, before = rng.integers(0, 2, 400), rng.integers(0, 2, 400)
    values = (word ^ before)[:, None].astype(float)
    train, asked = np.arange(300), np.arange(300, 400)
    keys = [word, 2 * word + before, 2 * word + before]
    guess = n_gram_guess(keys, values[train], train, asked)
    assert np.abs(guess - values[asked]).max() < 0.05
    alone = mean_guess(word[train], values[train], word[asked])
    assert np.abs(alone - 0.5).max() < 0.2


def test_a_study_of_a_model_from_a_folder_has_them_beside_its_labels(tmp_path):
    grammar = families.random_hierarchy(depth=2)
    model = random_twin(GrammarTransformer.from_grammar(grammar).model, seed=1)
    model.config.linrep = None  # no construction's any more
    model.save_pretrained(tmp_path / "model")
    settings = StudySettings(
        name="loaded", language=GrammarText(text=str(grammar)), sentences=60,
        model=Loaded(path=str(tmp_path / "model")),
        probes=Probes(
            twins=1, permutations=0, bootstrap=20, method="ridge", beliefs=True,
            causal=Causal(run="no"),
        ),
    )  # fmt: skip
    study, _ = run_study(settings)
    targets = {str(row["target"]) for row in study.scores.rows}
    assert {"belief height 1", "belief at boundary height 1", "next token", "height 1"} <= targets
    assert any(
        note.startswith("Beliefs are the grammar's exact posteriors") for note in study.notes
    )
    assert len(study.scores.rows) == len(study.comparison.rows)
    folder = write_run(Run("t", "", {}, {}, (study,)), tmp_path / "run")
    assert "last three words" in (folder / "report.html").read_text("utf-8")
    assert json.loads((folder / "report.json").read_text("utf-8"))
