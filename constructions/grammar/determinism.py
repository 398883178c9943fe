"""When plain ReLU neurons can carry exact probabilities: every completed span has one label."""

from ...grammars import Grammar
from ..errors import ConstructionError

__all__ = ["require_deterministic", "why_not_deterministic"]


def why_not_deterministic(grammar: Grammar) -> str | None:
    r"""The first condition that fails, in words; ``None`` if all hold.

    Every symbol derives one length, there is one tree shape, and every rule body belongs to one
    symbol. Then a span has at most one label, whose weight is common to all hypotheses and
    cancels. Source: docs/theory/grammar.md, section 7.

    >>> why_not_deterministic(Grammar.from_text("S -> A | B\nA -> 'a'\nB -> 'a'"))
    "rules A -> 'a' and B -> 'a' have the same body"
    """
    table, normal = grammar.table, grammar.binary
    for symbol, lengths in enumerate(normal.lengths):
        if len(lengths) > 1:
            return f"symbol {normal.symbols[symbol]} derives strings of {list(lengths)[:6]} tokens"
    owner: dict[tuple[int, ...], int] = {}
    for production in table.productions:
        other = owner.setdefault(production.rhs, production.index)
        if other != production.index:
            first, second = table.show(other), table.show(production.index)
            return f"rules {first} and {second} have the same body"
    if grammar.n_shapes > 1:
        return f"its derivations have {grammar.n_shapes:,} tree shapes"
    return None


def require_deterministic(grammar: Grammar) -> None:
    """Refuse a grammar that the deterministic semiring cannot serve.

    Raises:
        ConstructionError: with the reason.
    """
    reason = why_not_deterministic(grammar)
    if reason is not None:
        raise ConstructionError(
            f"semiring='deterministic' needs spans with at most one label, but {reason}; use "
            "semiring='probability' (ReGLU) for exact probabilities of this grammar, or 'boolean' "
            "for its support"
        )
