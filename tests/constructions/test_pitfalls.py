"""The traps of the construction, each on the grammar that bites.

Others have their test elsewhere: the textbook AND, levelling before binarising, float32 without a
token scale, the scale of attention, exponent ranges, duplicate rules, telescoping, log blocks and
the gauge in test_gadgets.py; trees that are not shapes in test_gadgets.py and test_accounting.py;
rotation in test_predictions.py.
"""

import numpy as np
import pytest
import torch

from linrep.constructions import GrammarTransformer
from linrep.grammars import Grammar
from linrep.hooks import capture

EXACT = 1e-12  # float64 sums of fewer than a hundred products
MODES = [
    {"mode": mode, "passes": passes, "backend": "sparse"}
    for mode in ("spans", "shapes")
    for passes in (2, 1)
]


def exact(twin, text, settings, extra=()):
    """The model agrees with enumeration after every prefix; impossible ones get zeros."""
    grammar = Grammar.from_text(text)
    model = GrammarTransformer.from_grammar(grammar, **settings)
    language = twin.language(grammar)
    known = twin.next_tokens(language)
    tokens = (*grammar.terminals, "<eos>")
    sentences = [*language, *extra]
    for sentence, rows in zip(sentences, model.next_tokens(sentences), strict=True):
        for t, row in enumerate(rows):
            expected = known.get(sentence[:t], {})
            target = np.array([float(expected.get(token, 0)) for token in tokens])
            assert np.abs(row - target).max() <= EXACT, (sentence[:t], row, target)
            assert expected or (row == 0).all()
    return model


@pytest.mark.parametrize("settings", MODES)
def test_weights_of_right_siblings_belong_to_the_node(twin, settings):
    """Two nodes of one height and one shape whose right siblings have different sub-shapes."""
    text = "S -> P P\nP -> A A\nA -> 'a' [0.9] | 'b' 'b' [0.1]"
    model = exact(twin, text, settings)
    assert model.grammar.n_shapes == 16


@pytest.mark.parametrize("settings", MODES)
def test_what_is_fetched_before_the_beginning_is_nothing(twin, settings):
    """Contexts are not zero at BOS; spans longer than the prefix must not read them."""
    exact(twin, "S -> A B | B\nA -> 'a' 'a' 'a' | 'a'\nB -> 'a' 'b' | 'b'", settings)


@pytest.mark.parametrize("settings", MODES)
def test_only_a_start_symbol_over_all_tokens_ends_the_sentence(twin, settings):
    """A has the yields of S, and occurs inside it: its end is not the sentence's."""
    text = "S -> A [0.3] | A A [0.7]\nA -> 'a' [0.6] | 'a' 'a' [0.4]"
    exact(twin, text, settings, extra=[("a",) * 6])


@pytest.mark.parametrize("settings", MODES)
def test_contexts_are_final_only_when_parents_of_every_level_are_done(twin, settings):
    """B is called from levels 2, 3 and 4, beside terminals, in the middle of long rules."""
    text = (
        "S -> 'x' A 'y' B [0.5] | C B [0.5]\nC -> A 'z' B\n"
        "A -> B 'z' [0.4] | 'x' [0.6]\nB -> 'b' [0.2] | 'c' [0.8]"
    )
    exact(twin, text, settings)


def test_helpers_shared_between_levels_spoil_no_label():
    """The pair p q ends bodies at three levels; beliefs stay those of the grammar."""
    grammar = Grammar.from_text(
        "S -> A 'p' 'q' [0.5] | 'r' 'p' 'q' [0.5]\nA -> B 'p' 'q' [0.7] | 'r' [0.3]\n"
        "B -> 's' 'p' 'q' [0.6] | 's' [0.4]"
    )
    model = GrammarTransformer.from_grammar(grammar, beliefs="boundary")
    corpus = grammar.sample(60, seed=0)
    acts = capture(model, corpus, dtype="float64", check=False, progress=False)
    streams = np.asarray(acts[acts.sites[-1]])
    for height, block in model.program.beliefs.items():
        ends = corpus.boundary(height)
        found = streams[ends][:, list(block.values())]
        posterior = found / found.sum(axis=1, keepdims=True)
        expected = corpus.max_posterior(height, given="boundary")[ends]
        assert np.abs(posterior.max(axis=1) - expected).max() <= EXACT


def test_lengths_that_nothing_has_get_no_coordinate():
    """A has 2, 5, 6 or 7 tokens: no sums of shorter or other lengths are stored."""
    grammar = Grammar.from_text("S -> A A\nA -> 'a' 'a' | B B 'b'\nB -> 'b' 'b' | 'c' 'c' 'c'")
    model = GrammarTransformer.from_grammar(grammar, backend="sparse")
    stored = {(place.symbol, place.length) for place in model.registry if place.kind == "beta"}
    lengths = {"A": {2, 5, 6, 7}, "B": {2, 3}}
    lengths["S"] = {m + n for m in lengths["A"] for n in lengths["A"]}
    for symbol, expected in lengths.items():
        assert {length for name, length in stored if name == symbol} == expected


@pytest.mark.parametrize("position_code", ["onehot", "circular", "bias"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_positions_past_the_end_are_zeros(position_code, dtype):
    grammar = Grammar.from_text("S -> A A\nA -> 'a' | 'a' 'a'")
    model = GrammarTransformer.from_grammar(grammar, position_code=position_code, dtype=dtype)
    (rows,) = model.next_tokens([("a",) * 40])
    longest = max(grammar.lengths)
    assert rows[longest][-1] == 1  # the end, after the longest sentence
    assert (np.asarray(rows[longest + 1 :]) == 0).all()
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("settings", [{}, {"position_code": "circular"}, {"position_code": "bias"},
                                      {"mode": "shapes"}, {"backend": "sparse"},
                                      {"dtype": "float32"}])  # fmt: skip
@pytest.mark.parametrize("passes", [1, 2])
def test_complements_of_bits_are_zeros_past_the_end_too(passes, settings):
    """Heads average over the positions past the end: seven times 1/7 is not 1."""
    for text in ("S -> 'a'", "S -> A B\nA -> 'a' 'b' | 'b' 'a'\nB -> 'a' 'a' | 'b' 'b'"):
        grammar = Grammar.from_text(text)
        model = GrammarTransformer.from_grammar(
            grammar, semiring="deterministic", passes=passes, **settings
        )
        rng = np.random.default_rng(0)
        longest = model.n_max
        sentences = [rng.choice(grammar.terminals, longest + n).tolist() for n in range(1, 10)]
        for rows, sentence in zip(model.outputs(sentences), sentences, strict=True):
            assert (rows[longest + 1 : len(sentence) + 1] == 0).all()
