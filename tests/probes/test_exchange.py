"""Labels change places between sentences; p-values are uniform where there is nothing to find."""

import itertools

import numpy as np
import pytest

from linrep.probes.evidence.exchanging import exchangeable, swap_sentences
from linrep.probes.evidence.permutation import LabelNull
from linrep.probes.evidence.tokens import Tokens
from linrep.probes.grid.exchanges import exchanged, exchanges


def blocks_of(groups, places):
    wholes, pieces = exchangeable(groups, places)
    return [*wholes, *pieces]


def sentences(rng, n=60, sizes=(3, 5), share=1.0):
    """Groups and positions of sentences, of whose tokens a share is scored."""
    lengths = rng.choice(sizes, n)
    groups = np.repeat(np.arange(n), lengths)
    places = np.concatenate([np.arange(length) for length in lengths])
    scored = rng.random(len(groups)) < share
    return groups[scored], places[scored]


def test_sentences_exchange_labels_with_sentences_of_the_same_positions():
    rng = np.random.default_rng(0)
    groups, places = sentences(rng)
    sizes = np.bincount(groups)
    source = swap_sentences(blocks_of(groups, places), rng)
    assert (places[source] == places).all()
    assert (sizes[groups[source]] == sizes[groups]).all()
    assert np.array_equal(np.sort(source), np.arange(len(groups)))
    pairs = np.unique(np.stack([groups, groups[source]]), axis=1)
    assert pairs.shape[1] == 60  # each sentence has one partner
    assert (groups[source] != groups).any()


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("share", [1.0, 0.6, 0.2])
def test_no_label_leaves_its_position(share, fixed):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        groups, places = sentences(rng, 40, (2, 5, 6, 11), share)
        mixed = rng.permutation(len(groups))  # rows may stand in any order
        groups, places = groups[mixed], places[mixed]
        blocks = blocks_of(groups, places)
        source = swap_sentences(blocks, rng, fixed=fixed)
        partner = np.bincount(places)[places] > 1
        assert (places[source] == places)[partner].all()
        assert np.array_equal(np.sort(source), np.arange(len(groups)))
        if not fixed:
            assert (source != np.arange(len(source)))[partner].all()
        for block in blocks:
            assert (places[block] == places[block[0]]).all()
            assert (groups[block] == groups[block[:, :1]]).all()


def test_groups_of_several_sentences_keep_positions_too():
    groups = np.repeat(np.arange(20), 5)
    places = np.concatenate([[0, 1, 2, 0, 1] if i % 2 else [0, 1, 0, 1, 2] for i in range(20)])
    source = swap_sentences(blocks_of(groups, places), np.random.default_rng(0))
    assert (places[source] == places).all()
    assert np.unique(np.stack([groups, groups[source]]), axis=1).shape[1] == 20


def test_a_control_leaves_no_sentence_its_own_labels():
    groups, places = np.repeat(np.arange(30), 4), np.tile(np.arange(4), 30)
    for seed in range(20):
        blocks = blocks_of(groups, places)
        source = swap_sentences(blocks, np.random.default_rng(seed), fixed=False)
        assert (groups[source] != groups).all()


def test_rare_lengths_exchange_position_by_position():
    groups = np.repeat(np.arange(12), np.arange(1, 13))
    places = np.concatenate([np.arange(size) for size in range(1, 13)])
    blocks = blocks_of(groups, places)
    assert sorted(map(len, blocks)) == list(range(1, 13))
    source = swap_sentences(blocks, np.random.default_rng(0))
    assert (groups[source] != groups).any()
    assert (places[source] == places).all()


def test_nothing_to_exchange_has_an_answer():
    none = np.zeros(0, dtype=np.int64)
    assert exchangeable(none, none) == ([], [])
    assert len(swap_sentences([], np.random.default_rng(0))) == 0


def no_signal(rng, n, lengths, *, share=1.0, classes=(0.4, 0.35, 0.25), together=0.8):
    """Labels and predictions that both depend on their sentence, but not on each other."""
    sizes = rng.choice(lengths, n)
    groups = np.repeat(np.arange(n), sizes)
    places = np.concatenate([np.arange(size) for size in sizes])
    scored = rng.random(len(groups)) < share
    columns = []
    for _ in range(2):
        own, topic = (rng.choice(len(classes), size, p=classes) for size in (len(groups), n))
        columns.append(np.where(rng.random(len(groups)) < together, topic[groups], own)[scored])
    return *columns, groups[scored], places[scored]


RAGGED = list(range(3, 30))


@pytest.mark.parametrize(
    ("n", "lengths", "share"),
    [(40, [7], 1.0), (40, RAGGED, 1.0), (40, RAGGED, 0.5), (120, RAGGED, 1.0), (120, [7, 9], 0.6)],
    ids=["same length", "ragged", "ragged and masked", "many ragged", "masked"],
)
def test_p_is_uniform_where_sentences_hold_together_but_say_nothing(n, lengths, share):
    values = []
    for seed in range(600):
        rng = np.random.default_rng(seed)
        true, said, groups, places = no_signal(rng, n, lengths, share=share)
        values.append(LabelNull.draw(true, groups, places, 39, rng).p_value(said))
    for level in (0.05, 0.1, 0.25, 0.5):  # multiples of 1 / 40: attained exactly by the draws
        rate = np.mean(np.array(values) <= level + 1e-9)
        # the stated rate, give or take four standard errors of 600 repetitions
        assert abs(rate - level) < 4 * np.sqrt(level * (1 - level) / 600)


