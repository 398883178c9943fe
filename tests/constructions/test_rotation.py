"""A rotated model is right after every prefix, or it is refused, or it says that it is not."""

import itertools
import math
from statistics import median

import numpy as np
import pytest
import torch

from linrep.constructions import ConstructionError, ConstructionSettings, GrammarTransformer
from linrep.constructions.grammar.backends.noise import MARGIN, largest_deviation
from linrep.constructions.grammar.backends.rotation import ROTATION_NOISE
from linrep.constructions.grammar.backends.trials import extreme_sentence, trial_sentences
from linrep.constructions.grammar.normal import normal_form
from linrep.constructions.grammar.program.smallest import smallest_score
from linrep.grammars import Grammar, families

# A sentence of weight 1e-14, below the noise of any rotated float64 stream of this width.
RARE = "S -> A A | 'c' 'a'\nA -> 'a' [1/10000000] | 'b' [9999999/10000000]"
# Likely sentences score high at the grammar's own token scale, others far below: a rotated stream
# rounds to the former.
SKEWED = "\n".join(
    [f"{'S' if i == 5 else f'A{i}'} -> A{i - 1} A{i - 1} [0.9] | B{i - 1} A{i - 1} [0.1]"
     for i in range(5, 0, -1)]
    + [f"B{i} -> B{i - 1} A{i - 1} [0.9] | B{i - 1} B{i - 1} [0.1]" for i in range(4, 0, -1)]
    + ["A0 -> 'a' [0.9] | 'b' [0.1]", "B0 -> 'c' [0.9] | 'a' [0.1]"]
)  # fmt: skip
# Choices that go with a rotation, drawn anew for each grammar.
FREE = {
    "mode": ["spans", "shapes"],
    "passes": [1, 2],
    "semiring": ["probability", "probability", "boolean"],
    "head": ["scores", "probabilities"],
    "position_code": ["onehot", "bias"],
    "gauge": [True, False],
    "token_scale": ["auto", 1.0, 3.0],
    "merge": ["none", "bodies", "rules"],
    "dtype": ["float64", "float32"],
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def compare(model, known, sentences):
    """(largest error of a conditional, rows with a wrong support) over all prefixes."""
    tokens = (*model.grammar.terminals, "<eos>")
    error, wrong = 0.0, 0
    for sentence, rows in zip(sentences, model.next_tokens(sentences), strict=True):
        for t, row in enumerate(rows):
            expected = known.get(tuple(sentence[:t]), {})
            target = np.array([float(expected.get(token, 0)) for token in tokens])
            wrong += ((row > 0) != (target > 0)).any()
            if model.settings.semiring != "boolean":
                error = max(error, np.abs(row - target).max())
    return error, wrong


def test_whatever_is_built_keeps_its_guarantee(twin):
    """Every prefix of the language, impossible ones, and one that is too long."""
    built, wrong_if_allowed, refused = 0, 0, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        grammar = twin.random_grammar(seed, max_sentences=30)
        language = twin.language(grammar)
        known = twin.next_tokens(language)
        pairs = itertools.product(grammar.terminals, repeat=2)
        sentences = [*language, *[pair for pair in pairs if pair not in known][:3]]
        sentences.append((grammar.terminals[0],) * (max(map(len, language)) + 2))
        for _ in range(2):
            chosen = {name: row[rng.integers(len(row))] for name, row in FREE.items()}
            if chosen["mode"] == "shapes" and grammar.n_shapes > 6:
                continue
            chosen["rotation"] = int(rng.integers(100))
            model = GrammarTransformer.from_grammar(grammar, inexact="allow", **chosen)
            if not model.guarantee.holds:
                with pytest.raises(ConstructionError, match="is not exact after every prefix"):
                    GrammarTransformer.from_grammar(grammar, **chosen)
                refused += chosen["token_scale"] != 3.0
                wrong_if_allowed += compare(model, known, sentences)[1] > 0
                continue
            built += 1
            GrammarTransformer.from_grammar(grammar, **chosen)  # not refused
            error, wrong = compare(model, known, sentences)
            assert wrong == 0, chosen
            assert error <= model.guarantee.error, chosen
            assert model.accounting().holds
    assert built > 60
    assert refused < built / 20  # an exception, unless the scale is too large
    assert wrong_if_allowed >= 1  # and the refused are not all innocent


@pytest.mark.parametrize("text", [RARE, SKEWED], ids=["rare", "skewed"])
def test_drowning_is_refused_and_a_named_basis_is_not(text):
    grammar = Grammar.from_text(text)
    sentences = [("a", "a"), ("c", "a")] if text == RARE else grammar.sample(40, seed=0).sentences
    with pytest.raises(ConstructionError, match=r"scores go down to .*cannot be told from 0.*"
                       r"use rotation=None.*inexact='allow'"):  # fmt: skip
        GrammarTransformer.from_grammar(grammar, rotation=1)
    exact = GrammarTransformer.from_grammar(grammar)
    drowned = GrammarTransformer.from_grammar(grammar, rotation=1, inexact="allow")
    assert exact.guarantee.holds
    assert not drowned.guarantee.holds
    errors = {}
    for name, model in (("exact", exact), ("drowned", drowned)):
        pairs = zip(sentences, model.next_tokens(sentences), strict=True)
        errors[name] = max(np.abs(r - grammar.next_token_probabilities(s)).max() for s, r in pairs)
    assert errors["exact"] <= 1e-12
    assert errors["drowned"] > 1e-3  # not a matter of digits
    assert "exactness: every prefix: zeros are exact" in str(exact.accounting())
    assert "exactness: not every prefix" in str(drowned.accounting())


def test_float64_keeps_what_float32_loses():
    grammar = Grammar.from_text("S -> A A\nA -> 'a' [1/1000] | 'b' [999/1000]")
    with pytest.raises(ConstructionError, match="in float32.*dtype='float64'"):
        GrammarTransformer.from_grammar(grammar, rotation=1, dtype="float32")
    kept = GrammarTransformer.from_grammar(grammar, rotation=1)
    found = kept.next_token(["a", "a"])
    assert found["<eos>"] == 1.0
    assert kept.guarantee.error < 1e-6


def test_a_token_scale_that_lifts_the_noise_lifts_the_floor():
    """Scores of up to 7 ** 8 / 2 ** 5: zeros of the stream lie far above the usual floor."""
    grammar = families.latin(order=2, depth=3)
    usual = GrammarTransformer.from_grammar(grammar, rotation=1, dtype="float32")
    large = GrammarTransformer.from_grammar(
        grammar, rotation=1, dtype="float32", token_scale=7.0, inexact="allow"
    )
    assert usual.model.config.score_floor == ROTATION_NOISE["float32"]
    assert large.model.config.score_floor == large.guarantee.noise > 1e-3
    exact = grammar.next_token_probabilities(("a0",) * 8) > 0
    assert ((usual.next_tokens([("a0",) * 8])[0] > 0) == exact).all()
    found = large.next_tokens([("a0",) * 8])[0] > 0
    assert (found <= exact).all()  # noise makes nothing possible ...
    assert not large.guarantee.holds
    assert (found < exact).any()  # ... but what is below it is lost, as stated


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ordinary_grammars_are_built_as_before(dtype):
    grammars = [families.latin(order, depth) for order in (2, 3, 4) for depth in (2, 3)]
    grammars += [families.random_hierarchy(4, 2, arity, 2) for arity in (2, 3)]
    grammars += [families.random_hierarchy(8, 4, 2, depth) for depth in (2, 3)]
    for grammar in grammars:
        model = GrammarTransformer.from_grammar(grammar, rotation=1, dtype=dtype)
        assert model.guarantee.holds
        if dtype == "float64":
            assert model.model.config.score_floor == ROTATION_NOISE[dtype]
        sentences = grammar.sample(20, seed=3).sentences
        for sentence, rows in zip(sentences, model.next_tokens(sentences), strict=True):
            exact = grammar.next_token_probabilities(sentence)
            assert np.abs(rows - exact).max() <= model.guarantee.error
            assert ((rows > 0) == (exact > 0)).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_noise_of_every_prefix_is_below_that_of_the_trials_times_the_margin(twin, dtype):
    """Outputs beside those of the named basis, on far more inputs than were tried."""
    shares = []
    for seed in range(12):
        grammar = twin.random_grammar(seed, max_sentences=200)
        settings = {"rotation": seed, "inexact": "allow", "dtype": dtype}
        model = GrammarTransformer.from_grammar(grammar, **settings)
        exact = GrammarTransformer.from_grammar(grammar, backend="sparse")
        sentences = list(twin.language(grammar))
        pairs = zip(model.outputs(sentences), exact.outputs(sentences), sentences, strict=True)
        worst = max(np.abs(a - b)[: len(s) + 1].max() for a, b, s in pairs)
        shares.append(worst / model.guarantee.noise)
    assert max(shares) <= 1
    assert median(shares) > 0.5 / MARGIN  # the trials are no exaggeration


@pytest.mark.parametrize("settings", [{}, {"mode": "shapes"}, {"passes": 1}, {"token_scale": 1.0},
                                      {"gauge": False}, {"merge": "rules"}])  # fmt: skip
def test_the_smallest_score_is_a_bound_and_mostly_reached(twin, settings):
    ratios = []
    for seed in range(25):
        grammar = twin.random_grammar(seed, max_sentences=30)
        if settings.get("mode") == "shapes" and grammar.n_shapes > 8:
            continue
        model = GrammarTransformer.from_grammar(grammar, backend="sparse", **settings)
        sentences = list(twin.language(grammar))
        pairs = zip(model.outputs(sentences), sentences, strict=True)
        scores = np.concatenate([rows[: len(s) + 1].ravel() for rows, s in pairs])
        ratios.append(scores[scores > 0].min() / math.exp(smallest_score(model.program)))
    assert min(ratios) >= 1 - 1e-12  # rounding of a product of a few dozen factors
    # One bound per symbol, as in the theory's; several shapes only ever loosen it.
    assert median(ratios) < 1.5


def test_the_smallest_score_of_plain_relu_parsers_counts_contexts_only():
    grammar = families.random_hierarchy(n_symbols=4, n_rules=3, arity=2, depth=3, seed=3)
    for passes in (1, 2):
        model = GrammarTransformer.from_grammar(
            grammar, semiring="deterministic", passes=passes, backend="sparse"
        )
        scores = np.concatenate([r.ravel() for r in model.outputs(grammar.sample(400).sentences)])
        assert scores[scores > 0].min() >= math.exp(smallest_score(model.program)) * (1 - 1e-12)
    products = GrammarTransformer.from_grammar(grammar, backend="sparse", token_scale=1.0)
    assert smallest_score(model.program) > smallest_score(products.program) + 3


def test_extreme_sentences_are_those_of_the_extreme_derivations(twin):
    for seed in range(30):
        grammar = twin.random_grammar(seed, max_sentences=60)
        language = twin.language(grammar)
        if grammar.n_derivations > len(language):
            continue  # ambiguous: a sentence weighs more than its derivation
        for kappa in (1.0, 1.7):
            normal = normal_form(grammar, ConstructionSettings())
            weights = {s: float(p) * kappa ** len(s) for s, p in language.items()}
            likeliest = extreme_sentence(normal, kappa, largest=True)
            rarest = extreme_sentence(normal, kappa, largest=False)
            assert weights[likeliest] == pytest.approx(max(weights.values()))
            assert weights[rarest] == pytest.approx(min(weights.values()))


@pytest.mark.parametrize("order", [2, 5])
def test_the_error_bound_holds_for_the_worst_noise_there_can_be(order):
    """Every score off by the noise, each in the direction that moves a conditional most.

    One choice has all of the smallest sum and loses the noise, all others have none and gain it.
    """
    built = GrammarTransformer.from_grammar(families.latin(order=order, depth=2), rotation=1)
    told, choices = built.guarantee, len(built.grammar.terminals) + 1
    left = told.smallest - told.noise
    worst = 1 - left / (left + (choices - 1) * told.noise)
    assert told.noise > 0
    assert worst <= told.error <= 3 * worst


def test_a_guarantee_survives_saving(tmp_path):
    made = GrammarTransformer.from_grammar(families.latin(2, 2), rotation=1)
    made.save_pretrained(tmp_path)
    assert GrammarTransformer.from_pretrained(tmp_path).guarantee == made.guarantee
    del made.model.config.linrep["noise"]  # a folder of an earlier version states its floor only
    made.save_pretrained(tmp_path)
    assert GrammarTransformer.from_pretrained(tmp_path).guarantee.noise == 1e-12


def test_a_log_block_and_a_support_say_what_the_rotation_takes():
    grammar = families.latin(2, 2)
    for settings, large in (({"head": "log"}, 0.1), ({"semiring": "boolean"}, 0.6)):
        made = GrammarTransformer.from_grammar(grammar, rotation=1, **settings)
        assert made.guarantee.holds
        made.model.config.linrep["noise"] = large
        del made.guarantee
        assert not made.guarantee.holds
        assert made.guarantee.error == math.inf


def test_a_named_basis_says_when_its_dtype_is_too_small():
    grammar = families.random_hierarchy(n_symbols=8, n_rules=8, arity=2, depth=6, seed=0)
    settings = {"backend": "sparse", "dtype": "float32"}
    kept = GrammarTransformer.from_grammar(grammar, **settings).guarantee
    lost = GrammarTransformer.from_grammar(grammar, token_scale=1.0, **settings).guarantee
    assert kept.holds
    assert not lost.holds
    assert "too small for float32" in str(lost)


def test_an_output_that_overflowed_is_no_small_deviation():
    good = [torch.tensor([[0.5, 1.0]], dtype=torch.float64)]
    assert largest_deviation(good, [good[0] + 0.25], "scores") == 0.25
    for bad in (float("nan"), float("inf")):
        broken = [torch.tensor([[bad, 1.0]], dtype=torch.float64)]
        assert largest_deviation(broken, good, "scores") == float("inf")
        assert largest_deviation(broken, broken, "scores") == float("inf")


@pytest.mark.parametrize("rotation", [-1, 1.0, True, "1", np.float64(2)])
def test_a_rotation_that_is_no_seed_is_refused(rotation):
    with pytest.raises(ConstructionError, match="a whole number from 0, or None") as caught:
        ConstructionSettings(rotation=rotation)
    assert f"received {rotation!r}" in str(caught.value)


def test_any_whole_number_is_the_seed_of_a_rotation():
    assert ConstructionSettings(rotation=np.int64(3)) == ConstructionSettings(rotation=3)
    assert type(ConstructionSettings(rotation=np.int64(3)).to_dict()["rotation"]) is int
    assert ConstructionSettings(rotation=0).rotation == 0


@pytest.mark.parametrize("text", [RARE, SKEWED, "S -> A A\nA -> 'a' | 'b'"])
def test_every_corrupted_trial_differs_from_its_sentence_in_one_token(text):
    grammar = Grammar.from_text(text)
    trials = trial_sentences(grammar, normal_form(grammar, ConstructionSettings()), 1.0, 40)
    half = len(trials) // 2
    assert half >= 20
    for kept, corrupted in zip(trials[:half], trials[half:], strict=True):
        assert sum(a != b for a, b in zip(kept, corrupted, strict=True)) == 1
        assert set(corrupted) <= set(grammar.terminals)


def test_a_language_of_one_word_cannot_be_corrupted():
    grammar = Grammar.from_text("S -> 'a' 'a' | 'a'")
    trials = trial_sentences(grammar, normal_form(grammar, ConstructionSettings()), 1.0, 8)
    assert {token for sentence in trials for token in sentence} == {"a"}
