"""How long a user waits: the import, the command line, and the first use of each package.

    python benchmarks/imports.py

Each in a process of its own, best of five, in milliseconds of processor time, less the
interpreter's own start.
"""

import subprocess
import sys

from figures import tell

WHAT = {
    "the interpreter alone": "pass",
    "import linrep": "import linrep",
    "linrep --help": "import linrep.cli",
    "grammars": "import linrep; linrep.Grammar",
    "probes, without scikit-learn": "import linrep; linrep.probe",
    "reports, without plotly": "import linrep; linrep.compare",
    "capture, with PyTorch": "import linrep; linrep.capture",
}
RUNS = 5


def milliseconds(code: str) -> float:
    """Processor time of a process that runs the code, best of several."""
    clock = f"import time; start = time.process_time(); {code}; print(time.process_time() - start)"
    times = [
        float(subprocess.run(
            [sys.executable, "-c", clock], capture_output=True, text=True, check=True
        ).stdout)
        for _ in range(RUNS)
    ]  # fmt: skip
    return 1000 * min(times)


if __name__ == "__main__":
    for name, code in WHAT.items():
        spent = milliseconds(code)
        if name == "import linrep":
            tell("imports", name, spent, "ms", "one second", 1000.0, better="smaller", bar=1.0)
        print(f"{name:32} {spent:8.1f} ms")
