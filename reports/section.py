"""The tables of a study, once for every format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from .edited import ERASED_COLUMNS, STEERED_COLUMNS, erased_lines, steered_lines
from .invariants import INVARIANT_COLUMNS, INVARIANT_MEANING, invariant_lines
from .overlap_table import OVERLAP_COLUMNS, overlap_lines
from .through_table import THROUGH_NOTE, through_table
from .used import exchange_table
from .values import number

if TYPE_CHECKING:
    from .record import Study

__all__ = ["Section", "tables"]

SIGNS: Final = {"<=": "≤", ">=": "≥"}
EXCHANGES: Final = (
    "The last token of a span gets the state of another span of equal length, inside the learned "
    "pattern alone. Effect shares are parts of the way from no edit to what the model says when it "
    "reads the other sentence itself; divergences are in nats from the exact answer, means over "
    "pairs whose labels differ. Other targets are read by probes fitted on unedited states, at "
    "this place and all later ones; their predictions have to stay wherever the exchanged state "
    "does not determine them."
)
ERASED: Final = (
    "At every word that has a label of the target the part of the stream inside the learned "
    "pattern is replaced by its mean. Probes were fitted on unedited activations: what they still "
    "read at the same place has survived, what they read later was kept elsewhere or built again. "
    "A target other than the erased one should lose nothing. Accuracies are those of held-out "
    "sentences."
)
STEERED: Final = (
    "The direction is the difference of two symbols' mean activations. Effect: log-odds of the "
    "word that the one asks for over the word that the other asks for, after beginnings that end "
    "with a span of either. Damage: divergence from the unsteered output where the push is made at "
    "every token of whole sentences."
)


@final
@dataclass(frozen=True)
class Section:
    """A table with its heading.

    Args:
        key: in its address.
        title: heading.
        columns: their names.
        lines: of cells, as text.
        left: how many columns hold words, in front.
        note: what a reader has to know of the table.
        cells: site and target of each line, where a line is about one cell.
        prose: columns that hold sentences.
    """

    key: str
    title: str
    columns: Sequence[str]
    lines: Sequence[Sequence[str]]
    left: int = 2
    note: str = ""
    cells: Sequence[tuple[str, str]] = ()
    prose: frozenset[int] = frozenset()


def tables(study: "Study") -> list[Section]:
    """Every table of a study beside that of its scores; those without a line are left out.

    Args:
        study: with its targets under the names that pages give them.
    """
    made: list[Callable[[Study], Section]] = [
        _checks, _subspaces, _through, _exchanges, _invariants, _erased, _steered,
    ]  # fmt: skip
    return [section for section in (make(study) for make in made) if section.lines]


def _checks(study: "Study") -> Section:
    lines = [
        [c.name, number(c.value), f"{SIGNS[c.relation]} {number(c.limit)}",
         "passed" if c.passed else "FAILED", c.meaning]
        for c in study.checks
    ]  # fmt: skip
    columns = ["what", "measured", "required", "", "meaning"]
    return Section("checks", "Checks", columns, lines, left=1, prose=frozenset({0, 4}))


def _subspaces(study: "Study") -> Section:
    rows = [row for row in study.comparison.rows if row.subspaces]
    return Section(
        "subspaces", "Learned beside predicted subspaces",
        ["site", "target", *OVERLAP_COLUMNS.values()], overlap_lines(rows),
        cells=[(row.site, row.target) for row in rows],
    )  # fmt: skip


def _through(study: "Study") -> Section:
    columns, lines = through_table(study.comparison.rows)
    title = "Through a linear map from the constructed model"
    cells = [(row.site, row.target) for row in study.comparison.rows if row.through is not None]
    return Section("map", title, columns, lines, note=THROUGH_NOTE, cells=cells)


def _exchanges(study: "Study") -> Section:
    columns, lines = exchange_table(study.comparison)
    title = "Is the state used? Exchanges of the learned pattern"
    return Section("exchanges", title, columns, lines, note=EXCHANGES)


def _invariants(study: "Study") -> Section:
    title = "Whatever the basis: predicted and measured"
    lines = invariant_lines(study.invariants)
    columns = list(INVARIANT_COLUMNS)
    prose = frozenset(range(7, len(columns)))
    return Section("invariants", title, columns, lines, left=3, note=INVARIANT_MEANING, prose=prose)


def _erased(study: "Study") -> Section:
    title = "What is lost when a state is taken out"
    lines = erased_lines(study.erased)
    return Section("erased", title, list(ERASED_COLUMNS), lines, left=3, note=ERASED)


def _steered(study: "Study") -> Section:
    title = "What a push along the state does"
    lines = steered_lines(study.steered)
    return Section("steered", title, list(STEERED_COLUMNS.values()), lines, left=3, note=STEERED)
