"""What the ``fuzz_*.py`` scripts share: ways to damage an input, the loop, and the counts.

Every reader gets damaged inputs. ``same`` is what the whole input gives, ``other`` another answer
(a changed number that nothing can tell from a meant one), ``refused`` a LinrepError, and ``raw`` is
any other exception, a warning, an answer after more than ``LIMIT`` seconds of work, or a message of
more than ``LONGEST`` characters. A reader that is slow to try says what tells inputs apart: equal
ones are read once, and counted as often as they come. Each damaged input follows from the seed, the
reader's name and its number, so that ``--only READER --first NUMBER --n 1`` makes it again.
"""

import argparse
import collections
import copy
import gc
import hashlib
import json
import random
import re
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linrep.core import LinrepError

LIMIT = 10.0
LONGEST = 4000
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
NUMBERS = [
    "0", "-1", "1", "2", "7", "1000", "1000000000", "18446744073709551616", "0.5", "1e400",
    "1e-400", "1e999999999", "-1e-99999999", "1/3", "1/0", "nan", "inf", "-0.0",
    "0x10", "1_0", "9" * 5000, "١٢", "½",
]  # fmt: skip
ODD = "\t\n\r\x00\x0b\x1b\x85\ufeff\u200b\u2028\u00a0\u0301\ud7ff\U0001f642é日"
LETTERS = ODD + "aZ0 '\"\\()[]{}<>|:;,.-+*/%#&!@~=_"
VALUES: list[Any] = [
    None, True, False, -1, 0, 1, 2, 7, 10**9, 2**53, 2**70, 0.5, -1e300, 1e308, float("nan"),
    float("inf"), "", "text", "0", "../x", "a\x00b", "\ud800", "é" * 300, [], [1, "a"], [[]], {},
    {"a": 1}, [{}], [0] * 2000, "@deep@", "@digits@",
]  # fmt: skip
TEXTUAL = {'"@deep@"': "[" * 5000 + "]" * 5000, '"@digits@"': "9" * 5000}


@dataclass(frozen=True)
class Reader:
    """A reader under test.

    Args:
        name: for counts and for the seed.
        damage: makes a damaged input and says what was done to it.
        read: reads an input and uses what it holds; equal inputs give equal answers.
        whole: what the undamaged input gives.
        strict: a warning counts as ``raw``.
        content: all that an input holds; inputs of one content are read once.
    """

    name: str
    damage: Callable[[random.Random], tuple[Any, str]]
    read: Callable[[Any], Any]
    whole: Any
    strict: bool = True
    content: Callable[[Any], Hashable] | None = None


def trial(
    reader: Reader, seed: int, number: int, known: dict[Hashable, str] | None = None
) -> tuple[str, str]:
    """Outcome of one damaged input, and what to print about it; ``known`` is filled and used."""
    given, done = reader.damage(random.Random(f"{seed} {reader.name} {number}"))
    if reader.content is None or known is None:
        return _outcome(reader, given, f"{reader.name} {number}", done)
    content = reader.content(given)
    if content in known:
        return known[content], f"{reader.name} {number} {known[content]}, as before: {done}"
    result, said = _outcome(reader, given, f"{reader.name} {number}", done)
    known[content] = result
    return result, said


def _outcome(reader: Reader, given: Any, name: str, done: str) -> tuple[str, str]:
    began = time.process_time()  # a machine that is busy with others slows nothing down
    with warnings.catch_warnings():
        warnings.simplefilter("error" if reader.strict else "ignore")
        try:
            result, said = ("same" if reader.read(given) == reader.whole else "other"), ""
        except LinrepError as error:
            result, said = "refused", str(error)
        except Exception:
            result, said = "raw", traceback.format_exc(limit=-4)
    took = time.process_time() - began
    if took > LIMIT:
        result, said = "raw", f"{result} after {took:.1f} s; {said[:200]}"
    elif result == "refused" and not 10 < len(said) < LONGEST:
        result, said = "raw", f"a message of {len(said)} characters: {said[:200]}"
    return result, f"{name} {result}: {done}\n    {said}"


def count(
    reader: Reader, seed: int, numbers: range, shown: Sequence[str], known: dict[Hashable, str]
) -> dict[str, int]:
    """How many damaged inputs had which outcome; those of the outcomes in ``shown`` are printed."""
    counts: collections.Counter[str] = collections.Counter()
    for number in numbers:
        result, said = trial(reader, seed, number, known)
        counts[result] += 1
        if result in shown:
            print(said, flush=True)
    return dict(sorted(counts.items()))


