"""Ceilings: the best accuracy that any classifier can reach from what a site has seen."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from ..core import height_target
from ..corpora.corpus import Corpus
from .errors import LanguageError
from .grammar import Grammar

__all__ = ["Sight", "block_of", "ceilings_are_exact", "ceilings_of", "windows_by_level"]

Sight = Literal["construction", "causal", "bidirectional"]
"""What a model can have seen at a token: the window of its layer, the prefix, the sentence."""


def block_of(site: str) -> int:
    """Blocks whose attention the stream has passed at a site: 0 for the embedding.

    Raises:
        LanguageError: another name, of which nothing is known.

    >>> block_of("blocks.0.hook_resid_pre"), block_of("blocks.2.hook_resid_post")
    (0, 3)
    >>> block_of("blocks.2.hook_resid_mid")
    3
    """
    if site == "hook_embed":
        return 0
    named = re.fullmatch(r"blocks\.(\d+)\.hook_resid_(pre|mid|post)", site)
    if named is None:
        raise LanguageError(
            f"ceilings are known at sites of the stream such as blocks.0.hook_resid_post; received "
            f"{site!r}"
        )
    return int(named[1]) + (named[2] != "pre")


def windows_by_level(grammar: Grammar) -> tuple[int, ...]:
    r"""For each level 0..depth the longest yield of any symbol up to that level: R_l.

    >>> windows_by_level(Grammar.from_text("S -> A A\nA -> 'a' | 'a' 'a'"))
    (1, 2, 4)
    """
    longest: dict[str, int] = {}
    levels = grammar.levels
    for symbol in sorted(grammar.nonterminals, key=lambda name: levels[name]):
        longest[symbol] = max(
            sum(
                1 if terminal else longest[name]
                for name, terminal in zip(rule.rhs, rule.terminal, strict=True)
            )
            for rule in grammar.rules
            if rule.lhs == symbol
        )
    return tuple(
        max([1, *(longest[name] for name in longest if levels[name] <= level)])
        for level in range(grammar.depth + 1)
    )


def ceilings_are_exact(corpus: Corpus) -> bool:
    """Whether a construction's sites hold all that their ceilings are given, at boundary tokens.

    That is so where each layer sees a level (rules of length 2) and each symbol has one length.
    Elsewhere, and at other tokens, ceilings bound what a site can tell, from above only.

    Args:
        corpus: tokens of the construction's grammar.
    """
    return bool(_windows(corpus, "construction"))


def ceilings_of(
    corpus: Corpus,
    sites: Sequence[str],
    heights: Sequence[int],
    *,
    sight: Sight,
    boundary: bool,
) -> Mapping[tuple[str, str], np.ndarray] | None:
    """Largest exact posterior per token, site and height.

    The mean over the tokens that are scored is the ceiling there. In a construction the ``l``-th
    bottom-up layer of mode ``spans`` has seen the position and the last R_l tokens
    (docs/theory/grammar.md, section 9); from the layer that writes a height on, the whole span of
    a node that ends here. Elsewhere a causal model has seen the prefix, and where only boundary
    tokens are scored, that the node ends; a bidirectional one the sentence. Where only boundary
    tokens are scored, knowing that can beat the sentence's posterior, so a bidirectional model
    has no ceiling there.

    Args:
        corpus: tokens; one without a grammar has no ceilings.
        sites: places in the stream.
        heights: of the targets.
        sight: what the model can have seen.
        boundary: whether only boundary tokens are scored.

    Returns:
        (site, target) -> ``[token]``, NaN where undefined; ``None`` without a grammar.

    Raises:
        LanguageError: a site or a height that there is not.
    """
    if corpus.grammar is None:
        return None
    windows = _windows(corpus, sight)
    known: dict[tuple[int, int | None], np.ndarray] = {}

    def posterior(height: int, window: int | None) -> np.ndarray:
        if (height, window) not in known:
            known[height, window] = _posterior(corpus, height, window, sight, boundary)
        return known[height, window]

    cells = {}
    for site in sites:
        block = block_of(site)
        for height in heights:
            window = windows[block] if windows and block < min(height, len(windows)) else None
            cells[site, height_target(height)] = posterior(height, window)
    return cells


def _windows(corpus: Corpus, sight: Sight) -> tuple[int, ...]:
    """R_l where that is the exact ceiling; otherwise nothing, and wider ceilings serve.

    Rules longer than 2 are binarised, so a layer is then less than a level. Where symbols derive
    several lengths, that a node ends here is news to whoever knows the position only.
    """
    grammar = corpus.grammar
    if sight != "construction" or not isinstance(grammar, Grammar):
        return ()
    if max(len(rule.rhs) for rule in grammar.rules) > 2:
        return ()
    if any(len(lengths) > 1 for lengths in grammar.binary.lengths):
        return ()
    return windows_by_level(grammar)


def _posterior(
    corpus: Corpus, height: int, window: int | None, sight: Sight, boundary: bool
) -> np.ndarray:
    if window is not None:
        values = corpus.max_posterior(height, given="window", window=window)
    elif sight == "bidirectional" and boundary:
        # That a node ends here is news beside the sentence too, and no posterior is given both.
        values = np.full(corpus.n_tokens, np.nan)
    elif sight == "bidirectional":
        values = corpus.max_posterior(height, given="sentence")
    else:
        values = corpus.max_posterior(height, given="boundary" if boundary else "prefix")
    assert values is not None  # noqa: S101 - the corpus has a grammar
    return values
