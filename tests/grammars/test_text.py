"""The text format: round trips, agreement with nltk, and every fault at its place."""

import json
from fractions import Fraction

import nltk
import pytest
from hypothesis import given, settings, strategies as st

from linrep import LinrepError
from linrep.grammars import Grammar, GrammarError, Rule, families, to_nltk

SEEDS = st.integers(0, 10**6)


@settings(max_examples=100)
@given(seed=SEEDS)
def test_text_round_trip(small_grammar, seed):
    grammar = small_grammar(seed)
    again = Grammar.from_text(str(grammar))
    assert again == grammar
    assert again.rules == grammar.rules
    assert again.table == grammar.table
    assert again.fingerprint == grammar.fingerprint


NAME = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=4)


@settings(max_examples=200)
@given(
    names=st.lists(NAME, min_size=2, max_size=2, unique=True),
    token=NAME.filter(lambda t: not ("'" in t and '"' in t)),
    part=st.fractions(0, 1).filter(lambda p: 0 < p < 1),
)
def test_any_name_and_any_probability_survive_the_text(names, token, part):
    start, other = names
    grammar = Grammar(
        start,
        (
            Rule(start, (other, token), part, (False, True)),
            Rule(start, (token,), 1 - part, (True,)),
            Rule(other, (token, start), None, (True, True)),
        )
        if not ("'" in start and '"' in start)
        else (
            Rule(start, (other,), part, (False,)),
            Rule(start, (token,), 1 - part, (True,)),
            Rule(other, (token,), None, (True,)),
        ),
    )
    assert Grammar.from_text(str(grammar)) == grammar


NLTK_TEXTS = [
    "S -> NP VP [1.0]\nNP -> 'a' [0.25] | 'b' [.75]\nVP -> 'c' [1.]",
    "# comment\n\nS -> A \\\n  B [0.3] | 'x y' [0.7]\nA -> \"it's\" [1.0]\nB -> 'a' [1.0]",
    "%start S\nA -> 'a' [1.0]\nS -> A A [1.0]",
    "S -> A/B A-1 [1.0]\nA/B -> 'S' [1.0]\nA-1 -> 'A-1' [0.5] | '|' [0.5]",
    "S -> 'a' [0.4]\nS -> 'b' [0.3] | 'c' [0.3]",
    "S -> 'a' [0.333] | 'b' [0.333] | 'c' [0.333]",
    "S -> A<x> [0.9] | 'z' [0.1]\nA<x> -> '#' [1.0]",
    "S -> 'a' [1.0] | 'b' [0.0]",
]


@pytest.mark.parametrize("text", NLTK_TEXTS)
def test_texts_of_nltk_mean_the_same_here(text):
    theirs = nltk.PCFG.fromstring(text)
    mine = Grammar.from_text(text)
    assert mine.start == str(theirs.start())
    parser = nltk.InsideChartParser(theirs)
    for sentence in mine.all_sentences():
        total = sum(tree.prob() for tree in parser.parse(list(sentence)))
        # nltk accepts sums within 0.01 of 1 and keeps them; here they are divided out.
        assert total == pytest.approx(float(mine.probability(sentence)), rel=0.01)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_written_here_is_read_by_nltk(seed):
    grammar = families.random_grammar(depth=3, n_rules=2, n_symbols=2, seed=seed)
    weighted = [f"{rule} [{float(rule.weight)!r}]" for rule in grammar.rules]
    theirs = nltk.PCFG.fromstring("\n".join(weighted))
    assert sorted(map(str, theirs.productions())) == sorted(
        map(str, to_nltk(grammar).productions())
    )


def test_weights_are_exact_decimals_and_fractions():
    grammar = Grammar.from_text("S -> 'a' [0.1] | 'b' [2/3] | 'c' [7/30]")
    assert [rule.weight for rule in grammar.rules] == [
        Fraction(1, 10),
        Fraction(2, 3),
        Fraction(7, 30),
    ]
    assert str(grammar) == "S -> 'a' [0.1] | 'b' [2/3] | 'c' [7/30]"


def test_duplicates_merge_and_near_sums_are_divided_out_and_noted():
    grammar = Grammar.from_text("S -> 'a' | 'a' | 'b'")
    assert [rule.weight for rule in grammar.rules] == [Fraction(2, 3), Fraction(1, 3)]
    near = Grammar.from_text("S -> 'a' [0.333] | 'b' [0.333] | 'c' [0.333]")
    assert {rule.weight for rule in near.rules} == {Fraction(1, 3)}
    assert near.notes == ("probabilities of S sum to 0.999; divided by that",)


