"""What each part of the construction proves, and what goes wrong without it."""

import math

import numpy as np
import pytest
import torch

from linrep.constructions import ConstructionError, ConstructionSettings, GrammarTransformer
from linrep.constructions.grammar.backends.position_codes import LEAD, position_scheme
from linrep.constructions.grammar.backends.sparse import SparseModel
from linrep.constructions.grammar.normal import normal_form
from linrep.constructions.grammar.passes.log_head import interpolation_error
from linrep.constructions.grammar.passes.shape_trees import enumerate_shapes
from linrep.constructions.grammar.program.program import Lookup, Shift
from linrep.constructions.grammar.semirings import Boolean
from linrep.grammars import Grammar, families

AMBIGUOUS = "S -> A B | B A | A A A\nA -> 'a' | 'a' 'b' | B\nB -> 'b' | 'b' 'a' | 'a' 'a'"


def errors(model, sentences):
    got = model.next_tokens(sentences)
    pairs = zip(got, map(model.grammar.next_token_probabilities, sentences), strict=True)
    return max(np.abs(rows - expected).max() for rows, expected in pairs)


# -- attention by position --


@pytest.mark.parametrize("name", ["onehot", "circular", "bias"])
@pytest.mark.parametrize("n", [1, 8, 64, 512])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_attention_is_exactly_one_hot(name, n, dtype):
    scheme = position_scheme(name, n)
    patterns = [Shift(delta) for delta in {0, 1, n // 2, n}]
    if name != "circular":
        patterns.append(Lookup(tuple(t // 2 for t in range(n + 1))))
    for pattern in patterns:
        query = scheme.query(pattern)
        code = scheme.code.to(dtype)
        scores = (
            scheme.table(pattern).to(dtype) if query is None else (code @ query.to(dtype)) @ code.T
        )
        causal = torch.ones_like(scores, dtype=torch.bool).tril()
        weights = scores.masked_fill(~causal, -math.inf).softmax(-1)
        expected = torch.zeros_like(weights)
        for t in range(scheme.n_positions):
            expected[t, scheme.target(pattern, t)] = 1.0
        assert torch.equal(weights, expected)


@pytest.mark.parametrize(("dtype", "enough", "short"), [(torch.float32, 104, 87),
                                                        (torch.float64, 746, 708)])  # fmt: skip
def test_the_lead_must_exceed_the_exponent_range(dtype, enough, short):
    assert torch.tensor([enough, 0.0], dtype=dtype).softmax(0).tolist() == [1.0, 0.0]
    assert torch.tensor([short, 0.0], dtype=dtype).softmax(0)[1] > 0
    assert enough < LEAD


def test_the_scale_of_attention_is_undone():
    model = GrammarTransformer.from_grammar(families.latin(2, 2)).model
    ids = torch.tensor([[0, 1, 2, 1, 2]])
    attn = model.layers[0].attn
    assert attn.scale == attn.d_head**-0.5  # the usual one
    _, pattern = attn(model.tok(ids) + model.posn(torch.arange(5)[None]), allowed=None)
    assert set(pattern.unique().tolist()) <= {0.0, 1.0, 0.2}  # unused heads look everywhere


# -- the Boolean gadget --


def relu(x):
    return max(0.0, x)


def test_the_boolean_product_is_exact_on_counts_and_the_textbook_one_is_not():
    for a in range(5):
        for b in range(5):
            exact = 1 - relu(1 - a) - relu(1 - b) + relu(1 - a - b)
            assert exact == float(a > 0 and b > 0)
    assert relu(2 + 0 - 1) > 0  # a = 2, b = 0: the textbook AND fires


def test_the_textbook_product_fails_on_ambiguous_grammars(twin, monkeypatch):
    def both(self, layer, left, right, out, weight):
        layer.neuron(((left, 1.0), (right, 1.0)), -1.0, (), 1.0, ((out, 1.0),))

    def copy(self, layer, child, out, weight):
        layer.neuron(((child, 1.0),), 0.0, (), 1.0, ((out, 1.0),))

    monkeypatch.setattr(Boolean, "both", both)
    monkeypatch.setattr(Boolean, "copy", copy)
    # Count 2 for 'a' 'b' as A, none for what follows: the textbook AND lets it pass.
    grammar = Grammar.from_text("S -> A 'c' 'd' | 'b' 'd' 'd'\nA -> B | C\nB -> 'a'\nC -> 'a'")
    settings = {"semiring": "boolean", "backend": "sparse"}
    broken = GrammarTransformer.from_grammar(grammar, **settings)
    monkeypatch.undo()
    exact = GrammarTransformer.from_grammar(grammar, **settings)
    sentences = [("a", "c", "d"), ("a", "d", "d"), ("a", "b", "d")]
    found = [[rows.any(1).tolist() for rows in m.next_tokens(sentences)] for m in (broken, exact)]
    assert found[0] != found[1]
    for rows, sentence in zip(found[1], sentences, strict=True):
        assert rows[-1] == (grammar.probability(sentence) > 0)


# -- plain ReLU, exact probabilities --


@pytest.mark.parametrize("mode", ["spans", "shapes"])
@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_deterministic_grammars_need_no_products(mode, passes, dtype):
    grammar = families.random_hierarchy(n_symbols=4, n_rules=3, arity=3, depth=2, seed=3)
    settings = {"mode": mode, "passes": passes, "dtype": dtype}
    model = GrammarTransformer.from_grammar(grammar, semiring="deterministic", **settings)
    sentences = grammar.sample(20, seed=0).sentences
    assert model.model.config.mlp == "relu"
    assert errors(model, sentences) <= (1e-12 if dtype == torch.float64 else 1e-6)
    wrong = [("a0",) * 9, tuple(reversed(sentences[0]))]
    for rows, sentence in zip(model.next_tokens(wrong), wrong, strict=True):
        assert bool(rows[9].any()) == (grammar.probability(sentence) > 0)
    if mode == "spans" and passes == 2:
        products = GrammarTransformer.from_grammar(grammar)
        assert model.accounting()["neurons"] == products.accounting()["neurons"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("S -> 'a' | 'a' 'b'", r"symbol S derives strings of \[1, 2\] tokens"),
        ("S -> A 'b' | B 'a'\nA -> 'a'\nB -> 'a'", "have the same body"),
        ("S -> A B | B A\nA -> 'a' 'b'\nB -> C D\nC -> 'a'\nD -> 'c'", "2 tree shapes"),
    ],
)
def test_other_grammars_are_refused_with_the_reason(text, reason):
    with pytest.raises(ConstructionError, match=reason):
        GrammarTransformer.from_grammar(Grammar.from_text(text), semiring="deterministic")


# -- shapes --


def test_shapes_are_enumerated_once_each_and_counted_right(twin):
    for seed in range(60):
        grammar = twin.random_grammar(seed, max_sentences=60)
        normal = normal_form(grammar, ConstructionSettings(mode="shapes")).grammar
        shapes = enumerate_shapes(normal, [normal.start])
        assert len(shapes) == len(set(shapes)) == grammar.n_shapes


def test_levelling_must_come_before_binarising(twin):
    changed = 0
    for seed in range(60):
        grammar = twin.random_grammar(seed, max_sentences=60)
        spans = normal_form(grammar, ConstructionSettings()).grammar
        unlevelled = Grammar.from_rules(
            [(spans.symbols[r.lhs], [spans.symbols[r.child]], r.weight) for r in spans.unary]
            + [
                (spans.symbols[r.lhs], [spans.symbols[r.left], spans.symbols[r.right]], r.weight)
                for r in spans.binary
            ],
            spans.symbols[spans.start],
        )
        changed += unlevelled.n_shapes != grammar.n_shapes
    assert changed > 0


def test_too_many_shapes_are_refused_with_the_number():
    body = " ".join(["A"] * 12)
    grammar = Grammar.from_text(f"S -> {body}\nA -> 'a' | 'a' 'b'")
    with pytest.raises(ConstructionError, match="4,096 tree shapes.*mode='spans'"):
        GrammarTransformer.from_grammar(grammar, mode="shapes")


def test_spans_never_need_more_neurons_than_shapes(twin):
    for seed in range(25):
        grammar = twin.random_grammar(seed, max_sentences=60)
        if grammar.n_shapes > 12:
            continue
        sizes = {
            mode: GrammarTransformer.from_grammar(grammar, mode=mode, backend="sparse")
            for mode in ("spans", "shapes")
        }
        spans, shapes = (
            sum(len(x.neurons) for x in sizes[m].program.layers if x.name.startswith("bottom-up"))
            for m in ("spans", "shapes")
        )
        assert spans <= shapes
        assert sizes["shapes"].accounting().holds
        if grammar.n_shapes == 1 and not any(len(p.rhs) != 2 for p in grammar.table.productions):
            assert spans == shapes


# -- scales --


def test_the_gauge_makes_unique_derivations_exactly_one():
    grammar = families.random_hierarchy(n_symbols=3, n_rules=3, arity=2, depth=3, seed=0)
    tops = {}
    for gauge in (True, False):
        model = GrammarTransformer.from_grammar(grammar, gauge=gauge, backend="sparse")
        betas, largest = model.registry.select("beta"), []
        engine = SparseModel(model.program)
        ids = model.encode(grammar.sample(1, seed=0).sentences[0])[None]
        engine.forward(ids, lambda _, s, b=betas, o=largest: o.append([s.row(c).max() for c in b]))
        tops[gauge] = {float(x) for x in largest[-1] if x}
    assert tops[True] == {1.0}
    assert min(tops[False]) < 0.01


def test_without_a_token_scale_long_sentences_underflow_in_float32():
    grammar = families.random_hierarchy(n_symbols=8, n_rules=8, arity=2, depth=6, seed=0)
    sentences = grammar.sample(2, seed=0).sentences
    settings = {"backend": "sparse", "dtype": "float32"}
    kept = GrammarTransformer.from_grammar(grammar, **settings)
    lost = GrammarTransformer.from_grammar(grammar, token_scale=1.0, **settings)
    assert errors(kept, sentences) <= 1e-5
    assert any((rows.sum(1) == 0).any() for rows in lost.next_tokens(sentences))


def test_telescoping_scores_of_the_next_tokens_add_up_to_the_score_before():
    grammar = Grammar.from_text(AMBIGUOUS)
    model = GrammarTransformer.from_grammar(grammar, token_scale=1.0)
    sentences = grammar.sample(10, seed=0).sentences
    for scores, sentence in zip(model.outputs(sentences), sentences, strict=True):
        ids = model.encode(sentence)
        for t in range(1, len(ids)):
            # float64, sums of a few terms below 1
            assert scores[t].sum() == pytest.approx(scores[t - 1][ids[t]], abs=1e-15)
        assert scores[0].sum() == pytest.approx(1.0, abs=1e-15)


# -- heads --


@pytest.mark.parametrize("error", [1e-1, 1e-2, 1e-3])
@pytest.mark.parametrize("settings", [{}, {"mode": "shapes"}, {"dtype": torch.float32}])
def test_the_log_block_keeps_its_bound_and_zeros_stay_zero(error, settings):
    grammar = Grammar.from_text(AMBIGUOUS)
    model = GrammarTransformer.from_grammar(grammar, head="log", log_error=error, **settings)
    rounding = 1e-5 if "dtype" in settings else 1e-12
    largest = 0.0
    sentences = [*grammar.sample(30, seed=0).sentences, ("a",) * 6]
    for sentence, rows in zip(sentences, model.next_tokens(sentences), strict=True):
        for t, row in enumerate(rows):
            if not row.any():
                continue
            exact = np.array(list(grammar.next_token(sentence[:t]).values()))
            assert ((row == 0) == (exact == 0)).all()
            gap = np.abs(np.log(row[exact > 0]) - np.log(exact[exact > 0])).max()
            largest = max(largest, gap)
    assert largest <= error + rounding
    assert largest > error / 10  # the bound is not idle
    assert model.model.config.readout == "logits"
    assert model.accounting().holds


def test_the_chord_of_the_logarithm_lies_below_it_by_at_most_the_bound():
    for step in (0.01, 0.1, 1.0):
        x = np.linspace(1, math.exp(step), 10_001)
        gap = np.log(x) - (x - 1) / (math.exp(step) - 1) * step
        assert gap.min() > -1e-12
        assert gap.max() == pytest.approx(interpolation_error(step), rel=1e-3)


def test_clashing_settings_are_refused():
    for settings, message in [
        ({"head": "log", "dtype": "float32", "log_error": 1e-4}, "log_error >= 1e-3"),
        ({"head": "log", "semiring": "boolean"}, "support has no logarithm"),
        ({"head": "log", "dtype": "float32", "rotation": 1}, "use dtype='float64', or rotation"),
        ({"beliefs": "prefix", "passes": 1}, "beliefs need"),
        ({"mode": "shapes", "position_code": "circular"}, "offset heads only"),
        ({"backend": "sparse", "rotation": 1}, "no residual basis"),
        ({"token_scale": -1.0}, "positive number"),
        ({"token_scale": math.inf}, "positive number"),
        ({"log_error": 2.0}, "between 0 and 1"),
    ]:
        with pytest.raises(ConstructionError, match=message):
            ConstructionSettings(**settings)


def test_a_rotated_log_block_is_exact_to_its_bound_or_refused():
    rare = "S -> A A A | 'b' 'a'\nA -> 'a' [1/10000] | 'b' [9999/10000]"
    grammar = Grammar.from_text(rare)
    refused = {"head": "log", "rotation": 1, "token_scale": 1.0}
    with pytest.raises(ConstructionError, match=r"scores down to 10\^-12 cannot be told"):
        GrammarTransformer.from_grammar(grammar, **refused)
    GrammarTransformer.from_grammar(grammar, **{**refused, "rotation": None})
    grammar = Grammar.from_text(AMBIGUOUS)
    model = GrammarTransformer.from_grammar(grammar, **refused)
    for sentence in grammar.sample(20, seed=1).sentences:
        exact = grammar.next_token_probabilities(sentence)
        got = model.next_tokens([sentence])[0]
        assert ((got > 0) == (exact > 0)).all()
        possible = exact > 0
        assert np.abs(np.log(got[possible]) - np.log(exact[possible])).max() <= 1e-3


# -- back ends --


@pytest.mark.parametrize("settings", [{}, {"mode": "shapes"}, {"passes": 1}, {"head": "log"},
                                      {"semiring": "boolean"}, {"beliefs": "prefix"},
                                      {"head": "probabilities"},
                                      {"semiring": "boolean", "head": "probabilities"},
                                      ])  # fmt: skip
def test_dense_and_sparse_are_the_same_function(settings):
    grammar = Grammar.from_text(AMBIGUOUS)
    sentences = [*grammar.sample(10, seed=1).sentences, ("b",) * 9]
    dense, sparse = (
        GrammarTransformer.from_grammar(grammar, backend=backend, **settings)
        for backend in ("dense", "sparse")
    )
    assert dense.program.registry.to_list() == sparse.program.registry.to_list()
    a, b = dense.outputs(sentences), sparse.outputs(sentences)
    if settings.get("head") == "log":
        a, b = np.exp(a), np.exp(b)
    assert np.abs(a - b).max() <= 1e-12  # only the order of additions differs


def test_duplicate_rules_are_one_rule():
    once = Grammar.from_text("S -> 'a' 'b' [0.5] | 'c' [0.5]")
    twice = Grammar.from_text("S -> 'a' 'b' [0.2] | 'a' 'b' [0.3] | 'c' [0.5]")
    sizes = [GrammarTransformer.from_grammar(g).accounting()["neurons"] for g in (once, twice)]
    assert sizes[0] == sizes[1]


def test_torch_export_gives_the_same_logits():
    grammar = families.latin(2, 2)
    model = GrammarTransformer.from_grammar(grammar).model
    ids = torch.tensor([[0, 1, 2, 1, 2]])
    exported = torch.export.export(model, (ids,), strict=False)
    assert torch.equal(exported.module()(ids).logits, model(ids).logits)
