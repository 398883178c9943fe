"""What a study found, in plain sentences made from its verdicts: the first thing a page says."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .carried_findings import carried
from .checked_findings import check_findings
from .constructed_findings import constructed, constructed_findings
from .finding import Answer, Detail, Finding, filled, grouped, sentence_case
from .named import named_study
from .placed_findings import placed_findings, used_findings
from .rungs import EMBEDDED, GIVEN, UNSEEN, UNTRAINED
from .untested import POINT
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
    from ..probes import Transfer
    from .record import Study
    from .values import Json

__all__ = ["DIVERGENCE", "UNLEARNED", "answers", "findings", "site_of_transfer"]

DIVERGENCE = "divergence from the exact next-token distribution"
"""The fact by which a page of a trained model begins."""
UNLEARNED = "the model has not learned its language"
"""How the reason begins where nothing is claimed of a model."""

SHOWN = ("next-token distribution", "exchange: largest error")  # checks told of first
FEW, SHORT = 3, 16  # classes, and letters of a name, that a sentence has room for
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
    return sorted(_told(study), key=lambda finding: finding.good is not False)  # failures in front


def _told(study: "Study") -> list[Finding]:
    if not study.scores.rows:
        return check_findings(study.checks, most=4)
    if constructed(study):
        return [*constructed_findings(study), *check_findings(study.checks, most=2, first=SHOWN)]
    reasons = [row.verdicts.decodable.reason for row in study.comparison.rows]
    failed = next((why for why in reasons if why.startswith(UNLEARNED)), "")
    if failed:
        nothing = Finding(f"{sentence_case(failed)}. No state is claimed")
        return [nothing, *check_findings(study.checks, most=0)]
    opening = []
    if reasons and DIVERGENCE in study.facts:  # the reasons say where it has not
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
    best, aside = _shown(study, rows)
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
    where = _from(study, rows) + aside
    clause, beside = _surface(best, verdicts, study.piece)
    beyond, elsewhere = _beyond(study, rows, verdicts)
    twin = number(best.get("random_weights"))
    said = f"{sentence_case(name)}{_kinds(study, name)}{of} can be read from the stream{where}"
    single = f"{said} ({score}; untrained models at most {twin})"
    told = f"{beyond and f'{beyond} '}" + filled(clause, value=beside and f" ({beside})")
    single += told and f", {told}"
    single += elsewhere and f"; {elsewhere}"
    if moved is not None:
        clauses = carried(moved.at(site_of_transfer(study, moved)), moved.names[0])
        single += clauses and f", {clauses}"
    against = f", against {beside} from these" if beside else ", against"
    against += f"{' and' if beside else ''} at most {twin} from untrained models"
    against += "".join(
        f"; {told}" for told in (beyond and f"beyond that {beyond}", elsewhere) if told
    )
    whole = Finding(single, (), (str(best["site"]), name))
    lead = f"{{Names}}{of} can be read from the stream, better than from untrained models"
    if clause:
        joint = " and " if clause.startswith("beyond") else ", "
        lead += joint + filled(clause, value="")
    detail = Detail(f"{name}{where}: {score}{against}", str(best["site"]), name)
    return Answer(1, lead if moved is None else single, name, whole, detail)


def _kinds(study: "Study", name: str) -> str:
    """The names of a target's classes, where they are few and short."""
    found = next((kept.names for kept in study.classes if kept.target == name), ())
    if not 1 < len(found) <= FEW or any(len(each) > SHORT for each in found):
        return ""
    return f" ({' or '.join(found)})"


def _shown(
    study: "Study", rows: Sequence[Mapping[str, "Json"]]
) -> tuple[Mapping[str, "Json"], str]:
    """The cell that is told: where validation reads the target best, if it is decodable there.

    Else the best, by validation, of those at which it is; what is true of one cell is not said of
    the model.
    """
    best = best_row(rows)
    read = [row for row in rows if _state(study, row) == "yes"]
    if best in read or not read:
        return best, ""
    return best_row(read), ", though not where validation data read it best"


def _state(study: "Study", row: Mapping[str, "Json"]) -> str:
    verdicts = study.comparison.verdicts.get((str(row["site"]), str(row["target"])))
    return "not tested" if verdicts is None else verdicts.decodable.state


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
    p = re.search(r": p = (\S+)$", reason)
    shown = "" if p is None or cause == reason else f", p = {p[1]}"
    if cause == UNTRAINED:
        twin = number(best.get("random_weights"))
        said = (
            f"It is not shown that the model holds {{names}}{of}: a probe reads {{it}}, but is "
            "not shown to read {it} better than from untrained models of this shape"
        )
        beside = Detail(f"{name}: {score}, untrained {twin}{shown}", *cell)
        single = (
            f"It is not shown that the model holds {name}{of}: a probe reads it ({score}), "
            f"but that is {reason}"
        )
        return Answer(2, said, name, Finding(single, (), cell), beside, asks=bool(shown))
    said = f"{{Names}}{of} {{is}} not shown to be readable from the stream"
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
    blocks = _blocks(study)
    if blocks is not None and len(rows) < blocks:  # of the blocks between nothing is known
        return f" at {sum(read)} of the {len(read)} places that were looked at"
    first = read.index(True)
    if not all(read[first:]) or first == len(read) - 1:
        return f" at {sum(read)} of {len(read)} places"
    where = place(str(rows[first]["site"])).removeprefix("after ").removeprefix("at ")
    return f" from {where}{f' of {blocks}' if blocks and 'block' in where else ''} on"


def _beyond(
    study: "Study", rows: Sequence[Mapping[str, "Json"]], here: Verdicts
) -> tuple[str, str]:
    """At how many places it is read beyond the surface, where that is not wherever it is read.

    Returns:
        Where it is so at the place that is told; else at how many others, as a clause of its own.
    """
    verdicts = study.comparison.verdicts
    cells = [verdicts.get((str(row["site"]), str(row["target"]))) for row in rows]
    read = [cell for cell in cells if cell is not None and cell.decodable.state == "yes"]
    more = sum(cell.selective.state == "yes" for cell in read)
    if not 0 < more < len(read):
        return "", ""
    if here.selective.state == "yes":
        return f"at {more} of {len(rows)} places", ""
    return "", f"it is beyond that at {more} of {len(rows)} places"


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
    if piece == POINT:
        return "", ""
    if answer.state == "not tested":
        untold = f"whether that is more than {what} tell was not tested"
        return f"but {answer.instead or untold}: {answer.reason}", ""
    if answer.state == "no" and answer.reason.startswith(UNSEEN):
        seen = "texts" if whole else f"{piece}s"
        return f"but at {seen} that were never trained on it is not shown to be read", ""
    if answer.state == "no" and answer.reason.startswith(EMBEDDED):
        held = number(row.get("embedding"))
        return "but it is not shown to be more than the embedding gives{value}", held
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
