"""Decompositions answer where LAPACK's fast routines do not converge."""

import re
from pathlib import Path

import numpy as np
import pytest

import linrep
from linrep.core.decompositions import eigh, pinv_symmetric, rank, singular_values, svd

DIRECT = re.compile(r"linalg\.(svd|svdvals|eigh|eigvalsh|matrix_rank|pinv|pinvh|lstsq|cond)\b")


@pytest.fixture
def unwilling(monkeypatch):
    def refuse(*_, **__):
        raise np.linalg.LinAlgError("SVD did not converge")

    monkeypatch.setattr(np.linalg, "svd", refuse)
    monkeypatch.setattr(np.linalg, "eigh", refuse)


def test_the_slow_routines_answer_where_the_fast_ones_do_not(unwilling):
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((9, 3)) @ rng.standard_normal((3, 5))
    left, sizes, right = svd(matrix)
    assert left * sizes @ right == pytest.approx(matrix)
    assert singular_values(matrix) == pytest.approx(sizes)
    assert rank(matrix) == 3
    square = matrix.T @ matrix
    values, vectors = eigh(square)
    assert vectors * values @ vectors.T == pytest.approx(square)
    assert square @ pinv_symmetric(square, 1e-10) @ square == pytest.approx(square)


def test_no_module_calls_the_fast_routines_itself():
    direct = set()
    for folder in Path(linrep.__file__).parent.iterdir():  # packages are links to other folders
        for path in folder.resolve().rglob("*.py"):
            if DIRECT.search(path.read_text("utf-8")):
                direct.add(f"{folder.name}/{path.relative_to(folder.resolve())}")
    # On a device PyTorch's own, with the same way out.
    assert direct == {"core/decompositions.py", "core/torch_products.py"}
