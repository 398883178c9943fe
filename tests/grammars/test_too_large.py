"""What would not fit is refused with its size, before anything of that size is allocated."""

import importlib
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from linrep.grammars import (
    Grammar,
    GrammarError,
    TooLarge,
    examples,
    families,
    from_lark,
    memory as memory_module,
    unroll,
)
from linrep.grammars.formats.rule import Rule
from linrep.grammars.formats.validation import find_cycle
from linrep.grammars.inference.counting import derivations_by_length, derivations_up_to
from linrep.grammars.sampling.length_sampling import sample_of_length

sampling_module = importlib.import_module("linrep.grammars.sampling.growing")
text_module = importlib.import_module("linrep.grammars.formats.text")
unroll_module = importlib.import_module("linrep.grammars.derived.unroll")


def doubling(depth, *bodies):
    """``X{h}`` is two of ``X{h - 1}``, or one of the other bodies, in which ``%`` is ``h - 1``."""
    rules = [
        f"X{h} -> "
        + " | ".join([f"X{h - 1} X{h - 1}", *(b.replace("%", str(h - 1)) for b in bodies)])
        for h in range(depth, 0, -1)
    ]
    return Grammar.from_text("\n".join([*rules, "X0 -> 'a' | 'b'"]))


def chain(depth):
    """The text of a grammar in which each symbol is the next one or a token."""
    rules = [f"X{h} -> X{h - 1} | 'a'" for h in range(depth, 0, -1)]
    return "\n".join([*rules, "X0 -> 'b'"])


def read_many_tokens():
    doubling(17, "X%").next_token_probabilities(["a"] * 100_000)


def parse_many_tokens():
    doubling(16, "X%").n_trees(["a"] * 65_536)


