"""Trained on one set, scored on another: what is shared transfers, what is not does not."""

import numpy as np
import pytest

from linrep import Activations, Corpus, ProbeError, transfer

SITE = "blocks.0.hook_resid_post"


def make(direction, name, n=400, number=False, seed=0, target="truth"):
    rng = np.random.default_rng([seed, direction])
    y = rng.standard_normal(n) if number else np.arange(n) % 2
    X = rng.standard_normal((n, 8)) + 4.0 * y[:, None] * np.eye(8)[direction]
    corpus = Corpus.from_texts(
        [f"{name} {i}" for i in range(n)], targets={target: y}, groups=np.arange(n) // 2
    )
    return Activations.from_arrays({SITE: X}, corpus)


@pytest.mark.parametrize("number", [False, True])
def test_one_direction_is_general_and_two_are_not(number):
    first, same, other = (
        make(direction, name, number=number, seed=seed)
        for seed, (direction, name) in enumerate([(0, "a"), (0, "b"), (1, "c")])
    )
    shared = transfer({"first": first, "same": same}, target="truth")
    assert all(row.score > 0.85 and row.low > row.chance for row in shared.rows)
    assert shared.cosines[SITE][0, 1] > 0.9
    assert "and general" in shared.verdict(SITE)
    apart = transfer(first, other, target="truth")
    own = {row.test: row for row in apart.rows if row.train == row.test}
    assert all(row.score > 0.85 for row in own.values())
    assert all(row.low < row.chance + 0.1 for row in apart.rows if row.train != row.test)
    assert abs(apart.cosines[SITE][0, 1]) < 0.3
    assert apart.verdict(SITE).startswith("truth is decodable in 2 of 2 sets but not general")


def test_of_three_sets_each_is_also_scored_from_all_others():
    sets = {name: make(0, name, seed=i) for i, name in enumerate("abc")}
    moved = transfer(sets, target="truth", bootstrap=100)
    assert len(moved.rows) == 9 + 3
    assert [r.test for r in moved.rows if r.train == "all others"] == ["a", "b", "c"]
    assert set(moved.to_frame().columns) >= {"site", "train", "test", "score", "low", "twin"}


def test_texts_that_were_learned_from_are_not_scored():
    first = make(0, "a")
    moved = transfer({"x": first, "y": first}, target="truth")
    row = next(row for row in moved.rows if (row.train, row.test) == ("x", "y"))
    assert row.n_test == 400 - row.n_train


def test_the_twin_stands_beside_each_score():
    sets = {name: make(0, name, seed=i) for i, name in enumerate("ab")}
    rng = np.random.default_rng(9)
    twins = {
        name: Activations.from_arrays({SITE: rng.standard_normal((400, 8))}, acts.corpus)
        for name, acts in sets.items()
    }
    moved = transfer(sets, target="truth", random_weights=twins)
    assert all(row.twin < 0.75 < row.score for row in moved.rows)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: transfer(a, target="truth"), "from one data set to another; received 1"),
        (lambda a: transfer(a, a, target="size"), "set 'A' has no target 'size'.*'truth'"),
        (lambda a: transfer(a, a, target="truth", sites=["no"]), "sites that all sets have"),
        (lambda a: transfer(a, [1], target="truth"), "'B' is list"),
        (lambda a: transfer(a, a, target="truth", random_weights=[a]), "one twin for each set"),
        (lambda a: transfer(a, make(0, "n", number=True), target="truth"), "a class in one set"),
        (lambda a: transfer(a, make(0, "b"), target="truth").verdict("no"), "no site 'no'"),
    ],
)
def test_mistakes_are_told(call, message):
    with pytest.raises(ProbeError, match=message):
        call(make(0, "a"))
