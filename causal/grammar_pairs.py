"""Pairs made by a grammar: the span of one node replaced, and the exact next token after it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, final

import numpy as np
from jaxtyping import Int

from ..core import checked, height_target
from ..corpora.corpus import Corpus
from ..grammars import EOS
from .counterfactual import has_counterfactual, next_tokens
from .errors import CausalError, NothingToExchange
from .pairs import Pairs

__all__ = ["interchange_pairs", "pairs_of"]

TRIES = 40  # donors tried before a node is passed over


@final
class _Nodes(NamedTuple):
    """Nodes of one height.

    Args:
        sentence: ``[node]`` whose sentence it is.
        begin: ``[node]`` first token in its sentence.
        end: ``[node]`` one past its last token.
        label: ``[node]`` its symbol.
    """

    sentence: Int[np.ndarray, " node"]
    begin: Int[np.ndarray, " node"]
    end: Int[np.ndarray, " node"]
    label: np.ndarray


@checked(CausalError)
def interchange_pairs(corpus: Corpus, height: int, n: int = 500, *, seed: int = 0) -> Pairs:
    """Pairs in which the span of one node of this height is replaced by another.

    The base is a sentence of the corpus; the source is the same sentence with the span of one node
    replaced by a span of equal length, of a node of the same level, from another sentence. Since
    the language is context-free, whatever follows depends on the span through its symbol alone, so
    the exact distribution of every later token is known: that after the source's prefix. Up to
    half of the pairs have another symbol than the base (*moved*), the others the same symbol and
    other tokens (*equal*); pairs after which no sentence could go on are left out.

    Args:
        corpus: sampled from a grammar (its nodes are known).
        height: of the node.
        n: pairs wanted; fewer are returned where there are no more. At most one base node of a
            sentence is in a moved and one in an equal pair.
        seed: of the choice.

    Raises:
        CausalError: the corpus has no grammar with exact probabilities.
        NothingToExchange: no two spans of it can stand for each other.

    >>> from linrep.grammars import families
    >>> corpus = families.random_hierarchy(4, 2, 2, 3, seed=0).sample(60, seed=1)
    >>> pairs = interchange_pairs(corpus, 1, 40)
    >>> len(pairs), int(pairs.moved.sum())
    (40, 20)
    """
    if n < 1:
        raise CausalError(f"at least one pair is asked for; received n = {n}")
    if not has_counterfactual(corpus.grammar) or not corpus.layers:
        raise CausalError(
            "pairs of spans are made from a corpus that was sampled from a grammar, so that nodes "
            "and exact probabilities are known; this one has "
            + ("no labels" if has_counterfactual(corpus.grammar) else "no such grammar")
        )
    language: Any = corpus.grammar
    nodes = _nodes(corpus, height)
    levels: Mapping[str, int] = getattr(language, "levels", {})
    own = np.array([levels.get(str(label), height) == height for label in nodes.label], dtype=bool)
    nodes = _Nodes(*(column[own] for column in nodes))
    rng = np.random.default_rng(seed)
    chosen = [
        *_draw(corpus, nodes, (n + 1) // 2, True, rng),
        *_draw(corpus, nodes, n // 2, False, rng),
    ]
    if not chosen:
        raise NothingToExchange(
            f"no two nodes of height {height} have spans of equal length and other tokens: "
            "nothing can be exchanged; sample more sentences, or take another height"
        )
    return _pairs(corpus, language, height, nodes, chosen)


def _nodes(corpus: Corpus, height: int) -> _Nodes:
    labels = corpus.labels(height)
    ends = np.flatnonzero(corpus.boundary(height))
    sentence = corpus.sentence_ids[ends]
    first = corpus.offsets[:-1][sentence]
    previous = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    begin = np.maximum(previous, first)
    kept = labels[ends] != ""
    columns = (sentence, begin - first, ends + 1 - first, labels[ends])
    return _Nodes(*(column[kept] for column in columns))


def _draw(
    corpus: Corpus, nodes: _Nodes, wanted: int, moved: bool, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """(base node, donor node), one per sentence at most."""
    lengths = nodes.end - nodes.begin
    by_length = {int(size): np.flatnonzero(lengths == size) for size in np.unique(lengths)}
    sentences = corpus.sentences
    spans = [
        sentences[s][b:e] for s, b, e in zip(nodes.sentence, nodes.begin, nodes.end, strict=True)
    ]
    found: list[tuple[int, int]] = []
    waiting = np.ones(len(lengths), dtype=bool)
    for _ in range(TRIES):
        if len(found) >= wanted or not waiting.any():
            break
        order = rng.permutation(np.flatnonzero(waiting))
        first = np.sort(np.unique(nodes.sentence[order], return_index=True)[1])
        some = order[first].tolist()  # one node of each sentence
        tried = [(node, int(rng.choice(by_length[int(lengths[node])]))) for node in some]
        fit = [
            (node, donor)
            for node, donor in tried
            if (nodes.label[donor] != nodes.label[node]) == moved and spans[donor] != spans[node]
        ]
        fit = fit[: 2 * (wanted - len(found))]
        prefixes = [
            (*sentences[int(nodes.sentence[node])][: nodes.begin[node]], *spans[donor])
            for node, donor in fit
        ]
        alive = _go_on(corpus.grammar, prefixes)
        found += [pair for pair, lives in zip(fit, alive, strict=True) if lives]
        waiting &= ~np.isin(nodes.sentence, [nodes.sentence[node] for node, _ in found])
    return found[:wanted]


def _go_on(language: Any, prefixes: Sequence[Sequence[str]]) -> list[bool]:
    """Whether a sentence of the language starts with each prefix."""
    return [bool(rows[-1].sum() > 0) for rows in next_tokens(language, prefixes)]


def _mixed(
    sentence: tuple[str, ...], nodes: _Nodes, node: int, span: tuple[str, ...]
) -> tuple[str, ...]:
    return (*sentence[: nodes.begin[node]], *span, *sentence[nodes.end[node] :])


def _pairs(
    corpus: Corpus,
    language: Any,
    height: int,
    nodes: _Nodes,
    chosen: Sequence[tuple[int, int]],
) -> Pairs:
    base, source, at, before, after, groups = [], [], [], [], [], []
    for node, donor in chosen:
        sentence = corpus.sentences[int(nodes.sentence[node])]
        giver = corpus.sentences[int(nodes.sentence[donor])]
        base.append(sentence)
        source.append(_mixed(sentence, nodes, node, giver[nodes.begin[donor] : nodes.end[donor]]))
        at.append(tuple(range(int(nodes.begin[node]), int(nodes.end[node]))))
        before.append(str(nodes.label[node]))
        after.append(str(nodes.label[donor]))
        groups.append(int(nodes.sentence[node]))
    expected = _later(next_tokens(language, source), [places[-1] + 1 for places in at])
    read = _reads([places[-1] for places in at], expected)
    return Pairs(
        target=height_target(height),
        base=tuple(base),
        source=tuple(source),
        base_at=tuple(at),
        source_at=tuple(at),
        before=tuple(before),
        after=tuple(after),
        groups=np.array(groups),
        read=read,
        asked=tuple(source),
        asked_read=read,
        expected=expected,
        choices=(*language.terminals, EOS),
        source_of=f"spans of height {height} exchanged in {corpus.source}",
    )


def _reads(last: Sequence[int], expected: Sequence[np.ndarray]) -> tuple[tuple[int, ...], ...]:
    """Positions from the span's last token on, one for each distribution."""
    return tuple(tuple(range(t, t + len(e))) for t, e in zip(last, expected, strict=True))