def file_contents(folder: Path) -> Hashable:
    """All that the files of a folder hold."""
    found = hashlib.blake2b()
    for path in sorted(folder.rglob("*")):
        held = path.read_bytes() if path.is_file() else b"a folder"
        found.update(f"{path.relative_to(folder)} {len(held)} ".encode() + held)
    return found.digest()


def main(about: str, readers: Callable[[Path], list[Reader]]) -> int:
    """The command line of a script; its status is 1 if anything was raw."""
    arguments = argparse.ArgumentParser(description=about.splitlines()[0])
    arguments.add_argument("--n", type=int, default=1000, help="damaged inputs of each reader")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--first", type=int, default=0, help="number of the first one")
    arguments.add_argument("--only", help="one reader")
    arguments.add_argument("--every", type=int, default=10_000, help="inputs between two counts")
    arguments.add_argument("--show", action="store_true", help="print every refusal")
    options = arguments.parse_args()
    shown = ("raw", "refused") if options.show else ("raw",)
    raw = 0
    with tempfile.TemporaryDirectory() as scratch:
        under_test = readers(Path(scratch))
        gc.freeze()  # what was imported stays, and is not looked through again and again
        for reader in under_test:
            if options.only not in (None, reader.name):
                continue
            numbers = range(options.first, options.first + options.n)
            raw += report(reader, options.seed, numbers, shown, options.every)
    return int(raw > 0)


def report(reader: Reader, seed: int, numbers: range, shown: Sequence[str], every: int) -> int:
    """Print the counts of a reader as they come; how many inputs were raw."""
    known: dict[Hashable, str] = {}
    total: collections.Counter[str] = collections.Counter()
    began = time.monotonic()
    for first in range(0, len(numbers), every):
        total.update(count(reader, seed, numbers[first : first + every], shown, known))
        took = time.monotonic() - began
        said = f"{total.total()} inputs, {dict(sorted(total.items()))}, {took:.0f} s"
        different = f", {len(known)} different ones" if known else ""
        print(f"{reader.name}: {said}{different}", flush=True)
    return total["raw"]


# -- text


def damaged_text(text: str, chance: random.Random, words: Sequence[str]) -> tuple[str, str]:
    """One to three changes of a text; ``words`` are pieces of its own language."""
    done = []
    for _ in range(chance.choice([1, 1, 2, 3])):
        way = chance.choice(TEXT_WAYS)
        text = way(text, chance, words)
        done.append(way.__name__)
    return text, ", ".join(done)


def _span(text: str, chance: random.Random) -> tuple[int, int]:
    begin = chance.randrange(len(text) + 1)
    return begin, min(len(text), begin + chance.choice([1, 1, 2, 5, 20, 100]))


def letter(text: str, chance: random.Random, _: Sequence[str]) -> str:
    begin, _end = _span(text, chance)
    return text[:begin] + chance.choice(LETTERS) + text[begin + chance.choice([0, 1]) :]


def word(text: str, chance: random.Random, words: Sequence[str]) -> str:
    begin, end = _span(text, chance)
    return text[:begin] + chance.choice(words) + text[begin if chance.random() < 0.5 else end :]


def without(text: str, chance: random.Random, _: Sequence[str]) -> str:
    begin, end = _span(text, chance)
    return text[:begin] + text[end:]


def twice(text: str, chance: random.Random, _: Sequence[str]) -> str:
    begin, end = _span(text, chance)
    return text[:end] + text[begin:end] * chance.choice([1, 1, 1, 3, 50]) + text[end:]


def swapped(text: str, chance: random.Random, _: Sequence[str]) -> str:
    (a, b), (c, d) = sorted([_span(text, chance), _span(text, chance)])
    b = min(b, c)
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def ended(text: str, chance: random.Random, _: Sequence[str]) -> str:
    return text[: chance.randrange(len(text) + 1)]


def number(text: str, chance: random.Random, _: Sequence[str]) -> str:
    found = list(NUMBER.finditer(text))
    if not found:
        return text + chance.choice(NUMBERS)
    one = chance.choice(found)
    return text[: one.start()] + chance.choice(NUMBERS) + text[one.end() :]


