"""The constructed model is its grammar: next tokens, saving, TransformerLens, generation."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from linrep.constructions import ConstructionError, GrammarTransformer
from linrep.constructions.grammar.compiler import require_grammar
from linrep.core import LinrepError
from linrep.grammars import Grammar, families
from linrep.models import load, to_bridge

GRAMMARS = {
    "latin": lambda: families.latin(order=3, depth=3),
    "hierarchy": lambda: families.random_hierarchy(n_symbols=4, n_rules=2, arity=2, depth=3),
    "ambiguous": lambda: Grammar.from_text(
        "S -> A B [0.6] | B A 'c' [0.4]\nA -> 'a' | 'a' 'b'\nB -> 'b' | 'b' 'c' | A 'c'"
    ),
}
# float64: sums and products of a few dozen terms of order 1. A rotated stream adds rounding of
# entries of order 1 to each score. float32: the same with its larger unit.
CASES = [
    ({}, 1e-12),
    ({"position_code": "circular"}, 1e-12),
    ({"position_code": "bias"}, 1e-12),
    ({"gauge": False, "token_scale": 1.0}, 1e-12),
    ({"token_scale": 1.7}, 1e-12),
    ({"merge": "bodies"}, 1e-12),
    ({"head": "probabilities"}, 1e-12),
    ({"rotation": 3}, 1e-12),
    ({"backend": "sparse"}, 1e-12),
    ({"dtype": torch.float32}, 1e-6),
    ({"dtype": torch.float32, "position_code": "circular"}, 1e-6),
]


@pytest.fixture(params=GRAMMARS, scope="module")
def grammar(request):
    return GRAMMARS[request.param]()


@pytest.mark.parametrize(("settings", "tolerance"), CASES)
def test_next_tokens_equal_the_grammars(grammar, settings, tolerance):
    model = GrammarTransformer.from_grammar(grammar, **settings)
    sentences = grammar.sample(20, seed=1).sentences
    for sentence, got in zip(sentences, model.next_tokens(sentences), strict=True):
        expected = grammar.next_token_probabilities(sentence)
        assert np.abs(got - expected).max() <= tolerance


@pytest.mark.parametrize("settings", [{}, {"backend": "sparse"}, {"head": "log"}])
def test_no_sentences_have_no_next_tokens(settings):
    model = GrammarTransformer.from_grammar(GRAMMARS["latin"](), **settings)
    assert model.next_tokens([]) == []
    assert model.outputs([]).shape == (0, 1, len(model.vocabulary))


def test_one_prefix_at_a_time(grammar):
    model = GrammarTransformer.from_grammar(grammar)
    prefix = grammar.sample(1, seed=2).sentences[0][:1]
    expected = grammar.next_token(prefix)
    got = model.next_token(prefix)
    assert list(got) == [*grammar.terminals, "<eos>"]
    assert all(abs(got[token] - expected[token]) <= 1e-12 for token in expected)


@pytest.mark.parametrize("settings", [{}, {"rotation": 1}, {"position_code": "bias"},
                                      {"dtype": torch.float32}])  # fmt: skip
def test_saved_loaded_and_bridged_logits_are_the_same_bits(tmp_path, grammar, settings):
    model = GrammarTransformer.from_grammar(grammar, **settings)
    model.save_pretrained(tmp_path)
    again = GrammarTransformer.from_pretrained(tmp_path)
    assert again.grammar == grammar
    assert again.settings == model.settings
    ids = torch.from_numpy(model.encode(grammar.sample(1, seed=0).sentences[0]))[None]
    expected = model.model(ids).logits
    assert torch.equal(again.model(ids).logits, expected)
    assert torch.equal(AutoModelForCausalLM.from_pretrained(tmp_path)(ids).logits, expected)
    assert torch.equal(to_bridge(model)(ids), expected)
    assert torch.equal(to_bridge(load(tmp_path).model)(ids), expected)
    assert not list(tmp_path.glob("*.bin"))  # safetensors only


def test_generated_sentences_follow_the_grammars_frequencies(twin):
    from scipy.stats import chisquare

    grammar = GRAMMARS["ambiguous"]()
    expected = twin.language(grammar)
    drawn = GrammarTransformer.from_grammar(grammar).generate(3000, seed=0)
    assert set(drawn) <= set(expected)
    kept = [s for s, p in expected.items() if p * 3000 >= 5]  # the test's validity
    counts = [drawn.count(s) for s in kept]
    rest = 1 - float(sum(expected[s] for s in kept))
    weights = [*(float(expected[s]) for s in kept), *([rest] if rest > 1e-12 else [])]
    observed = [*counts, *([3000 - sum(counts)] if rest > 1e-12 else [])]
    assert chisquare(observed, np.array(weights) * 3000).pvalue > 1e-3
    wrong = [*reversed(weights)]  # the opposite: another distribution on the same sentences
    assert chisquare(observed, np.array(wrong) * 3000).pvalue < 1e-6


@pytest.mark.parametrize("settings", [{"head": "log"}, {"head": "probabilities"}, {"passes": 1},
                                      {"mode": "shapes"}, {"semiring": "boolean"}])  # fmt: skip
def test_every_head_and_mode_generates_the_language_only(twin, settings):
    grammar = GRAMMARS["ambiguous"]()
    drawn = GrammarTransformer.from_grammar(grammar, position_code="bias", **settings).generate(200)
    assert set(drawn) <= set(twin.language(grammar))
    assert len(set(drawn)) > 5


def test_generation_leaves_the_global_generator_alone():
    model = GrammarTransformer.from_grammar(GRAMMARS["latin"]())
    state = torch.get_rng_state()
    assert model.generate(4, seed=1) == model.generate(4, seed=1) != model.generate(4, seed=2)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("side", ["left", "right"])
def test_batched_and_padded_input(grammar, side):
    model = GrammarTransformer.from_grammar(grammar)
    sentences = sorted(set(grammar.sample(8, seed=3).sentences), key=len)
    rows = [model.encode(s[: 1 + i]) for i, s in enumerate(sentences)]
    longest = max(map(len, rows))
    ids, mask = np.full((len(rows), longest), 1), np.zeros((len(rows), longest), dtype=int)
    for i, row in enumerate(rows):
        place = slice(0, len(row)) if side == "right" else slice(longest - len(row), longest)
        ids[i, place], mask[i, place] = row, 1
    logits = model.model(torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
    for i, row in enumerate(rows):
        alone = model.model(torch.from_numpy(row)[None]).logits[0]
        # Padding contributes exact zeros; only the order of additions differs.
        assert torch.allclose(logits[i][torch.from_numpy(mask[i] == 1)], alone, rtol=0, atol=1e-14)


@pytest.mark.parametrize("settings", [{}, {"position_code": "circular"}, {"position_code": "bias"},
                                      {"backend": "sparse"}, {"dtype": torch.float32}])  # fmt: skip
def test_impossible_and_over_long_prefixes_get_exact_zeros(grammar, settings):
    model = GrammarTransformer.from_grammar(grammar, **settings)
    for token in grammar.terminals:
        rows = model.next_tokens([(token,) * (2 * model.n_max + 3)])[0]
        assert (rows[model.n_max + 1 :] == 0).all()
        assert np.isfinite(rows).all()
        dead = rows.sum(1) == 0
        assert (np.diff(dead.astype(int)) >= 0).all()  # once impossible, always
        assert dead[-1]


def test_unknown_words_and_settings_are_refused():
    grammar = GRAMMARS["latin"]()
    with pytest.raises(LinrepError, match="no terminal"):
        GrammarTransformer.from_grammar(grammar).next_token(["nonsense"])
    with pytest.raises(ConstructionError, match="mode is one of 'spans', 'shapes'"):
        GrammarTransformer.from_grammar(grammar, mode="chart")
    with pytest.raises(ConstructionError, match=r"built from a Grammar; received str 'S -> a'"):
        require_grammar("S -> a")
    with pytest.raises(ConstructionError, match=r"unknown settings \['colour'\]"):
        GrammarTransformer.from_grammar(grammar, colour="red")
    with pytest.raises(ConstructionError, match="no Hugging Face model"):
        _ = GrammarTransformer.from_grammar(grammar, backend="sparse").model


def test_a_dense_model_above_the_budget_is_refused_with_the_number():
    grammar = GRAMMARS["latin"]()
    needed = sum(p.numel() for p in GrammarTransformer.from_grammar(grammar).model.parameters())
    with pytest.raises(ConstructionError, match=f"{needed:,} parameters.*backend='sparse'"):
        GrammarTransformer.from_grammar(grammar, max_parameters=needed - 1)
    GrammarTransformer.from_grammar(grammar, max_parameters=needed)


def test_a_folder_of_another_model_is_refused(tmp_path):
    from linrep.models import PlainConfig, PlainTransformer

    PlainTransformer(PlainConfig()).save_pretrained(tmp_path)
    with pytest.raises(ConstructionError, match="not constructed from a grammar"):
        GrammarTransformer.from_pretrained(tmp_path)


def test_the_sparse_model_survives_saving(tmp_path, grammar):
    model = GrammarTransformer.from_grammar(grammar, backend="sparse")
    model.save_pretrained(tmp_path)
    sentences = grammar.sample(3, seed=0).sentences
    again = GrammarTransformer.from_pretrained(tmp_path)
    assert np.array_equal(again.outputs(sentences), model.outputs(sentences))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda recipe: recipe.update(grammar=["S -> 'a'"]),
            "grammar: Input should be a valid str",
        ),
        (lambda recipe: recipe.update(grammar="S ->"), "not a usable grammar"),
        (lambda recipe: recipe.pop("settings"), "settings: Field required"),
        (
            lambda recipe: recipe["settings"].update(odd=1),
            "has no settings odd: leave them",
        ),
        (lambda recipe: recipe["settings"].update(max_shapes="many"), "max_shapes: Input should"),
        (lambda recipe: recipe["settings"].update(mode=[1]), "mode is one of"),
    ],
)
def test_recipes_from_anywhere_are_read_by_schema(tmp_path, change, message):
    made = GrammarTransformer.from_grammar(Grammar.from_text("S -> 'a' | 'b'"), backend="sparse")
    made.save_pretrained(tmp_path)
    file = tmp_path / "linrep_sparse.json"
    recipe = json.loads(file.read_text())
    change(recipe)
    file.write_text(json.dumps(recipe))
    with pytest.raises(ConstructionError, match=f"the recipe in .* is damaged .*{message}"):
        GrammarTransformer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda noted: noted.update(grammar="S -> 'a'"), "others than"),
        (lambda noted: noted.update(grammar="S -> 'a' 'c' | 'c'"), "other"),
        (lambda noted: noted.update(grammar="S -> 'a' 'b'"), "others than"),
        (lambda noted: noted["settings"].update(passes=1), "others than"),
        (lambda noted: noted["registry"].pop(), "others than"),
        (lambda noted: noted["registry"][0].update(kind="odd"), "others than"),
        (lambda noted: noted.pop("registry"), "others than"),
    ],
)
def test_weights_of_another_construction_than_the_folder_notes_are_refused(
    tmp_path, change, message
):
    made = GrammarTransformer.from_grammar(Grammar.from_text("S -> 'a' 'b' | 'b'"))
    made.save_pretrained(tmp_path)
    assert GrammarTransformer.from_pretrained(tmp_path).next_token(["a"])["b"] == 1
    file = tmp_path / "config.json"
    config = json.loads(file.read_text())
    change(config["linrep"])
    file.write_text(json.dumps(config))
    with pytest.raises(ConstructionError, match=f"the recipe in .* is damaged .*{message}"):
        GrammarTransformer.from_pretrained(tmp_path)


def test_a_damaged_recipe_is_refused_before_the_weights_are_read(tmp_path, monkeypatch):
    GrammarTransformer.from_grammar(Grammar.from_text("S -> 'a'")).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    config = json.loads(file.read_text())
    config["linrep"]["grammar"] = "S ->"
    file.write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ConstructionError, match="the recipe in .* is damaged .*not a usable"):
        GrammarTransformer.from_pretrained(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[" * 10**5, "9" * 5000, "\x00"])
def test_recipes_that_are_no_json_are_refused(tmp_path, text):
    (tmp_path / "linrep_sparse.json").write_text(text)
    with pytest.raises(ConstructionError, match=r"linrep_sparse\.json.* (cannot be read|damaged)"):
        GrammarTransformer.from_pretrained(tmp_path)
