"""The grid on planted data: what is there is found, what is not is not."""

from dataclasses import replace

import numpy as np
import pytest

from linrep.probes import ProbeError, Subspace, probe


def test_planted_state_is_found_where_it_is_written(planted):
    acts, corpus, truth = planted(signal=(0.0, 3.0))
    results = probe(acts, corpus, heights=[1, 2], ceilings={"height 1": np.ones(corpus.n_tokens)})
    blank, written = (
        results.score("blocks.0.hook_resid_pre", "height 1"),
        results.score("late", "height 1"),
    )
    assert written.accuracy > 0.95
    assert written.ceiling == 1.0
    assert written.q < 0.05
    assert written.shuffled < written.chance + 0.1
    assert written.selectivity > 0.3
    assert blank.interval[0] <= max(blank.chance, blank.shuffled)
    assert written.embedding == blank.accuracy
    pattern = results.patterns["late", "height 1"]
    assert pattern.overlap(Subspace(truth["height 1"])) > 0.95


def test_the_best_site_is_chosen_on_validation_tokens_alone(planted):
    """What is shown of a site must not have chosen it."""
    acts, corpus, _ = planted(signal=(0.0, 3.0))
    found = probe(acts, corpus, heights=[1], controls=(), permutations=0, bootstrap=0)
    early, late = found.scores
    assert found.best_site("height 1") == late.site
    scores = (replace(early, validation=0.7, accuracy=0.5),
              replace(late, validation=0.6, accuracy=0.9))  # fmt: skip
    assert replace(found, scores=scores).best_site("height 1") == early.site
    same = tuple(replace(score, validation=0.7) for score in scores)
    assert replace(found, scores=same).best_site("height 1") == early.site  # the first of equals
    assert repr(found) == f"ProbeResults(of ['height 1'] at ['{early.site}', '{late.site}'])"


def test_default_controls_leave_a_note_where_they_cannot_run(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0))
    notes = " ".join(probe(acts, corpus, permutations=9, bootstrap=50).notes)
    assert "random_weights: not tested" in notes
    assert "ceiling: not known" in notes


def test_more_classes_than_examples_is_one_clear_error(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0))
    with pytest.raises(ProbeError, match="more classes than examples"):
        probe(acts, corpus, targets={"word number": [str(i) for i in range(corpus.n_tokens)]})


def test_targets_of_the_same_tokens_exchange_labels_together(planted):
    """A target twice over is one hypothesis: its family is as its single cell."""
    acts, corpus, _ = planted(signal=(0.0, 0.0), n_sentences=60)
    late = type(acts)({"late": acts["late"]}, corpus.n_tokens)
    asked = {"permutations": 19, "bootstrap": 0, "method": "lda", "heights": ()}
    twice = probe(late, corpus, targets={n: corpus.labels(1) for n in ("a", "b")}, **asked)
    one, other = twice.scores
    assert one.p == one.p_family == other.p == other.p_family


def test_the_default_path_of_penalties_reaches_beyond_a_coarse_one(planted):
    acts, corpus, _ = planted(signal=(0.0, 4.0), d=48)
    bare = {"heights": [1], "controls": (), "permutations": 0, "bootstrap": 0}
    fine = probe(acts, corpus, **bare).score("late", "height 1")
    coarse = probe(acts, corpus, C=(0.01, 0.1), **bare).score("late", "height 1")
    assert fine.penalty > 0.1
    assert fine.nll < coarse.nll
    assert fine.accuracy >= coarse.accuracy
