"""Sentences on which a rotated model's rounding is measured: extreme, typical, impossible."""

import math
from collections.abc import Sequence

import numpy as np

from ....grammars import Grammar
from ..normal import Normal, normal_form
from ..program.program import Program
from ..scale import log_of, token_scale
from ..settings import ConstructionSettings
from .dense import dense_config, dense_parameters
from .noise import n_trials

__all__ = ["extreme_sentence", "rotation_trials", "trial_sentences"]


def rotation_trials(
    grammar: Grammar, settings: ConstructionSettings, program: Program
) -> list[list[int]]:
    """Token ids of the sentences on which a rotated model is tried; none for others."""
    if settings.rotation is None:
        return []
    normal = normal_form(grammar, settings)
    kappa = float(token_scale(normal.grammar, normal.roots, settings))
    count = n_trials(dense_parameters(dense_config(program, settings)), program.n_max)
    sentences = trial_sentences(grammar, normal, kappa, count)
    return [[0, *(grammar.encode(sentence) + 1).tolist()] for sentence in sentences]


def trial_sentences(
    grammar: Grammar, normal: Normal, kappa: float, count: int
) -> list[tuple[str, ...]]:
    r"""The sentences of largest and of smallest score, random ones, and all of them corrupted.

    Rounding grows with the stream, hence with the largest scores, and those sit in the sentence
    that random ones miss. A corrupted sentence has one token replaced: what follows is impossible
    in most grammars, and its scores show what a zero becomes.

    Args:
        grammar: the language.
        normal: its compiled form.
        kappa: the token scale.
        count: how many, at least 4.

    >>> from linrep.constructions.grammar.normal import normal_form
    >>> from linrep.constructions.grammar.settings import ConstructionSettings
    >>> g = Grammar.from_text("S -> A A\nA -> 'a' [0.9] | 'b' [0.1]")
    >>> trial_sentences(g, normal_form(g, ConstructionSettings()), 1.0, 4)[:2]
    [('a', 'a'), ('b', 'b')]
    """
    kept = [extreme_sentence(normal, kappa, largest=largest) for largest in (True, False)]
    kept += grammar.sample(max(0, count // 2 - 2), seed=0).sentences
    rng = np.random.default_rng(0)
    return [*kept, *(_corrupted(sentence, grammar.terminals, rng) for sentence in kept)]


def _corrupted(
    sentence: Sequence[str], terminals: Sequence[str], rng: np.random.Generator
) -> tuple[str, ...]:
    """One token replaced by another, at a random place; a lone terminal stays."""
    place = int(rng.integers(len(sentence)))
    others = [token for token in terminals if token != sentence[place]] or [sentence[place]]
    token = others[int(rng.integers(len(others)))]
    return (*sentence[:place], token, *sentence[place + 1 :])


def extreme_sentence(normal: Normal, kappa: float, *, largest: bool) -> tuple[str, ...]:
    """Yield of the derivation whose weight times kappa to its length is largest, or smallest."""
    grammar, sign = normal.grammar, 1 if largest else -1
    values = [math.log(kappa)] * len(grammar.symbols)
    bodies: dict[int, tuple[int, ...]] = {}
    for symbol in grammar.ascending[grammar.n_terminals :]:
        options: list[tuple[float, tuple[int, ...]]]
        options = [(log_of(r.weight), (r.child,)) for r in grammar.unary_of[symbol]]
        options += [(log_of(r.weight), (r.left, r.right)) for r in grammar.binary_of[symbol]]
        scored = [(weight + sum(values[x] for x in body), body) for weight, body in options]
        values[symbol], bodies[symbol] = max(scored, key=lambda pair: sign * pair[0])
    root, _ = max(normal.roots, key=lambda r: sign * (log_of(r[1]) + values[r[0]]))
    return tuple(grammar.symbols[terminal] for terminal in _yield(root, bodies))


def _yield(symbol: int, bodies: dict[int, tuple[int, ...]]) -> list[int]:
    if symbol not in bodies:
        return [symbol]
    return [terminal for child in bodies[symbol] for terminal in _yield(child, bodies)]
