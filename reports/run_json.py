"""A study as its file in a run folder holds it."""

import json
from dataclasses import asdict

from ..probes import Transfer
from .by_group import GroupFile
from .comparison import Row
from .record import Study
from .values import plain
from .verdicts import RUNGS

__all__ = ["dumps", "study_json"]


def dumps(value: object) -> str:
    """JSON as runs write it: indented, UTF-8, no NaN."""
    return json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def study_json(study: Study) -> dict[str, object]:
    """A study as its file holds it."""
    return {
        "name": study.name,
        "question": study.question,
        "facts": study.facts,
        "checks": [vars(check) for check in study.checks],
        "scores": {
            "rows": study.scores.rows,
            "notes": study.scores.notes,
            "settings": study.scores.settings,
            **_by_group(study),
        },
        "comparison": {
            "rows": [_row_json(row) for row in study.comparison.rows],
            "settings": study.comparison.settings,
        },
        "notes": study.notes,
        "trees": study.trees,
        "erased": [vars(row) for row in study.erased],
        "steered": [vars(row) for row in study.steered],
        **({"invariants": [vars(row) for row in study.invariants]} if study.invariants else {}),
        "piece": study.piece,
        "names": study.names,
        "transfers": [_transfer_json(moved) for moved in study.transfers],
        **({"pictures": [asdict(picture) for picture in study.pictures]} if study.pictures else {}),
        **({"examples": asdict(study.examples)} if study.examples else {}),
        **({"classes": [asdict(each) for each in study.classes]} if study.classes else {}),
    }


def _by_group(study: Study) -> dict[str, object]:
    kept = study.scores.by_group
    files = {target: GroupFile.of(one).model_dump() for target, one in kept.items()}
    return {"by_group": files} if files else {}


def _transfer_json(moved: Transfer) -> dict[str, object]:
    return {
        "target": moved.target,
        "names": moved.names,
        "rows": [vars(row) for row in moved.rows],
        "cosines": moved.cosines,
    }


def _row_json(row: Row) -> dict[str, object]:
    found = None if row.subspaces is None else vars(row.subspaces)
    verdicts = {name: vars(getattr(row.verdicts, name)) for name in RUNGS}
    done = None if row.exchange is None else vars(row.exchange)
    written = vars(row) | {"verdicts": verdicts, "subspaces": found, "exchange": done}
    said = written.pop(
        "through"
    )  # most runs compare in one basis, and their files stay as they are
    return written if said is None else written | {"through": vars(said)}
