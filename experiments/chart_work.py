"""What the chart values of a corpus are, how they move together, and what a site holds of them."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, final

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ..core import Subspace
from ..probes.geometry.value_movements import movements_of_blocks
from ..probes.geometry.value_patterns import Movements

if TYPE_CHECKING:
    from ..constructions import GrammarTransformer

__all__ = ["MOST", "ChartSite", "ChartWork"]

MOST = 3000
"""Rows or columns of one regression, whichever are fewer: its singular value decomposition takes
about a minute then."""
PART = 1e-3  # share of a combination below which a value is not named as taking part in it
NAMED = 3  # values that are named of those that a target is tied to
HELD = 2**28  # bytes of values that are kept for the sites where some coordinate is half done


@final
class ChartWork:
    """Values of a corpus, and how they move together; shared by sites where none is half done.

    Args:
        made: the model.
        sentences: of its grammar, or the first tokens of such.
        rows: ``[token]`` which tokens take part.
        dtype: of the activations.
    """

    def __init__(
        self,
        made: "GrammarTransformer",
        sentences: Sequence[Sequence[str]],
        rows: np.ndarray,
        dtype: np.dtype,
    ) -> None:
        self.made, self.sentences, self.rows, self.dtype = made, sentences, rows, dtype
        places = np.concatenate([np.arange(1, len(s) + 1) for s in sentences])[rows]
        self.places = np.unique(places)
        self._at = (places[:, None] == self.places).astype(np.float64)
        self._known: dict[tuple[int, ...], Movements] = {}
        self._held: list[np.ndarray] | None = None

    @property
    def shared(self) -> Movements:
        """Movements of the final values."""
        return self.movements((), 0)

    def movements(self, partly: tuple[int, ...], blocks: int) -> Movements:
        """Movements of the final values, and of what is written in part."""
        key = (*partly, blocks) if partly else ()
        if key not in self._known:
            half = np.zeros((len(self._at), 0))
            if partly:
                half = self.made.chart.values.of(self.sentences, partly, blocks)[self.rows]
            names = _Names(self.made, self.places, partly)
            parts = chain(self._values(), [self._at, half])
            groups = self.made.chart.groups
            self._known[key] = movements_of_blocks(parts, groups, names, dtype=self.dtype)
        return self._known[key]

    def _values(self) -> Iterator[np.ndarray]:
        """Final values of all coordinates, block by block."""
        if self._held is not None:
            yield from self._held
            return
        small = 8 * len(self._at) * len(self.made.registry) <= HELD
        kept = []
        for block in self.made.chart.values.blocks(self.sentences):
            kept += [block[self.rows]] if small else []
            yield kept[-1] if small else block[self.rows]
        self._held = kept if small else None

    def site(
        self,
        stream: Float[np.ndarray, "row d_model"],
        blocks: int,
        alive: Int[np.ndarray, " d_model"] | None = None,
    ) -> "ChartSite":
        """One site's projections and directions.

        Args:
            stream: at the rows that take part.
            blocks: that are done.
            alive: of a stream in a named basis the coordinates that are given; the others are 0.
        """
        values = self.made.chart.values
        partly = tuple(c for c in range(len(self.made.registry)) if values.partly(c, blocks))
        return ChartSite(self, np.asarray(stream, dtype=np.float64), blocks, partly, alive)


@final
class ChartSite:
    """One site: its stream along every movement, and what each column adds to it."""

    def __init__(
        self,
        work: ChartWork,
        stream: Float[np.ndarray, "row d_model"],
        blocks: int,
        partly: tuple[int, ...],
        alive: Int[np.ndarray, " d_model"] | None,
    ) -> None:
        self.moves = work.movements(partly, blocks)
        longest = float(np.linalg.norm(stream, axis=1).max(initial=0.0))
        self.rounding = float(np.finfo(work.dtype).eps) * longest
        self.projections = self.moves.projections(stream)
        if alive is None:
            self.directions, self.named = _dense(work, blocks, partly)
        else:
            self.directions, self.named = _sparse(work, blocks, partly, alive)

    def learned(self, target: str) -> Subspace:
        """The pattern found."""
        return self.moves.learned(target, self.projections, self.rounding)

    def predicted(self, target: str) -> Subspace:
        """Where theory says that it is here; without dimensions where nothing is written."""
        return self.moves.predicted(target, self.directions, self.rounding)

    def tied(self, target: str) -> tuple[str, bool]:
        """What is written here that the target is tied to, and whether anything of its own is."""
        moves, own = self.moves, np.array(self.moves.groups[target], dtype=int)
        written = np.abs(self.directions).sum(axis=1)
        there = np.asarray(written).ravel() > 0
        mine = bool((there[own] & (moves.kinds[own] >= 0)).any())
        if moves.combinations(target).own:
            return "", mine
        shares = moves.shares(target) * there
        shares[own] = 0.0
        others = np.flatnonzero(shares > PART)
        first = others[np.argsort(-shares[others], kind="stable")][:NAMED].tolist()
        more = f" and {len(others) - len(first)} more" if len(others) > len(first) else ""
        return ", ".join(moves.names[c] for c in first) + more, mine

    def place(self, target: str) -> Subspace:
        """Where the values will be when all are written."""
        return self.moves.predicted(target, self.named, self.rounding)


def _dense(work: ChartWork, blocks: int, partly: tuple[int, ...]) -> tuple[Any, Any]:
    """Directions of all columns: of those that are written, and of all."""
    chart = work.made.chart
    everything = range(len(work.made.registry))
    beside = [chart.basis.positions(work.places.tolist()), chart.basis.directions(partly)]
    written = np.vstack([chart.directions(everything, blocks), *beside])
    return written, np.vstack([chart.basis.directions(everything), *beside])


def _sparse(
    work: ChartWork, blocks: int, partly: tuple[int, ...], alive: Int[np.ndarray, " d_model"]
) -> tuple[Any, Any]:
    """The same in a named basis, where each coordinate is its own direction.

    Sparse models have no position code: their attention is told which position it reads.
    """
    last = work.made.program.written_after()
    width, places = len(work.made.registry), len(work.places)
    at = np.full(width, -1)
    at[alive] = np.arange(len(alive))

    def matrix(columns: np.ndarray) -> Any:
        halves = width + places + np.arange(len(partly))
        row = np.concatenate([columns, halves])
        to = np.concatenate([at[columns], at[list(partly)]]).astype(int)
        there = to >= 0
        shape = width + places + len(partly), len(alive)
        return sparse.csr_matrix((np.ones(there.sum()), (row[there], to[there])), shape=shape)

    done = np.array([c for c in range(width) if last[c] <= blocks], dtype=int)
    return matrix(done), matrix(np.arange(width))


@final
class _Names(Sequence[str]):
    """What columns are called, made when asked for: there may be millions."""

    def __init__(
        self, made: "GrammarTransformer", places: Int[np.ndarray, " place"], partly: Sequence[int]
    ) -> None:
        self._made, self._places, self._partly = made, places, partly
        self._target = {c: name for name, group in made.chart.groups.items() for c in group}

    def __len__(self) -> int:
        return len(self._made.registry) + len(self._places) + len(self._partly)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        width, places = len(self._made.registry), len(self._places)
        if index < width:
            target = self._target.get(index)
            if target is None:
                return str(self._made.registry[index])
            return f"{self._made.chart.names([index])[0]} ({target})"
        if index < width + places:
            return f"position {self._places[index - width]}"
        return f"{self._made.registry[self._partly[index - width - places]]}, half done"
