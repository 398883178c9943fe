"""Grammars to and from nltk and lark."""

import lark
import nltk
import pytest
from hypothesis import assume, given, settings, strategies as st

from linrep.grammars import Grammar, GrammarError, families, from_lark, from_nltk, to_lark, to_nltk

SEEDS = st.integers(0, 10**6)


@settings(max_examples=60)
@given(seed=SEEDS)
def test_nltk_round_trip(small_grammar, seed):
    grammar = small_grammar(seed)
    theirs = to_nltk(grammar)
    assert str(theirs.start()) == grammar.start
    back = from_nltk(theirs)
    assert {rule.key for rule in back.rules} == {rule.key for rule in grammar.rules}
    weights = {rule.key: float(rule.weight) for rule in grammar.rules}
    for rule in back.rules:
        # Probabilities pass through one float each and are then renormalised.
        assert float(rule.weight) == pytest.approx(weights[rule.key], rel=1e-15)


def test_a_cfg_without_probabilities_becomes_uniform():
    theirs = nltk.CFG.fromstring("S -> 'a' B | B\nB -> 'b'")
    assert from_nltk(theirs) == Grammar.from_text("S -> 'a' B | B\nB -> 'b'")
    with pytest.raises(GrammarError, match="recursive"):
        from_nltk(nltk.CFG.fromstring("S -> S 'a' | 'b'"))


@settings(max_examples=60)
@given(seed=SEEDS)
def test_lark_round_trip_keeps_the_language(small_grammar, seed):
    grammar = small_grammar(seed)
    back = from_lark(to_lark(grammar))
    assert set(back.all_sentences()) == set(grammar.all_sentences())
    assert back.n_derivations == grammar.n_derivations


def test_lark_names_are_words_and_strings_are_escaped():
    grammar = Grammar.from_text("S@3 -> 'a\"b' N-P\nN-P -> n_p\nn_p -> '\\'")
    text = to_lark(grammar)
    assert text == 'start: "a\\"b" n_p\nn_p: n_p_x\nn_p_x: "\\\\"'
    assert list(from_lark(text).all_sentences()) == [('a"b', "\\")]


def test_the_bounded_constructs_of_ebnf():
    text = """
    // a comment
    ?start: greeting ("," name)~1..2 ["!"]
    greeting: "hello" | "good" DAYTIME -> polite
    !name.2: /x/?
    """
    with pytest.raises(GrammarError, match="name: regular expressions have no place"):
        from_lark(text)
    grammar = from_lark(text.replace("/x/?", '"ann"?  "bob"\n    DAYTIME: "day" | "night"'))
    sentences = set(grammar.all_sentences())
    assert ("hello", ",", "bob") in sentences
    assert ("good", "night", ",", "ann", "bob", ",", "bob", "!") in sentences
    assert len(sentences) == 3 * (2 + 4) * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('start: "a"*', r"line 1, column 1: start: '\*' repeats without bound"),
        ('start: "a"+', r"'\+' repeats without bound"),
        ('start: "a"i', "case-insensitive"),
        ('start: ("a"', "never closed"),
        ("start: b", "b is used but not defined"),
        ('start: "a" start | "b"', "recursive: start -> start"),
        ('s: "a"', "the start symbol start has no rule"),
        ("", "holds no rule"),
        ('%import common.WORD\nstart: "a"', "directives have no place"),
    ],
)
def test_what_lark_has_and_bounded_grammars_have_not(text, message):
    with pytest.raises(GrammarError, match=message):
        from_lark(text)


def test_lark_itself_accepts_what_is_written():
    grammar = families.random_grammar(depth=3, seed=2)
    parser = lark.Lark(to_lark(grammar), parser="earley")
    for sentence in grammar.sample(10, seed=0).sentences:
        parser.parse("".join(sentence))
    with pytest.raises(lark.exceptions.UnexpectedInput):
        parser.parse("a0" * (max(grammar.lengths) + 1))


@settings(max_examples=200)
@given(st.text(st.sampled_from("\\\\\"ntxuU0041a/' "), min_size=1, max_size=8))
def test_strings_mean_what_lark_reads(inside):
    text = f'start: "{inside}"'
    try:
        theirs = lark.Lark(text, parser="earley").terminals
    except (lark.exceptions.LarkError, SyntaxError, ValueError):
        assume(False)  # no single string of lark's
    assume(len(theirs) == 1 and theirs[0].pattern.type == "str")
    token = theirs[0].pattern.value
    assume("\n" not in token and "\r" not in token and not ("'" in token and '"' in token))
    assert from_lark(text).terminals == (token,)


def test_comments_end_lines_but_not_strings():
    text = 'start: "a//b" // not "c"\n  | "d" // it\'s\n// "e"\n  | "\u2028"'
    assert from_lark(text).terminals == ("a//b", "d", "\u2028")
