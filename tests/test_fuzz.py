"""A few damaged inputs for every reader, the same in every run: refused in one message, or read.

The scripts in benchmarks/ take many more of them.
"""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
if not BENCHMARKS.is_dir():
    pytest.skip("no checkout", allow_module_level=True)
INPUTS = {
    "fuzz_constructed": 6,
    "fuzz_grammars": 150,
    "fuzz_models": 10,
    "fuzz_networks": 150,
    "fuzz_runs": 60,
    "fuzz_settings": 100,
    "fuzz_stores": 60,
    "fuzz_trees": 200,
}


def test_every_script_is_run_here():
    calls = {"fuzz_calls"}  # arguments are no files: tests/test_careless.py gives them
    assert {file.stem for file in BENCHMARKS.glob("fuzz_*.py")} - calls == set(INPUTS)


@pytest.mark.parametrize("script", INPUTS)
def test_damaged_inputs_are_refused_or_read(script, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    fuzzing, one = importlib.import_module("fuzzing"), importlib.import_module(script)
    for reader in one.readers(tmp_path):
        for number in range(INPUTS[script]):
            outcome, said = fuzzing.trial(reader, 0, number)
            assert outcome != "raw", said
