"""One prediction beside one measurement and untrained models: when which word is said."""

import math

import pytest
from hypothesis import given, strategies as st

from linrep.core import Invariant, InvariantError, judged

numbers = st.floats(-5, 5, allow_nan=False)


def row(**given_):
    told = {"predicted": 1.0, "measured": 1.0, "nulls": (0.0, 0.01, 0.02, 0.01, 0.0)} | given_
    return judged("a share", "height 1", "", **told)


def test_what_is_predicted_and_no_untrained_model_shows():
    assert row(interval=(0.95, 1.0)).state == "as predicted"


def test_nearer_than_untrained_models_but_short_of_it():
    assert row(measured=0.6, interval=(0.5, 0.7)).state == "partly"


def test_no_nearer_than_untrained_models():
    assert row(measured=0.01, interval=(0.0, 0.03)).state == "not as predicted"


def test_what_untrained_models_show_as_well_tells_nothing():
    assert row(nulls=(1.0, 0.99, 1.0, 1.0, 0.98)).state == "not telling"


def test_an_interval_that_holds_everything_tells_nothing():
    assert row(interval=(0.0, 1.0)).state == "not telling"


def test_two_untrained_models_are_too_few():
    found = row(nulls=(0.0, 0.0))
    assert found.state == "not tested"
    assert "at least 3" in found.reason


def test_untrained_models_that_could_not_be_measured_do_not_count():
    found = row(nulls=(0.0, 0.0, math.nan, math.nan))
    assert found.state == "not tested"
    assert found.reason.startswith("2 untrained models")


def test_what_was_not_measured_is_not_tested():
    assert row(measured=math.nan).state == "not tested"
    assert row(interval=(math.nan, math.nan)).state == "not tested"


def test_counts_that_agree_may_differ_by_one():
    """Five equal counts have no spread, but the next one may be another."""
    nulls = (2.0,) * 5
    assert row(predicted=3.0, measured=3.0, nulls=nulls).state == "as predicted"
    assert row(predicted=3.0, measured=3.0, nulls=nulls, resolution=1.0, level=0.01).state == (
        "not telling"
    )
    assert row(predicted=9.0, measured=9.0, nulls=nulls, resolution=1.0, level=0.01).state == (
        "as predicted"
    )


@given(st.lists(numbers, min_size=3, max_size=6), numbers, st.floats(0, 1), numbers)
def test_an_untrained_model_among_its_like_is_never_as_predicted(nulls, predicted, reach, shift):
    """One of the values that made the null, as the measurement."""
    found = row(
        predicted=predicted, measured=nulls[0], interval=(nulls[0] - reach, nulls[0] + reach),
        nulls=tuple(nulls), level=1e-4,
    )  # fmt: skip
    mirrored = row(
        predicted=shift - predicted, measured=shift - nulls[0],
        interval=(shift - nulls[0] - reach, shift - nulls[0] + reach),
        nulls=tuple(shift - value for value in nulls), level=1e-4,
    )  # fmt: skip
    spread = max(nulls) - min(nulls)
    if spread > 1e-6:  # with no spread at all the null is a point
        assert found.state not in ("as predicted", "partly")
        assert mirrored.state not in ("as predicted", "partly")


def test_rows_are_equal_where_the_same_was_not_measured():
    assert row(measured=math.nan) == row(measured=math.nan)
    assert hash(row(measured=math.nan)) == hash(row(measured=math.nan))
    assert row() != row(measured=0.5)


def test_other_words_are_refused():
    with pytest.raises(InvariantError, match="as predicted"):
        Invariant("a", "b", "c", 1, 1, 1, 1, 0, 0, "", "maybe")
