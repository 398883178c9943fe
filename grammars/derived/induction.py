"""A grammar from a treebank."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from ...core import checked
from ...corpora.corpus import Corpus
from ...corpora.tree import Tree, rebuild
from ..errors import LanguageError
from ..formats.rule import Rule
from ..grammar import Grammar
from .unroll import unroll_rules

__all__ = ["induce"]


@checked(LanguageError)
def induce(
    treebank: Corpus | Sequence[Tree],
    depth: int,
    *,
    tokens: Literal["words", "tags"] | str = "words",
) -> Grammar:
    """The bounded-depth grammar of a treebank: relative frequencies, unrolled and renormalised.

    Rules are counted over all trees (the maximum-likelihood grammar); the result is that grammar
    conditioned on derivations of at most ``depth`` edges, ``lost_mass`` what this cuts. Trees with
    different roots get a new start symbol ``TOP`` (``TOP'`` if the treebank has that label).

    Args:
        treebank: a corpus with trees, or trees.
        depth: longest path from the root to a token, in edges.
        tokens: terminals are the words, or (``"tags"``) the labels just above them.

    Raises:
        LanguageError: there are no trees, or none is that low.
        GrammarError: labels or words that cannot be symbols.

    >>> trees = [Tree("S", (Tree("A", ("a",)), "b")), Tree("S", ("b",))]
    >>> print(induce(trees, depth=2))
    S -> A 'b' | 'b'
    A -> 'a'
    """
    if tokens not in ("words", "tags"):
        raise LanguageError(f"tokens is 'words' or 'tags'; received {tokens!r}")
    trees = treebank.trees if isinstance(treebank, Corpus) else treebank
    if not len(trees):
        raise LanguageError("a grammar is induced from trees; this corpus has none")
    if tokens == "tags":
        trees = [_tags_as_tokens(tree) for tree in trees]
    counts: Counter[tuple[str, tuple[str, ...], tuple[bool, ...]]] = Counter()
    roots = Counter(tree.label for tree in trees if isinstance(tree, Tree))
    for tree in trees:
        for node in tree.nodes():
            names = tuple(c if isinstance(c, str) else c.label for c in node.children)
            counts[node.label, names, tuple(isinstance(c, str) for c in node.children)] += 1
    start = next(iter(roots))
    if len(roots) > 1:
        labels = {lhs for lhs, _, _ in counts}
        start = "TOP"
        while start in labels:
            start += "'"
        for root, count in roots.items():
            counts[start, (root,), (False,)] += count
    totals: Counter[str] = Counter()
    for (lhs, _, _), count in counts.items():
        totals[lhs] += count
    rules = tuple(
        Rule(lhs, rhs, Fraction(count, totals[lhs]), flags)
        for (lhs, rhs, flags), count in counts.items()
    )
    return unroll_rules(start, rules, depth)


def _tags_as_tokens(tree: Tree) -> Tree:
    """The tree without its words: nodes just above a word become tokens, the root stays."""
    made = rebuild(tree, _tag_or_node)
    return tree if isinstance(made, str) else made


def _tag_or_node(node: Tree, children: tuple[Tree | str, ...]) -> Tree | str:
    is_tag = len(node.children) == 1 and isinstance(node.children[0], str)
    return node.label if is_tag else Tree(node.label, children)
