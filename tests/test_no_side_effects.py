"""Importing linrep is instant, loads nothing heavy and changes nothing."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "transformer_lens", "sklearn", "pandas", "plotly", "scipy")


def python(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("what", ["linrep", "linrep.cli"])
def test_the_import_loads_nothing_heavy(what):
    loaded = python(f"import {what}, sys; print(*[m for m in {HEAVY!r} if m in sys.modules])")
    assert loaded == ""


def test_the_import_is_instant():
    """Processor time, best of three: the promise is a second; a busy machine does not count."""
    code = "import time; t = time.process_time(); import linrep; print(time.process_time() - t)"
    assert min(float(python(code)) for _ in range(3)) < 1.0


def test_global_random_states_are_left_alone():
    """A grammar, a model, a capture and probes, without a draw from any global generator."""
    code = """
import random, numpy as np, torch
def states():
    kind, keys, *rest = np.random.get_state()
    return random.getstate(), kind, keys.tobytes(), rest, torch.random.get_rng_state().tolist()
import sklearn.preprocessing  # importing it draws once, far below: rich's names for links
before = states()
import linrep
corpus = linrep.families.latin(order=2, depth=2).sample(40, seed=1)
made = linrep.GrammarTransformer.from_grammar(corpus.grammar)
acts = linrep.capture(made.model, corpus)
twin = linrep.capture(linrep.random_twin(made.model, seed=1), corpus)
linrep.probe(acts, corpus, heights=[1], random_weights=twin, permutations=5, bootstrap=20)
print(states() == before)
"""
    assert python(code) == "True"
