"""Which messages of linrep does no test provoke?

``python docs/unprovoked.py`` prints how many messages the tests provoke, from the record beside the
pages, and each that none does. ``--run`` runs the whole suite with coverage first (slow: several
times as long as the suite itself) and writes the record anew; ``--run tests/hooks`` runs these
tests alone and adds what they provoke. The status is 1 if a message is neither provoked nor listed
with a reason.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs/_ext"))

from linrep_messages import SOURCE, Message, messages  # noqa: E402 - after the path
from linrep_provoked import read_record, write_record  # noqa: E402

FOLDER = ROOT / "build/messages"
ROOMS = sorted({path.resolve() for path in (SOURCE, *SOURCE.iterdir()) if path.is_dir()})
SOURCES = "\n    ".join(map(str, ROOMS))
SETTINGS = f"""[run]
source_dirs =
    {SOURCES}
data_file = {FOLDER / "lines"}
parallel = true
patch = subprocess, _exit
sigterm = true
disable_warnings = no-data-collected, module-not-imported, couldnt-parse, module-not-measured
"""


def run(tests: list[str]) -> None:
    """Run tests, noting each line that is executed, in all their processes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("lines*"):
        old.unlink()
    (FOLDER / "coverage.ini").write_text(SETTINGS, "utf-8")
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    command = ["coverage", "run", f"--rcfile={FOLDER / 'coverage.ini'}", "-m", "pytest", "-q"]
    subprocess.run(
        [sys.executable, "-m", *command, "-p", "no:cacheprovider", "-n", "2", *tests],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": path.rstrip(os.pathsep), "OMP_NUM_THREADS": "1"},
        check=False,
    )  # fmt: skip


def provoked(known: Sequence[Message], folder: Path) -> list[Message]:
    """Messages on whose lines something was executed, by the files of coverage in a folder."""
    from coverage import CoverageData

    lines: dict[str, set[int]] = {}
    for file in folder.glob("lines*"):
        data = CoverageData(str(file))
        data.read()
        for path in data.measured_files():
            lines.setdefault(path, set()).update(data.lines(path) or ())
    return [
        one
        for one in known
        if lines.get(str((SOURCE / one.module).resolve()), set()).intersection(
            range(one.first, one.last + 1)
        )
    ]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", nargs="*", metavar="TESTS", help="run these tests; none means all")
    asked = parser.parse_args()
    known, record = messages(), read_record()
    if asked.run is not None:
        run(asked.run)
        record = record.of(known, provoked(known, FOLDER), whole=not asked.run)
        write_record(record)
    worded = [one for one in known if one.texts]
    left = [one for one in worded if not record.saw(one)]
    for one in left:
        why = record.why_not(one) or "NO TEST"
        print(f"{one.module}:{one.first}: {one.kind}: {one.texts[0][:90]} [{why}]")
    print(f"{len(worded) - len(left)} of {len(worded)} messages are provoked by a test")
    return int(any(not record.why_not(one) for one in left))


if __name__ == "__main__":
    sys.exit(main())
