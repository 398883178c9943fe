"""The grammar whose states are rules: the paper's accounting by pairs of rules."""

from fractions import Fraction

from ...grammars import BinaryGrammar, BinaryRule, UnaryRule

__all__ = ["rule_states"]


def rule_states(
    grammar: BinaryGrammar,
) -> tuple[BinaryGrammar, list[tuple[int, Fraction]], list[int]]:
    """Replace each nonterminal by its rules: ``r -> r1 r2`` for adjacent rules.

    The weight of ``r -> r1 r2`` is that of r1 and r2 together (1 for tokens), so the weight of a
    rule is paid by whoever chooses it and a start rule's by the root. Two rules with the same pair
    of bodies differ in nothing else, hence with merged neurons there is one AND neuron per pair of
    rules with adjacent left-hand sides, at most M squared per level. Source: arXiv 2606.17522;
    docs/theory/grammar.md, section 6.

    Returns:
        The grammar over terminals and rules, its start states with their weights, and for each
        state the symbol it stands for.
    """
    n = grammar.n_terminals
    symbols = list(grammar.terminals)
    stands_for = list(range(n))
    states: dict[int, list[tuple[int, Fraction]]] = {s: [(s, Fraction(1))] for s in range(n)}
    rules: list[UnaryRule | BinaryRule] = sorted(
        [*grammar.unary, *grammar.binary], key=lambda r: (grammar.levels[r.lhs], r.lhs)
    )
    for rule in rules:
        children = (rule.child,) if isinstance(rule, UnaryRule) else (rule.left, rule.right)
        body = " ".join(grammar.symbols[c] for c in children)
        states.setdefault(rule.lhs, []).append((len(symbols), rule.weight))
        symbols.append(f"{grammar.symbols[rule.lhs]} -> {body}")
        stands_for.append(rule.lhs)
    unary: list[UnaryRule] = []
    binary: list[BinaryRule] = []
    for index, rule in enumerate(rules, start=n):
        if isinstance(rule, UnaryRule):
            unary += [UnaryRule(index, s, w) for s, w in states[rule.child]]
        else:
            binary += [
                BinaryRule(index, s, t, v * w)
                for s, v in states[rule.left]
                for t, w in states[rule.right]
            ]
    made = BinaryGrammar(
        symbols=tuple(symbols),
        n_terminals=n,
        start=states[grammar.start][0][0],
        unary=tuple(unary),
        binary=tuple(binary),
        levels=tuple(grammar.levels[s] for s in stands_for),
        origin=tuple(grammar.origin[s] for s in stands_for),
        heights=tuple(grammar.heights[s] for s in stands_for),
    )
    return made, states[grammar.start], stands_for
