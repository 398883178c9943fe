"""What a run has to say, as plain frozen records: checks, studies, the run itself."""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final, Literal, final

from ..core import ErasedRow, Invariant, SteeredRow, Subspace, checked
from ..probes import Examples, Transfer
from .by_group import GroupScores
from .classes import Classes
from .comparison import Comparison
from .errors import RecordError
from .pictures import Picture
from .values import Json, number, plain, score_column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Check", "RecordError", "Relation", "Run", "Scores", "Study"]

Relation = Literal["<=", ">="]

RELATIONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
}


def _require_text(name: str, *values: object) -> None:
    """Everything in a record can be written into a file.

    Raises:
        RecordError: some text holds half of a surrogate pair, or values nest too deep.
    """
    try:
        json.dumps(plain(values), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        around = error.object[max(0, error.start - 10) : error.start + 10]
        raise RecordError(
            f"{name} holds text that no file can hold, half of a surrogate pair: received "
            f"{around!r}; decode the text anew, or leave the character out"
        ) from None
    except RecursionError:
        raise RecordError(f"{name} holds lists within lists too deep to be written") from None


@final
@checked(RecordError)
@dataclass(frozen=True)
class Check:
    """One number that the run had to reach.

    Args:
        name: what was measured.
        value: the number measured.
        relation: ``"<="`` or ``">="``.
        limit: the number required.
        meaning: one sentence for a reader who did not run it.

    >>> Check("error", 2e-16, "<=", 1e-12, "exact up to rounding").passed
    True
    """

    name: str
    value: float
    relation: Relation
    limit: float
    meaning: str

    @property
    def passed(self) -> bool:
        """Whether the requirement holds; a value that is NaN fails."""
        return RELATIONS[self.relation](self.value, self.limit)

    def __str__(self) -> str:
        verdict = "ok" if self.passed else "FAILED"
        return f"{verdict}: {self.name}: {number(self.value)} {self.relation} {number(self.limit)}"


@final
@checked(RecordError)
@dataclass(frozen=True)
class Scores:
    """The rows of a probe grid as plain data: one per (site, target).

    Args:
        rows: column name -> value, as :meth:`linrep.probes.ProbeResults.to_frame` names them;
            what was not tested is ``None``.
        notes: what was not tested or left out, and why.
        settings: the settings of the probes.
        by_group: target to what its probes got right in each test group, so that two runs on the
            same texts can be paired; empty where it was not kept.
    """

    rows: tuple[Mapping[str, Json], ...]
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Json] = field(default_factory=dict)
    by_group: Mapping[str, GroupScores] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            missing = [name for name in ("site", "target") if row.get(name) is None]
            score = score_column(row)  # of numbers that do not vary there is none
            if score not in row or (row[score] is None and score == "accuracy"):
                missing.append(score)
            if missing:
                raise RecordError(f"a score row lacks {', '.join(missing)}; received {dict(row)}")

    def to_frame(self) -> "pd.DataFrame":
        """One row per (site, target)."""
        import pandas as pd

        return pd.DataFrame([dict(row) for row in self.rows])


@final
@checked(RecordError)
@dataclass(frozen=True, eq=False)
class Study:
    """One question put to one model: what was asked, what was found.

    Args:
        name: short name, also of its file.
        question: what was asked, in plain words.
        facts: label -> value, about the language, the model and the data.
        scores: the grid of probes.
        comparison: learned beside predicted, with the verdicts.
        checks: numbers that had to be reached.
        notes: sentences that a reader needs to judge the numbers.
        subspaces: ``"learned" | "predicted"`` -> (site, target) -> subspace.
        trees: a few sentences drawn under their trees, for a fixed-width font.
        erased: targets taken out at a site, and what is read further on.
        steered: streams pushed from one class towards another, in doses.
        invariants: what theory says of the model in whatever basis, beside what it shows.
        piece: what one row of the data is: a token, a word, a statement, an entity.
        names: target -> what pages call it, where that is another name (``height 1`` of a
            treebank is the part of speech).
        transfers: what probes trained on one data set do on others, one for each target.
        pictures: of numbers that are no scores of probes.
        examples: a few held-out texts with what every probe said of their words.
        classes: of each target at its best site who was taken for whom, and where class means lie.
    """

    name: str
    question: str
    facts: Mapping[str, Json]
    scores: Scores
    comparison: Comparison
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    subspaces: Mapping[str, Mapping[tuple[str, str], Subspace]] = field(default_factory=dict)
    trees: tuple[str, ...] = ()
    erased: tuple[ErasedRow, ...] = ()
    steered: tuple[SteeredRow, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    piece: str = "token"
    names: Mapping[str, str] = field(default_factory=dict)
    transfers: tuple[Transfer, ...] = ()
    pictures: tuple[Picture, ...] = ()
    examples: Examples | None = None
    classes: tuple[Classes, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or any(sign in self.name for sign in "/\\|\0") or self.name[0] == ".":
            raise RecordError(
                f"a study's name becomes a file name, so it has no '/', '\\', '|' and no dot in "
                f"front; received {self.name!r}"
            )
        rows = [asdict(row) for row in self.comparison.rows]
        cells = [[side, *cell] for side, spaces in self.subspaces.items() for cell in spaces]
        _require_text(
            f"the study {self.name!r:.100}",
            self.name, self.question, self.facts, self.notes, [vars(c) for c in self.checks],
            self.scores.rows, self.scores.notes, self.scores.settings,
            list(self.scores.by_group), rows, self.comparison.settings, cells, self.piece,
            self.names,
            [vars(row) for row in (*self.erased, *self.steered, *self.invariants)],
            [[moved.target, moved.names] for moved in self.transfers],
            asdict(self.examples) if self.examples else {},
            [[each.target, each.names] for each in self.classes],
        )  # fmt: skip

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)


@final
@checked(RecordError)
@dataclass(frozen=True, eq=False)
class Run:
    """Everything a report shows; a folder holds it, and no model is needed to read it.

    Args:
        title: heading of the report.
        question: what was asked, one paragraph in plain words.
        settings: the settings that make this run again.
        manifest: versions, fingerprints, seeds: what made the numbers.
        studies: one or more, names differ.
    """

    title: str
    question: str
    settings: Mapping[str, Json]
    manifest: Mapping[str, Json]
    studies: tuple[Study, ...]

    def __post_init__(self) -> None:
        names = [study.name for study in self.studies]
        if not names or len(set(names)) < len(names):
            raise RecordError(f"a run has studies of different names; received {names}")
        _require_text("the run", self.title, self.question, self.settings, self.manifest)

    @property
    def passed(self) -> bool:
        """Whether every check of every study holds."""
        return all(study.passed for study in self.studies)

    def study(self, name: str) -> Study:
        """The study of that name.

        Raises:
            RecordError: there is none.
        """
        for study in self.studies:
            if study.name == name:
                return study
        known = ", ".join(study.name for study in self.studies)
        raise RecordError(f"no study is called {name!r}; this run has {known}")

    def rows(self) -> "Sequence[tuple[Study, Mapping[str, Json]]]":
        """Every score row of every study, with its study."""
        return [(study, row) for study in self.studies for row in study.scores.rows]
