"""How many careless calls end in an error of Python's own: every public callable, every value.

Run ``python benchmarks/fuzz_calls.py`` (minutes), with part of a name to try those callables only:
``python benchmarks/fuzz_calls.py Subspace``. Prints each raw error and the counts; the status is 1
if there was one.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from careless_calls import main

if __name__ == "__main__":
    sys.exit(main(only=sys.argv[1] if sys.argv[1:] else "") > 0)
