"""Sizes read off compiled models, beside formulas counted on the normal form alone."""

import pytest

from linrep.constructions import GrammarTransformer
from linrep.constructions.grammar.backends.sparse import SparseModel
from linrep.constructions.grammar.compiler import compile_grammar
from linrep.constructions.grammar.settings import ConstructionSettings
from linrep.constructions.grammar.sizes.accounting import measure_sizes
from linrep.constructions.grammar.sizes.formulas_one_pass import places
from linrep.grammars import binarise, families

SEEDS = range(30)
SPANS = [
    {"passes": 1, "semiring": semiring, "merge": merge}
    for semiring in ("probability", "boolean")
    for merge in ("none", "bodies", "rules")
] + [
    {"beliefs": beliefs, "merge": merge}
    for beliefs in ("boundary", "prefix")
    for merge in ("none", "bodies")
]


@pytest.fixture(scope="module")
def grammars(twin):
    return [twin.random_grammar(seed, max_sentences=40) for seed in SEEDS]


def name(settings):
    return " ".join(str(value) for value in settings.values())


def rows_of(grammar, **settings):
    chosen = ConstructionSettings(backend="sparse", **settings)
    program = compile_grammar(grammar, chosen)  # counted, never assembled or run
    found = measure_sizes(grammar, chosen, program, SparseModel(program))
    return {row.name.strip(): row for row in found.rows}


@pytest.mark.parametrize("settings", SPANS, ids=name)
def test_variants_of_spans_have_exactly_the_sizes_of_the_formulas(grammars, settings):
    for grammar in grammars:
        rows = rows_of(grammar, **settings)
        sized = ["neurons", "heads", *list(rows)[list(rows).index("position code") + 1 :]]
        for size in sized:
            if "parameters" not in size:
                assert (size, rows[size].measured) == (size, rows[size].predicted)
                assert rows[size].relation == "="


@pytest.mark.parametrize("passes", [1, 2])
def test_boolean_shapes_stay_within_their_bound_and_reach_it(grammars, passes):
    ratios = {"none": [], "bodies": [], "rules": []}
    for number, grammar in enumerate(grammars):
        if grammar.n_shapes > 12:
            continue
        for merge in ("none", ("bodies", "rules")[number % 2]):
            kind = {"mode": "shapes", "semiring": "boolean", "passes": passes, "merge": merge}
            row = rows_of(grammar, **kind)["neurons"]
            assert row.relation == "<="
            ratios[merge].append(row.measured / row.predicted)
    assert min(map(len, ratios.values())) > 5
    assert all(0 < ratio <= 1 for found in ratios.values() for ratio in found)
    assert max(ratios["none"]) == 1  # no smaller bound of this form


def test_the_formulas_hold_on_a_dense_model_with_a_log_head():
    grammar = families.latin(order=3, depth=2)
    plain = {"passes": 1, "semiring": "deterministic"}
    for settings in ({"passes": 1}, plain, {"beliefs": "boundary"}, {"beliefs": "prefix"}):
        found = GrammarTransformer.from_grammar(grammar, head="log", log_error=0.1, **settings)
        rows = {row.name: row for row in found.accounting().rows}
        assert rows["neurons"].measured == rows["neurons"].predicted
        assert found.accounting().holds


def test_places_are_those_of_the_sentences(twin, grammars):
    for grammar in grammars:
        binary = binarise(grammar)
        words = binary.terminals
        found = {(k, words[x]) for k, x in places(binary)[binary.start]}
        assert found == {(k, w) for s in twin.language(grammar) for k, w in enumerate(s)}
