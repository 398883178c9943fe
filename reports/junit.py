"""What a check found, for machines that run checks: JUnit's XML, and a summary for GitHub."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final
from xml.etree import ElementTree as xml

from ..core import as_path, checked
from .differing import SidesOfRuns
from .findings import findings
from .markdown_parts import as_bullets, as_table, as_text
from .record import Run
from .requirements import Outcome, RequirementError
from .values import number, place
from .write import destination, refuse_place, write_whole

__all__ = [
    "Case",
    "add_summary",
    "cases_of_changes",
    "cases_of_check",
    "check_summary",
    "junit",
    "refuse_summary",
    "write_junit",
]

NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MOST: Final = 200  # lines of a summary's table: GitHub takes a megabyte for all steps


@final
@dataclass(frozen=True)
class Case:
    """One thing that was held to something.

    Args:
        suite: the study that it belongs to.
        name: what was asked.
        failed: why it does not hold; empty where it does.
        skipped: why it could not be tested; empty where it was.
    """

    suite: str
    name: str
    failed: str = ""
    skipped: str = ""


def cases_of_check(outcomes: Sequence[Outcome]) -> list[Case]:
    """A case for each check of a run, and for each requirement at each cell.

    Args:
        outcomes: of :func:`linrep.check_run`.
    """
    return [
        Case(
            each.study,
            " ".join(filter(None, [each.requirement, _place(each)])),
            "" if each.passed else str(each),
        )
        for each in outcomes
    ]


def cases_of_changes(sides: SidesOfRuns) -> list[Case]:
    """A case for each cell of two runs: it fails where it became worse.

    Args:
        sides: two runs beside each other.
    """
    return [
        Case(
            each.study,
            f"{sides.target(each.study, each.target)} {place(each.site)}",
            sides.said(each) if each.worse else "",
            "" if each.tested or each.worse else each.why,
        )
        for each in sides.found.changes
    ]


def junit(name: str, cases: Sequence[Case]) -> str:
    """Cases as JUnit's XML, which GitHub, GitLab and Jenkins read; a suite for each study.

    Args:
        name: of the whole, such as ``linrep check``.
        cases: in any order.

    >>> print(junit("linrep check", [Case("one", "error <= 1", "FAILED: error: 2")]), end="")
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="linrep check" tests="1" failures="1" errors="0" skipped="0" time="0">
      <testsuite name="one" tests="1" failures="1" errors="0" skipped="0" time="0">
        <testcase name="error &lt;= 1" classname="linrep check.one" time="0">
          <failure message="FAILED: error: 2" type="requirement">FAILED: error: 2</failure>
        </testcase>
      </testsuite>
    </testsuites>
    """
    root = xml.Element("testsuites", {"name": _text(name), **_counts(cases)})
    for suite in dict.fromkeys(case.suite for case in cases):
        own = [case for case in cases if case.suite == suite]
        part = xml.SubElement(root, "testsuite", {"name": _text(suite), **_counts(own)})
        for case in own:
            entry = {"name": _text(case.name), "classname": _text(f"{name}.{suite}"), "time": "0"}
            leaf = xml.SubElement(part, "testcase", entry)
            if case.failed:
                why = {"message": _text(case.failed), "type": "requirement"}
                xml.SubElement(leaf, "failure", why).text = _text(case.failed)
            elif case.skipped:
                xml.SubElement(leaf, "skipped", {"message": _text(case.skipped)})
    xml.indent(root)
    body = xml.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def write_junit(cases: Sequence[Case], path: str | os.PathLike[str], name: str) -> Path:
    """Write cases as JUnit's XML; an existing file is replaced whole.

    Args:
        cases: what was found.
        path: a file whose name ends in ``.xml``.
        name: of the whole.

    Raises:
        ReportError: the suffix is another, or something stands in the way.
    """
    out = destination(as_path(path), (".xml",))
    write_whole(out, junit(name, cases))
    return out


def check_summary(run: Run, outcomes: Sequence[Outcome]) -> str:
    """A check as GitHub's Markdown: what was found, what failed, and the rest folded.

    Args:
        run: that was checked.
        outcomes: of :func:`linrep.check_run`.
    """
    failed = [each for each in outcomes if not each.passed]
    met = [each for each in outcomes if each.passed]
    state = "failed" if failed else "passed"
    parts = [
        f"## linrep check {state}: {run.title}",
        f"{len(met)} of {len(outcomes)} requirements met.",
        _table(failed),
        as_bullets(sentence for study in run.studies for sentence in findings(study)),
    ]
    folded = f"<details><summary>What was met ({len(met)})</summary>\n\n{{}}\n</details>\n"
    return as_text(parts) + (f"\n{folded.format(as_text([_table(met)]))}" if met else "")


def refuse_summary(path: str | os.PathLike[str]) -> Path:
    """Where a summary may be written: a new file, an empty one, or one of text.

    Args:
        path: the file.

    Raises:
        RequirementError: it holds what is no text.
        ReportError: something stands in the way, or a run is read from it.
    """
    out = refuse_place(as_path(path))
    if out.exists():
        try:
            out.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError) as error:
            raise RequirementError(
                f"{out} is no text to which a summary could be added ({error}): name another file"
            ) from None
    return out


@checked(RequirementError)
def add_summary(text: str, path: str | os.PathLike[str]) -> Path:
    """Add a summary at the end of a file, as the steps of a job on GitHub do.

    Args:
        text: the summary.
        path: the file.

    Raises:
        ReportError: something stands in the way, or a run is read from it.
    """
    out = refuse_summary(path)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", encoding="utf-8") as file:
        file.write(text)
    return out


def _table(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return ""
    lines = [
        ["✅" if each.passed else "❌", each.requirement, each.study, _place(each),
         "not tested" if each.value is None else number(each.value)]
        for each in outcomes[:MOST]
    ]  # fmt: skip
    more = len(outcomes) - MOST
    table = as_table(["", "requirement", "study", "where", "measured"], lines)
    return table + (f"\n\n… and {more} more; the JUnit file has them all." if more > 0 else "")


def _place(each: Outcome) -> str:
    where = " ".join(filter(None, [each.target, place(each.site) if each.site else ""]))
    return f"({where})" if where else ""


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    failed = sum(bool(c.failed) for c in cases)
    return {"tests": str(len(cases)), "failures": str(failed), "errors": "0",
            "skipped": str(sum(bool(c.skipped) and not c.failed for c in cases)),
            "time": "0"}  # fmt: skip


def _text(text: str) -> str:
    """Characters that XML cannot hold, as their codes."""
    return NO_XML.sub(lambda found: f"\\x{ord(found.group()):02x}", text)
