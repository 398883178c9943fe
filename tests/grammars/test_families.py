"""Families keep what they promise."""

from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from linrep.grammars import LanguageError, families


@pytest.mark.parametrize(
    ("n_symbols", "n_rules", "arity", "depth"),
    [(4, 2, 2, 3), (3, 3, 2, 2), (2, 1, 3, 3), (8, 4, 2, 1)],
)
def test_random_hierarchies_are_invertible_and_have_one_shape(n_symbols, n_rules, arity, depth):
    grammar = families.random_hierarchy(n_symbols, n_rules, arity, depth, seed=1)
    assert grammar.depth == depth
    assert grammar.lengths == {arity**depth}
    assert grammar.n_shapes == 1
    bodies = Counter((grammar.levels[rule.lhs], rule.rhs) for rule in grammar.rules)
    assert set(bodies.values()) == {1}
    assert set(Counter(rule.lhs for rule in grammar.rules).values()) == {n_rules}
    for sentence in grammar.sample(5, seed=2).sentences:
        assert grammar.n_trees(sentence) == 1
    assert families.random_hierarchy(n_symbols, n_rules, arity, depth, seed=1) == grammar


def test_a_seed_matters():
    assert families.random_hierarchy(seed=1) != families.random_hierarchy(seed=2)
    assert families.random_grammar(seed=1) != families.random_grammar(seed=2)


def test_too_few_bodies_are_refused_with_the_numbers():
    with pytest.raises(LanguageError, match=r"need 20 different bodies; 4\^2 = 16 exist"):
        families.random_hierarchy(n_symbols=4, n_rules=5)
    with pytest.raises(LanguageError, match="depth is a positive integer; received 0"):
        families.latin(depth=0)


def test_latin_bodies_add_up_to_their_head():
    grammar = families.latin(order=4, depth=3)
    value = {"S": None}
    for rule in grammar.rules:
        left, right = (int(name.lstrip("a").split("_")[-1]) for name in rule.rhs)
        if rule.lhs not in value:
            value[rule.lhs] = int(rule.lhs.split("_")[1])
        if rule.lhs != "S":
            assert (left + right) % 4 == value[rule.lhs]
    assert Counter(rule.lhs for rule in grammar.rules)["S"] == 16
    assert (grammar.n_shapes, grammar.depth, grammar.lengths) == (1, 3, {8})


@pytest.mark.parametrize(("order", "depth"), [(2, 3), (3, 2), (5, 1)])
def test_with_one_start_class_the_last_token_is_a_function_of_the_others(order, depth):
    grammar = families.latin(order=order, depth=depth, start="one")
    assert (grammar.n_shapes, grammar.depth, grammar.lengths) == (1, depth, {2**depth})
    assert grammar.n_derivations == order ** (2**depth - 1)
    for sentence in grammar.sample(30, seed=0).sentences:
        values = [int(token[1:]) for token in sentence]
        assert sum(values) % order == 0
        rows = grammar.next_token_probabilities(sentence)
        assert rows[:-2, :order] == pytest.approx(1 / order)  # uniform up to the last but one
        assert rows[-2].tolist() == [float(i == values[-1]) for i in range(order)] + [0.0]
        rows = families.latin(order=order, depth=depth).next_token_probabilities(sentence)
        assert rows[-2, :order] == pytest.approx(1 / order)  # the usual start symbol: any token


def test_a_start_symbol_of_latin_has_every_class_or_one():
    with pytest.raises(LanguageError, match="start is 'every' or 'one'.*received 'two'"):
        families.latin(start="two")
    assert families.latin(2, 2, start="every") == families.latin(2, 2)


@settings(max_examples=100)
@given(
    depth=st.integers(1, 5),
    least=st.integers(1, 3),
    extra=st.integers(0, 2),
    knobs=st.tuples(*[st.sampled_from([0.0, 0.3, 1.0])] * 3),
    uniform=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_random_grammars_have_the_depth_and_arity_asked_for(
    depth, least, extra, knobs, uniform, seed
):
    ambiguity, unary, skip = knobs
    grammar = families.random_grammar(
        depth,
        arity=(least, least + extra),
        ambiguity=ambiguity,
        unary=unary,
        skip=skip,
        uniform=uniform,
        seed=seed,
    )
    assert grammar.depth == depth
    sizes = {len(rule.rhs) for rule in grammar.rules}
    assert sizes <= {1, *range(least, least + extra + 1)}
    if unary == 1.0:
        assert sizes == {1}
    if skip == 0.0:
        for rule in grammar.rules:
            below = {
                0 if flag else grammar.levels[name]
                for name, flag in zip(rule.rhs, rule.terminal, strict=True)
            }
            assert below == {grammar.levels[rule.lhs] - 1}
    if ambiguity == 0.0 and unary == 0.0 and least == 3:
        # 2^3 bodies or more for the four of each level: none has two parents.
        bodies = Counter((grammar.levels[rule.lhs], rule.rhs) for rule in grammar.rules)
        assert set(bodies.values()) == {1}


def test_the_knobs_turn():
    plain = families.random_grammar(4, n_symbols=3, n_rules=3, seed=3)
    unary = families.random_grammar(4, n_symbols=3, n_rules=3, unary=0.5, seed=3)
    skipping = families.random_grammar(4, n_symbols=3, n_rules=3, skip=0.8, seed=3)
    shared = families.random_grammar(4, n_symbols=3, n_rules=3, ambiguity=1.0, seed=3)
    weighted = families.random_grammar(4, n_symbols=3, n_rules=3, uniform=False, seed=3)
    assert {len(rule.rhs) for rule in plain.rules} == {2, 3}
    assert 1 in {len(rule.rhs) for rule in unary.rules}
    assert any(
        grammar_level > 1 and any(rule.terminal)
        for rule in skipping.rules
        if (grammar_level := skipping.levels[rule.lhs])
    )
    bodies = Counter(rule.rhs for rule in shared.rules)
    assert max(bodies.values()) > 1
    assert len({rule.weight for rule in weighted.rules}) > 3
    with pytest.raises(LanguageError, match="unary is a probability; received 2"):
        families.random_grammar(unary=2)
    with pytest.raises(LanguageError, match="arity is"):
        families.random_grammar(arity=(3, 2))


def test_the_grammars_of_the_laws_are_of_every_kind(small_grammar, language):
    """What the other tests draw from has ambiguity, unary chains, skipped levels, many shapes."""
    kinds = Counter()
    for seed in range(200):
        grammar = small_grammar(seed * 4999)
        levels = grammar.levels
        kinds["ambiguous"] += len(language(grammar)) < grammar.n_derivations
        unary = {rule.lhs for rule in grammar.rules if len(rule.rhs) == 1}
        kinds["unary chain"] += any(
            len(rule.rhs) == 1 and not rule.terminal[0] and rule.rhs[0] in unary
            for rule in grammar.rules
        )
        kinds["skipped level"] += any(
            levels[rule.lhs] - 1
            > min(
                0 if flag else levels[name]
                for name, flag in zip(rule.rhs, rule.terminal, strict=True)
            )
            for rule in grammar.rules
        )
        kinds["uneven weights"] += len({rule.weight for rule in grammar.rules}) > 2
        kinds["several lengths"] += len(grammar.lengths) > 1
        kinds["several shapes"] += grammar.n_shapes > 1
        kinds["deep"] += grammar.depth >= 3
    assert min(kinds.values()) >= 20, kinds
