"""The whole path on small grammars: what theory predicts is found, and nothing else."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

from linrep import (
    Grammar,
    GrammarTransformer,
    ProbeError,
    Subspace,
    capture,
    compare,
    families,
    probe,
    random_twin,
)
from linrep.core import running
from linrep.experiments import StudySettings, run_study
from linrep.experiments.checks import apart_from_ceiling, checks_of, next_token_error
from linrep.experiments.demo import demo_settings
from linrep.experiments.settings import Causal, Constructed, GrammarText, LatinFamily, Probes
from linrep.experiments.subjects import make_subject
from linrep.experiments.unwritten import beyond_null, largest_share
from linrep.probes.grid.joint import joint_patterns


def test_runs_are_equal_whenever_and_wherever_they_are_made():
    settings = StudySettings(
        name="two by two",
        language=LatinFamily(order=2, depth=2),
        model=Constructed(rotation=1),
        sentences=200,
        probes=Probes(
            positions="boundary", C=10.0, permutations=20, bootstrap=20, twins=2,
            causal=Causal(pairs=12, draws=2),
        ),
    )  # fmt: skip
    before, made = run_study(settings)
    with running("processes:1") as engine:  # one worker for all that follows
        again, elsewhere = run_study(settings, engine=engine)
    assert dict(elsewhere) == dict(made)
    assert again.scores == before.scores
    assert again.comparison == before.comparison
    assert again.checks == before.checks
    assert before.scores.rows
    assert before.checks


def test_the_path_is_one_short_function():
    lines = inspect.getsource(run_study).split('"""')[2].strip().splitlines()
    assert len(lines) < 50


@pytest.fixture(scope="module")
def parts():
    corpus = families.latin(order=3, depth=3).sample(400, seed=3)
    subject = make_subject(Constructed(), corpus)
    acts = capture(subject.model, corpus)
    results = probe(
        acts, corpus, heights=[1, 2], positions="boundary", C=10.0, permutations=0, bootstrap=100,
        controls=(),
    )  # fmt: skip
    return corpus, subject, acts, results


def test_a_wrong_grammar_fails_the_exactness_check(parts):
    corpus, subject, _, _ = parts
    right, _ = next_token_error(subject, corpus.grammar, corpus.sentences[:5])
    skewed = str(corpus.grammar).replace(
        "1_0 -> 'a0' 'a0' | 'a1' 'a2' | 'a2' 'a1'",
        "1_0 -> 'a0' 'a0' [0.4] | 'a1' 'a2' [0.3] | 'a2' 'a1' [0.3]",
    )
    other = GrammarTransformer.from_grammar(Grammar.from_text(skewed))
    wrong, _ = next_token_error(replace(subject, construction=other), corpus.grammar,
                                corpus.sentences[:5])  # fmt: skip
    assert right <= 1e-12
    assert wrong > 0.01


def test_a_wrong_ceiling_is_noticed(parts):
    _, _, _, results = parts
    right = {
        (s.site, s.target): np.full(400 * 8, 1.0 if s.accuracy == 1.0 else 1 / 3)
        for s in results.scores
    }
    assert apart_from_ceiling(results, right) == ()
    wrong = {cell: np.full(400 * 8, 0.6) for cell in right}
    assert len(apart_from_ceiling(results, wrong)) == len(results.scores)
    above = [score for score in results.scores if score.accuracy == 1.0]
    assert 0 < len(apart_from_ceiling(results, wrong, one_sided=True)) == len(above)
    unknown = {cell: np.full(400 * 8, np.nan) for cell in right}
    assert apart_from_ceiling(results, unknown) == ()


def test_nothing_is_found_where_nothing_is_written(parts):
    """And what is written is noticed, so that a wrong prediction of absence fails."""
    corpus, subject, acts, results = parts
    results = replace(results, patterns=joint_patterns(acts, corpus, (1, 2))[0])
    claims = [p for p in subject.predictions if (p.site, p.target) in results.held_out]
    absent = [p for p in claims if not p.written]
    assert absent
    # the stream is float32
    assert all(largest_share(acts, corpus, p) <= np.finfo(np.float32).eps for p in absent)
    assert not any(beyond_null(results, absent, level=0.05))
    assert not any((p.site, p.target) in results.patterns for p in absent)
    written = [p for p in claims if p.written]
    assert all(largest_share(acts, corpus, p) > 0.1 for p in written)
    assert all(beyond_null(results, written, level=0.05))


def test_a_check_without_cells_is_named(parts):
    corpus, subject, acts, results = parts
    bare = replace(results, patterns={}, ceilings={})
    checks, notes = checks_of(subject, corpus, acts, bare, compare(bare), [])
    assert len(checks) == 2
    assert len(notes) == 4
    assert all(note.startswith("not tested: ") and "0 cells" in note for note in notes)


def test_a_construction_passes_at_all_tokens_of_sentences_of_many_lengths():
    """There ceilings bound from above only: a site need not hold the whole posterior linearly."""
    grammar = "S -> A B | B A\nA -> 'a' | 'a' 'b'\nB -> 'b' | 'b' 'a'"
    study, _ = run_study(
        StudySettings(
            name="ragged",
            language=GrammarText(text=grammar),
            model=Constructed(),
            sentences=300,
            probes=Probes(positions="all", permutations=0, bootstrap=50),
        )
    )
    assert any("exceeds the ceiling" in check.name for check in study.checks)
    assert not [str(check) for check in study.checks if not check.passed]
    assert any(note.startswith("not tested: overlap") for note in study.notes)
    reasons = [row.verdicts.aligned.reason for row in study.comparison.rows]
    assert any("predicted at boundary tokens only" in reason for reason in reasons)


