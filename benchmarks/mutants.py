"""Whether tests notice when a statistic is wrong: faults put in one by one, and who survives.

    python benchmarks/mutants.py named            # faults that mattered, each with its test
    python benchmarks/mutants.py sample --seed 0  # drawn from the modules below

A process that has the large libraries loaded is forked for each fault; the child reads the module
with the fault in it and runs the nearest tests only. (Ordinary programs start an interpreter for
each fault, which costs ten seconds here for tests of a few tenths, and they find modules by the
path of their file, which is not the name by which these are imported.) Shapes are not checked, so
that what is found is the tests' own doing. Prints one line per survivor.
"""

import argparse
import ast
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LARGE = (
    "numpy", "pandas", "plotly.graph_objects", "pytest", "scipy.linalg",
    "scipy.stats", "sklearn.linear_model", "torch", "transformers",
)  # fmt: skip
"""Loaded once, before the first fault."""
UNREAD = 99  # status of a process whose tests never read the module that has the fault
LONGEST = 120  # seconds of processor time after which a fault counts as noticed: an endless loop

DEFINITIONS, EDGES = "tests/probes/test_definitions.py", "tests/reports/test_edges.py"
NUMBERS = "tests/probes/test_more_definitions.py"
NEAREST = {
    "probes/evidence/intervals.py": ("tests/probes/test_uncertainty.py", DEFINITIONS, NUMBERS),
    "probes/evidence/permutation.py": (
        "tests/probes/test_exchange.py", "tests/probes/test_permutation_pairs.py", NUMBERS,
    ),
    "probes/evidence/rivals.py": ("tests/probes/test_rivals.py", DEFINITIONS),
    "probes/evidence/splits.py": ("tests/probes/test_splits.py", DEFINITIONS, NUMBERS),
    "probes/evidence/codelength.py": ("tests/probes/test_codelength.py", NUMBERS),
    "probes/geometry/nulls.py": (
        "tests/probes/test_patterns.py", "tests/probes/test_chance_patterns.py", DEFINITIONS,
    ),
    "probes/geometry/statistics.py": ("tests/probes/test_statistics.py",),
    "probes/geometry/patterns.py": ("tests/probes/test_patterns.py", DEFINITIONS, NUMBERS),
    "probes/grid/results.py": ("tests/probes/test_grid.py", DEFINITIONS, NUMBERS),
    "probes/grid/judging.py": (
        "tests/probes/test_grid.py", "tests/probes/test_rivals.py", DEFINITIONS, NUMBERS,
    ),
    "reports/meeting.py": ("tests/reports/test_comparison.py", EDGES),
    "reports/comparison.py": (
        "tests/reports/test_comparison.py", "tests/reports/test_use.py", EDGES,
    ),
    "reports/rungs.py": (
        "tests/reports/test_verdicts.py", "tests/reports/test_comparison.py", EDGES,
    ),
    "reports/verdicts.py": ("tests/reports/test_verdicts.py", EDGES),
    "reports/regression.py": ("tests/reports/test_regression.py", EDGES),
    "reports/requirements.py": ("tests/reports/test_requirements.py", EDGES),
}  # fmt: skip
"""Module -> the tests that are about it; its own examples are run as well."""


@dataclass(frozen=True)
class Fault:
    """A module with one thing wrong in it.

    Args:
        file: of the module.
        what: the change in words.
        source: the whole text with the fault.
        tests: that should notice.
    """

    file: str
    what: str
    source: str
    tests: tuple[str, ...]


