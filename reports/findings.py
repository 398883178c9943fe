"""What a study found, in plain sentences made from its verdicts: the first thing a page says."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .carried_findings import carried
from .checked_findings import check_findings
from .clauses import beyond_surface, kinds, partly, score_there, untrained, where_read
from .constructed_findings import constructed, constructed_findings
from .finding import Answer, Detail, Finding, filled, grouped, sentence_case
from .named import named_study
from .placed_findings import invariant_findings, placed_findings, used_findings
from .rungs import GIVEN, UNTRAINED, strongest_baseline
from .score_table import HEADS
from .values import best_row, number, site_order
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
        *invariant_findings(study),
        *grouped([answer for answer in told if answer.order > 1], level),
        *check_findings(study.checks, most=2),
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
    best, _ = _shown(study, rows)
    verdicts = study.comparison.verdicts.get((str(best["site"]), name))
    of = "" if study.piece in name.split() else f" of each {study.piece}"
    score = score_there(best, study)
    detail = Detail(f"{name}: {score}", str(best["site"]), name)
    if verdicts is None or verdicts.decodable.state == "not tested":
        why = verdicts.decodable.reason if verdicts else "nothing was compared"
        lead = f"Whether {{names}}{of} can be read was not tested: {why}"
        cell = (detail.site, name)
        return Answer(3, lead, name, Finding(filled(lead, names=name), (), cell), detail)
    if verdicts.decodable.state == "no":
        return _unread(best, verdicts, name, of, score, detail)
    return _readable(study, rows, verdicts, name, moved)


def _readable(
    study: "Study",
    rows: "Sequence[Mapping[str, Json]]",
    verdicts: Verdicts,
    name: str,
    moved: "Transfer | None",
) -> Answer:
    """Of a target that is decodable where it is read best, or at the best of the other places."""
    best, aside = _shown(study, rows)
    cell = (str(best["site"]), name)
    of = "" if study.piece in name.split() else f" of each {study.piece}"
    where = where_read(study, rows) + aside
    first = "" if aside or len(rows) < 2 else "at best "
    score, twins = f"{first}{score_there(best, study)}", untrained(best, rows)
    clause, beside = beyond_surface(best, verdicts, study.piece)
    some, elsewhere = partly(study, rows, verdicts)
    said = f"{sentence_case(name)}{kinds(study, name)}{of} can be read from the stream{where}"
    told = f"{some and f'{some} '}" + filled(clause, value=beside and f" ({beside})")
    single = f"{said} ({score}; {twins}){told and f', {told}'}{elsewhere and f'; {elsewhere}'}"
    if moved is not None:
        clauses = carried(moved.at(site_of_transfer(study, moved)), moved.names[0])
        single += clauses and f", {clauses}"
    whole = Finding(single, (), cell)
    lead = f"{{Names}}{of} can be read from the stream, better than from untrained models"
    if clause:
        beyond = clause.startswith("beyond")
        lead += (" and " if beyond else ", ") + ("at some places " if some else "")
        lead += filled(clause, value="")
    chance = f"chance {number(best.get('chance'))}"
    against = "; ".join(filter(None, (beside and f"these give {beside}", twins, chance)))
    after = "".join(
        f"; {each}" for each in (where and f"read{where}", some and f"beyond these {some}",
                                 elsewhere) if each
    )  # fmt: skip
    detail = Detail(f"{name}: {score} ({against}){after}", *cell)
    return Answer(1, lead if moved is None else single, name, whole, detail)


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
        other, most = strongest_baseline(best)
        more = most is not None and number(most) != twin and other != "random_weights"
        stronger = f", {HEADS.get(other, other.replace('_', ' '))} {number(most)}" if more else ""
        beside = Detail(f"{name}: {score}, untrained {twin}{shown}{stronger}", *cell)
        single = (
            f"It is not shown that the model holds {name}{of}: a probe reads it ({score}), "
            f"but that is {reason}"
        )
        return Answer(2, said, name, Finding(single, (), cell), beside, asks=bool(shown))
    said = f"{{Names}}{of} {{is}} not shown to be readable from the stream"
    single = filled(said, Names=sentence_case(name), **{"is": "is"}) + f" ({score}): {reason}"
    beside = Detail(f"{detail.text}{shown}", *cell)
    return Answer(2, f"{said}: {cause}", name, Finding(single, (), cell), beside, asks=bool(shown))
