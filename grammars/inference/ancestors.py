"""Questions about ancestors, checked and answered for tokens, sentences and corpora."""

from fractions import Fraction
from typing import cast

import numpy as np
from jaxtyping import Bool, Float, Int

from ...corpora.corpus import Corpus
from ...corpora.language import Given, Posterior
from ..errors import ImpossiblePrefix, LanguageError
from ..forms.encoding import encode
from ..forms.normal_form import BinaryGrammar
from ..forms.table import Table
from ..memory import require_memory
from .chart import make_chart
from .posterior import Question, Sentence, joint, posteriors

__all__ = ["at_token", "highest", "over_labels", "question"]

_GIVEN = ("prefix", "boundary", "sentence", "position", "window")


def question(table: Table, height: int, given: Given | str, window: int | None) -> Question:
    """A question that makes sense for the grammar.

    Raises:
        LanguageError: a height the grammar does not have, an unknown condition, or a window without
            its size.
    """
    if not 1 <= height <= table.depth:
        raise LanguageError(
            f"height {height} is outside the grammar: it has heights 1..{table.depth}"
        )
    if given not in _GIVEN:
        raise LanguageError(f"given is one of {', '.join(_GIVEN)}; received {given!r}")
    if given == "window" and (window is None or window < 1):
        raise LanguageError("given='window' needs window=R, the number of tokens seen, R >= 1")
    return Question(height, cast(Given, given), window or 0)


def at_token(
    grammar: BinaryGrammar,
    table: Table,
    tokens: Int[np.ndarray, " position"],
    t: int,
    asked: Question,
    scale: float,
    exact: bool,
) -> dict[str, float] | dict[str, Fraction]:
    """Posterior over labels of one token, as label -> probability.

    Raises:
        LanguageError: there is no token ``t``.
        ImpossiblePrefix: what is given has probability 0.
    """
    if not 0 <= t < len(tokens):
        raise LanguageError(f"token index {t} is outside the sentence of {len(tokens)} tokens")
    seen = tokens.copy() if asked.given == "sentence" else tokens[: t + 1].copy()
    if asked.given in ("position", "window"):
        hidden = t + 1 - (asked.window if asked.given == "window" else 0)
        seen[: max(hidden, 0)] = grammar.n_terminals
        scale = 1.0  # wildcards lose no weight that a scale would have to make up for
    chart = make_chart(grammar, seen[None, :], "exact" if exact else "float", scale)
    weights = joint(chart, table, asked)[:, 0, t]
    total = weights.sum()
    if not total > 0:
        raise ImpossiblePrefix(_why_impossible(asked, t))
    names = [table.names[symbol] for symbol in table.at_height[asked.height]]
    if exact:
        return {
            name: Fraction(w) / Fraction(total) for name, w in zip(names, weights, strict=True) if w
        }
    return {name: float(w / total) for name, w in zip(names, weights, strict=True) if w}


def highest(
    grammar: BinaryGrammar, table: Table, corpus: Corpus, asked: Question, scale: float
) -> Float[np.ndarray, " token"]:
    """``[token]`` highest posterior of any label; NaN where the question is undefined."""
    found = posteriors(
        grammar, table, _ids(table, corpus), asked, scale, lambda shares: shares.max(axis=0)
    )
    values: Float[np.ndarray, " token"] = np.concatenate([*found, np.empty(0)])
    if asked.given == "boundary":
        values[~_boundary(corpus, asked.height)] = np.nan
    return values


def over_labels(
    grammar: BinaryGrammar, table: Table, corpus: Corpus, asked: Question, scale: float
) -> Posterior:
    """Posterior over labels for every token; NaN where the question is undefined."""
    symbols = table.at_height[asked.height]
    what = f"posteriors of {corpus.n_tokens} tokens over {len(symbols)} labels"
    require_memory(2 * 8 * corpus.n_tokens * len(symbols), what)
    found = posteriors(
        grammar, table, _ids(table, corpus), asked, scale, lambda shares: np.moveaxis(shares, 0, -1)
    )
    shares = np.concatenate([*found, np.empty((0, len(symbols)))])
    if asked.given == "boundary":
        shares[~_boundary(corpus, asked.height)] = np.nan
    return Posterior(tuple(table.names[symbol] for symbol in symbols), shares)


def _why_impossible(asked: Question, t: int) -> str:
    start = f"no sentence of the grammar starts with the {t + 1} tokens up to index {t}"
    said = {
        "prefix": f"{start}; check them with next_token",
        "boundary": f"{start} and has an ancestor of height {asked.height} that ends there; where "
        "one goes on, ask given='prefix'",
        "sentence": "the tokens are no sentence of the grammar; of the start of one ask "
        "given='prefix'",
        "position": f"no sentence of the grammar has a token at index {t}",
        "window": f"no sentence of the grammar has these last {min(asked.window, t + 1)} tokens up "
        f"to index {t}",
    }[asked.given]
    return f"what is given has probability 0: {said}"


def _boundary(corpus: Corpus, height: int) -> Bool[np.ndarray, " token"]:
    """Where ancestors end.

    Raises:
        LanguageError: the corpus has no trees that tell.
    """
    if not corpus.heights and corpus.n_tokens:
        raise LanguageError(
            "given='boundary' asks at the tokens where ancestors end, which a corpus of bare "
            "sentences does not tell; ask grammar.ancestor_posterior token by token, or sample a "
            "corpus"
        )
    return corpus.boundary(height)


def _ids(table: Table, corpus: Corpus) -> list[Sentence]:
    """Sentences as terminals of the grammar, whatever the corpus' own vocabulary."""
    if corpus.vocabulary == table.terminals:
        flat = corpus.word_ids.astype(np.int64)
        return np.split(flat, corpus.offsets[1:-1]) if len(corpus) else []
    return [encode(table, sentence) for sentence in corpus.sentences]
