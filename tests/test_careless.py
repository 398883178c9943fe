"""Every public callable meets careless arguments with an answer or one clear error."""

import os
import subprocess
import sys
from pathlib import Path

EACH = 36  # calls of each callable: another value of one argument each, the same in every run


def test_careless_arguments_are_answered_or_refused():
    """In a process of its own, where no annotation is checked for the tests: as users run it."""
    program = Path(__file__).with_name("careless_calls.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, program, str(EACH)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    counts = done.stdout.strip().splitlines()[-1]
    assert "'raw': 0" in counts
