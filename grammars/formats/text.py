r"""The text format: that of ``nltk.PCFG``, plus exact fractions and escaped names.

One rule per line, ``S -> NP VP [0.7] | NP [0.3]``; terminals in single or double quotes; lines
that start with ``#`` are comments; a line that ends in ``\`` goes on in the next; ``%start X``
names the start symbol, otherwise it is the left-hand side of the first rule. A symbol whose
alternatives carry no probability has them uniform. Beyond nltk: ``[1/3]`` and ``[1e-3]``, names
made of any characters (quotes, ``|``, brackets and blanks escaped by ``\``); a text that uses
them, or leaves uniform probabilities out, is not read by ``nltk.PCFG``: ``to_nltk`` converts.

What ``nltk.PCFG.fromstring`` accepts means the same here, but for probabilities that sum to 1 only
within 0.01: they are divided by their sum, and noted. Alternatives of probability 0 are dropped,
with the symbols that nothing else leads to; symbols that no rule leads to from the start are
dropped and noted (published grammars have some), and so are symbols no derivation of which ends.
Refused, because no exact grammar of bounded depth comes of them: recursion and empty right-hand
sides of positive probability (``linrep grammar FILE --unroll DEPTH --out NEW`` and
``linrep.unroll`` take both, ``--without-empty`` the latter), symbols without a rule, empty
terminals, and the names ``<bos>`` and ``<eos>``, which models reserve.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import final

from ..errors import GrammarError, Problem
from ..memory import require_given_rules
from ..probabilities import read_fraction
from .rule import Rule, Spot, write_name
from .validation import find_problems

__all__ = ["parse_text", "write_text"]

_NAME = re.compile(r"(?:\\.|[^\s'\"|\[\]\\])+")
_TERMINAL = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_WEIGHT = re.compile(r"\[\s*([0-9.]+(?:[eE][+-]?[0-9]+)?(?:\s*/\s*[0-9]+)?)\s*\]")
_SPACE = re.compile(r"\s*")
_LINE_END = re.compile(r"\r\n|\r|\n")  # not str.splitlines: nltk keeps U+2028 and the like in names


class _Syntax(Exception):
    """A fault at an offset of the current line."""

    def __init__(self, offset: int, text: str) -> None:
        super().__init__(text)
        self.offset = offset
        self.text = text


@final
@dataclass
class _Line:
    """A logical line: the text of one or more physical lines and where each piece began."""

    text: str
    pieces: list[tuple[int, int, int]]  # offset in text, line number, column of that offset
    at: int = 0

    def spot(self, offset: int) -> Spot:
        start, line, column = max(piece for piece in self.pieces if piece[0] <= offset)
        return line, column + offset - start

    def skip(self) -> bool:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at < len(self.text)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found


@final
@dataclass
class _Reader:
    rules: list[Rule] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    start: str | None = None
    damaged: set[str] = field(default_factory=set)  # symbols of lines that could not be read


def parse_text(
    text: str, source: str = "", *, unbounded: bool = False
) -> tuple[str, tuple[Rule, ...]]:
    r"""Start symbol and rules of a text, not yet validated; all faults of form at once.

    Args:
        text: a grammar in the text format.
        source: a name for messages, that of the file say.
        unbounded: recursion and empty right-hand sides are none of the faults looked for.

    Returns:
        The start symbol and the rules as written; weights are ``None`` where none was given.

    Raises:
        GrammarError: the text is not in the format; every line at fault is listed.
        TooLarge: more rules than can be worked with.

    >>> start, rules = parse_text("S -> 'a' B [1.0]\nB -> 'b' | 'c'")
    >>> start, [str(rule) for rule in rules]
    ('S', ["S -> 'a' B", "B -> 'b'", "B -> 'c'"])
    """
    written = text.count("->") + text.count("|")
    require_given_rules(written, f"the text has {written} arrows and bars, about as many rules")
    reader = _Reader()
    for line in _logical_lines(text.removeprefix("\ufeff")):
        try:
            _read_line(line, reader)
        except _Syntax as fault:
            reader.problems.append(Problem(fault.text, *line.spot(fault.offset), kind="form"))
            reader.damaged |= set(_NAME.findall(line.text.split("->")[0])[:1])
    if not reader.problems and not reader.rules:
        reader.problems.append(Problem("the text holds no rule; write at least S -> 'a'"))
    if reader.problems:
        raise GrammarError(_all_problems(reader, unbounded), source)
    return reader.start or reader.rules[0].lhs, tuple(reader.rules)


def _all_problems(reader: _Reader, unbounded: bool) -> tuple[Problem, ...]:
    """Faults of form, and what else is wrong with the lines that could be read."""
    if not reader.rules:
        return tuple(reader.problems)
    others = find_problems(
        reader.start or reader.rules[0].lhs, reader.rules, recursion=unbounded, epsilon=unbounded,
        damaged=reader.damaged,
    )  # fmt: skip
    found = (*reader.problems, *others)
    return tuple(sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0)))


def write_text(start: str, rules: Sequence[Rule]) -> str:
    """The text of rules, one line per symbol; reading it gives the same grammar."""
    by_lhs: dict[str, list[Rule]] = {}
    for rule in rules:
        by_lhs.setdefault(rule.lhs, []).append(rule)
    if any(char.isspace() for char in start):  # the directive is split at blanks
        by_lhs = {start: by_lhs.pop(start), **by_lhs}
    head = "" if next(iter(by_lhs)) == start else f"%start {write_name(start)}\n"
    return head + "\n".join(_write_symbol(lhs, group) for lhs, group in by_lhs.items())


def _write_symbol(lhs: str, rules: Sequence[Rule]) -> str:
    # A blank at the end of a line is stripped, an escaped one too: a probability then ends it.
    blank = any(rule.rhs[-1:] and rule.rhs[-1][-1:].isspace() for rule in rules)
    uniform = len({rule.weight for rule in rules}) == 1 and not blank
    alternatives = [
        " ".join(rule.written() + ([] if uniform else [f"[{_decimal(rule.probability)}]"]))
        for rule in rules
    ]
    return f"{write_name(lhs)} -> {' | '.join(alternatives)}"


def _decimal(value: Fraction) -> str:
    """A finite decimal where there is one, so that nltk reads it too; otherwise a fraction."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives, 1)
    if rest != 1 or places > 30:
        return f"{value.numerator}/{value.denominator}"
    digits = str(value.numerator * 10**places // value.denominator).zfill(places + 1)
    return f"{digits[:-places]}.{digits[-places:]}"


def _logical_lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    open_line: _Line | None = None
    for number, physical in enumerate(_LINE_END.split(text), start=1):
        body = physical.strip()
        column = len(physical) - len(physical.lstrip()) + 1
        if open_line is None and (not body or body.startswith("#")):
            continue
        # An odd number of backslashes at the end continues the line; pairs are escaped ones.
        goes_on = (len(body) - len(body.rstrip("\\"))) % 2 == 1
        body = body[:-1].rstrip() + " " if goes_on else body
        if open_line is None:
            open_line = _Line("", [])
            lines.append(open_line)
        open_line.pieces.append((len(open_line.text), number, column))
        open_line.text += body
        open_line = open_line if goes_on else None
    return lines


def _read_line(line: _Line, reader: _Reader) -> None:
    if line.text.startswith("%"):
        _read_directive(line, reader)
        return
    lhs, lhs_spot = _read_lhs(line)
    alternatives: list[Rule] = []
    while True:
        alternatives.append(_read_alternative(line, lhs, lhs_spot))
        if not line.skip():
            break
        line.at += 1  # the "|" that ended the alternative
    reader.rules.extend(alternatives)


def _read_directive(line: _Line, reader: _Reader) -> None:
    words = line.text[1:].split()
    if len(words) != 2 or words[0] != "start":
        raise _Syntax(0, f"the only directive is '%start SYMBOL'; received {line.text.strip()!r}")
    reader.start = _unescape(words[1])


def _read_lhs(line: _Line) -> tuple[str, Spot]:
    begin = line.at
    found = line.take(_NAME)
    if not found:
        raise _Syntax(begin, "a rule begins with a nonterminal; received " + _peek(line))
    name = found.group()
    line.skip()
    if not line.text.startswith("->", line.at) and "->" in name:  # written without blanks: S->A
        line.at = begin + name.index("->")
        name = name[: name.index("->")]
    if not name or not line.text.startswith("->", line.at):
        raise _Syntax(line.at, f"expected '->' after {name!r}; received " + _peek(line))
    line.at += 2
    return _unescape(name), line.spot(begin)


def _read_alternative(line: _Line, lhs: str, lhs_spot: Spot) -> Rule:
    names: list[str] = []
    flags: list[bool] = []
    spots = [lhs_spot]
    weight: Fraction | None = None
    while line.skip() and line.text[line.at] != "|":
        begin = line.at
        if weight is not None:
            raise _Syntax(begin, "the probability ends an alternative; received " + _peek(line))
        if line.text[begin] == "[":
            weight = _read_weight(line)
            continue
        name, flag = _read_symbol(line)
        names.append(name)
        flags.append(flag)
        spots.append(line.spot(begin))
    return Rule(lhs, tuple(names), weight, tuple(flags), tuple(spots))


def _read_weight(line: _Line) -> Fraction:
    begin = line.at
    found = line.take(_WEIGHT)
    try:
        if found:
            return read_fraction(found.group(1).replace(" ", "").strip())
    except (ValueError, ZeroDivisionError):
        pass
    raise _Syntax(
        begin, "a probability is a number such as [0.25] or [1/4]; received " + _peek(line, begin)
    )


def _read_symbol(line: _Line) -> tuple[str, bool]:
    begin = line.at
    if line.text[begin] in "'\"":
        found = line.take(_TERMINAL)
        if not found:
            raise _Syntax(
                begin, f"the quote {line.text[begin]} is never closed: put one behind the token"
            )
        return found.group(1) if found.group(1) is not None else found.group(2), True
    found = line.take(_NAME)
    if not found:
        raise _Syntax(begin, "expected a symbol; received " + _peek(line))
    return _unescape(found.group()), False


def _unescape(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name)


def _peek(line: _Line, at: int | None = None) -> str:
    rest = line.text[line.at if at is None else at :].strip()
    return repr(rest[:20]) if rest else "the end of the line"
