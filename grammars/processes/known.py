"""Hidden Markov processes whose belief states have been looked for in trained transformers."""

import numpy as np

from ...core import checked
from ..errors import LanguageError
from .hidden_markov import HiddenMarkov

__all__ = ["mess3", "rrxor"]


@checked(LanguageError)
def mess3(x: float | int = 0.05, alpha: float | int = 0.85, *, length: int = 10) -> HiddenMarkov:
    """The Mess3 process of Shai et al. (arXiv 2405.15943), whose beliefs make a fractal.

    The state stays with probability ``1 - 2 x`` or moves to one of the other two with ``x`` each;
    then the token of the new state is emitted with probability ``alpha``, else one of the others.
    Beliefs are a new one for nearly every sequence of tokens: 3^n after n of them.

    Args:
        x: probability of each of the two moves.
        alpha: probability that the token tells the new state.
        length: tokens of a sentence.

    Raises:
        LanguageError: ``x`` lies outside 0..1/2 or ``alpha`` outside 0..1.

    >>> mess3().beliefs(["A"]).round(2).tolist()
    [[0.33, 0.33, 0.33], [0.85, 0.08, 0.08]]
    """
    if not (0 < x <= 0.5 and 0 <= alpha <= 1):
        raise LanguageError(
            f"x lies in 0..1/2 and is not 0, alpha lies in 0..1; received x = {x}, alpha = {alpha}"
        )
    moves = np.full((3, 3), float(x)) + (1.0 - 3.0 * x) * np.eye(3)
    tells = np.full((3, 3), (1.0 - alpha) / 2) + (3 * alpha - 1) / 2 * np.eye(3)  # [token, state]
    return HiddenMarkov(moves * tells[:, None, :], ("A", "B", "C"), ("0", "1", "2"), length)


@checked(LanguageError)
def rrxor(*, length: int = 10) -> HiddenMarkov:
    """The random-random-xor process of Shai et al. (arXiv 2405.15943): 36 beliefs.

    Two fair bits, then their exclusive or, and so on; where a sentence begins in the round of
    three is not told. States are what is due: ``S`` a first bit, ``0`` and ``1`` a second (this
    was the first), ``F`` and ``T`` the exclusive or, which is then 0 or 1. A token in three is
    determined by the two before it, so that the entropy rate is 2/3 log 2.

    Args:
        length: tokens of a sentence.

    >>> len(rrxor().reachable_beliefs(12))
    36
    """
    states = ("S", "0", "1", "F", "T")
    moves = np.zeros((2, 5, 5))
    for bit in (0, 1):
        moves[bit, 0, 1 + bit] = 0.5
        for first in (0, 1):
            moves[bit, 1 + first, 3 + (first ^ bit)] = 0.5
        moves[bit, 3 + bit, 0] = 1.0
    return HiddenMarkov(moves, ("0", "1"), states, length)
