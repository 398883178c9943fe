"""What a study found, in plain sentences made from its verdicts: the first thing a page says."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..probes.transferred import ALL_OTHERS
from .checked_findings import check_findings
from .constructed_findings import constructed, constructed_findings
from .finding import Answer, Detail, Finding, filled, grouped, sentence_case
from .named import named_study
from .placed_findings import placed_findings, used_findings
from .rungs import GIVEN, UNTRAINED
from .values import (
    best_row,
    number,
    of_whole_text,
    place,
    score_column,
    score_word,
    site_order,
)
from .verdicts import Verdicts

if TYPE_CHECKING:
    from ..probes import Moved, Transfer
    from .record import Study
    from .values import Json

__all__ = ["DIVERGENCE", "UNLEARNED", "answers", "findings", "site_of_transfer"]

DIVERGENCE = "divergence from the exact next-token distribution"
"""The fact by which a page of a trained model begins."""
UNLEARNED = "the model has not learned its language"
"""How the reason begins where nothing is claimed of a model."""

SHOWN = ("next-token distribution", "exchange: largest error")  # checks told of first
MOSTLY = 0.5  # of what the probe has over chance: if the surface has as much, it is most of it


def findings(study: "Study") -> list[str]:
    """What was found, as plain sentences.

    Args:
        study: of any kind: of labelled texts, of a model beside theory, of checks alone.

    Returns:
        Sentences; of a model that was trained on a grammar first whether it has learned it, and
        nothing else if it has not.
    """
    return [str(finding) for finding in answers(study)]


def answers(study: "Study") -> list[Finding]:
    """The same with the cells that the sentences are about.

    Args:
        study: of any kind.
    """
    study = named_study(study)
    if not study.scores.rows:
        return check_findings(study.checks, most=4)
    if constructed(study):
        found = [*constructed_findings(study), *check_findings(study.checks, most=2, first=SHOWN)]
        return sorted(found, key=lambda finding: finding.good is not False)  # what failed in front
    reasons = [row.verdicts.decodable.reason for row in study.comparison.rows]
    failed = next((why for why in reasons if why.startswith(UNLEARNED)), "")
    if failed:
        return [Finding(f"{sentence_case(failed)}. No state is claimed")]
    opening = []
    if DIVERGENCE in study.facts:
        said = f"{DIVERGENCE} {study.facts[DIVERGENCE]}"
        opening = [Finding(f"The model has learned its language: {said}")]
    moved = {transfer.target: transfer for transfer in study.transfers}
    targets = site_order([str(row["target"]) for row in study.scores.rows])
    told = [_answer(study, target, moved.get(target)) for target in targets]
    level = study.comparison.settings.get("level")
    read = [answer for answer in told if answer.order == 1]
    return [
        *opening,
        *grouped(read, level),
        *placed_findings(study),
        *used_findings(study),
        *check_findings(study.checks, most=2),
        *grouped([answer for answer in told if answer.order > 1], level),
    ]


def site_of_transfer(study: "Study", moved: "Transfer") -> str:
    """The site at which a transfer is told: where its target is read best, by validation.

    Args:
        study: that the transfer belongs to.
        moved: one of its transfers.
    """
    rows = [row for row in study.scores.rows if row["target"] == moved.target]
    best = str(best_row(rows)["site"]) if rows else ""
    return best if best in moved.sites else moved.sites[-1]


def _answer(study: "Study", name: str, moved: "Transfer | None") -> Answer:
    """What is said of one target, by itself and together with others of which the same is true."""
    rows = [row for row in study.scores.rows if row["target"] == name]
    best = best_row(rows)
    verdicts = study.comparison.verdicts.get((str(best["site"]), name))
    of = "" if study.piece in name.split() else f" of each {study.piece}"
    score = _score(best, study)
    detail = Detail(f"{name}: {score}", str(best["site"]), name)
    if verdicts is None or verdicts.decodable.state == "not tested":
        why = verdicts.decodable.reason if verdicts else "nothing was compared"
        lead = f"Whether {{names}}{of} can be read was not tested: {why}"
        cell = (detail.site, name)
        return Answer(3, lead, name, Finding(filled(lead, names=name), (), cell), detail)
    if verdicts.decodable.state == "no":
        return _unread(best, verdicts, name, of, score, detail)
    where = _from(study, rows)
    clause, beside = _surface(best, verdicts, study.piece)
    said = f"{sentence_case(name)}{of} can be read from the stream{where} ({score})"
    single = f"{said}, " + filled(clause, value=beside and f" ({beside})")
    if moved is not None:
        single += ", " + _carried(moved.at(site_of_transfer(study, moved)), moved.names[0])
    against = f", against {beside}" if beside else ""
    whole = Finding(single, (), (str(best["site"]), name))
    lead = f"{{Names}}{of} can be read from the stream, " + filled(clause, value="")
    detail = Detail(f"{name}{where}: {score}{against}", str(best["site"]), name)
    return Answer(1, lead if moved is None else single, name, whole, detail)


def _unread(
    best: Mapping[str, "Json"],
    verdicts: Verdicts,
    name: str,
    of: str,
    score: str,
    detail: Detail,
) -> Answer:
    """Of a target that is not decodable: never more than that it is not shown."""
    reason = verdicts.decodable.reason.removesuffix(GIVEN)
    cell = (detail.site, detail.target)
    cause = reason.split(" (", 1)[0]
    p = best.get("p_untrained" if cause == UNTRAINED else "p_family")
    shown = "" if p is None or cause == reason or ": p = " not in reason else f", p = {number(p)}"
    if cause == UNTRAINED:
        twin = number(best.get("random_weights"))
        said = (
            f"It is not shown that the model holds {{names}}{of}: a probe reads {{it}}, but "
            "no more than from untrained models of this shape"
        )
        beside = Detail(f"{name}: {score}, untrained {twin}{shown}", *cell)
        single = (
            f"It is not shown that the model holds {name}{of}: a probe reads it ({score}), "
            f"but {reason}"
        )
        return Answer(2, said, name, Finding(single, (), cell), beside, asks=bool(shown))
    able = "cannot be read" if cause.startswith("no more than chance") else "{is} not shown to be "
    able += "" if able.startswith("cannot") else "readable"
    said = f"{{Names}}{of} {able} from the stream"
    single = filled(said, Names=sentence_case(name), **{"is": "is"}) + f" ({score}): {reason}"
    beside = Detail(f"{detail.text}{shown}", *cell)
    return Answer(2, f"{said}: {cause}", name, Finding(single, (), cell), beside, asks=bool(shown))


def _from(study: "Study", rows: Sequence[Mapping[str, "Json"]]) -> str:
    """From which place on, where it is read at every later one; else at how many places."""
    verdicts = study.comparison.verdicts
    read = [
        cell is not None and cell.decodable.state == "yes"
        for cell in (verdicts.get((str(row["site"]), str(row["target"]))) for row in rows)
    ]
    if len(rows) < 2:
        return ""
    first = read.index(True)
    if not all(read[first:]) or first == len(read) - 1:
        return f" at {sum(read)} of {len(read)} places"
    site = str(rows[first]["site"])
    where = place(site, _blocks(study))
    return f" from {where.removeprefix('after ').removeprefix('at ')} on"


def _blocks(study: "Study") -> int | None:
    """How many blocks the model has."""
    told = study.facts.get("blocks")
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def _score(row: Mapping[str, "Json"], study: "Study") -> str:
    """The score with its interval, and where."""
    value = f"{score_word(row)} {number(row.get(score_column(row)))}"
    ends = number(row.get("interval"))
    interval = "" if "–" in ends else f" [{ends}]"
    return f"{value}{interval} {place(str(row['site']), _blocks(study))}"


def _surface(row: Mapping[str, "Json"], verdicts: Verdicts, piece: str) -> tuple[str, str]:
    """How much of it the surface has, with a gap for its score, and that score."""
    whole = of_whole_text(row)
    what = (
        "its words, letters and length"
        if whole
        else f"the {piece} itself, its neighbours and its position"
    )
    surface = number(row.get("surface"))
    answer = verdicts.selective
    if answer.state == "not tested":
        untold = f"whether that is more than {what} tell was not tested"
        return f"but {answer.instead or untold}: {answer.reason}", ""
    if answer.state == "no" and _share(row) < MOSTLY:
        return f"but it is not shown to be more than {what} give{{value}}", surface
    if answer.state == "no":
        told = "that is mostly lexical" if whole else f"not beyond the {piece}"
        return f"but {told}: {what} alone give most of it{{value}}", surface
    if _share(row) < MOSTLY:
        return f"beyond what {what} give{{value}}", surface
    return f"beyond what {what} give{{value}}, though that is most of it", surface


def _share(row: Mapping[str, "Json"]) -> float:
    """What the surface has over chance, of what the probe has."""
    named = (row.get(score_column(row)), row.get("surface"), row.get("chance"))
    if not all(isinstance(value, int | float) for value in named):
        return 0.0
    score, surface, chance = (float(str(value)) for value in named)
    return (surface - chance) / (score - chance) if score > chance else 0.0


def _carried(rows: Sequence["Moved"], first: str) -> str:
    """Whether what was learned from the first set holds in the others."""
    mine = [row for row in rows if row.train == first and row.test != first]
    held = [row for row in mine if row.above]
    lost = [row for row in mine if not row.above]
    own = next((row for row in rows if row.train == row.test == first), None)
    if own is not None and not own.above:
        return (
            f"but a ridge probe of {first} does not read it on held-out rows of {first} "
            f"({_moved(own)}), so there is nothing to carry over"
        )
    if not lost:
        return f"and what is read on {first} carries over to {_list(held)}"
    told = f"but what is read on {first} does not carry over to {_list(lost)}"
    return told + (f", though it does to {_list(held)}" if held else "")


def _list(rows: Sequence["Moved"]) -> str:
    named = [f"{row.test} ({_moved(row)})" for row in rows if row.train != ALL_OTHERS]
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _moved(row: "Moved") -> str:
    return f"{number(row.score)} [{number((row.low, row.high))}], chance {number(row.chance)}"
