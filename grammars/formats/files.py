"""Grammars from files: text, or the JSON of the published cfg3 family."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from ..errors import GrammarError, Problem
from .productive import reachable
from .rule import Rule
from .text import parse_text

__all__ = ["read_rules", "rules_of_cfg3"]

Made = TypeVar("Made")


def read_rules(
    path: Path, make: Callable[[str, tuple[Rule, ...]], Made], *, unbounded: bool = False
) -> Made:
    """Read a file and make a grammar of its rules; errors name the file.

    Args:
        path: the file.
        make: from a start symbol and rules.
        unbounded: recursion and empty right-hand sides are no faults.

    Raises:
        GrammarError: the file cannot be read or holds no usable grammar.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text in UTF-8"
        raise GrammarError((Problem(f"cannot read the file: {reason}"),), str(path)) from None
    try:
        if path.suffix == ".json":
            return make(*_read_json(text))
        return make(*parse_text(text, unbounded=unbounded))
    except GrammarError as error:
        raise GrammarError(error.problems, str(path)) from None


def _read_json(text: str) -> tuple[str, tuple[Rule, ...]]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        fault = Problem(f"not JSON: {error.msg}", error.lineno, error.colno)
        raise GrammarError((fault,)) from None
    except (RecursionError, ValueError) as error:  # Python's own limits on depth and on digits
        deep = isinstance(error, RecursionError)
        reason = "nested too deeply" if deep else "a number has too many digits"
        raise GrammarError((Problem(f"not the JSON of a grammar: {reason}"),)) from None
    return rules_of_cfg3(data)


def rules_of_cfg3(data: Any) -> tuple[str, tuple[Rule, ...]]:
    """Start and rules of the JSON of the cfg3 family (Allen-Zhu and Li, arXiv 2305.13673).

    ``idx`` lists the symbols of each level from the root down to the tokens, ``all`` for each level
    the symbols' bodies as positions in the next level. Bodies of a symbol are equally probable.

    Raises:
        GrammarError: the data has another shape; what differs is listed.
    """
    problems: list[Problem] = []
    levels: Any = data.get("idx") if isinstance(data, dict) else None
    every: Any = data.get("all") if isinstance(data, dict) else None
    if not _is_levels(levels) or not isinstance(every, list) or len(every) != len(levels):
        fault = (
            "not the JSON of the cfg3 family: expected an object with 'idx' (a list of lists of "
            "integers, one per level, the first with one symbol) and 'all' (for each level one "
            "list of symbols with 'id' and 'children')"
        )
        raise GrammarError((Problem(fault),))
    rules: list[Rule] = []
    empty: dict[str, Problem] = {}
    for depth, symbols in enumerate(every[:-1]):
        for symbol in symbols if isinstance(symbols, list) else [symbols]:
            fault = _symbol_fault(symbol, levels, depth)
            if fault:
                problems.append(Problem(f"level {depth} of 'all': {fault}"))
                continue
            if not symbol["children"]:
                empty[str(symbol["id"])] = Problem(
                    f"level {depth} of 'all': symbol {symbol['id']} has no body"
                )
            last = depth == len(every) - 2
            bodies = symbol["children"]
            for body in bodies:
                names = tuple(str(levels[depth + 1][place]) for place in body)
                weight = Fraction(1, len(bodies))
                rules.append(Rule(str(symbol["id"]), names, weight, (last,) * len(names)))
    start = str(levels[0][0])
    used = reachable(start, rules)  # a symbol that nothing leads to may be without a body
    problems += [problem for name, problem in empty.items() if name in used]
    if problems:
        raise GrammarError(tuple(problems))
    return start, tuple(rules)


def _is_levels(levels: Any) -> bool:
    return (
        isinstance(levels, list)
        and len(levels) >= 2
        and all(isinstance(level, list) and level for level in levels)
        and all(type(symbol) is int for level in levels for symbol in level)
        and len(levels[0]) == 1
    )


def _symbol_fault(symbol: Any, levels: list[list[int]], depth: int) -> str:
    if not isinstance(symbol, dict) or not isinstance(symbol.get("children"), list):
        return f"expected an object with 'id' and 'children'; received {str(symbol)[:60]}"
    if symbol.get("id") not in levels[depth]:
        return f"id {symbol.get('id')!r} is not among the level's symbols {levels[depth]}"
    below = len(levels[depth + 1])
    for body in symbol["children"]:
        good = isinstance(body, list) and body
        if not good or not all(type(p) is int and 0 <= p < below for p in body):
            return (
                f"a body of {symbol['id']} is {str(body)[:60]}; expected positions 0..{below - 1} "
                "in the level below"
            )
    return ""
