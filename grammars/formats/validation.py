"""Every fault of a set of rules, found in one go and located where the text is known."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from ..errors import Problem
from ..probabilities import shown_fraction
from .rule import RESERVED, Rule, Spot

__all__ = ["find_cycle", "find_problems", "reachable", "settle_weights"]

# nltk.PCFG accepts sums less than this from 1, and its texts are accepted here.
_TOLERANCE = Fraction(1, 100)


def find_problems(
    start: str, rules: Sequence[Rule], *, recursion: bool = False, epsilon: bool = False
) -> tuple[Problem, ...]:
    """Every fault of the rules, in the order of the text; empty if they make a grammar.

    Alternatives of probability 0 must be well written, but may be recursive or empty: they go.

    Args:
        start: the start symbol.
        rules: as read; weights may be missing.
        recursion: allow recursive symbols.
        epsilon: allow empty right-hand sides.
    """
    heads = dict.fromkeys(rule.lhs for rule in rules)
    found: list[Problem] = []
    if start not in heads:
        found.append(
            Problem(f"the start symbol {start} has no rule; rules exist for {_some(heads)}")
        )
    found += _name_problems(rules)
    found += _undefined(rules, set(heads))
    if not epsilon:
        found += _empty_sides(_possible(rules))
    found += _weight_problems(rules, heads)
    if not recursion:
        seen = reachable(start, rules)
        cycle = find_cycle([rule for rule in _possible(rules) if rule.lhs in seen])
        if cycle:
            shown = " -> ".join(cycle)
            found.append(
                Problem(
                    f"the grammar is recursive: {shown}; bound its depth with "
                    "linrep.unroll(text, depth=...)",
                    *_first_spot(rules, cycle[0]),
                )
            )
    return tuple(sorted(found, key=lambda p: (p.line or 0, p.column or 0)))


def settle_weights(start: str, rules: Sequence[Rule]) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """Rules with exact probabilities that sum to 1 per symbol, duplicates merged, zeros dropped.

    Missing weights become uniform where all are missing; beside given ones that sum to 1 they count
    as 0, as in nltk. Sums within nltk's tolerance of 1 are divided out. Symbols that no rule
    leads to from the start, or only dropped alternatives, are dropped as well.

    Returns:
        The rules in the order of first appearance, and a note per symbol that was rescaled, lost
        alternatives without a probability, or was dropped.
    """
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        groups.setdefault(rule.lhs, []).append(rule)
    totals: dict[str, Fraction] = {}
    merged: dict[tuple[str, tuple[str, ...], tuple[bool, ...]], Rule] = {}
    notes: list[str] = []
    for lhs, group in groups.items():
        given = [rule.weight for rule in group if rule.weight is not None]
        totals[lhs] = sum(given, Fraction(0)) if given else Fraction(len(group))
        if given and totals[lhs] != 1:
            notes.append(
                f"probabilities of {lhs} sum to {shown_fraction(totals[lhs])}; divided by that"
            )
        if given and len(given) < len(group):
            notes.append(f"alternatives of {lhs} without a probability count as 0, as in nltk")
    possible = _possible(rules)
    seen, led_to = reachable(start, possible), reachable(start, rules)
    notes += [f"{lhs} {_why(lhs in led_to, start)}" for lhs in groups if lhs not in seen]
    for rule in possible:
        if rule.lhs not in seen:
            continue
        weight = (Fraction(1) if rule.weight is None else rule.weight) / totals[rule.lhs]
        before = merged.get(rule.key)
        total = weight + (before.probability if before else 0)
        merged[rule.key] = Rule(rule.lhs, rule.rhs, total, rule.terminal, rule.spots)
    return tuple(merged.values()), tuple(notes)


def _why(led_to: bool, start: str) -> str:
    if led_to:
        return "has probability 0 and was left out"
    return f"cannot be reached from the start symbol {start} and was left out"


def reachable(start: str, rules: Iterable[Rule]) -> set[str]:
    """Nonterminals that some derivation from the start symbol contains."""
    below: dict[str, set[str]] = {}
    for rule in rules:
        below.setdefault(rule.lhs, set()).update(_children(rule))
    seen, todo = {start}, [start]
    while todo:
        for child in below.get(todo.pop(), ()):
            if child not in seen:
                seen.add(child)
                todo.append(child)
    return seen


def find_cycle(rules: Sequence[Rule]) -> tuple[str, ...]:
    """A shortest-found cycle of nonterminals, ``("A", "B", "A")``; empty without recursion."""
    below: dict[str, dict[str, None]] = {}
    for rule in rules:
        below.setdefault(rule.lhs, {}).update(dict.fromkeys(_children(rule)))
    done: set[str] = set()
    for root in below:
        path: dict[str, None] = {}  # in order, and quick to look into however long it is
        stack: list[tuple[str, bool]] = [(root, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                done.add(path.popitem()[0])
                continue
            if name in path:
                names = list(path)
                return (*names[names.index(name) :], name)
            if name in done:
                continue
            path[name] = None
            stack.append((name, True))
            stack.extend((child, False) for child in below.get(name, ()))
    return ()


def _possible(rules: Sequence[Rule]) -> list[Rule]:
    """Rules of positive probability; one that is missing beside given ones counts as 0."""
    weighted = {rule.lhs for rule in rules if rule.weight is not None}
    return [
        rule
        for rule in rules
        if rule.weight != 0 and (rule.weight is not None or rule.lhs not in weighted)
    ]


def _children(rule: Rule) -> list[str]:
    return [name for name, flag in zip(rule.rhs, rule.terminal, strict=True) if not flag]


def _at(spot: Spot | None) -> tuple[int | None, int | None]:
    return spot or (None, None)


def _first_spot(rules: Sequence[Rule], lhs: str) -> tuple[int | None, int | None]:
    return _at(next((rule.spot() for rule in rules if rule.lhs == lhs), None))


def _some(names: Iterable[str], limit: int = 8) -> str:
    listed = list(names)
    return ", ".join(listed[:limit]) + (", ..." if len(listed) > limit else "")


def _name_problems(rules: Sequence[Rule]) -> list[Problem]:
    found: dict[str, Problem] = {}
    for rule in rules:
        for index, name in enumerate((rule.lhs, *rule.rhs)):
            is_terminal = index > 0 and rule.terminal[index - 1]
            fault = _name_fault(name, is_terminal)
            if fault:
                found.setdefault(fault, Problem(fault, *_at(rule.spot(index))))
    return list(found.values())


def _name_fault(name: str, is_terminal: bool) -> str:
    kind = "terminal" if is_terminal else "nonterminal"
    if name in RESERVED:
        return f"{name} is reserved for the model's own markers; rename this {kind}"
    if not name:
        return f"a {kind} with an empty name; an empty right-hand side is written without quotes"
    if is_terminal and "'" in name and '"' in name:
        return f"the terminal {name} contains both kinds of quotes, which no text can hold"
    if "\n" in name or "\r" in name:
        return f"the {kind} {name!r} contains a line break"
    return ""


def _undefined(rules: Sequence[Rule], heads: set[str]) -> list[Problem]:
    found: dict[str, Problem] = {}
    for rule in rules:
        for index, name in enumerate(rule.rhs):
            if not rule.terminal[index] and name not in heads:
                text = f"{name} is used but has no rule; define it, or quote it if it is a terminal"
                found.setdefault(name, Problem(text, *_at(rule.spot(index + 1))))
    return list(found.values())


def _empty_sides(rules: Sequence[Rule]) -> list[Problem]:
    text = "{} has an empty right-hand side (epsilon); linrep.unroll(text, depth=...) removes it"
    return [Problem(text.format(rule.lhs), *_at(rule.spot())) for rule in rules if not rule.rhs]


def _weight_problems(rules: Sequence[Rule], heads: Iterable[str]) -> list[Problem]:
    groups: dict[str, list[Rule]] = {name: [] for name in heads}
    for rule in rules:
        groups[rule.lhs].append(rule)
    found: list[Problem] = []
    for name, group in groups.items():
        given = [rule.weight for rule in group if rule.weight is not None]
        spot = _at(group[0].spot())
        total = sum(given, Fraction(0))
        if given and len(given) < len(group) and abs(total - 1) >= _TOLERANCE:
            text = (
                f"some alternatives of {name} have a probability, some have none; give all or none"
            )
            found.append(Problem(text, *spot))
        elif any(weight < 0 for weight in given):
            found.append(Problem(f"an alternative of {name} has a negative probability", *spot))
        elif given and abs(total - 1) >= _TOLERANCE:
            text = f"the probabilities of {name} sum to {shown_fraction(total)}, not to 1"
            found.append(Problem(text, *spot))
    return found
