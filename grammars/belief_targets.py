"""A grammar's exact posteriors as targets: what can be known at a token, for any model."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from ..core import checked
from ..corpora.corpus import Corpus
from ..corpora.targets import Target
from .errors import LanguageError
from .grammar import Grammar

__all__ = ["END", "BeliefKind", "belief_targets"]

BeliefKind = Literal["prefix", "boundary", "next"]
"""``prefix``: the ancestor's label, given the tokens up to this one; ``boundary``: and given that
the ancestor's span ends here; ``next``: the next token, given the same tokens."""

END = "the end"


@checked(LanguageError)
def belief_targets(
    corpus: Corpus,
    heights: Sequence[int] | None = None,
    kinds: Sequence[BeliefKind | str] = ("prefix", "boundary", "next"),
) -> list[Target]:
    """Exact posterior vectors of a grammar, as targets of :func:`linrep.probe`.

    A model that predicts its language perfectly has computed what they say, whatever it was made
    of, so they are targets for trained models as well as for constructed ones; R2 of 1 is what
    theory allows any model that reads prefixes. Rows sum to 1, so that n labels have n - 1
    dimensions.

    Args:
        corpus: sentences of a grammar.
        heights: of the ancestors; by default all at which two labels or more occur.
        kinds: which posteriors.

    Returns:
        ``belief height h``, ``[token, label]`` given the prefix; ``belief at boundary height h``,
        undefined at tokens that end no span of that height; ``next token``, one column for each
        terminal and one for the end.

    Raises:
        LanguageError: the corpus has no grammar, or a height or kind does not exist.

    >>> from linrep.grammars import families
    >>> corpus = families.latin(order=2, depth=2).sample(5, seed=0)
    >>> found = belief_targets(corpus)
    >>> [target.name for target in found]
    ['belief height 1', 'belief at boundary height 1', 'next token']
    >>> found[0].columns, bool(np.allclose(found[0].values.sum(axis=1), 1))
    (('1_0', '1_1'), True)
    """
    grammar: Any = corpus.grammar
    if not isinstance(grammar, Grammar):
        raise LanguageError(
            "beliefs are a grammar's exact posteriors, and this corpus has no grammar: give one "
            "that was sampled from a grammar, or grammar.corpus(sentences)"
        )
    known = get_args(BeliefKind)
    if unknown := [kind for kind in kinds if kind not in known]:
        raise LanguageError(f"kinds of beliefs are {', '.join(known)}; received {unknown[0]!r}")
    wanted = tuple(heights) if heights is not None else _with_two_labels(corpus)
    found = []
    for kind, words in (("prefix", "belief"), ("boundary", "belief at boundary")):
        for height in wanted if kind in kinds else ():
            posterior = grammar.posterior(corpus, height, kind)
            given = "the prefix" if kind == "prefix" else "the prefix, and that its span ends here"
            found.append(
                Target(
                    f"{words} height {height}",
                    np.asarray(posterior.probabilities, dtype=np.float64),
                    "number",
                    posterior.labels,
                    f"exact posterior of the label at height {height}, given {given}",
                )
            )
    if "next" in kinds:
        found.append(_next_token(corpus, grammar))
    return found


def _with_two_labels(corpus: Corpus) -> tuple[int, ...]:
    return tuple(h for h in corpus.heights if len(set(corpus.labels(h).tolist()) - {""}) > 1)


def _next_token(corpus: Corpus, grammar: Grammar) -> Target:
    """The distribution of the next token after each token."""
    known: dict[tuple[str, ...], np.ndarray] = {}
    for sentence in corpus.sentences:
        if sentence not in known:
            known[sentence] = grammar.next_token_probabilities(sentence)[1:]
    values = np.concatenate([known[sentence] for sentence in corpus.sentences])
    columns = (*grammar.terminals, END)
    return Target(
        "next token", values, "number", columns, "exact distribution of the next token, or the end"
    )