@pytest.mark.parametrize("lengths", [[7], RAGGED])
def test_a_signal_is_seen_and_its_opposite_is_not(lengths):
    rng = np.random.default_rng(0)
    true, said, groups, places = no_signal(rng, 60, lengths)
    null = LabelNull.draw(true, groups, places, 199, rng)
    right = np.where(rng.random(len(true)) < 0.3, true, said)
    wrong = np.where(rng.random(len(true)) < 0.5, (true + 1) % 3, said)
    assert null.p_value(right) == 1 / 200
    assert null.p_value(wrong) > 0.95


@pytest.mark.parametrize("lengths", [[7], [5, 7, 30], RAGGED])
def test_what_the_position_alone_tells_is_no_signal(lengths):
    rng = np.random.default_rng(0)
    _, _, groups, places = no_signal(rng, 60, lengths)
    true = np.where(rng.random(len(places)) < 0.9, places % 3, rng.integers(0, 3, len(places)))
    assert LabelNull.draw(true, groups, places, 99, rng).p_value(places % 3) == 1.0


def test_classes_that_no_prediction_meets_are_errors_in_every_draw():
    rng = np.random.default_rng(0)
    true, said, groups, places = no_signal(rng, 60, RAGGED)
    null = LabelNull.draw(np.full(len(true), -1), groups, places, 99, rng)
    assert null.p_value(said) == 1.0


@pytest.mark.parametrize("said", [[0, 0, 1, 1, 2], [0, 1, 1, 1, 0], [2, 2, 2, 0, 0]])
def test_signs_vary_as_much_as_exchanges_would(said):
    """Few sentences change sign instead of exchanging labels: the spread of the null is the same.

    Over all orders of five labels the mean of the squares, which is the variance of the draws with
    random signs, is the variance of the number of right answers.
    """
    groups, positions, predicted = np.arange(5), np.zeros(5, dtype=np.int64), np.array(said)
    squares, right = [], []
    for codes in itertools.permutations([0, 0, 1, 1, 2]):
        null = LabelNull.draw(np.array(codes), groups, positions, 64, np.random.default_rng(0))
        assert len(null.ragged) == 5
        each = null.statistic(predicted)[1] * 5  # draws of the sum over signs
        over = np.linalg.lstsq(null.signs.astype(float), each, rcond=None)[0]
        squares.append(float(np.square(over).sum()))
        right.append(int((predicted == codes).sum()))
    assert np.mean(squares) == pytest.approx(np.var(right), rel=1e-9)


def test_nothing_is_tested_without_partners_or_draws():
    rng = np.random.default_rng(0)
    codes, groups = rng.integers(0, 3, 30), np.repeat(np.arange(6), 5)
    apart = LabelNull.draw(codes, groups, np.arange(30), 9, rng)
    assert (apart.alone, apart.testable) == (30, False)
    assert np.isnan(apart.p_value(codes))
    undrawn = LabelNull.draw(codes, groups, np.tile(np.arange(5), 6), 0, rng)
    assert np.isnan(undrawn.p_value(codes))


def test_order_of_rows_does_not_matter_to_what_is_over_chance():
    rng = np.random.default_rng(0)
    true, said, groups, places = no_signal(rng, 60, RAGGED)
    mixed = rng.permutation(len(true))
    first = LabelNull.draw(true, groups, places, 99, np.random.default_rng(1))
    columns = (part[mixed] for part in (true, groups, places))
    second = LabelNull.draw(*columns, 99, np.random.default_rng(1))
    assert first.p_value(said) == second.p_value(said[mixed])


def texts(rng, n=40, groups=12, mixed=False):
    """Tokens of sentences that stand in groups, and some rows of them."""
    lengths = rng.integers(1, 12, n)
    sentence = np.repeat(np.arange(n), lengths)
    place = np.concatenate([np.arange(length) for length in lengths])
    group = rng.integers(0, groups, n)[sentence]
    order = rng.permutation(len(group)) if mixed else np.lexsort((place, sentence, group))
    none = np.zeros(len(group), dtype=np.int64)
    tokens = Tokens(
        order, group[order], sentence[order], place[order], none, none, None, "document"
    )
    return tokens, np.flatnonzero(rng.random(len(group)) < 0.8)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("groups", [1, 12, 1000])  # one text, several sentences each, and one each
def test_partners_found_once_are_those_found_anew_for_each_draw(groups, mixed):
    for seed in range(10):
        tokens, rows = texts(np.random.default_rng(seed), groups=groups, mixed=mixed)
        drawn = exchanges(tokens, rows, 5, np.random.default_rng(seed))
        rng, values = np.random.default_rng(seed), np.arange(len(rows))
        group, place, sentence = (
            each[rows] for each in (tokens.groups, tokens.positions, tokens.sentences)
        )
        for moved in drawn:
            # sentence by sentence, in an order that is drawn: blocks are found in these rows
            rank = rng.permutation(sentence.max() + 1)
            order = np.lexsort((place, rank[sentence], group))
            blocks = blocks_of(group[order], place[order])
            anew = np.empty_like(values)
            anew[order] = order[swap_sentences(blocks, rng, fixed=False)]
            np.testing.assert_array_equal(moved, anew)
        rng = np.random.default_rng(seed)
        for moved in drawn:
            np.testing.assert_array_equal(moved, exchanged(tokens, rows, values, rng))
