"""Every fault of a set of rules, found in one go and located where the text is known."""

from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction

from ..errors import Problem
from ..probabilities import added, shown_fraction
from .productive import children, productive, reachable
from .rule import RESERVED, Rule, Spot

__all__ = ["find_cycle", "find_problems", "settle_weights"]

# nltk.PCFG accepts sums less than this from 1, and its texts are accepted here.
_TOLERANCE = Fraction(1, 100)


_COMMAND = "linrep grammar FILE {} --out NEW"
_UNROLL = f"{_COMMAND.format('--unroll DEPTH')}, or linrep.unroll(text, depth=...)"


def find_problems(
    start: str,
    rules: Sequence[Rule],
    *,
    recursion: bool = False,
    epsilon: bool = False,
    damaged: Collection[str] = (),
) -> tuple[Problem, ...]:
    """Every fault of the rules, in the order of the text; empty if they make a grammar.

    What goes anyway must be well written, but may be recursive or empty: alternatives of
    probability 0, symbols that nothing leads to, and those from which no derivation ends.

    Args:
        start: the start symbol.
        rules: as read; weights may be missing.
        recursion: allow recursive symbols.
        epsilon: allow empty right-hand sides.
        damaged: symbols of which some line could not be read: they have rules, nobody knows which.
    """
    heads = dict.fromkeys([*(rule.lhs for rule in rules), *damaged])
    found: list[Problem] = []
    if start not in heads:
        text = f"the start symbol {start} has no rule; rules exist for {_some(heads)}"
        found.append(Problem(text, kind="start"))
    found += _name_problems(rules)
    found += _undefined(rules, heads)
    ends = {*productive(rules), *damaged}
    ending = [rule for rule in _possible(rules) if {rule.lhs, *children(rule)} <= ends]
    seen = reachable(start, ending)
    stays = [rule for rule in ending if rule.lhs in seen]
    if not epsilon:
        found += _empty_sides([rule for rule in stays if not rule.rhs], stays, recursion)
    found += _weight_problems([rule for rule in rules if rule.lhs not in damaged])
    if not recursion:
        found += _recursion(start, ends, stays, _possible(rules))
    return tuple(sorted(found, key=lambda p: (p.line or 0, p.column or 0)))


def _recursion(
    start: str, ends: Collection[str], stays: Sequence[Rule], possible: Sequence[Rule]
) -> list[Problem]:
    """A cycle among the rules that stay; or among all, where no derivation ends."""
    never = start not in ends
    if never:
        led_to = reachable(start, possible)
        stays = [rule for rule in possible if rule.lhs in led_to]
    cycle = find_cycle(stays)
    if not cycle:
        return []
    shown = f"the grammar is recursive: {' -> '.join(cycle)}"
    remedy = (
        f"no derivation of {start} ever ends: give a symbol among these a rule without them"
        if never
        else f"bound its depth with {_UNROLL}"
    )
    spot = _first_spot(possible, cycle[0])
    return [Problem(f"{shown}; {remedy}", *spot, kind="recursion")]


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
        totals[lhs] = added(given) if given else Fraction(len(group))
        if given and totals[lhs] != 1:
            notes.append(
                f"probabilities of {lhs} sum to {shown_fraction(totals[lhs])}; divided by that"
            )
        if given and len(given) < len(group):
            notes.append(f"alternatives of {lhs} without a probability count as 0, as in nltk")
    possible = _possible(rules)
    seen = reachable(start, possible)
    led_to = seen if len(possible) == len(rules) else reachable(start, rules)
    notes += [f"{lhs} {_why(lhs in led_to, start)}" for lhs in groups if lhs not in seen]
    for rule in possible:
        if rule.lhs not in seen:
            continue
        before, total = merged.get(rule.key), totals[rule.lhs]
        if before is None and rule.weight is not None and total == 1:  # as most are
            merged[rule.key] = rule
            continue
        weight = (Fraction(1) if rule.weight is None else rule.weight) / total
        weight += before.probability if before else 0
        merged[rule.key] = Rule(rule.lhs, rule.rhs, weight, rule.terminal, rule.spots)
    return tuple(merged.values()), tuple(notes)


def _why(led_to: bool, start: str) -> str:
    if led_to:
        return "has probability 0 and was left out"
    return f"cannot be reached from the start symbol {start} and was left out"


def find_cycle(rules: Sequence[Rule]) -> tuple[str, ...]:
    """A shortest-found cycle of nonterminals, ``("A", "B", "A")``; empty without recursion."""
    below: dict[str, dict[str, None]] = {}
    for rule in rules:
        below.setdefault(rule.lhs, {}).update(dict.fromkeys(children(rule)))
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
        if (rule.lhs not in weighted if rule.weight is None else rule.weight.numerator)
    ]


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
                found.setdefault(fault, Problem(fault, *_at(rule.spot(index)), kind="name"))
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


def _undefined(rules: Sequence[Rule], heads: Collection[str]) -> list[Problem]:
    found: dict[str, Problem] = {}
    for rule in rules:
        for index, name in enumerate(rule.rhs):
            if not rule.terminal[index] and name not in heads:
                text = f"{name} is used but has no rule; define it, or quote it if it is a terminal"
                found.setdefault(name, Problem(text, *_at(rule.spot(index + 1)), kind="undefined"))
    return list(found.values())


def _empty_sides(empty: Sequence[Rule], rules: Sequence[Rule], unrolled: bool) -> list[Problem]:
    bounded = bool(empty) and (unrolled or not find_cycle(rules))
    remedy = _COMMAND.format("--without-empty") if bounded else _UNROLL
    return [
        Problem(
            f"{rule.lhs} has an empty right-hand side (epsilon); remove it with {remedy}",
            *_at(rule.spot()), kind="epsilon",
        )
        for rule in empty
    ]  # fmt: skip


def _weight_problems(rules: Sequence[Rule]) -> list[Problem]:
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        groups.setdefault(rule.lhs, []).append(rule)
    found: list[Problem] = []
    for name, group in groups.items():
        given = [rule.weight for rule in group if rule.weight is not None]
        spot = _at(group[0].spot())
        total = added(given)
        if given and len(given) < len(group) and abs(total - 1) >= _TOLERANCE:
            text = (
                f"some alternatives of {name} have a probability, some have none; give all or none"
            )
            found.append(Problem(text, *spot, kind="weights"))
        elif any(weight.numerator < 0 for weight in given):
            text = f"an alternative of {name} has a negative probability"
            found.append(Problem(text, *spot, kind="weights"))
        elif given and abs(total - 1) >= _TOLERANCE:
            text = f"the probabilities of {name} sum to {shown_fraction(total)}, not to 1"
            found.append(Problem(text, *spot, kind="weights"))
    return found
