"""Whatever holds activations and values is understood as it is meant."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from linrep import Target
from linrep.corpora import CorpusError
from linrep.probes import ProbeError, probe

N, D = 120, 6
SOON = {"permutations": 19, "bootstrap": 50}
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, D))
WORDS = np.where(X[:, 0] > 0, "true", "false")
YEARS = X[:, 1] * 10 + 1900.0
PLACE = X[:, :2] + 0.1 * RNG.standard_normal((N, 2))
GROUPS = np.repeat(np.arange(N // 3), 3)


@dataclass
class Texts:
    """A corpus of one word each, which knows its own targets."""

    targets: dict
    heights: tuple = ()

    def __post_init__(self):
        self.words = np.array([f"w{i}" for i in range(N)])
        self.sentence_ids, self.positions = np.arange(N), np.zeros(N, dtype=int)
        self.document_ids = GROUPS

    def labels(self, height):
        raise AssertionError(height)

    boundary = labels


TRUTH = Texts({"truth": Target.read("truth", WORDS), "year": Target.read("year", YEARS)})


class Captured(dict):
    sites, kept, manifest, corpus = ("late",), np.ones(N, dtype=bool), {}, TRUTH


CAPTURED = Captured(late=X)


@pytest.mark.parametrize(
    ("call", "kinds"),
    [
        (lambda: probe(CAPTURED, **SOON), {"truth": "class", "year": "number"}),
        (lambda: probe(CAPTURED, targets=["truth"], **SOON), {"truth": "class"}),
        (lambda: probe(CAPTURED, targets="year", **SOON), {"year": "number"}),
        (lambda: probe(CAPTURED, TRUTH, targets=["truth"], **SOON), {"truth": "class"}),
        (lambda: probe(CAPTURED, WORDS, **SOON), {"target": "class"}),
        (lambda: probe(CAPTURED, targets={"it": YEARS}, **SOON), {"it": "number"}),
        (lambda: probe({"late": X}, WORDS, groups=GROUPS, **SOON), {"target": "class"}),
        (lambda: probe({"late": X}, TRUTH, **SOON), {"truth": "class", "year": "number"}),
        (lambda: probe(X, list(WORDS), **SOON), {"target": "class"}),
        (lambda: probe(X, X[:, 0] > 0, **SOON), {"target": "class"}),
        (lambda: probe(X, (X[:, 0] > 0).astype(int), **SOON), {"target": "class"}),
        (lambda: probe(X, np.round(YEARS * 10).astype(int), **SOON), {"target": "number"}),
        (lambda: probe(X, YEARS, **SOON), {"target": "number"}),
        (lambda: probe(X, PLACE, **SOON), {"target": "number"}),
        (lambda: probe(X, {"a": WORDS, "b": YEARS}, **SOON), {"a": "class", "b": "number"}),
        (lambda: probe(X, pd.DataFrame({"a": WORDS, "b": YEARS}), **SOON),
         {"a": "class", "b": "number"}),
        (lambda: probe(X, pd.Series(YEARS, name="year"), **SOON), {"year": "number"}),
        (lambda: probe(X, Target.read("year", YEARS), **SOON), {"year": "number"}),
        (lambda: probe(X, list(TRUTH.targets.values()), **SOON),
         {"truth": "class", "year": "number"}),
        (lambda: probe(X, targets=WORDS, **SOON), {"target": "class"}),
        (lambda: probe(torch.tensor(X), torch.tensor(YEARS), **SOON), {"target": "number"}),
        (lambda: probe(pd.DataFrame(X), YEARS.tolist(), **SOON), {"target": "number"}),
        (lambda: probe(X.tolist(), WORDS.tolist(), **SOON), {"target": "class"}),
        (lambda: probe(X, WORDS, random_weights=[X[:, 2:], X[:, 3:], X[:, 4:]], **SOON),
         {"target": "class"}),
    ],
)  # fmt: skip
def test_natural_calls_are_taken(call, kinds):
    found = call()
    assert {score.target: score.kind for score in found.scores} == kinds
    assert all(score.value > 0.7 and score.p <= 0.05 for score in found.scores)


def test_rows_without_a_corpus_say_what_they_cannot_test():
    found = probe({"a": X, "b": X}, WORDS, codelength=True, **SOON)
    (note,) = [note for note in found.notes if "no words and no positions" in note]
    assert "word_identity" in note
    assert "surface" in note
    assert found.notes[0].startswith("split by row (equal rows together)")
    score = found.score("a", "target")
    for name in ("control_task", "previous_word", "next_word", "word_identity", "surface",
                 "control_codelength", "p_surface", "p_unseen"):  # fmt: skip
        assert np.isnan(getattr(score, name)), name
    assert score.chance < 0.7 < score.accuracy
    assert found.settings["word_types"] is None


def test_equal_rows_never_stand_on_both_sides():
    twice = np.concatenate([X, X])
    coins = np.array(["a", "b"])[np.tile(RNG.integers(0, 2, N), 2)]
    assert probe(twice, coins, **SOON).scores[0].accuracy < 0.75
    apart = probe(twice, coins, groups=np.arange(2 * N), **SOON)
    assert "left out" in apart.notes[0]


def test_groups_are_not_divided():
    found = probe({"late": X}, WORDS, groups=GROUPS, **SOON)
    tested = found.held_out["late", "target"].rows
    assert len(tested) == 3 * len(np.unique(GROUPS[tested]))


def test_how_integers_were_read_is_said():
    notes = probe(X, {"digit": (X[:, 0] > 0).astype(int)}, **SOON).notes
    assert any(note.startswith("digit: integers of 2 different values") for note in notes)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: probe(X, WORDS[:5]), "target 'target' has 5 labels, the activations 120 rows"),
        (lambda: probe(X), "give what to recover"),
        (lambda: probe(X, WORDS, targets=YEARS), "given twice"),
        (lambda: probe(CAPTURED, targets=["lies"]), "no target 'lies': it has .*'truth'"),
        (lambda: probe({"a": X, "b": X[:9]}, WORDS), "'b' has 9, 'a' 120"),
        (lambda: probe(X[:, None, :], WORDS), "give each layer as a site of its own"),
        (lambda: probe(X, {"y": [object()] * N}, heights=[1]), "no labels at height 1"),
        (lambda: probe(X, [TRUTH.targets["truth"]] * 2), "given twice"),
        (lambda: probe(X, np.full(N, np.inf)), "infinite value in row 0"),
        (lambda: probe(X, [None] * N), "defined at none"),
        (lambda: probe(X, YEARS, ceilings={"target": np.ones(N)}), "neither targets of classes"),
        (lambda: probe(X, WORDS, positions="boundary"), "no height"),
        (lambda: probe(X, {1: WORDS}), "targets have names"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, says):
    with pytest.raises((ProbeError, CorpusError), match=says):
        call()
