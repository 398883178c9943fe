"""Small products run on one thread, large ones on as many as the user allows."""

import numpy as np
import pytest
import scipy.linalg  # noqa: F401 - a limit holds for the libraries that are loaded when it is set
from threadpoolctl import threadpool_info, threadpool_limits

import linrep
from linrep.core.threads import WORTH_SHARING, allowed_threads, threads_for


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize("outside", [1, 2])
def test_small_products_have_one_thread_and_large_ones_what_was_allowed(outside):
    with threadpool_limits(outside, user_api="blas"):
        allowed = blas_threads()  # a build for one thread allows no more than that
        with threads_for(1.0) as threads:
            assert (threads, blas_threads()) == (1, {1})
        with threads_for(WORTH_SHARING) as threads:
            assert threads == max(allowed)
            assert blas_threads() == allowed
        assert blas_threads() == allowed


def test_an_error_inside_leaves_the_threads_as_they_were():
    before = blas_threads()
    with pytest.raises(KeyError), threads_for(1.0):
        raise KeyError
    assert blas_threads() == before


def test_what_the_user_allows_is_known_inside():
    with threadpool_limits(2, user_api="blas"):
        allowed = allowed_threads()
        with threads_for(1.0), threads_for(1.0):
            assert allowed_threads() == allowed
            with threads_for(WORTH_SHARING) as threads:
                assert threads == allowed
                assert max(blas_threads()) == allowed
            assert blas_threads() == {1}


def test_a_small_grid_is_the_same_whatever_the_caller_allows():
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 300)
    rows = draw.standard_normal((300, 20)) + 0.5 * np.eye(20)[labels]
    frames = []
    for allowed in (1, 2):
        with threadpool_limits(allowed, user_api="blas"):
            frames.append(linrep.probe(rows, targets={"class": labels}, seed=1).to_frame())
            assert blas_threads() <= {1, allowed}
    assert frames[0].equals(frames[1])