REFUSED = {
    "derivations": (
        lambda: doubling(45).n_derivations,
        r"counting derivations takes integers of .*e\+13 binary digits; .* bound the depth",
    ),
    "derivations beyond floats": (
        lambda: doubling(1030).n_derivations,
        r"integers of more than 2\*\*1000 binary digits",
    ),
    "counts of all lengths": (
        lambda: doubling(20, "X%").derivations_by_length,
        r"counting derivations of each length up to 1048576 takes integers of .* binary digits",
    ),
    "lengths": (lambda: doubling(45).lengths, "up to 35184372088832 tokens"),
    "best weights by length": (lambda: doubling(45).binary.viterbi, "35184372088832 tokens"),
    "shapes": (
        lambda: doubling(45, "X% X% X%").n_shapes,
        r"counting tree shapes takes integers of .* binary digits",
    ),
    "shapes by length": (
        lambda: doubling(45).shapes_by_length,
        r"counting tree shapes takes integers of .* binary digits",
    ),
    "a list of all sentences": (
        lambda: next(doubling(9).all_sentences()),
        r"\d{155} derivations of sentences of 512 tokens, too many to list",
    ),
    "many sentences": (
        lambda: families.latin(2, 2).sample(10**12),
        "1000000000000 sentences needs",
    ),
    "one long sentence": (lambda: doubling(45).sample(1), r"a sample of 1 sentences needs .* GiB"),
    "a sentence beyond floats": (lambda: doubling(1030).sample(1), r"more than 2\*\*990 GiB"),
    "a chart": (
        read_many_tokens,
        r"a chart of \d+ rows over 1 sentence of up to 100000 tokens needs",
    ),
    "a forest": (parse_many_tokens, r"a chart of \d+ rows over 1 sentence of up to 65536 tokens"),
    "latin rules": (lambda: families.latin(10**5, 2), "a grammar of 20000000000 rules with 2"),
    "random rules": (lambda: families.random_grammar(10**9), "a grammar of 4000000000 rules"),
    "hierarchy rules": (
        lambda: families.random_hierarchy(10**5, 10**5, 3),
        r"30000000000 rules with 3 symbols each needs .* GiB; .* ask for a smaller grammar",
    ),
    "latin levels": (
        lambda: families.latin(2, 200_000),
        r"a grammar of 800000 rules with 2 .* more than can be worked with: at most 200000 rules",
    ),
    "hierarchy levels": (lambda: families.random_hierarchy(4, 2, 2, 10**5), "at most 200000 rules"),
    "random levels": (lambda: families.random_grammar(10**6, n_rules=1), "at most 200000 rules"),
    "a long chain": (
        lambda: Grammar.from_text("A -> B\n" * 1_000_001),
        r"the text has 1000001 arrows and bars.* at most 400000 are read",
    ),
    "a long chain of rules": (
        lambda: Grammar("A", (Rule("A", ("A",), None, (False,)),) * 400_001),
        r"the grammar has 400001 rules; at most 400000 are read: write a smaller grammar",
    ),
    "a deep family": (lambda: families.latin(2, 10**5), "400000 rules .* at most 200000 rules"),
    "a deep chain": (
        lambda: unroll(examples.text("dyck"), depth=10**5 + 1),
        r"symbols? to depth 100001 keeps .* at most 100000 are worked with: give a smaller depth",
    ),
    "a deep recursion": (
        lambda: unroll(examples.text("dyck"), depth=600_000),
        r"symbols? to depth 600000 keeps .* at most 100000 are worked with: give a smaller depth",
    ),
    "heights of a chain": (
        lambda: unroll(chain(1000), depth=1000),
        "1001000 pairs; at most 100000",
    ),
    "hierarchy bodies": (lambda: families.random_hierarchy(10, 2, 20), r"there are 10\^20 bodies"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_sizes_that_would_not_fit_are_refused_before_allocation(name, monkeypatch):
    work, message = REFUSED[name]
    # The same everywhere: on a machine with memory enough the work would be begun.
    monkeypatch.setattr(memory_module, "available_memory", lambda: 4 * 2**30)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match=message):
            work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Grammar, sentence and the lists of possible lengths; the smallest of these sizes is 8 GiB.
    assert peak < 200 * 2**20


HIERARCHY = families.random_hierarchy(4, 2, 2, 5, seed=1)
CORPUS = HIERARCHY.sample(50, seed=1)
RAGGED = doubling(7, "X%")
WEIGHTS = np.array([float(production.weight) for production in RAGGED.table.productions])
WIDE = families.random_grammar(3, n_symbols=8, n_rules=6, seed=1)
# One token by probability, 4096 where all derivations count the same.
RARE = Grammar.from_text(
    "S -> 'a' [0.999999] | X [0.000001]\n"
    f"X -> {'Y ' * 64}[1.0]\nY -> {'Z ' * 64}[1.0]\nZ -> 'a' [0.5] | 'b' [0.5]"
)

SMALL = {
    "labels": (
        lambda: CORPUS.posterior(1),
        20_000,
        "posteriors of 1600 tokens over 4 labels needs",
    ),
    "beginnings": (
        lambda: HIERARCHY.ancestor_posterior(CORPUS.sentences[0], 31, 4),
        20_000,
        "a chart of 1[0-9][0-9] rows over 1 sentence of up to 32 tokens needs",
    ),
    "lengths": (
        lambda: WIDE.sample(1, length=20),
        20_000,
        "distributions of lengths up to 20 needs",
    ),
    "parts": (
        lambda: sample_of_length(RAGGED.table, WEIGHTS, 50, 100, np.random.default_rng(0)),
        60_000,
        r"dealing \d+ different lengths up to 100 needs",
    ),
    "long sentences, rare by probability": (
        lambda: RARE.sample(100, by="derivations"),
        1_000_000,
        "a sample of 100 sentences needs .* GiB",
    ),
    "listing": (
        lambda: list(doubling(3).all_sentences()),
        40_000,
        "listing 256 derivations needs",
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_smaller_machine_refuses_sooner(name, monkeypatch):
    work, size, message = SMALL[name]
    work()  # the opposite: it fits here
    monkeypatch.setattr(memory_module, "available_memory", lambda: size)
    with pytest.raises(TooLarge, match=message):
        work()


def test_where_the_system_does_not_tell_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(memory_module, "available_memory", lambda: None)
    memory_module.require_memory(10**30, "anything")


def test_sizes_are_written_out_however_large():
    for needed, text in [(2**50, "1.05e.06 GiB"), (2**2010, r"2\*\*1980 GiB")]:
        with pytest.raises(TooLarge, match=text):
            memory_module.require_memory(needed, "this")


def test_more_nodes_than_their_integers_count_are_refused(monkeypatch):
    monkeypatch.setattr(sampling_module, "_MOST_NODES", 1599)
    with pytest.raises(TooLarge, match="the sample has 1600 nodes at one height; at most 1599"):
        HIERARCHY.sample(50)
    assert HIERARCHY.sample(49).n_tokens == 1568


def test_unrolling_into_too_many_rules_is_refused(monkeypatch):
    monkeypatch.setattr(unroll_module, "MOST_RULES", 20)
    with pytest.raises(TooLarge, match="unrolled to depth 12 the grammar has more than 20 rules"):
        unroll(examples.text("dyck"), depth=12)


def test_long_chains_take_time_that_grows_as_they_do():
    """Neither a cycle is looked for, nor a height, by going through all symbols at each symbol."""
    _, rules = text_module.parse_text(chain(3_000))
    assert find_cycle(rules) == ()
    looped = [*rules, Rule("X0", ("X3",), None, (False,))]
    assert find_cycle(looped) == ("X3", "X2", "X1", "X0", "X3")
    for ordered in (rules, rules[::-1]):
        weighted = [Rule(r.lhs, r.rhs, Fraction(1), r.terminal) for r in ordered]
        tops = unroll_module._Unroller("X3000", weighted).tops
        assert tops["X0"] == 1
        assert tops["X3000"] == 3_001


def test_a_depth_of_more_heights_than_rules_is_refused_before_the_work():
    with pytest.raises(TooLarge, match=r"symbols? to depth 1000000000 keeps .* at most 100000"):
        unroll(examples.text("dyck"), depth=10**9)
    bounded = unroll("S -> 'a' B\nB -> 'b'", depth=10**9)  # grows no higher than 2
    assert bounded == Grammar.from_text("S -> 'a' B\nB -> 'b'")


@pytest.mark.parametrize(
    "ask",
    [
        lambda grammar, sentence: grammar.n_trees(sentence),
        lambda grammar, sentence: grammar.viterbi(sentence),
        lambda grammar, sentence: next(grammar.trees(sentence)),
        lambda grammar, _: next(grammar.all_sentences()),
    ],
    ids=["n_trees", "viterbi", "trees", "all_sentences"],
)
def test_grammars_deeper_than_calls_may_nest_are_refused_with_a_remedy(ask):
    rules = [(f"N{i}", [f"N{i + 1}"], 1) for i in range(1200)]
    grammar = Grammar.from_rules([*rules, ("N1200", ["x"], 1)], "N0")
    with pytest.raises(TooLarge, match=r"nests more than \d+ calls.* sys.setrecursionlimit"):
        ask(grammar, ["x"])
    assert grammar.probability(["x"]) == 1.0  # charts know no such limit


@pytest.mark.parametrize("text", ['"a"~1..100000', '("a" | "b")~60', '(["a"] ["b"] ["c"])~1..9'])
def test_repetitions_that_explode_are_refused(text):
    with pytest.raises(GrammarError, match=r"start: written out, .* 1000000.* a rule of its own"):
        from_lark(f"start: {text}")


def test_short_sentences_of_a_language_too_large_to_count():
    grammar = unroll("S -> S S [0.4] | 'a' [0.6]", depth=60)
    assert list(grammar.all_sentences(3)) == [("a",), ("a", "a"), ("a", "a", "a")]
    with pytest.raises(TooLarge, match="binary digits"):
        next(grammar.all_sentences())


@pytest.mark.parametrize("seed", range(40))
def test_counts_up_to_a_length_are_the_counts_of_those_lengths(small_grammar, seed):
    table = small_grammar(seed * 6151).table
    every = derivations_by_length(table)
    for most in (1, 3, 6, 12):
        expected = [{n: k for n, k in row.items() if n <= most} for row in every]
        assert derivations_up_to(table, most) == expected