def line(text: str, chance: random.Random, _: Sequence[str]) -> str:
    lines = text.split("\n")
    one = lines.pop(chance.randrange(len(lines)))
    for _ in range(chance.choice([0, 1, 2])):
        lines.insert(chance.randrange(len(lines) + 1), one)
    return chance.choice(["\n", "\n", "\r\n", "\r"]).join(lines)


def many(text: str, chance: random.Random, words: Sequence[str]) -> str:
    """A word often, as nesting and long lines come about; most times a few, rarely thousands."""
    begin, _end = _span(text, chance)
    often = chance.choice([5, 5, 5, 30, 30, 300] if chance.random() < 0.99 else [20_000])
    return text[:begin] + chance.choice(words) * often + text[begin:]


TEXT_WAYS = [letter, letter, word, word, without, twice, swapped, ended, number, number, line, many]


# -- bytes


def damaged_bytes(data: bytes, chance: random.Random) -> tuple[bytes, str]:
    """Bytes turned over, taken out, put in, cut off or gone; mostly near the beginning."""
    changed, way = bytearray(data), chance.choice(["change", "out", "in", "cut", "none", "noise"])
    reach = max(1, min(len(changed), chance.choice([16, 256, 4096, len(changed)])))
    for _ in range(chance.choice([1, 1, 3, 20])):
        at = chance.randrange(reach)
        if way == "change" and changed:
            changed[at % len(changed)] = chance.randrange(256)
        elif way == "out":
            del changed[at : at + chance.choice([1, 4, 50])]
        elif way == "in":
            changed[at:at] = chance.randbytes(chance.choice([1, 4, 50]))
    if way == "cut":
        changed = changed[: chance.randrange(len(changed) + 1)]
    elif way in ("none", "noise"):
        changed = bytearray(b"" if way == "none" else chance.randbytes(100))
    return bytes(changed), f"bytes: {way}"


# -- data of JSON and YAML


def damaged_data(data: Any, chance: random.Random, values: Sequence[Any] = ()) -> tuple[Any, str]:
    """One place of nested lists and mappings set, dropped, wrapped, doubled or renamed."""
    changed = copy.deepcopy(data)
    inside, path = changed, []
    while True:
        if not (isinstance(inside, (dict, list)) and inside):
            return chance.choice(VALUES), "everything replaced"
        keys = sorted(inside) if isinstance(inside, dict) else range(len(inside))
        key = chance.choice(keys)
        path.append(str(key))
        if not (isinstance(inside[key], (dict, list)) and inside[key] and chance.random() < 0.85):
            break
        inside = inside[key]
    way = chance.choice(["set", "set", "set", "own", "drop", "wrap", "more", "rename"])
    if way == "set":
        inside[key] = chance.choice([*VALUES, *values])
    elif way == "own":
        inside[key] = copy.deepcopy(chance.choice(_parts(data)))
    elif way == "drop":
        del inside[key]
    elif way == "wrap":
        inside[key] = [inside[key]]
    elif isinstance(inside, list):
        inside.append(inside[key])
    elif way == "more":
        inside["more"] = inside[key]
    else:
        inside[f"{key}x"] = inside.pop(key)
    return changed, f"{'.'.join(path)}: {way}"


def _parts(data: Any) -> list[Any]:
    """All values inside nested data."""
    found, at = [data], 0
    while at < len(found):
        one = found[at]
        found += one.values() if isinstance(one, dict) else one if isinstance(one, list) else []
        at += 1
    return found


def damaged_json(
    text: str, chance: random.Random, words: Sequence[str], values: Sequence[Any] = ()
) -> tuple[bytes, str]:
    """The bytes of a damaged JSON text: mostly of damaged data, else of a damaged text."""
    kind = chance.random()
    if kind < 0.15:
        return damaged_bytes(text.encode(), chance)
    if kind < 0.4:
        text, done = damaged_text(text, chance, words)
    else:
        data, done = damaged_data(json.loads(text), chance, values)
        text = json.dumps(data, ensure_ascii=chance.random() < 0.5)
    for word, meant in TEXTUAL.items():
        text = text.replace(word, meant)
    return text.encode("utf-8", "surrogatepass"), done


JSON_WORDS = [
    "{", "}", "[", "]", ",", ":", '"', '"a":', "null", "true", "NaN", "-Infinity", "\\u0000",
    "\\ud800", "[[[", '{"a":', "1e999", "//", "\ufeff",
]  # fmt: skip
