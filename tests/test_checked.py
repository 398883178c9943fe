"""While tests run, every function of linrep is held to its types and to its shapes."""

import jaxtyping
import numpy as np
import pytest

from linrep.grammars import Grammar
from linrep.grammars.inference.chart import consecutive, make_chart


def test_types_are_held_where_no_shape_is_stated():
    assert consecutive(np.array([2, 3])) == slice(2, 4)
    with pytest.raises(jaxtyping.TypeCheckError):
        consecutive([2, 3])


def test_shapes_are_held_where_one_is_stated():
    grammar = Grammar.from_text("S -> 'a'").binary
    assert make_chart(grammar, np.array([[0]])).n == 1
    for wrong in (np.array([0]), np.array([[0.0]])):
        with pytest.raises(jaxtyping.TypeCheckError):
            make_chart(grammar, wrong)
