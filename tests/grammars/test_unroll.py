"""Unrolling recursive grammars, against enumeration of all low derivations."""

from collections import defaultdict
from fractions import Fraction
from itertools import product

import nltk
import pytest
from hypothesis import given, settings, strategies as st

from linrep.cli import main
from linrep.grammars import (
    Grammar,
    GrammarError,
    LanguageError,
    TooLarge,
    examples,
    families,
    unroll,
)
from linrep.grammars.formats.text import parse_text
from linrep.grammars.formats.validation import settle_weights


def low_sentences(text, depth):
    """Sentence -> probability over derivations at most ``depth`` edges high, by expansion.

    A node without children is a leaf, so an empty right-hand side takes no edge.
    """
    start, rules = parse_text(text)
    rules, _ = settle_weights(start, rules)

    def expand(symbol, budget):
        found = defaultdict(Fraction)
        for rule in rules:
            if rule.lhs != symbol or (rule.rhs and budget == 0):
                continue
            parts = [
                {(name,): Fraction(1)} if is_terminal else expand(name, budget - 1)
                for name, is_terminal in zip(rule.rhs, rule.terminal, strict=True)
            ]
            for chosen in product(*(part.items() for part in parts)):
                weight = rule.weight
                for _, p in chosen:
                    weight *= p
                found[sum((s for s, _ in chosen), ())] += weight
        return found

    return expand(start, depth)


TEXTS = {
    "linear": "S -> '(' S ')' [0.4] | 'x' [0.6]",
    "left": "S -> S '+' T [0.3] | T [0.7]\nT -> '1' [0.5] | '2' [0.5]",
    "mutual": "S -> A 'a' [0.5] | 'b' [0.5]\nA -> S 'c' [0.5] | S S [0.25] | 'd' [0.25]",
    "dyck": examples.text("dyck"),
    "nullable": "S -> A B A [1.0]\nA -> 'a' [0.5] | [0.5]\nB -> 'b' [0.5] | A [0.25] | [0.25]",
    "unit cycle": "S -> A [0.5] | 'x' [0.5]\nA -> S [0.5] | 'y' [0.5]",
    "dead end": "S -> 'x' [0.5] | D [0.5]\nD -> D 'd' [1.0]",
    "null chain": "S -> 'x' N [1.0]\nN -> N N [0.25] | [0.75]",
    "not tight": "S -> S S [0.75] | 'a' [0.25]",
}


@pytest.mark.parametrize(
    ("name", "depth"),
    # Four levels of the two-fold recursion have too many sentences to expand one by one.
    [(n, d) for n in TEXTS for d in range(1, 5) if (n, d) != ("dyck", 4)],
)
def test_unrolled_grammars_equal_enumeration(name, depth):
    text = TEXTS[name]
    low = low_sentences(text, depth)
    kept = {sentence: p for sentence, p in low.items() if sentence}
    mass = sum(kept.values())
    if not mass:
        with pytest.raises(LanguageError, match="give a greater depth"):
            unroll(text, depth)
        return
    grammar = unroll(text, depth)
    assert grammar.lost_mass == 1 - mass
    assert grammar.depth <= depth
    longest = 9
    listed = set(grammar.all_sentences(longest))
    assert listed == {sentence for sentence in kept if len(sentence) <= longest}
    for sentence in sorted(listed)[:60]:
        assert grammar.probability(sentence, exact=True) == kept[sentence] / mass


@pytest.mark.parametrize("name", examples.NAMES)
def test_examples_unroll_and_sample(name):
    grammar = unroll(examples.text(name), depth=9)
    assert grammar.depth == 9
    assert 0 < grammar.lost_mass < 1
    corpus = grammar.sample(20, seed=0)
    for sentence in corpus.sentences[:3]:
        assert grammar.probability(sentence) > 0
    deeper = unroll(examples.text(name), depth=10)
    assert deeper.lost_mass < grammar.lost_mass
    assert Grammar.from_text(str(unroll(examples.text(name), depth=4))) == unroll(
        examples.text(name), depth=4
    )