NAMED = (
    ("experiments/checks.py", "level = 1 - (1 - FAMILY_LEVEL) / len(results.scores)",
     "level = FAMILY_LEVEL", "tests/experiments/test_statistics_of_checks.py"),
    ("experiments/unwritten.py", "corrected = level / max(len(claims), 1)", "corrected = level",
     "tests/experiments/test_statistics_of_checks.py"),
    ("probes/grid/results.py", "max(cells, key=lambda cell: cell.validation)",
     "max(cells, key=lambda cell: cell.accuracy)", "tests/probes/test_grid.py"),
    ("reports/meeting.py", "AGREEMENT = 0.99", "AGREEMENT = 0.5",
     "tests/reports/test_comparison.py"),
    ("probes/evidence/intervals.py", "raw = values[order] * len(order) / ranks",
     "raw = 3 * values[order] * len(order) / ranks", "tests/probes/test_uncertainty.py"),
    ("probes/evidence/permutation.py", "scale = np.sqrt(n / np.maximum(n - 1, 1))",
     "scale = np.ones_like(n)",
     "tests/probes/test_exchange.py::test_signs_vary_as_much_as_exchanges_would"),
    ("reports/regression.py", " or change.rung_after < change.rung_before", "",
     "tests/reports/test_regression.py"),
    ("constructions/grammar/guarantee.py", "(choices + 1) * noise / rest", "noise / rest",
     "tests/constructions/test_rotation.py::"
     "test_the_error_bound_holds_for_the_worst_noise_there_can_be"),
    ("reports/values.py", "return max(rows, key=validation)", "return rows[-1]",
     "tests/reports/test_one_statement_a_page.py"),
    ("reports/comparison.py", "null = Null(draws, level / max(met, 1), seed)",
     "null = Null(draws, level, seed)", "tests/reports/test_comparison.py"),
    ("reports/comparison.py", "level: float = 0.05,", "level: float = 0.15,",
     "tests/reports/test_comparison.py"),
)  # fmt: skip
"""Faults that once passed every test: file, text, text with the fault, and who has to notice."""


def named() -> Iterator[Fault]:
    """The faults of the list.

    Raises:
        SystemExit: a text of the list is no longer in its module.
    """
    for file, right, wrong, test in NAMED:
        source = (ROOT / file).read_text("utf-8")
        if source.count(right) != 1:
            raise SystemExit(f"{file} holds {right!r} {source.count(right)} times, not once")
        yield Fault(file, f"{right!r} -> {wrong!r}", source.replace(right, wrong), (test,))


# ------------------------------------------------------------------ faults of any kind

COMPARE = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
           ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
           ast.NotIn: ast.In}  # fmt: skip
COMPUTE = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
           ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum",
         "maximum": "minimum"}  # fmt: skip


def changes(tree: ast.Module) -> Iterator[tuple[ast.AST, str, str, object]]:
    """Node, attribute, words and new value of every fault that is tried."""
    annotations = {
        id(inner)
        for node in ast.walk(tree)
        for hint in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if isinstance(hint, ast.AST)
        for inner in ast.walk(hint)
    }
    for node in ast.walk(tree):
        if id(node) in annotations:
            continue
        if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARE:
            new = COMPARE[type(node.ops[0])]()
            yield node, "ops", f"{ast.unparse(node)}: {type(new).__name__}", [new, *node.ops[1:]]
        elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTE:
            other = COMPUTE[type(node.op)]()
            yield node, "op", f"{ast.unparse(node)}: {type(other).__name__}", other
        elif isinstance(node, ast.BoolOp):
            turned = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node, "op", f"{ast.unparse(node)}: {type(turned).__name__}", turned
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            value: Any = node.value
            yield node, "value", f"{value} -> {value + 1}", value + 1
        elif isinstance(node, ast.Name) and node.id in NAMES:
            yield node, "id", f"{node.id} -> {NAMES[node.id]}", NAMES[node.id]
        elif isinstance(node, ast.Attribute) and node.attr in NAMES:
            yield node, "attr", f"{ast.unparse(node)} -> {NAMES[node.attr]}", NAMES[node.attr]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, "operand", f"{ast.unparse(node)}: always", ast.Constant(False)


