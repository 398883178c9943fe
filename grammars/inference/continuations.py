"""What a symbol that has begun may be followed by: weights of the next token, symbol by symbol."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Shaped

from .chart import Chart

__all__ = ["continuations", "first_tokens"]


def first_tokens(chart: Chart) -> list[dict[int, Any]]:
    """For each symbol the weight with which its yield begins with each token.

    Args:
        chart: whose numbers the weights are in.
    """
    grammar, weights = chart.grammar, chart.weights
    first: list[dict[int, Any]] = [{} for _ in grammar.symbols]
    for symbol in grammar.ascending:
        own = first[symbol]
        if symbol < grammar.n_terminals:
            own[symbol] = 1
        steps = [(child, weight) for child, weight in weights.unary[symbol]]
        steps += [
            (left, weight * weights.mass[right]) for left, right, weight in weights.binary[symbol]
        ]
        for child, weight in steps:
            for token, share in first[child].items():
                own[token] = own.get(token, 0) + weight * share
    return first


def continuations(
    chart: Chart,
) -> list[Mapping[tuple[int, int], Shaped[np.ndarray, "batch read"]]]:
    """For each symbol: (length, token) -> weight of "it began so many tokens ago, token is next".

    The symbol is not complete: the token belongs to its yield. What comes after the token is summed
    over.

    Args:
        chart: inside weights.

    Raises:
        TooLarge: they would not fit in memory.
    """
    grammar, weights = chart.grammar, chart.weights
    first = first_tokens(chart)
    every: list[dict[tuple[int, int], np.ndarray]] = [{} for _ in grammar.symbols]
    for symbol in grammar.ascending:
        own = every[symbol]

        def add(key: tuple[int, int], value: np.ndarray, own: dict = own) -> None:  # type: ignore[type-arg]
            if key not in own:
                own[key] = chart.zeros(1)[0]
            own[key] += value

        for child, weight in weights.unary[symbol]:
            for key, value in every[child].items():
                add(key, weight * value)
        for left, right, weight in weights.binary[symbol]:
            for key, value in every[left].items():
                add(key, weight * weights.mass[right] * value)
            cells = chart.cells(left)
            for row, length in enumerate(chart.lengths[left]):
                for token, share in first[right].items():
                    add((length, token), weight * share * cells[row])
                for (seen, token), value in every[right].items():
                    if length + seen > chart.n:
                        continue
                    moved = np.zeros_like(value)
                    moved[:, seen:] = cells[row][:, : chart.n + 1 - seen] * value[:, seen:]
                    add((length + seen, token), weight * moved)
    return list(every)