def test_shuffled_predictions_are_not_found(parts):
    """The opposite of alignment: subspaces of the wrong height."""
    corpus, subject, acts, results = parts
    patterns = joint_patterns(acts, corpus, (1, 2))[0]
    results = replace(results, patterns=patterns)
    swap = {"height 1": "height 2", "height 2": "height 1"}
    space = {(p.site, p.target): p.subspace for p in subject.predictions}
    wrong = [
        replace(p, subspace=space[p.site, swap[p.target]])
        for p in subject.predictions
        if p.target in swap
    ]
    found = compare(results, wrong, draws=100)
    written = [row.subspaces for row in found.rows if row.subspaces and row.subspaces.written]
    assert written
    assert not any(space.as_predicted for space in written)


def test_the_demo_promises_no_more_than_sampling_allows():
    """Held-out accuracies above a ceiling, within their intervals, stand on the same page."""
    _, _, hierarchy = demo_settings().studies
    assert "never" not in hierarchy.question
    assert "not to exceed them beyond sampling error" in hierarchy.question


def test_patterns_are_estimated_once_and_noted_once(parts):
    """The joint ones are the only ones, and what the notes say is about them."""
    corpus, subject, acts, alone = parts
    asked = {"heights": [1, 2], "positions": "boundary", "C": 10.0, "permutations": 0,
             "bootstrap": 0, "controls": ()}  # fmt: skip
    joint = probe(acts, corpus, **asked, patterns="joint", ceilings=subject)
    expected = joint_patterns(acts, corpus, (1, 2))[0]
    assert {cell: space.dim for cell, space in joint.patterns.items()} == {
        cell: space.dim for cell, space in expected.items()
    }
    assert all(np.array_equal(joint.patterns[c].basis, one.basis) for c, one in expected.items())
    assert [s.accuracy for s in joint.scores] == [s.accuracy for s in alone.scores]
    assert not any("position and the other targets" in note for note in joint.notes)
    assert (joint.settings["patterns"], alone.settings["patterns"]) == ("joint", "targets")


def test_joint_patterns_need_the_states_of_a_grammar():
    with pytest.raises(ProbeError, match="sampled from a grammar"):
        probe(np.eye(20), np.arange(20) % 2, patterns="joint", groups=np.arange(20))
    with pytest.raises(ProbeError, match="'targets', 'joint'"):
        probe(np.eye(20), np.arange(20) % 2, patterns="all")


def test_ceilings_of_a_model_are_of_all_tokens_or_of_boundaries(parts):
    corpus, subject, acts, _ = parts
    masks = {"height 1": corpus.boundary(1)}
    with pytest.raises(ProbeError, match="chosen by a mask"):
        probe(acts, corpus, heights=[1], positions=masks, ceilings=subject)


def test_class_means_alone_would_mislead():
    """Why patterns are estimated jointly: siblings go along with the class in this grammar."""
    corpus = families.random_hierarchy(n_symbols=4, n_rules=3, depth=3, seed=1).sample(400, seed=0)
    made = GrammarTransformer.from_grammar(corpus.grammar)
    acts = capture(made.model, corpus, layers=[1])
    site = "blocks.1.hook_resid_post"
    claim = next(p for p in made.predictions if (p.site, p.target) == (site, "height 1"))
    joint = joint_patterns(acts, corpus, (1,))[0][site, "height 1"]
    rows = corpus.boundary(1)
    stream, labels = np.asarray(acts[site], dtype=np.float64)[rows], corpus.labels(1)[rows]
    means = np.stack([stream[labels == each].mean(axis=0) for each in np.unique(labels)])
    centred = (means - means.mean(axis=0)).T
    plain = Subspace(np.linalg.svd(centred, full_matrices=False)[0][:, :3])
    assert joint.overlap(claim.subspace) > 0.99 > 0.9 > plain.overlap(claim.subspace)


GRID = {"heights": [1, 2], "positions": "boundary", "C": 1.0, "permutations": 50, "bootstrap": 200}


def test_a_model_that_learned_nothing_ends_at_rung_0(parts):
    """Random weights, beside other random weights: whatever is read there was not learned."""
    corpus, subject, _, _ = parts
    one, *others = (capture(random_twin(subject.model, seed=seed), corpus) for seed in range(1, 7))
    results = probe(one, corpus, random_weights=others, **GRID)
    found = compare(results, subject.predictions, draws=50)
    assert {verdicts.rung for verdicts in found.verdicts.values()} == {0}


def test_shuffled_labels_end_at_rung_0(parts):
    """Labels exchanged between sentences: the stream holds states, but not these."""
    corpus, subject, acts, _ = parts
    order = np.random.default_rng(0).permutation(len(corpus))
    rows = (corpus.offsets[order][:, None] + np.arange(8)[None, :]).reshape(-1)
    targets = {f"height {h}": corpus.labels(h)[rows] for h in (1, 2)}
    masks = {f"height {h}": corpus.boundary(h) for h in (1, 2)}
    grid = GRID | {"heights": None, "positions": masks, "targets": targets}
    found = compare(probe(acts, corpus, **grid), subject.predictions, draws=50)
    assert {verdicts.rung for verdicts in found.verdicts.values()} == {0}


@pytest.mark.parametrize(
    "choices", [{"semiring": "boolean"}, {"mode": "shapes", "passes": 1}, {"beliefs": "boundary"}]
)
def test_every_check_holds_however_the_model_was_made(choices):
    study = StudySettings(
        name="made",
        language=LatinFamily(order=2, depth=3, start="one"),
        model=Constructed(**choices),
        sentences=100,
        probes=Probes(positions="boundary", C=10.0, permutations=0, bootstrap=50, twins=1),
    )
    found, _ = run_study(study)
    assert not [str(check) for check in found.checks if not check.passed]
