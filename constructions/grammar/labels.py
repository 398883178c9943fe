"""Which symbols label the tokens at a height."""

from ...grammars import Grammar

__all__ = ["labels_by_height"]


def labels_by_height(grammar: Grammar) -> dict[int, list[int]]:
    r"""For each height 1..depth the symbols (indices in the grammar's table) that can be labels.

    The label of a token at height h is the first symbol on its path from the root whose level is
    at most h: a child of level <= h under a parent of level > h, or the root itself.

    >>> g = Grammar.from_text("S -> A 'b'\nA -> B 'a'\nB -> 'c'")
    >>> [[g.table.names[s] for s in symbols] for symbols in labels_by_height(g).values()]
    [['a', 'b', 'B'], ['b', 'A'], ['S']]
    """
    table = grammar.table
    found: dict[int, set[int]] = {h: set() for h in range(1, grammar.depth + 1)}
    found[grammar.depth].add(table.start)
    for production in table.productions:
        for child in production.rhs:
            for height in range(max(1, table.levels[child]), table.levels[production.lhs]):
                found[height].add(child)
    return {height: sorted(symbols) for height, symbols in found.items()}
