"""Requirements: met, failed, unreadable, about nothing."""

import pytest
from hypothesis import given, strategies as st

from linrep.reports import Requirement, RequirementError, check_run


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("accuracy>=0.99@blocks.2.*", True),
        ("accuracy>=0.99@blocks.0.hook_resid_post/height 2", False),
        ("accuracy < 0.5 @ blocks.0.hook_resid_pre", True),
        ("overlap>=0.99@blocks.2.*/height 1", True),
        ("rung>=2@blocks.2.*", True),
        ("codelength<=10@blocks.2.*", False),  # not measured: cannot be met
        ("q<=0.05", True),
    ],
)
def test_requirements(run, text, passed):
    outcomes = check_run(run, (Requirement.from_text(text),))[1:]
    assert outcomes
    assert all(outcome.passed for outcome in outcomes) == passed


def test_the_runs_own_checks_count(run, make):
    assert [o.passed for o in check_run(run, ())] == [True]
    assert [o.passed for o in check_run(make(limit=1e-20), ())] == [False]


@pytest.mark.parametrize("text", ["accuracy", "accuracy=0.9", ">=1", "accuracy>=x", "a>=1.2.3@b"])
def test_unreadable_requirements_are_refused(text):
    with pytest.raises(RequirementError, match="cannot read the requirement"):
        Requirement.from_text(text)


def test_a_requirement_on_a_run_without_probed_cells_is_refused_in_other_words(run):
    from dataclasses import replace

    bare = [replace(s, scores=replace(s.scores, rows=())) for s in run.studies]
    with pytest.raises(RequirementError, match="speaks of probed cells, and the run has none"):
        check_run(replace(run, studies=tuple(bare)), (Requirement.from_text("accuracy>=0"),))


def test_a_requirement_about_nothing_is_refused(run):
    with pytest.raises(RequirementError, match="matches no cell"):
        check_run(run, (Requirement.from_text("accuracy>=0@blocks.9.*"),))
    for text in ("accuracy>=0/height 9", "accuracy>=0@blocks.9.*"):
        with pytest.raises(RequirementError) as caught:
            check_run(run, (Requirement.from_text(text),))
        assert "sites blocks.0.hook_resid_pre, blocks.0.hook_resid_post, " in str(caught.value)
        assert "targets height 1, height 2; name one of each" in str(caught.value)
    with pytest.raises(RequirementError, match="no column 'acuracy'"):
        check_run(run, (Requirement.from_text("acuracy>=0"),))


@given(
    st.sampled_from(["accuracy", "q", "null_high"]),
    st.sampled_from([">=", "<=", ">", "<", "=="]),
    st.floats(-1e6, 1e6),
    st.sampled_from(["*", "blocks.3.*", "blocks.*.hook_resid_post"]),
    st.sampled_from(["*", "height 2", "height ?"]),
)
def test_text_and_requirement_say_the_same(column, sign, limit, site, target):
    text = f"{column}{sign}{limit!r}@{site}/{target}"
    assert Requirement.from_text(text) == Requirement(column, sign, limit, site, target)


def test_a_column_of_text_is_bounded_by_no_number(run):
    with pytest.raises(RequirementError, match="column 'site' holds text, .*a column of numbers"):
        check_run(run, (Requirement.from_text("site>=0"),))
