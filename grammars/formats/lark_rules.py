"""The bounded subset of lark's EBNF, expanded into plain rules."""

import ast
import re
from dataclasses import dataclass
from typing import final

from ..errors import Problem
from .rule import Rule

__all__ = ["read_lark"]

_PIECE = re.compile(
    r"""\s*(?:(?P<string>"(?:\\.|[^"\\])*")(?P<flag>i?)|(?P<name>[?!]?_?[A-Za-z]\w*)"""
    r"""|(?P<repeat>~\s*\d+(?:\s*\.\.\s*\d+)?)|(?P<alias>->\s*\w+)|(?P<mark>[()\[\]|?*+:]))"""
)
_COMMENT = re.compile(r"""("(?:\\.|[^"\\])*")|//.*$""")
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[nftr\\])|\\\"")
_HEAD = re.compile(r"^[?!]*\w+(\.\d+)?\s*:")

_MOST_SYMBOLS = 1_000_000

Body = tuple[tuple[str, bool], ...]
"""Right-hand side: (name, is terminal)."""


class _RefusedError(Exception):
    """A construct outside the subset."""


@final
@dataclass
class _Cursor:
    pieces: list[tuple[str, str]]
    at: int = 0

    def peek(self) -> tuple[str, str]:
        return self.pieces[self.at] if self.at < len(self.pieces) else ("end", "")

    def take(self) -> tuple[str, str]:
        piece = self.peek()
        self.at += 1
        return piece


def read_lark(text: str) -> tuple[list[Rule], list[Problem]]:
    """Rules of a text, and what in it lies outside the subset."""
    problems: list[Problem] = []
    parsed: list[tuple[str, int, list[Body]]] = []
    for number, chunk in _chunks(text):
        if chunk.startswith("%"):
            text = f"directives have no place in the bounded subset: {chunk[:30]}"
            problems.append(Problem(text, number, 1))
            continue
        head, _, definition = chunk.partition(":")
        name = re.sub(r"\.\d+$", "", head.strip().lstrip("?!"))
        try:
            parsed.append((name, number, _bodies(definition)))
        except _RefusedError as refusal:
            problems.append(Problem(f"{name}: {refusal}", number, 1))
    heads = {name for name, _, _ in parsed}
    rules: list[Rule] = []
    for name, number, bodies in parsed:
        for body in bodies:
            names = tuple(part for part, _ in body)
            flags = tuple(flag for _, flag in body)
            rules.append(Rule(name, names, None, flags, ((number, 1),) * (len(names) + 1)))
    unknown = {p for r in rules for p, f in zip(r.rhs, r.terminal, strict=True) if not f} - heads
    problems += [
        Problem(f"{name} is used but not defined: give a rule for it, or put it in quotes")
        for name in sorted(unknown)
    ]
    return rules, problems


def _bodies(definition: str) -> list[Body]:
    cursor = _Cursor(_pieces(definition))
    bodies = _alternatives(cursor)
    if cursor.peek()[0] != "end":
        raise _RefusedError(
            f"{cursor.peek()[1]!r} stands where a string, a name, an opening bracket, | or the end "
            "of the rule was expected"
        )
    return bodies


def _chunks(text: str) -> list[tuple[int, str]]:
    """Definitions with the line they begin at; a definition goes on until the next one."""
    chunks: list[tuple[int, str]] = []
    for number, line in enumerate(re.split(r"\r?\n", text), start=1):
        plain = _COMMENT.sub(lambda found: found.group(1) or "", line)
        if not plain.strip() or plain.lstrip().startswith("%ignore"):
            continue
        if _HEAD.match(plain.strip()) or plain.lstrip().startswith("%") or not chunks:
            chunks.append((number, plain.strip()))
        else:
            chunks[-1] = (chunks[-1][0], f"{chunks[-1][1]} {plain.strip()}")
    return chunks


def _pieces(body: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while body[at:].strip():
        match = _PIECE.match(body, at)
        if not match:
            rest = body[at:].strip()
            kind = "regular expressions have" if rest.startswith("/") else "this has"
            raise _RefusedError(f"{kind} no place in the bounded subset: {rest[:30]}")
        if match.group("flag"):
            raise _RefusedError("case-insensitive strings have no place in the bounded subset")
        kind = str(match.lastgroup if match.lastgroup != "flag" else "string")
        if kind != "alias":
            found.append((kind, match.group(kind)))
        at = match.end()
    return found


def _alternatives(cursor: _Cursor) -> list[Body]:
    bodies = _sequence(cursor)
    while cursor.peek() == ("mark", "|"):
        cursor.take()
        bodies = bodies + _sequence(cursor)
    return bodies


def _sequence(cursor: _Cursor) -> list[Body]:
    bodies: list[Body] = [()]
    while cursor.peek()[0] in ("string", "name") or cursor.peek()[1] in ("(", "["):
        items = _item(cursor)
        bodies = _joined(bodies, items)
    return bodies


def _item(cursor: _Cursor) -> list[Body]:
    kind, value = cursor.take()
    if kind == "string":
        bodies: list[Body] = [((_unescaped(value[1:-1]), True),)]
    elif kind == "name":
        bodies = [((value.lstrip("?!"), False),)]
    else:
        bodies = _alternatives(cursor)
        closer = ")" if value == "(" else "]"
        if cursor.take() != ("mark", closer):
            raise _RefusedError(f"{value!r} is never closed: add {closer!r} behind its content")
        bodies = bodies if value == "(" else [*bodies, ()]
    return _repeated(cursor, bodies)


def _unescaped(string: str) -> str:
    """A string as lark reads it: Python's escapes of characters; other backslashes stay."""
    return _ESCAPE.sub(lambda found: ast.literal_eval(f'"{found.group()}"'), string)


def _repeated(cursor: _Cursor, bodies: list[Body]) -> list[Body]:
    kind, value = cursor.peek()
    if value in ("*", "+"):
        raise _RefusedError(
            f"{value!r} repeats without bound; write ~1..n, or a recursive rule for linrep.unroll"
        )
    if value == "?":
        cursor.take()
        return [*bodies, ()]
    if kind != "repeat":
        return bodies
    cursor.take()
    bounds = [int(part) for part in value[1:].split("..")]
    if bounds[0] > bounds[-1]:
        raise _RefusedError(f"{value!r} asks for more repetitions than it allows")
    result: list[Body] = []
    series: list[Body] = [()]
    for times in range(bounds[-1] + 1):
        if times >= bounds[0]:
            result += series
            _require_symbols(sum(map(len, result)))
        if times < bounds[-1]:
            series = _joined(series, bodies)
    return result


def _joined(firsts: list[Body], seconds: list[Body]) -> list[Body]:
    """Every first body followed by every second one."""
    symbols = sum(map(len, firsts)) * len(seconds) + sum(map(len, seconds)) * len(firsts)
    _require_symbols(symbols)
    return [left + right for left in firsts for right in seconds]


def _require_symbols(symbols: int) -> None:
    if symbols > _MOST_SYMBOLS:
        raise _RefusedError(
            f"written out, its alternatives have {symbols} symbols or more (at most "
            f"{_MOST_SYMBOLS}); give the repeated part a rule of its own"
        )
