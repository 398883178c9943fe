"""Sentences made from the checks of a study: what had to hold, what was measured."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from .finding import Finding, sentence_case
from .values import number

if TYPE_CHECKING:
    from .record import Check

__all__ = ["check_findings"]

LONG: Final = 120  # of a longer meaning the first part is told; the table has all of it
ASKED: Final = {"<=": "at most {} is allowed", ">=": "at least {} is required"}


def check_findings(
    checks: "Sequence[Check]", *, most: int, first: Sequence[str] = ()
) -> list[Finding]:
    """Sentences about checks: each that failed, some that hold, and how many do.

    Args:
        checks: of a study.
        most: how many that hold are told.
        first: how the names of those begin that are told; by default the first ones are.
    """
    failed = [_failed(check) for check in checks if not check.passed]
    passed = [check for check in checks if check.passed]
    named = [check for check in passed if check.name.startswith(tuple(first))]
    held = [_held(check) for check in (named or passed)]
    count = f"{len(passed)} of {len(checks)} checks hold"
    total = [Finding(count, good=None if failed else True)] if len(checks) > 1 else []
    return [*failed, *held[:most], *total]


def _held(check: "Check") -> Finding:
    meaning = check.meaning if len(check.meaning) <= LONG else check.meaning.split(";", 1)[0]
    meaning = sentence_case(meaning)
    return Finding(f"{meaning} ({_numbers(check)})", good=True)


def _failed(check: "Check") -> Finding:
    return Finding(f"Failed: {_numbers(check)} ({check.meaning})", good=False)


def _numbers(check: "Check") -> str:
    bar = ASKED[check.relation].format(number(check.limit))
    return f"{check.name}: {number(check.value)}; {bar}"
