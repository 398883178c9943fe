"""What each probe got right in each test group: with it two runs on the same texts are paired."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, final

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field

from ..core import checked
from ..probes import HeldOut, HeldOutNumbers
from ..probes.evidence.intervals import sentence_sums
from .errors import RecordError

__all__ = ["GroupFile", "GroupScores", "group_scores"]

MOST: Final = 200_000
"""Numbers kept of a study; beyond that, neighbouring groups are added up."""
LEAST: Final = 20  # added-up groups with which a paired test can still tell anything

Numbers = Annotated[str, Field(pattern=r"^-?\d[-+.\de]*( -?\d[-+.\de]*)*$")]


@final
@checked(RecordError)
@dataclass(frozen=True)
class GroupScores:
    """Credit of the probes of one target, by test group.

    Args:
        mark: equal for two runs whose test tokens, labels and groups are the same.
        tokens: of each group.
        credit: site to the credit of each group: right tokens; of numbers a sum whose mean over
            all tokens is R2.

    Raises:
        RecordError: numbers of groups differ, or a group has no token.
    """

    mark: str
    tokens: tuple[float, ...]
    credit: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        sizes = {len(self.tokens), *map(len, self.credit.values())}
        if len(sizes) > 1 or not min(self.tokens, default=0) > 0:
            raise RecordError(
                "credit by group has one number for each group at every site, and tokens in every "
                f"group; received {sorted(sizes)} groups, at least "
                f"{min(self.tokens, default=0):g} tokens"
            )


class GroupFile(BaseModel):
    """How a run's files hold it: numbers with blanks between, which is short."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mark: str
    tokens: Numbers
    credit: dict[str, Numbers]

    @classmethod
    def of(cls, one: GroupScores) -> "GroupFile":
        """From the record.

        Args:
            one: of a target.
        """
        credit = {site: _text(values) for site, values in one.credit.items()}
        return cls(mark=one.mark, tokens=_text(one.tokens), credit=credit)

    def record(self) -> GroupScores:
        """The record."""
        credit = {site: _numbers(text) for site, text in self.credit.items()}
        return GroupScores(self.mark, _numbers(self.tokens), credit)


_Held = HeldOut | HeldOutNumbers


def group_scores(
    held_out: Mapping[tuple[str, str], _Held], corpus: str, *, most: int = MOST
) -> dict[str, GroupScores]:
    """Credit by group of every target, small enough to be kept.

    Args:
        held_out: (site, target) to the answers of its probe.
        corpus: fingerprint of the texts.
        most: numbers to keep; groups are added up to keep no more. With fewer than twenty left
            nothing is kept.
    """
    targets: dict[str, dict[str, _Held]] = {}
    for (site, target), held in held_out.items():
        targets.setdefault(target, {})[site] = held
    room = most // max(len(held_out), 1)
    made = {name: _target(name, sites, corpus, room) for name, sites in targets.items()}
    return {name: one for name, one in made.items() if one is not None}


def _target(name: str, sites: Mapping[str, _Held], corpus: str, room: int) -> GroupScores | None:
    first = next(iter(sites.values()))
    count = len(np.unique(first.groups))
    if not count or (count > room and room < LEAST):
        return None
    kept = min(count, room)
    parts = np.arange(count) * kept // count  # neighbours join
    if any(np.isnan(held.right).any() for held in sites.values()):  # numbers that do not vary
        return None
    marks = {_mark(name, held, corpus, kept) for held in sites.values()}
    if len(marks) > 1:  # another site scores other tokens: nothing is paired by halves
        return None
    sums = {site: sentence_sums(held.right, held.groups) for site, held in sites.items()}
    tokens = next(iter(sums.values()))[1]
    joined = {site: _joined(credit, parts) for site, (credit, _) in sums.items()}
    return GroupScores(marks.pop(), _joined(tokens, parts), joined)


def _joined(values: Float[np.ndarray, " group"], parts: np.ndarray) -> tuple[float, ...]:
    """Sums of the groups that join, with as many digits as a file keeps."""
    sums = np.bincount(parts, weights=values).tolist()
    return tuple(float(f"{value:.6g}") for value in sums)


def _mark(name: str, held: _Held, corpus: str, kept: int) -> str:
    """A digest of which tokens are scored, against which labels, in which groups."""
    true = np.asarray(held.true)
    labels = true if true.dtype.kind in "iu" else np.round(true.astype(np.float64), 6) + 0.0
    names = getattr(held, "classes", ())
    text = repr((name, corpus, kept, names)).encode()
    for part in (held.rows, held.groups, labels):
        text += b"|" + np.ascontiguousarray(part).tobytes()
    return hashlib.sha256(text).hexdigest()[:16]


def _text(values: Sequence[float]) -> str:
    return " ".join(f"{value:.6g}" for value in values)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split(" ")))
