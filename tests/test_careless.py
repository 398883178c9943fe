"""Every public callable meets careless arguments with an answer or one clear error."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("careless_calls.py")
EACH = 36  # calls of each callable: another value of one argument each, the same in every run


def test_careless_arguments_are_answered_or_refused():
    """In a process of its own, where no annotation is checked for the tests: as users run it."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, PROGRAM, str(EACH)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    counts = done.stdout.strip().splitlines()[-1]
    assert "'raw': 0" in counts


def test_an_error_of_pythons_own_would_be_seen():
    spec = importlib.util.spec_from_file_location("careless_calls", PROGRAM)
    calls = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = calls  # dataclasses look their module up
    spec.loader.exec_module(calls)
    broken = calls.Target("broken", lambda x: x + 1, {"x": lambda: 1}, ("x",))
    assert calls.outcome(broken) == "answer"
    assert isinstance(calls.outcome(broken, "x", "text"), TypeError)
    names = {target.name for target in calls.targets()}
    assert {"probe", "Subspace.overlap", "families.latin", "Grammar.from_text"} <= names
    assert len(names) > 200
