"""Grammars as they are found: symbols that come to nothing go, with a note."""

import itertools
import json
from fractions import Fraction

import pytest

from linrep.grammars import Grammar, GrammarError, LanguageError, Problem, unroll
from linrep.grammars.derived.unroll import without_empty

ENDLESS = "S -> B C [0.5] | B [0.5]\nB -> 'b'\nC -> 'c' [0.5] | X [0.5]\nX -> X 'x'"


def test_symbols_that_never_end_are_left_out_and_noted():
    grammar = Grammar.from_text(ENDLESS)
    assert "X" not in grammar.nonterminals
    (note,) = grammar.notes
    assert note.startswith("X derives no sentence")
    # Given that a derivation ends: 1/4 against 1/2, not the 1/2 against 1/2 of the rules.
    assert grammar.probability(["b", "c"], exact=True) == Fraction(1, 3)
    assert grammar.probability(["b"], exact=True) == Fraction(2, 3)


def test_that_is_what_unrolling_tends_to():
    deep = unroll(ENDLESS, depth=20)
    assert deep.probability(["b", "c"]) == pytest.approx(1 / 3, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("S -> A | 'b'\nA -> A 'a'", {"S"}),
        ("S -> A B | 'b'\nA -> B 'a'\nB -> A", {"S"}),
        ("S -> X Y | 'a'\nX -> X 'x'\nY -> Y 'y' | 'y'", {"S"}),  # Y is recursive, and unused
        ("S -> 'a'\nU -> U 'u' |\nV -> 'v' [1]", {"S"}),
        ("S -> A | 'b'\nA -> 'a'", {"S", "A"}),
    ],
)
def test_what_comes_to_nothing_may_be_recursive_or_empty(text, kept):
    assert set(Grammar.from_text(text).nonterminals) == kept


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("S -> S 'a' | 'b'", "--unroll DEPTH --out NEW"),
        ("S -> A 'a'\nA -> S", "no derivation of S ever ends"),
        ("S -> A 'b'\nA -> 'a' |", "--without-empty --out NEW"),
        ("S -> S 'b' | 'a'\nA -> 'a' |\n", "--unroll DEPTH --out NEW"),
        ("S -> S A | 'a'\nA -> 'a' |\n", "A has an empty right-hand side (epsilon); remove it with "
         "linrep grammar FILE --unroll DEPTH --out NEW"),
    ],
)  # fmt: skip
def test_the_remedy_is_a_command(text, said):
    with pytest.raises(GrammarError) as caught:
        Grammar.from_text(text)
    assert said in str(caught.value)


def test_faults_of_every_kind_stand_in_one_message():
    """Among many of one kind, too; and beside lines that cannot be read."""
    many = " ".join(f"U{i}" for i in range(30))
    text = f"S -> A {many} | S 's'\nA -> 'a' |\nB 'b'\nC -> 'c' [0.5]\nD -> '<eos>'"
    with pytest.raises(GrammarError) as caught:
        Grammar.from_text(text)
    message = str(caught.value)
    for part in ("recursive", "epsilon", "expected '->'", "sum to 0.5", "reserved", "has no rule",
                 "more"):  # fmt: skip
        assert part in message
    assert len(message.splitlines()) == 12


def test_a_line_that_cannot_be_read_is_no_missing_symbol():
    with pytest.raises(GrammarError, match="1 problem") as caught:
        Grammar.from_text("S -> A B\nA -> 'a' [x]\nB -> 'b'")
    assert "no rule" not in str(caught.value)


def test_what_unroll_mends_is_no_fault_to_it():
    with pytest.raises(GrammarError, match="1 problem"):
        unroll("S -> S 'a' |\nA -> 'a", depth=3)


def test_a_file_of_the_cfg3_family_may_hold_symbols_that_nothing_uses(tmp_path):
    levels = [[1], [2, 3], [4, 5, 6]]
    data = {
        "idx": levels,
        "all": [
            [{"id": 1, "children": [[0, 0], [0]]}],
            [{"id": 2, "children": [[0, 1], [2]]}, {"id": 3, "children": []}],
            [{"id": 4, "children": []}, {"id": 5, "children": []}, {"id": 6, "children": []}],
        ],
    }
    file = tmp_path / "cfg.json"
    file.write_text(json.dumps(data))
    assert Grammar.from_file(file).nonterminals == ("1", "2")
    data["all"][1][1]["children"] = [[0]]
    file.write_text(json.dumps(data))
    (note,) = Grammar.from_file(file).notes
    assert note == "3 cannot be reached from the start symbol 1 and was left out"


def test_empty_sides_are_removed_without_a_depth():
    grammar = without_empty("S -> A B [0.5] | 'x' [0.5]\nA -> 'a' [0.25] | [0.75]\nB -> 'b' |")
    exact = {("a", "b"): 1, ("a",): 1, ("b",): 3, ("x",): 8}
    total = sum(exact.values())
    found = {s: grammar.probability(s, exact=True) * total for s in grammar.all_sentences()}
    assert found == pytest.approx(exact, rel=1e-12)
    with pytest.raises(GrammarError, match="recursive"):
        without_empty("S -> S 'a' |")
    with pytest.raises(LanguageError):
        without_empty("S -> A\nA ->")


def test_some_of_each_kind_are_listed():
    kinds = itertools.chain(["a"] * 20, ["b"] * 3, ["c"])
    problems = tuple(Problem(f"fault {i}", i, 1, k) for i, k in enumerate(kinds))
    lines = str(GrammarError(problems)).splitlines()
    assert any("fault 23" in line for line in lines)
    assert any("fault 20" in line for line in lines)
    assert lines[-1].strip() == "and 14 more"
