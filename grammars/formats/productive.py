"""Symbols from which a derivation can end, and the rules that are left without the others.

``X -> X 'a'`` alone never ends: X derives nothing, and neither does a rule that needs it. Such
symbols stand in published grammars. A derivation that meets one goes on forever, so no sentence
comes of it: the others are kept, with the probabilities that they have among themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from .rule import Rule

__all__ = ["children", "keep_productive", "productive", "reachable"]


def children(rule: Rule) -> tuple[str, ...]:
    """The nonterminals of a right-hand side."""
    if True not in rule.terminal:
        return rule.rhs
    return tuple(name for name, flag in zip(rule.rhs, rule.terminal, strict=True) if not flag)


def productive(rules: Sequence[Rule]) -> set[str]:
    """Nonterminals that derive a string of terminals; those without any rule are taken to.

    A symbol without a rule is a fault of its own, and no reason to call others into question.
    """
    heads = {rule.lhs for rule in rules}
    uses: dict[str, list[int]] = {}
    missing = []
    found: set[str] = set()
    for index, rule in enumerate(rules):
        below = {name for name in children(rule) if name in heads}
        missing.append(len(below))
        for name in below:
            uses.setdefault(name, []).append(index)
    todo = [rule.lhs for rule, count in zip(rules, missing, strict=True) if not count]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        for index in uses.get(name, ()):
            missing[index] -= 1
            if not missing[index]:
                todo.append(rules[index].lhs)
    return found | ({name for rule in rules for name in children(rule)} - heads)


def reachable(start: str, rules: Iterable[Rule]) -> set[str]:
    """Nonterminals that some derivation from the start symbol contains."""
    below: dict[str, set[str]] = {}
    for rule in rules:
        below.setdefault(rule.lhs, set()).update(children(rule))
    seen, todo = {start}, [start]
    while todo:
        for child in below.get(todo.pop(), ()):
            if child not in seen:
                seen.add(child)
                todo.append(child)
    return seen


def keep_productive(start: str, rules: Sequence[Rule]) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """The rules whose derivations end, weighted as the derivations that end are.

    Args:
        start: the start symbol.
        rules: settled, that is with weights that sum to 1 per symbol; those whose derivations end
            hold no recursion.

    Returns:
        The rules, and a note per symbol that was left out.
    """
    good = productive(rules)
    if all(rule.lhs in good for rule in rules):
        return tuple(rules), ()
    ending = [rule for rule in rules if rule.lhs in good and good.issuperset(children(rule))]
    seen = reachable(start, ending)
    kept = [rule for rule in ending if rule.lhs in seen]
    masses = _masses(kept)
    weighted = tuple(
        Rule(rule.lhs, rule.rhs, _mass(rule, masses) / masses[rule.lhs], rule.terminal, rule.spots)
        for rule in kept
    )
    lost = dict.fromkeys(rule.lhs for rule in rules if rule.lhs not in seen)
    return weighted, tuple(f"{name} {_why(name in good)}" for name in lost)


def _why(ends: bool) -> str:
    if ends:
        return "is led to only by rules that were left out, and was left out too"
    return (
        "derives no sentence, since every derivation of it goes on forever: it was left out, with "
        "the rules that need it"
    )


def _masses(rules: Sequence[Rule]) -> dict[str, Fraction]:
    """Probability of each symbol that its derivation ends."""
    by_lhs: dict[str, list[Rule]] = {}
    for rule in rules:
        by_lhs.setdefault(rule.lhs, []).append(rule)
    masses: dict[str, Fraction] = {}
    for root in by_lhs:
        stack = [root]
        while stack:
            name = stack[-1]
            group = by_lhs[name]
            todo = [c for rule in group for c in children(rule) if c not in masses]
            if todo:
                stack.extend(todo)
                continue
            masses[name] = sum((_mass(rule, masses) for rule in group), Fraction(0))
            stack.pop()
    return masses


def _mass(rule: Rule, masses: Mapping[str, Fraction]) -> Fraction:
    mass = rule.probability
    for name in children(rule):
        mass *= masses[name]
    return mass
