"""What a study found, one plain sentence for each target: the first thing that a page says."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..probes.transferred import ALL_OTHERS
from .values import (
    best_row,
    number,
    of_whole_text,
    score_column,
    score_word,
    site_label,
    site_order,
)
from .verdicts import Verdicts

if TYPE_CHECKING:
    from ..probes import Moved, Transfer
    from .record import Study
    from .values import Json

__all__ = ["DIVERGENCE", "UNLEARNED", "findings", "site_of_transfer"]

DIVERGENCE = "divergence from the exact next-token distribution"
"""The fact by which a page of a trained model begins."""
UNLEARNED = "the model has not learned its language"
"""How the reason begins where nothing is claimed of a model."""

MOSTLY = 0.5  # of what the probe has over chance: if the surface has as much, it is most of it


def findings(study: "Study") -> list[str]:
    """What was found, a sentence for each target of labelled texts and of trained models.

    Args:
        study: of labelled texts: ``piece`` says what of them was read; or of a model beside theory.

    Returns:
        Sentences in the order of the targets; of a model that was trained on a grammar first
        whether it has learned it, and nothing else if it has not. None of a constructed model.
    """
    opening: list[str] = []
    if study.piece == "token":
        if DIVERGENCE not in study.facts:
            return []
        reasons = [row.verdicts.decodable.reason for row in study.comparison.rows]
        failed = next((why for why in reasons if why.startswith(UNLEARNED)), "")
        if failed:
            return [f"{_capital(failed)}. No state is claimed."]
        opening = [f"The model has learned its language: {DIVERGENCE} {study.facts[DIVERGENCE]}."]
    moved = {transfer.target: transfer for transfer in study.transfers}
    targets = site_order([str(row["target"]) for row in study.scores.rows])
    return [*opening, *(_sentence(study, target, moved.get(target)) for target in targets)]


def site_of_transfer(study: "Study", moved: "Transfer") -> str:
    """The site at which a transfer is told: where its target is read best, by validation.

    Args:
        study: that the transfer belongs to.
        moved: one of its transfers.
    """
    rows = [row for row in study.scores.rows if row["target"] == moved.target]
    best = str(best_row(rows)["site"]) if rows else ""
    return best if best in moved.sites else moved.sites[-1]


def _sentence(study: "Study", target: str, moved: "Transfer | None") -> str:
    """One target."""
    rows = [row for row in study.scores.rows if row["target"] == target]
    best = best_row(rows)
    verdicts = study.comparison.verdicts.get((str(best["site"]), target))
    name = study.names.get(target, target)
    piece = f"each {study.piece}"
    if verdicts is None or verdicts.decodable.state == "not tested":
        why = verdicts.decodable.reason if verdicts else "nothing was compared"
        return f"Whether {name} of {piece} can be read was not tested: {why}."
    if verdicts.decodable.state == "no":
        return (
            f"{_capital(name)} of {piece} cannot be read from the stream ({_score(best)}): "
            f"{verdicts.decodable.reason}."
        )
    said = f"{_capital(name)} of {piece} can be read from the stream{_from(study, rows)}"
    parts = [f"{said} ({_score(best)})", _surface(best, verdicts, study.piece)]
    if moved is not None:
        parts.append(_carried(moved.at(site_of_transfer(study, moved)), moved.names[0]))
    return ", ".join(parts) + "."


def _from(study: "Study", rows: Sequence[Mapping[str, "Json"]]) -> str:
    """From which place on, where it is read at every later one."""
    verdicts = study.comparison.verdicts
    read = [
        cell is not None and cell.decodable.state == "yes"
        for cell in (verdicts.get((str(row["site"]), str(row["target"]))) for row in rows)
    ]
    first = len(read) - next((i for i, yes in enumerate(reversed(read)) if not yes), len(read))
    if first in (0, len(read)) or len(read) - first < 2:
        return "" if first else ", from the embedding on"
    return f" from {site_label(str(rows[first]['site']))} on"


def _score(row: Mapping[str, "Json"]) -> str:
    return (
        f"{score_word(row)} {number(row.get(score_column(row)))} [{number(row.get('interval'))}] "
        f"after {site_label(str(row['site']))}"
    ).replace("after embedding", "at the embedding")


def _surface(row: Mapping[str, "Json"], verdicts: Verdicts, piece: str) -> str:
    """How much of it the surface has."""
    whole = of_whole_text(row)
    what = (
        "its words, letters and length"
        if whole
        else f"the {piece} itself, its neighbours and its position"
    )
    surface = row.get("surface")
    answer = verdicts.selective
    if answer.state == "not tested":
        untold = f"whether that is more than {what} tell was not tested"
        instead = f"but {answer.instead or untold}"
        return f"{instead}: {answer.reason}"
    if answer.state == "no" and _share(row) < MOSTLY:
        return f"but it is not shown to be more than {what} give ({number(surface)})"
    if answer.state == "no":
        told = "that is mostly lexical" if whole else f"not beyond the {piece}"
        return f"but {told}: {what} alone give {number(surface)}"
    if _share(row) < MOSTLY:
        return f"beyond what {what} give ({number(surface)})"
    return f"but that is mostly lexical: {what} alone give {number(surface)}, most of it"


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


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