def test_a_name_may_be_both_terminal_and_nonterminal():
    grammar = Grammar.from_text("S -> A 'A'\nA -> 'S' | 'A'")
    assert grammar.terminals == ("A", "S")
    assert grammar.probability(["S", "A"]) == 0.5
    corpus = grammar.sample(20, seed=0)
    assert set(corpus.labels(1)) == {"A", "'A'"}
    assert Grammar.from_text(str(grammar)) == grammar


FAULTS = [
    ("S -> A\nA -> B 'x'\nB -> A", "line 2, column 1: the grammar is recursive: A -> B -> A"),
    ("S -> S 'a' | 'b'", "line 1, column 1: the grammar is recursive: S -> S"),
    ("S -> 'a' |", "line 1, column 1: S has an empty right-hand side"),
    ("S -> 'a' B", "line 1, column 10: B is used but has no rule"),
    ("%start X\nS -> 'a'", "the start symbol X has no rule"),
    ("S -> 'a' [0.5] | 'b' [0.4]", "line 1, column 1: the probabilities of S sum to 0.9, not to 1"),
    ("S -> 'a' [0.5] | 'b' [0.49]", "the probabilities of S sum to 0.99, not to 1"),
    ("S -> 'a' [0.5] | 'b'", "some alternatives of S have a probability, some have none"),
    ("S -> 'a' '<eos>'", "line 1, column 10: <eos> is reserved"),
    ("S -> <bos>\n<bos> -> 'a'", "line 1, column 6: <bos> is reserved"),
    ("S -> 'a' ''", "line 1, column 10: a terminal with an empty name"),
    ("S 'a'", "line 1, column 3: expected '->' after 'S'; received \"'a'\""),
    ("S -> 'a", "line 1, column 6: the quote ' is never closed"),
    ("S -> 'a' [0.5] 'b'", "line 1, column 16: the probability ends an alternative"),
    ("S -> 'a' [x]", "line 1, column 10: a probability is a number"),
    ("S -> 'a' [0.5.5]", "line 1, column 10: a probability is a number"),
    ("S -> 'a' [1/0]", "line 1, column 10: a probability is a number"),
    ("S -> 'a' ]", "line 1, column 10: expected a symbol; received ']'"),
    ("'a' -> S", "line 1, column 1: a rule begins with a nonterminal"),
    ("S -> 'a' \\\n 'b' [", "line 2, column 6: a probability is a number"),
    ("%begin S", "line 1, column 1: the only directive is '%start SYMBOL'"),
    ("", "the text holds no rule"),
    ("# nothing\n", "the text holds no rule"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS, ids=[m[:40] for _, m in FAULTS])
def test_each_fault_is_reported_at_its_place(text, message):
    with pytest.raises(GrammarError) as caught:
        Grammar.from_text(text)
    assert message in str(caught.value)
    assert isinstance(caught.value, LinrepError)


def test_all_faults_are_reported_together_in_the_order_of_the_text():
    text = "S -> A B [0.9]\nA -> A 'x' | \nC -> '<eos>'"
    with pytest.raises(GrammarError, match="5 problems") as caught:
        Grammar.from_text(text)
    lines = [problem.line for problem in caught.value.problems]
    assert lines == sorted(lines)
    with pytest.raises(GrammarError, match="2 problems"):
        Grammar.from_text("S -\nA 'x'\nB -> 'b'")


def test_blanks_around_the_arrow_are_optional_and_continuations_work():
    assert Grammar.from_text("S->'a'B\nB->'b'") == Grammar.from_text("S -> 'a' \\\n  B\nB -> 'b'")


def test_grammars_are_immutable_and_hashable():
    grammar = Grammar.from_text("S -> 'a'")
    with pytest.raises(AttributeError):
        grammar.start = "T"
    assert len({grammar, Grammar.from_text("S -> 'a' [1.0]")}) == 1
    assert grammar != Grammar.from_text("S -> 'b'")
    assert grammar != "S -> 'a'"


def test_files_are_named_in_errors(tmp_path):
    path = tmp_path / "bad.cfg"
    path.write_text("S -> B")
    with pytest.raises(GrammarError, match=r"bad\.cfg: not a usable grammar.*\n.*line 1, column 6"):
        Grammar.from_file(path)
    with pytest.raises(GrammarError, match="missing.cfg: .*\n.*cannot read the file: No such file"):
        Grammar.from_file(tmp_path / "missing.cfg")
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(GrammarError, match="not a text in UTF-8"):
        Grammar.from_file(path)
    path.write_text("S -> 'a' 'b'")
    assert Grammar.from_file(str(path)).lengths == {2}


WRONG_JSON = [
    ("{", "not JSON: .*"),
    ("[1, 2]", "not the JSON of the cfg3 family"),
    ('{"idx": [[1], [2]]}', "not the JSON of the cfg3 family"),
    ('{"idx": [[1], ["a"]], "all": [[], []]}', "not the JSON of the cfg3 family"),
    ('{"idx": [[1], [2]], "all": [[{"id": 1, "children": [[0, 1]]}], []]}', r"expected positions"),
    ('{"idx": [[1], [2]], "all": [[{"id": 7, "children": [[0]]}], []]}', "id 7 is not among"),
    ('{"idx": [[1], [2]], "all": [[{"id": 1, "children": []}], []]}', "symbol 1 has no body"),
    ('{"idx": [[1], [2]], "all": [[5], []]}', "expected an object with 'id' and 'children'"),
]


@pytest.mark.parametrize(("text", "message"), WRONG_JSON)
def test_json_of_the_wrong_shape_is_refused(tmp_path, text, message):
    path = tmp_path / "wrong.json"
    path.write_text(text)
    with pytest.raises(GrammarError, match=message):
        Grammar.from_file(path)


def test_json_of_the_published_family(tmp_path, cfg3):
    path = tmp_path / "tiny.json"
    path.write_text(
        '{"idx": [[9], [7, 8], [1, 2]], "all": [[{"id": 9, "children": [[0, 1]]}], '
        '[{"id": 7, "children": [[0], [1, 1]]}, {"id": 8, "children": [[1]]}], []]}'
    )
    expected = Grammar.from_text("9 -> 7 8\n7 -> '1' | '2' '2'\n8 -> '2'")
    assert Grammar.from_file(path) == expected
    for letter in "bfij":
        grammar = cfg3(letter)
        assert Grammar.from_text(str(grammar)) == grammar
        assert grammar.terminals == ("1", "2", "3")


def test_beside_probabilities_that_sum_to_1_a_missing_one_is_0_as_in_nltk():
    text = "S -> 'a' [1.0] | 'b'"
    theirs = {p.rhs()[0]: p.prob() for p in nltk.PCFG.fromstring(text).productions()}
    ours = Grammar.from_text(text)
    assert {token: ours.probability([token]) for token in ours.terminals} == {"a": theirs["a"]}
    assert theirs["b"] == 0
    assert any("without a probability count as 0" in note for note in ours.notes)


def test_symbols_that_nothing_leads_to_are_dropped_and_noted():
    grammar = Grammar.from_text("S -> 'a'\nB -> B 'b' | C\nC -> 'c'")
    assert grammar == Grammar.from_text("S -> 'a'")
    assert grammar.notes == tuple(
        f"{name} cannot be reached from the start symbol S and was left out" for name in "BC"
    )
    with pytest.raises(GrammarError, match="D is used but has no rule"):
        Grammar.from_text("S -> 'a'\nB -> D")


def test_published_grammars_with_unreachable_symbols_are_read(tmp_path):
    file = tmp_path / "family.json"
    below = [{"id": 2, "children": [[0]]}, {"id": 3, "children": [[0]]}]
    data = {"idx": [[1], [2, 3], [4]], "all": [[{"id": 1, "children": [[0, 0]]}], below, []]}
    file.write_text(json.dumps(data))
    grammar = Grammar.from_file(file)
    assert grammar.nonterminals == ("1", "2")
    assert any(note.startswith("3 cannot be reached") for note in grammar.notes)


def test_a_byte_order_mark_is_no_letter_of_the_start_symbol(tmp_path):
    file = tmp_path / "marked.cfg"
    file.write_bytes("S -> 'a'".encode("utf-8-sig"))
    assert Grammar.from_file(file).start == Grammar.from_text("\ufeffS -> 'a'").start == "S"


@pytest.mark.parametrize("weight", ["1e400", "1e999999999", "1e-99999999", "9" * 5000])
def test_absurd_probabilities_are_refused_at_once(weight):
    with pytest.raises(GrammarError, match="line 1"):
        Grammar.from_text(f"S -> 'a' [{weight}] | 'b' [0.5]")
    with pytest.raises(GrammarError, match="S"):
        Grammar.from_rules([("S", ["a"], weight), ("S", ["b"], 0.5)], "S")


@pytest.mark.parametrize("weight", [float("inf"), float("nan"), "x"])
def test_probabilities_that_are_no_numbers_are_refused(weight):
    with pytest.raises(GrammarError, match="S is .*; expected a finite number"):
        Grammar.from_rules([("S", ["a"], weight)], "S")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("[" * 50_000, "nested too deeply"), (f'{{"idx": [[{"9" * 5000}]]}}', "too many digits")],
    ids=["deep", "digits"],
)
def test_json_beyond_the_limits_of_python_is_refused(tmp_path, text, reason):
    file = tmp_path / "deep.json"
    file.write_text(text)
    with pytest.raises(GrammarError, match=reason):
        Grammar.from_file(file)


