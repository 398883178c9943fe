"""What a window tells: ancestors given the position and the last R tokens only.

Source: docs/theory/grammar.md, section 9.

Unseen tokens are wildcards of weight 1, so over them a chart only depends on lengths. Queries are
aligned at their last token: wildcard columns are filled in at once from the distribution of
lengths, and only the R columns of the window are computed.
"""

import numpy as np
from jaxtyping import Float, Int

from ..forms.normal_form import BinaryGrammar
from ..forms.table import Table
from .chart import PAD, Chart, blank_chart, fill, make_chart, scale_exponents
from .top_down import beginnings, starts

__all__ = ["window_joint"]


def window_joint(
    grammar: BinaryGrammar,
    table: Table,
    tokens: Int[np.ndarray, "query position"],
    height: int,
    pushes: tuple[bool, ...],
    window: int,
    scale: float,
) -> Float[np.ndarray, "label query"]:
    """Joint weight of each label of the last token with its position and the last tokens.

    Args:
        grammar: the binary form of ``table``.
        table: the grammar.
        tokens: right-aligned queries: ``PAD`` in front of the sentence, then wildcards, then the
            last ``window`` tokens (fewer where the sentence has not got so far).
        height: of the ancestor.
        pushes: symbols that hand contexts down.
        window: number of tokens seen.
        scale: token scale, of the tokens seen.
    """
    chart = _chart(grammar, tokens, min(window, tokens.shape[1]), scale)
    alpha = starts(chart, pushes, (tokens == PAD).sum(axis=1))
    begun = beginnings(chart, first=chart.n)
    symbols = table.at_height[height]
    total = np.zeros((len(symbols), len(tokens)))
    for place, symbol in enumerate(symbols):
        for row, cells in enumerate(begun[symbol]):
            total[place] += alpha[symbol][:, chart.n - row - 1] * cells[:, chart.n]
    return total


def _chart(
    grammar: BinaryGrammar, tokens: Int[np.ndarray, "query position"], window: int, scale: float
) -> Chart:
    chart = blank_chart(grammar, tokens)
    first = chart.n - window + 1  # columns below it have read wildcards only
    blind = np.full((1, chart.n), grammar.n_terminals, dtype=np.int64)
    lengths = make_chart(grammar, blind)
    read = np.maximum(np.arange(first) - (tokens == PAD).sum(axis=1)[:, None], 0)
    for symbol in range(len(grammar.symbols)):
        cells, alone = chart.cells(symbol), lengths.cells(symbol)
        for row, length in enumerate(chart.lengths[symbol]):
            # Over wildcards only, a symbol's weight is the probability of its length.
            cells[row, :, :first] = alone[row, 0, length] * (read >= length)
    steps = np.ldexp(1.0, np.diff(scale_exponents(window, scale)))
    seen = tokens[:, first - 1 :]
    for symbol in range(grammar.n_terminals):
        fits = (seen == symbol) | (seen == grammar.n_terminals)
        chart.cells(symbol)[0, :, first:] = fits * steps
    for symbol in grammar.ascending:
        fill(chart, symbol, first)
    return chart
