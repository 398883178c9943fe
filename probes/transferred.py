"""What probes that were trained on one data set do on another."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from .errors import ProbeError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ALL_OTHERS", "Moved", "Transfer"]

ALL_OTHERS = "all others"


@final
@dataclass(frozen=True)
class Moved:
    """One probe, trained on one data set (or all others) and scored on another.

    Args:
        site: place in the stream.
        train: the data set that was learned from.
        test: the data set that was scored: its held-out groups where it is ``train`` too.
        score: accuracy for classes, R2 (around the scored set's own mean) for numbers.
        low: lower end of its 95 % interval, by groups of the scored set.
        high: upper end.
        chance: share of the most frequent class there; 0 for numbers.
        twin: the same score from activations of the random-weight twin; NaN without one.
        n_train: rows learned from.
        n_test: rows scored.
        above: whether the score lies above chance and above the twin on the same rows, at all
            probes of the site together (sign tests by group, 5 %, Bonferroni).
    """

    site: str
    train: str
    test: str
    score: float
    low: float
    high: float
    chance: float
    twin: float
    n_train: int
    n_test: int
    above: bool = False


@final
@dataclass(frozen=True, eq=False)
class Transfer:
    """All pairs of several data sets, at each site.

    Args:
        target: what was recovered.
        rows: one for each site, training set and scored set.
        names: of the data sets.
        cosines: per site ``[set, set]`` cosine of the directions of two sets: of the differences
            of class means (of numbers the covariance with activations), in which the scale of
            features is that of the activations.
    """

    target: str
    rows: tuple[Moved, ...]
    names: tuple[str, ...]
    cosines: Mapping[str, np.ndarray]

    def to_frame(self) -> "pd.DataFrame":
        """The rows as a table."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def verdict(self, site: str) -> str:
        """What the scores at a site say, in one sentence.

        Decodable: what was trained on a set is above chance and above the twin on its held-out
        rest; general: so are all that are decodable on every other set.

        Raises:
            ProbeError: there is no such site.
        """
        here = self.at(site)
        own = {row.test: row.above for row in here if row.train == row.test}
        tried = [row for row in here if row.train != row.test and own.get(row.train)]
        moved = [row for row in tried if row.above]
        if not any(own.values()):
            return f"{self.target} is not decodable in any of the {len(own)} sets"
        said = f"{self.target} is decodable in {sum(own.values())} of {len(own)} sets"
        if len(moved) == len(tried):
            return f"{said} and general: every probe that reads it there reads it in the others"
        return (
            f"{said} but not general: {len(moved)} of {len(tried)} probes, trained on one set and "
            "scored on another, are above chance"
        )

    def at(self, site: str) -> tuple[Moved, ...]:
        """All probes of a site.

        Raises:
            ProbeError: there is no such site.
        """
        here = tuple(row for row in self.rows if row.site == site)
        if not here:
            raise ProbeError(f"no site {site!r} was probed: there are {', '.join(self.sites)}")
        return here

    @property
    def sites(self) -> tuple[str, ...]:
        """Each site once, in the order of the stream."""
        return tuple(dict.fromkeys(row.site for row in self.rows))