BLANKS = st.text(st.sampled_from("a \t\x0b\x0c\x1c\x85\u2028\xa0\\|#%'"), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(BLANKS, min_size=4, max_size=4, unique=True), st.booleans(), st.booleans())
def test_names_of_blanks_survive_at_the_end_of_a_line_and_as_the_start(names, uniform, flipped):
    start, lower, first, second = names
    half = Fraction(1, 2) if uniform else Fraction(1, 3)
    rules = [
        (start, [first, lower], half),
        (start, [second, lower], 1 - half),
        (lower, [first], 1),
    ]
    grammar = Grammar.from_rules(rules[::-1] if flipped else rules, start)
    assert Grammar.from_text(str(grammar)) == grammar


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0c", "\x1c"])
def test_unusual_line_separators_are_part_of_a_terminal_as_in_nltk(mark):
    text = f"S -> 'a{mark}b' [1.0]"
    assert Grammar.from_text(text).terminals == nltk.PCFG.fromstring(text).productions()[0].rhs()


@settings(max_examples=200)
@given(seed=SEEDS, picks=st.randoms())
def test_alternatives_of_probability_0_change_nothing(small_grammar, seed, picks):
    """Recursive or empty ones and those that alone lead to a symbol among them, as in nltk."""
    grammar = small_grammar(seed)
    head = picks.choice(grammar.nonterminals)
    extra = picks.choice(["", "'zero'", f"{head} 'zero'", "Dead", f"{grammar.start} Dead"])
    lines = [f"{rule} [{rule.weight}]" for rule in grammar.rules]
    lines = [f"%start {grammar.start}", *lines, f"{head} -> {extra} [0.0]"]
    if "Dead" in extra:
        lines += ["Dead -> 'dead' Deader [1.0]", "Deader -> 'deader' [1.0]"]
    padded = Grammar.from_text("\n".join(lines))
    assert padded == grammar
    assert padded.table == grammar.table
    assert Grammar.from_text(str(padded)) == grammar
    assert any("Deader has probability 0" in note for note in padded.notes) == ("Dead" in extra)


@pytest.mark.parametrize(
    "text",
    [
        # Not an empty one: nltk reads it, but its chart parser fails on it.
        "S -> 'a' [1.0] | S 'b' [0.0]",
        "S -> 'a' [1.0] | B [0.0]\nB -> 'b' [1.0]",
    ],
)
def test_nltk_too_gives_such_alternatives_no_sentence(text):
    theirs = nltk.InsideChartParser(nltk.PCFG.fromstring(text))
    assert [tree.prob() for tree in theirs.parse(["a"])] == [1.0]
    assert list(Grammar.from_text(text).all_sentences()) == [("a",)]


def test_of_very_many_problems_the_message_lists_the_first():
    with pytest.raises(GrammarError, match="1000 problems") as caught:
        Grammar.from_text("\n".join(["S -> ]"] * 1000))
    assert len(caught.value.problems) == 1000
    lines = str(caught.value).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "  and 990 more"
    with pytest.raises(GrammarError) as caught:
        Grammar.from_text("S -> " + "a" * 10**6)
    assert len(str(caught.value)) < 1000
