"""What an experiment found: a few numbers as a table, and the run that a page is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from ...core import checked
from ...reports import Run, refuse_occupied, write_run
from ...reports.values import Json, number
from ..settings import SettingsError

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["Answered", "written"]


@final
@checked(SettingsError)
@dataclass(frozen=True, eq=False)
class Answered:
    """A question that was put, with its answer.

    Args:
        name: of the experiment.
        rows: the few numbers, one mapping from column to value for each row.
        run: everything, as :func:`linrep.write_run` puts it into a folder with its page.

    >>> from linrep.reports import Comparison, Scores, Study
    >>> run = Run("t", "why", {}, {}, (Study("one", "", {}, Scores(()), Comparison(())),))
    >>> print(Answered("t", ({"depth": 1, "share": 0.5}, {"depth": 2, "share": None}), run))
    | depth | share |
    |---|---|
    | 1 | 0.500 |
    | 2 | – |
    """

    name: str
    rows: tuple[Mapping[str, Json], ...]
    run: Run

    def to_frame(self) -> "pd.DataFrame":
        """The few numbers as a data frame."""
        import pandas as pd

        return pd.DataFrame([dict(row) for row in self.rows])

    def to_markdown(self) -> str:
        """The few numbers as a Markdown table."""
        columns = list(dict.fromkeys(column for row in self.rows for column in row))
        lines = [columns, *([_shown(row.get(c)) for c in columns] for row in self.rows)]
        head, *rest = ("| " + " | ".join(cells) + " |" for cells in lines)
        return "\n".join([head, "|" + "---|" * len(columns), *rest])

    def plot(self) -> "go.Figure":
        """The first picture of the run.

        Raises:
            SettingsError: the run has none.
        """
        for study in self.run.studies:
            for picture in study.pictures:
                return picture.plot()
        raise SettingsError(f"the run of {self.name!r} has no pictures: read its rows instead")

    def __str__(self) -> str:
        return self.to_markdown()

    def _repr_markdown_(self) -> str:
        return self.to_markdown()


def written(found: Answered, out: str | Path | None) -> Answered:
    """What was found, after its run was written into a folder, if one was named.

    Args:
        found: the answer.
        out: the folder, new or empty; or ``None``.

    Raises:
        LinrepError: the folder holds something.
    """
    if out is not None:
        write_run(found.run, refuse_occupied(out))
    return found


def _shown(value: Json) -> str:
    """A number for people; whole ones without a decimal point."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return str(int(value)) if whole and isinstance(value, float) else number(value)
