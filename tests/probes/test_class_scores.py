"""Scores of classes beside accuracy are scikit-learn's; saying one class is no finding."""

import numpy as np
import pytest
from sklearn import metrics

from linrep.probes import probe
from linrep.probes.evidence.class_scores import class_scores
from linrep.reports import compare

NAMES = ("auroc", "average_precision", "recall_at_1_fpr")


def test_they_are_those_of_the_definitions():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 300)
    said = np.where(rng.random(300) < 0.6, true, rng.integers(0, 3, 300))
    found = class_scores(said, true)
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(true, said))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(true, said, average="macro"))
    assert not set(NAMES) & set(found)


def test_of_two_classes_the_order_counts():
    rng = np.random.default_rng(1)
    true = rng.integers(0, 2, 400)
    margin = true + rng.standard_normal(400)
    found = class_scores((margin > 0.5).astype(int), true, margin)
    assert found["auroc"] == pytest.approx(metrics.roc_auc_score(true, margin))
    bar = np.sort(margin[true == 0])[::-1]
    allowed = int(0.01 * len(bar))
    assert found["recall_at_1_fpr"] == pytest.approx((margin[true == 1] > bar[allowed]).mean())


def test_classes_that_were_not_learned_are_left_out_of_the_means():
    true, said = np.array([0, 0, 1, 1, -1]), np.array([0, 0, 1, 0, 1])
    found = class_scores(said, true, np.array([-1.0, -2.0, 1.0, -0.5, 9.0]))
    assert found["balanced_accuracy"] == 0.75
    assert found["auroc"] == 1.0
    assert class_scores(np.array([0]), np.array([-1])) == {}
    assert set(class_scores(np.array([0, 0]), np.array([0, 0]), np.zeros(2))) == {
        "balanced_accuracy", "macro_f1",
    }  # fmt: skip


@pytest.mark.parametrize("method", ["logistic", "lda", "ridge", "means"])
def test_every_cell_of_classes_has_them(planted, method):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=120, classes={1: 2, 2: 3})
    found = probe(acts, corpus, method=method, C=1.0, permutations=0, bootstrap=0)
    two, three = found.score("late", "height 1"), found.score("late", "height 2")
    held = found.held_out["late", "height 1"]
    assert two.balanced_accuracy == pytest.approx(
        metrics.balanced_accuracy_score(held.true, held.predicted)
    )
    assert all(0.5 < getattr(two, name) <= 1 for name in NAMES)
    assert all(np.isnan(getattr(three, name)) for name in NAMES)
    assert three.macro_f1 > 0.5
    assert not two.collapsed


def test_a_probe_that_says_one_class_is_marked_and_never_a_finding(planted):
    acts, corpus, _ = planted(signal=(0.0, 0.0), n_sentences=150)
    rare = np.where(np.random.default_rng(2).random(corpus.n_tokens) < 0.05, "yes", "no")
    found = probe(acts, corpus, targets={"rare": rare}, C=1e-6, bootstrap=0)
    score = found.score("late", "rare")
    assert score.collapsed
    assert score.accuracy > 0.9 > 0.6 > score.balanced_accuracy
    assert any(note.startswith("collapsed, the probe says the same") for note in found.notes)
    told = compare(found).verdicts["late", "rare"]
    assert told.rung == 0
    assert "same of every held-out token" in told.sentence


def test_whether_the_solver_converged_stands_in_each_cell(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=60)
    found = probe(acts, corpus, heights=[1], C=1.0, permutations=0, bootstrap=0)
    assert found.to_frame()["converged"].all()
