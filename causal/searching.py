"""Searches beside an exchange: what a learned subspace does on pairs it was not learned from."""

from collections.abc import Mapping
from typing import Any, Final

from ..hooks.reading.prepared import PreparedModel
from .das import Aligned, align
from .errors import CausalError
from .exchange import Cells, ExchangeOutcome
from .pairs import Pairs

__all__ = ["DAS", "das_fields", "searched", "with_searches"]

STEPS: Final = {"learning_rate": 0.05, "batch_size": 32}
"""A few hundred steps have to do: there are tens of pairs, not thousands."""

DAS: Final = "das"
"""Name of the arm."""


def searched(
    subject: PreparedModel, pairs: Pairs, cells: Cells, epochs: int, seed: int
) -> tuple[dict[str, Aligned], list[str]]:
    """One search per site, of as many dimensions as the subspace there has; and why some are not.

    Args:
        subject: the model.
        pairs: of one target.
        cells: per site what is exchanged.
        epochs: passes over the pairs that are learned from.
        seed: of the searches.
    """
    found, notes = {}, []
    for site, (space, _) in cells.items():
        if not space.dim:
            continue
        try:
            found[site] = align(
                subject.path.model, pairs, site, space.dim, epochs=epochs, seed=seed
            )
        except CausalError as error:
            notes.append(f"{pairs.target}: no subspace was searched for: {error}")
            break
    return found, notes


def with_searches(cells: Cells, found: Mapping[str, Aligned]) -> Cells:
    """The same cells with what was found beside the subspace."""
    return {
        site: (space, {**others, DAS: found[site].subspace} if site in found else others)
        for site, (space, others) in cells.items()
    }


def das_fields(
    site: str, outcome: ExchangeOutcome, one: Aligned | None, *, follows: bool
) -> dict[str, Any]:
    """The fields of a cell: effect share on held-out base sentences, and what the controls say.

    Args:
        site: of the cell.
        outcome: of all arms.
        one: the search there; ``None`` if there was none.
        follows: the model follows the language, so that there is a way to share.
    """
    if one is None:
        return {}
    arm, some = outcome.arms[site][DAS], list(one.held_out)
    base, source = outcome.base.loss[some], outcome.source.loss[some]
    room = float((base - source).mean())
    share = float((base - arm.loss[some]).mean()) / room if follows and room > 0 else float("nan")
    return {"share_das": share, "das": ("flagged: " if one.flagged else "") + one.reason}
