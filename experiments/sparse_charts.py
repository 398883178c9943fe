"""Learned beside predicted in models too wide for dense weights: published grammars as they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core import progress
from ..grammars import Corpus
from .chart_work import MOST, ChartWork
from .charts import ChartCell

if TYPE_CHECKING:
    from ..constructions import GrammarTransformer

__all__ = ["sparse_chart_cells"]


def sparse_chart_cells(
    made: "GrammarTransformer",
    corpus: Corpus,
    blocks: Sequence[int],
    *,
    first: int | None = None,
) -> list[ChartCell]:
    """Overlap of every chart target's pattern with its named directions, at a few sites.

    The regression is that of :func:`linrep.experiments.charts.chart_findings`: of the stream on
    every value that any coordinate holds, read block by block; coordinates that are constant on
    these tokens, or move as others do, take no memory. R2 is not measured here (NaN).

    Args:
        made: built with ``backend="sparse"``.
        corpus: sentences of its grammar.
        blocks: numbers of blocks after which the stream is read, 0 for the embedding.
        first: how many tokens of each sentence are read; all by default. What a coordinate holds at
            a token depends on no later one. Where a grammar has more values than there are tokens,
            the first tokens of many sentences tell more of them apart than a few whole ones.

    Raises:
        ConstructionError: the model is dense.
        TooLarge: the values would not fit in memory.
    """
    from ..constructions.grammar.predictions import site_after
    from ..constructions.grammar.sparse_reading import sparse_streams

    cut = [sentence[:first] for sentence in corpus.sentences]
    tokens = np.cumsum([len(sentence) for sentence in cut])
    taken = [s for s, total in zip(cut, tokens.tolist(), strict=True) if total <= MOST] or cut[:1]
    streams = sparse_streams(made, taken, blocks)
    rows = np.ones(sum(map(len, taken)), dtype=bool)
    work = ChartWork(made, taken, rows, np.dtype(made.settings.dtype))
    last = made.program.written_after()
    cells = []
    for done in progress(blocks, "chart values", unit="site"):
        here = work.site(streams[done].values, done, streams[done].coordinates)
        site = site_after(done)
        for target in made.chart.groups:
            told = here.moves.combinations(target)
            if not told.moving:
                continue
            learned, predicted = here.learned(target), here.predicted(target)
            cells.append(
                ChartCell(
                    site,
                    target,
                    predicted.dim > 0,
                    float("nan"),
                    learned.overlap(predicted),
                    learned.dim,
                    predicted.dim,
                    told.moving,
                    all(last[c] <= done for c in made.chart.groups[target]),
                    told.reason,
                )
            )
    return cells