def _later(rows: Sequence[np.ndarray], ends: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Of each the rows from its span's end on, as long as the prefix is possible."""
    found = []
    for row, end in zip(rows, ends, strict=True):
        later = row[end:]
        alive = later.sum(axis=1) > 0
        found.append(later[: len(alive) if alive.all() else int(np.argmin(alive))])
    return tuple(found)


@checked(CausalError)
def pairs_of(
    language: Any,
    base: Sequence[Sequence[str]],
    source: Sequence[Sequence[str]],
    base_at: Sequence[Sequence[int]],
    source_at: Sequence[Sequence[int]],
    *,
    target: str,
    before: Sequence[str],
    after: Sequence[str],
) -> Pairs:
    r"""Pairs that are given, with the exact counterfactual of a grammar.

    The span of the base (from the first to the last position named) is taken for replaced by that
    of the source, whose length may differ; positions are mapped one to one as given. What is
    expected at a later position of the base is the grammar's next token after the replaced prefix.

    Args:
        language: the grammar.
        base: sentences.
        source: sentences whose states are put in; they may differ in more than the span.
        base_at: per pair the positions of the span whose states are exchanged, ascending.
        source_at: per pair the source's positions for these, as many.
        target: what the labels are of.
        before: per pair the label of the span in the base.
        after: per pair its label in the source.

    Raises:
        CausalError: they do not fit together.

    >>> from linrep.grammars import Grammar
    >>> g = Grammar.from_text("S -> A 'c' | B 'd'\nA -> 'a' | 'x' 'a'\nB -> 'b'")
    >>> pairs = pairs_of(g, [["x", "a", "c"]], [["b", "d"]], [[0, 1]], [[0, 0]], target="height 1",
    ...                  before=["A"], after=["B"])
    >>> int(pairs.moved.sum())
    1
    """
    sizes = {len(base), len(source), len(base_at), len(source_at), len(before), len(after)}
    if len(sizes) != 1:
        raise CausalError(
            f"pairs have one base, one source, positions and labels each; received "
            f"{len(base)} bases, {len(source)} sources, {len(base_at)} and {len(source_at)} "
            f"lists of positions, {len(before)} and {len(after)} labels"
        )
    mixed, ends = [], []
    for i, (x, y, here, there) in enumerate(zip(base, source, base_at, source_at, strict=True)):
        if not here or not there or max(here) >= len(x) or max(there) >= len(y):
            raise CausalError(
                f"pair {i} exchanges positions {list(here)} of a base of {len(x)} words with "
                f"{list(there)} of a source of {len(y)}: name at least one of each, inside it"
            )
    for x, y, here, there in zip(base, source, base_at, source_at, strict=True):
        head = (*x[: min(here)], *y[min(there) : max(there) + 1])
        mixed.append((*head, *x[max(here) + 1 :]))
        ends.append(len(head))
    expected = _later(next_tokens(language, mixed), ends)
    dead = [i for i, rows in enumerate(expected) if not len(rows)]
    if dead:
        raise CausalError(
            f"after the exchange of pair {dead[0]} no sentence of the grammar starts with "
            f"{' '.join(mixed[dead[0]][: ends[dead[0]]])}: nothing is expected there; leave out "
            f"{len(dead)} pairs of this kind"
        )
    return Pairs(
        target=target,
        base=tuple(tuple(x) for x in base),
        source=tuple(tuple(x) for x in source),
        base_at=tuple(tuple(x) for x in base_at),
        source_at=tuple(tuple(x) for x in source_at),
        before=tuple(before),
        after=tuple(after),
        groups=np.arange(len(base)),
        read=_reads([max(here) for here in base_at], expected),
        asked=tuple(mixed),
        asked_read=_reads([end - 1 for end in ends], expected),
        expected=expected,
        choices=(*language.terminals, EOS),
        source_of="given pairs",
    )
