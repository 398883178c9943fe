"""Importing linrep is instant, loads nothing heavy and changes nothing."""

import subprocess
import sys

HEAVY = {
    "numpy", "torch", "transformers", "transformer_lens", "sklearn", "pandas", "plotly", "scipy",
}  # fmt: skip


def python(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.strip()


def loaded_by(what):
    """Every module that an import loads, as Python itself lists them (``-X importtime``)."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {what}"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    lines = [line.split("|") for line in done.stderr.splitlines() if line.startswith("import time")]
    return {parts[-1].strip() for parts in lines}


def test_the_import_loads_one_module_of_ours_and_nothing_heavy():
    """Why it takes milliseconds, on any machine: benchmarks/imports.py prints how many."""
    loaded = loaded_by("linrep")
    assert {name for name in loaded if name.split(".")[0] == "linrep"} == {"linrep"}
    assert not HEAVY & {name.split(".")[0] for name in loaded}


def test_the_command_line_waits_for_nothing_heavy():
    loaded = loaded_by("linrep.cli")
    assert "linrep.cli" in loaded  # the list sees what is loaded
    assert not (HEAVY - {"numpy"}) & {name.split(".")[0] for name in loaded}


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
