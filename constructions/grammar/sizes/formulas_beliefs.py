"""What belief blocks add to ``spans``: counted on the normal form, without compiling.

Let N be the labels (X, h) of the levelled grammar and Lmax(X) the longest length of X. Each term of
``K_h[X] = sum_l alpha[X](t - l) beta[X, l](t)`` is one product, l in L(X); each term of
``J_h[X] = sum_l alpha[X](t - l) pi[X, l](t)`` too, but a yield is *begun* by any 1..Lmax(X) tokens
(cut a longest one short). The prefix weights of ``A -> B C`` need one product for each length of a
complete B and number of tokens 1..Lmax(C) of a begun C, and none while B itself is begun (linear):

    K: neurons = chart + sum_N |L(X)|
    J: neurons = chart + sum_N Lmax(X) + sum_{A -> B C} |L(B)| Lmax(C).

Source: docs/theory/grammar.md, section 9.
"""

from collections.abc import Iterable

from ..normal import Normal
from ..settings import ConstructionSettings
from .formulas import span_neurons, span_width

__all__ = ["belief_heads", "belief_neurons", "belief_width"]


def belief_neurons(normal: Normal, settings: ConstructionSettings) -> int:
    """Neurons of ``spans`` in two passes with a belief block, without the log block.

    Merged, rules with equal bodies in a level share their prefix products; a token C is begun iff
    it is complete, so its products are the chart's; and K's products at the root are those of EOS.
    """
    grammar, size = normal.grammar, normal.grammar.lengths
    chart = span_neurons(normal, settings)
    merged = settings.merge != "none"
    labels = _labels(normal)
    if settings.beliefs == "boundary":
        shared = {root for root, _ in normal.roots} & set(labels) if merged else set()
        return chart + sum(len(size[s]) for s in labels if s not in shared)
    bodies = [(grammar.levels[r.lhs], r.left, r.right) for r in grammar.binary]
    if merged:
        bodies = [body for body in dict.fromkeys(bodies) if body[2] >= grammar.n_terminals]
    begun = sum(len(size[b]) * size[c][-1] for _, b, c in bodies)
    return chart + sum(size[s][-1] for s in labels) + begun


def belief_width(normal: Normal, settings: ConstructionSettings) -> dict[str, int]:
    """Coordinates by kind, without the position code: the chart's, pi, and the block."""
    size, grammar = normal.grammar.lengths, normal.grammar
    contexts = {(r.lhs, n) for r in grammar.binary for n in size[r.left]}
    contexts |= {(root, n) for root, _ in normal.roots for n in size[root]}
    contexts |= _contexts(normal, settings)
    found = span_width(normal) | {
        "fetched alpha": len(contexts),
        f"belief {settings.beliefs}": sum(map(len, normal.labels.values())),
    }
    if settings.beliefs == "prefix":
        found["fetch"] = len({key for _, key in _fetched(normal, settings)})
        found["pi"] = sum(row[-1] for row in size[grammar.n_terminals :])
    return found


def belief_heads(normal: Normal, settings: ConstructionSettings) -> int:
    """Heads of all layers: one per distinct offset of a layer.

    A value is fetched by the first level that needs it; offset 0 carries predictions down and, with
    prefix weights, what a first or only child has begun up, at every level.
    """
    grammar, size = normal.grammar, normal.grammar.lengths
    first: dict[tuple[int, int, int], int] = {}
    for level, key in sorted(_fetched(normal, settings)):
        first.setdefault(key, level)
    up = {(level, offset) for (_, _, offset), level in first.items()}
    if settings.beliefs == "prefix":
        up |= {(level, 0) for level in range(1, normal.depth + 1)}
    down = {(level, 0) for level in range(1, normal.depth + 1)}
    down |= {(grammar.levels[r.lhs], n) for r in grammar.binary for n in size[r.left]}
    down |= {(normal.depth, n) for root, _ in normal.roots for n in size[root]}
    down |= {(grammar.levels[s], n) for s, n in _contexts(normal, settings)}
    return len(up) + len(down)


def _labels(normal: Normal) -> list[int]:
    """The symbols that stand for labels, one per label and height."""
    return [s for row in normal.labels.values() for symbols in row.values() for s in symbols]


def _contexts(normal: Normal, settings: ConstructionSettings) -> set[tuple[int, int]]:
    """Labels with the distances at which the block needs their contexts."""
    return {(s, n) for s in _labels(normal) for n in _seen(normal, settings, s)}


def _fetched(
    normal: Normal, settings: ConstructionSettings
) -> set[tuple[int, tuple[int, int, int]]]:
    """Level and (B, n, m): ``beta[B, n]`` is needed m tokens later by a rule of that level."""
    grammar, size = normal.grammar, normal.grammar.lengths
    return {
        (grammar.levels[r.lhs], (r.left, n, m))
        for r in grammar.binary
        for n in size[r.left]
        for m in _seen(normal, settings, r.right)
    }


def _seen(normal: Normal, settings: ConstructionSettings, symbol: int) -> Iterable[int]:
    """Tokens of a symbol that may lie behind: its lengths, or any number up to the longest."""
    lengths = normal.grammar.lengths[symbol]
    return lengths if settings.beliefs == "boundary" else range(1, lengths[-1] + 1)
