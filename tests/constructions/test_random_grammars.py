"""Every mode on 200 random grammars and all their prefixes, against exact enumeration."""

import itertools

import numpy as np
import pytest
import torch

from linrep.constructions import ConstructionError, GrammarTransformer

SEEDS = range(200)
BATCHES = [range(start, start + 20) for start in range(0, 200, 20)]
# Sums and products of a few dozen numbers of order 1 in float64.
EXACT = 1e-12
# Modes besides the default one, dealt out in turn so that each meets a tenth of the grammars.
MODES = [
    {"mode": "shapes"},
    {"mode": "shapes", "passes": 1},
    {"passes": 1},
    {"merge": "rules"},
    {"mode": "shapes", "merge": "rules"},
    {"merge": "bodies", "position_code": "circular"},
    {"mode": "shapes", "position_code": "bias", "gauge": False, "token_scale": 1.0},
    {"beliefs": "boundary", "backend": "sparse"},
    {"beliefs": "prefix", "backend": "sparse"},
    {"backend": "sparse", "passes": 1},
]
BOOLEAN = [{}, {"mode": "shapes"}, {"passes": 1}, {"mode": "shapes", "passes": 1},
           {"merge": "rules"}]  # fmt: skip
# Choices that go with any other, drawn anew for each grammar.
FREE = {
    "mode": ["spans", "shapes"],
    "passes": [1, 2],
    "semiring": ["probability", "boolean"],
    "head": ["scores", "probabilities"],
    "position_code": ["onehot", "bias"],
    "gauge": [True, False],
    "token_scale": ["auto", 1.0, 1.7],
    "backend": ["dense", "sparse"],
    "merge": ["none", "bodies", "rules"],
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny matrices: more threads only wait for each other
    yield
    torch.set_num_threads(threads)


def impossible(grammar, known):
    """Prefixes of two tokens that no sentence starts with, and one that is too long."""
    pairs = itertools.product(grammar.terminals, repeat=2)
    return [pair for pair in pairs if pair not in known][:3]


def worst(model, known, sentences):
    """Largest error over all prefixes; dead prefixes must be exactly zero."""
    tokens = (*model.grammar.terminals, "<eos>")
    error = 0.0
    for sentence, rows in zip(sentences, model.next_tokens(sentences), strict=True):
        for t, row in enumerate(rows):
            expected = known.get(sentence[:t], {})
            target = np.array([float(expected.get(token, 0)) for token in tokens])
            assert np.isfinite(row).all()
            if not expected:
                assert (row == 0).all()
            if model.settings.semiring == "boolean":
                assert ((row > 0) == (target > 0)).all()
            else:
                error = max(error, np.abs(row - target).max())
    return error


@pytest.mark.parametrize("seeds", BATCHES, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_every_prefix_of_random_grammars(twin, seeds):
    built, refused = 0, []
    for seed in seeds:
        grammar = twin.random_grammar(seed, max_sentences=60)
        language = twin.language(grammar)
        known = twin.next_tokens(language)
        sentences = [*language, *impossible(grammar, known)]
        sentences.append((grammar.terminals[0],) * (max(map(len, language)) + 2))
        exact = GrammarTransformer.from_grammar(grammar)
        assert worst(exact, known, sentences) <= EXACT
        assert exact.accounting().holds
        single = GrammarTransformer.from_grammar(
            grammar, dtype=torch.float32, position_code="circular"
        )
        assert worst(single, known, sentences) <= 1e-6
        for settings in (MODES[seed % len(MODES)], {"semiring": "boolean", **BOOLEAN[seed % 5]}):
            try:
                model = GrammarTransformer.from_grammar(grammar, max_shapes=12, **settings)
            except ConstructionError as error:
                refused.append((settings.get("mode"), grammar.n_shapes, str(error)))
                continue
            built += 1
            assert worst(model, known, sentences) <= EXACT
            assert model.accounting().holds
    assert built > 30
    for mode, shapes, reason in refused:
        assert mode == "shapes"
        assert shapes > 12 or "parameters" in reason


@pytest.mark.parametrize("seeds", BATCHES[:2], ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_any_combination_of_choices_is_exact(twin, seeds):
    built = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        grammar = twin.random_grammar(seed, max_sentences=20)
        language = twin.language(grammar)
        known = twin.next_tokens(language)
        sentences = [*language, *impossible(grammar, known)]
        for _ in range(4):
            chosen = {name: row[rng.integers(len(row))] for name, row in FREE.items()}
            if chosen["mode"] == "shapes" and grammar.n_shapes > 6:
                continue
            built += 1
            model = GrammarTransformer.from_grammar(grammar, **chosen)
            assert worst(model, known, sentences) <= EXACT, chosen
            assert model.accounting().holds, chosen
    assert built > 40


def test_the_sample_of_grammars_is_varied(twin):
    grammars = [twin.random_grammar(seed, max_sentences=60) for seed in SEEDS]
    ambiguous = [g for g in grammars if g.n_derivations > len(twin.language(g))]
    assert len(set(grammars)) > 180
    assert len(ambiguous) > 50
    assert sum(g.n_shapes > 1 for g in grammars) > 100
    assert sum(len(g.lengths) > 1 for g in grammars) > 100
    assert {g.depth for g in grammars} == {1, 2, 3, 4}
    assert any(len(p.rhs) == 1 for g in grammars for p in g.table.productions)