def every(file: str) -> Iterator[Fault]:
    """Every fault of a module, outside what it raises and what it says."""
    text = (ROOT / file).read_text("utf-8")
    tree = ast.parse(text)
    spoken = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Assert)
        for inner in ast.walk(node)
    }
    for node, attribute, words, new in list(changes(tree)):
        if id(node) in spoken:
            continue
        before = getattr(node, attribute)
        setattr(node, attribute, new)
        source = ast.unparse(tree)
        setattr(node, attribute, before)
        line = getattr(node, "lineno", 0)
        tests = (f"src/linrep/{file}", *NEAREST[file])
        yield Fault(file, f"line {line}: {words[:110]}", source, tests)


def sampled(seed: int, most: int, again: Path | None) -> list[Fault]:
    """So many faults of all modules, drawn without regard to which module.

    Args:
        seed: of the draw.
        most: how many.
        again: what an earlier call printed: of its sample only those that survived.
    """
    pool = [fault for file in NEAREST for fault in every(file)]
    print(f"{len(pool)} faults in {len(NEAREST)} modules; seed {seed}", flush=True)
    drawn = random.Random(seed).sample(pool, min(most, len(pool)))
    if again is None:
        return drawn
    before = set(again.read_text("utf-8").splitlines())
    return [fault for fault in drawn if f"survives: {fault.file}, {fault.what}" in before]


# ------------------------------------------------------------------ one fault


def noticed(fault: Fault) -> bool:
    """Whether the nearest tests fail, or do not end, with the fault.

    Raises:
        SystemExit: they ran without it.
    """
    child = os.fork()
    if not child:
        os._exit(_test(fault))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == UNREAD:
        raise SystemExit(f"the tests never read {fault.file} as it was changed")
    return code != 0


def _test(fault: Fault) -> int:
    """Status of the tests, in a process that reads the module with the fault."""
    from importlib.machinery import SourceFileLoader

    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST + 5))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    target, usual = str(ROOT / fault.file), SourceFileLoader.get_code
    read = []

    def get_code(self: SourceFileLoader, name: str) -> object:
        if os.path.realpath(self.path) == target:
            read.append(name)
            return compile(fault.source, self.path, "exec")
        return usual(self, name)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1), os.dup2(nothing, 2)
    # Plain assertions: pytest would read modules in its own way to rewrite theirs.
    options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--doctest-modules"]
    options += ["-o", "addopts=--import-mode=importlib"]
    status = int(pytest.main([*options, *fault.tests]))
    return status if status or read else UNREAD


def main() -> None:
    """Try the faults and print who survives.

    Raises:
        SystemExit: a named fault survives, or tests fail without any.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=["named", "sample"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=150)
    parser.add_argument("--again", type=Path, help="what an earlier sample printed")
    parser.add_argument("--seconds", type=float, default=900, help="of processor time, in all")
    asked = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT / "src"))
    for library in LARGE:
        import_module(library)
    faults = (
        list(named()) if asked.what == "named" else sampled(asked.seed, asked.most, asked.again)
    )
    for tests in dict.fromkeys(fault.tests for fault in faults):
        file = next(iter(NEAREST))
        begun = time.monotonic()
        if noticed(Fault(file, "no fault", (ROOT / file).read_text("utf-8"), tests)):
            raise SystemExit(f"{', '.join(tests)} fail without any fault")
        print(f"pass in {time.monotonic() - begun:.0f} s: {', '.join(tests)}", flush=True)
    survivors, tried = [], 0
    for fault in faults:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        if used.ru_utime + used.ru_stime > asked.seconds:
            break
        tried += 1
        begun = time.monotonic()
        if not noticed(fault):
            survivors.append(fault)
            print(f"survives: {fault.file}, {fault.what}", flush=True)
        elif asked.what == "named":
            print(f"noticed in {time.monotonic() - begun:.0f} s: {fault.file}", flush=True)
    print(f"{tried} tried, {tried - len(survivors)} noticed, {len(survivors)} survive", flush=True)
    if asked.what == "named" and survivors:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