def test_balanced_brackets_stay_balanced():
    grammar = unroll(examples.text("dyck"), depth=6)
    for sentence in grammar.sample(200, seed=1).sentences:
        stack = []
        for token in sentence:
            if token in "([":
                stack.append(token)
            else:
                assert stack.pop() + token in ("()", "[]")
        assert not stack
    # Catalan numbers: Dyck words of 2k tokens over two kinds of brackets, 2**k * C_k of them.
    counts = [0] * 4
    for sentence in grammar.all_sentences(8):
        counts[len(sentence) // 2 - 1] += 1
    assert counts == [2 * 1, 4 * 2, 8 * 5, 16 * 14]


def test_a_deep_unrolling_keeps_probabilities_exact_and_short():
    grammar = unroll("S -> S S [0.4] | 'a' [0.6]", depth=12)
    assert max(rule.weight.denominator.bit_length() for rule in grammar.rules) < 2000
    # P(height <= d) = m_d with m_d = 0.6 + 0.4 m_{d-1}^2.
    mass = Fraction(0)
    for _ in range(12):
        mass = Fraction(3, 5) + Fraction(2, 5) * mass * mass
    assert abs(float((1 - grammar.lost_mass) / mass) - 1) < 2**-52


def test_a_grammar_without_recursion_is_unchanged():
    grammar = families.random_grammar(depth=3, unary=0.3, skip=0.3, uniform=False, seed=5)
    assert unroll(grammar, depth=3) == grammar
    assert unroll(grammar, depth=9) == grammar
    assert unroll(str(grammar), depth=9).lost_mass == 0


def test_unroll_takes_files_and_nltk_grammars(tmp_path):
    text = TEXTS["left"]
    path = tmp_path / "sums.cfg"
    path.write_text(text)
    assert unroll(path, 3) == unroll(text, 3) == unroll(nltk.PCFG.fromstring(text), 3)


@pytest.mark.parametrize("name", ["linear", "left", "mutual"])
def test_recursion_is_refused_by_grammar_with_the_remedy(name):
    with pytest.raises(
        GrammarError, match=r"bound its depth with .* --unroll DEPTH .*linrep\.unroll"
    ):
        Grammar.from_text(TEXTS[name])


def test_what_cannot_be_unrolled_is_refused():
    with pytest.raises(GrammarError, match="B is used but has no rule"):
        unroll("S -> S B | 'a'", 3)
    with pytest.raises(LanguageError, match="depth is a positive number of edges; received 0"):
        unroll("S -> S 'b' | 'a'", 0)
    with pytest.raises(LanguageError, match="no sentence .* give a greater depth"):
        unroll("S -> S 'b' [1.0]", 3)
    with pytest.raises(LanguageError, match="received int"):
        unroll(3, 3)
    wide = "S -> " + " ".join(["N"] * 13) + "\nN -> 'a' |"
    with pytest.raises(TooLarge, match="more than 12 children that may be empty"):
        unroll(wide, 3)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), depth=st.integers(1, 4))
def test_cutting_a_bounded_grammar_conditions_it(small_grammar, derivations, seed, depth):
    grammar = small_grammar(seed)
    low = [(w, t) for w, t in derivations(grammar) if t.height <= depth]
    mass = sum(w for w, _ in low)
    if not low:
        with pytest.raises(LanguageError, match="give a greater depth"):
            unroll(grammar, depth)
        return
    cut = unroll(grammar, depth)
    assert cut.lost_mass == 1 - mass
    assert cut.n_derivations == len(low)
    sentence = low[0][1].leaves()
    expected = sum(w for w, t in low if t.leaves() == sentence) / mass
    assert cut.probability(sentence, exact=True) == expected


@given(seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_the_language_below_a_symbol_is_that_of_its_subtrees(small_grammar, seed):
    """Below the start symbol it is the grammar itself; below another, what that one derives."""
    grammar = small_grammar(seed)
    assert grammar.below(grammar.start) == grammar
    for symbol in grammar.nonterminals:
        low = grammar.below(symbol)
        assert (low.start, low.lost_mass) == (symbol, 0)
        text = "\n".join(f"{rule} [{rule.weight}]" for rule in grammar.rules if rule.lhs == symbol)
        rest = "\n".join(f"{rule} [{rule.weight}]" for rule in grammar.rules if rule.lhs != symbol)
        expected = low_sentences(f"{text}\n{rest}", grammar.depth)
        assert {s: low.probability(s) for s in expected} == pytest.approx(
            {s: float(p) for s, p in expected.items()}, rel=1e-12
        )  # sums of products of floats: a few units of rounding
        assert sum(expected.values()) == 1
    with pytest.raises(LanguageError, match="received 'nothing'"):
        grammar.below("nothing")


def test_below_a_symbol_of_which_something_was_cut_off_nothing_is_claimed():
    cut = unroll("S -> A S [0.5] | 'b' [0.5]\nA -> 'a' A [0.5] | 'a' [0.5]", 4)
    assert cut.lost_mass > 0
    assert cut.below(cut.start).lost_mass == cut.lost_mass
    for symbol in set(cut.nonterminals) - {cut.start}:
        with pytest.raises(LanguageError, match="bound the language below it"):
            cut.below(symbol)


def test_the_command_writes_the_language_below_a_symbol(tmp_path, capsys):
    source, out = tmp_path / "g.cfg", tmp_path / "low.cfg"
    source.write_text("S -> 'a' B | 'b'\nB -> 'b' | 'c'")
    with pytest.raises(SystemExit) as end:
        main(["grammar", str(source), "--below", "B", "--out", str(out)])
    assert end.value.code == 0
    assert "start: B" in capsys.readouterr().out
    assert out.read_text().startswith("# g.cfg, below B; probability cut off: 0\n")
    assert Grammar.from_file(out) == Grammar.from_text("B -> 'b' | 'c'")
