"""Chart values of constructed models: learned beside predicted, in every mode and grammar."""

import importlib
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from linrep import capture
from linrep.constructions import GrammarTransformer
from linrep.experiments import StudySettings, run_study
from linrep.experiments.charts import blocks_of, chart_cells, chart_findings, held_out_r2
from linrep.experiments.settings import Constructed, GrammarText, Probes
from linrep.grammars import Grammar, families
from linrep.probes.grid.joint import joint_patterns
from linrep.reports.meeting import NO_PATTERN, NOTHING

AB = "S -> A B | B A\nA -> 'a'\nB -> 'b'"
README = """S -> NP V [0.6] | NP V NP [0.4]
NP -> "the" N
N -> "dog" | "cat"
V -> "sees" | "hears"
"""
MODES = [
    {},
    {"rotation": 1},
    {"rotation": 1, "dtype": "float32"},
    {"mode": "shapes"},
    {"passes": 1, "rotation": 2},
    {"beliefs": "prefix", "rotation": 3},
    {"merge": "rules", "position_code": "circular"},
]
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def read(grammar, how, sentences=80, seed=0, dtype="float32"):
    made = GrammarTransformer.from_grammar(grammar, **how)
    corpus = grammar.sample(sentences, seed=seed)
    blocks = range(len(made.program.layers))
    sites = ["blocks.0.hook_resid_pre", *(f"blocks.{b}.hook_resid_post" for b in blocks)]
    return capture(made.model, corpus, sites=sites, dtype=dtype), corpus, made


@pytest.mark.parametrize("how", MODES, ids=str)
@pytest.mark.parametrize("text", [AB, README], ids=["ab", "readme"])
def test_every_cell_meets_its_prediction(text, how):
    for cell in chart_cells(*read(Grammar.from_text(text), how)):
        assert cell.moving > 0
        if cell.written:
            assert cell.overlap >= 0.99, cell
            assert cell.learned == cell.predicted > 0
        else:
            assert cell.learned == 0
        if cell.complete and how.get("dtype") != "float32":
            assert cell.r2 >= 1 - 1e-9, cell


def test_the_rounding_of_a_decomposition_is_no_pattern():
    grammar = Grammar.from_text(
        "S -> 'w1' N N 'w2' [3/7] | N N [2/7] | N N N [2/7]\n"
        "N -> 'w0' 'w1' 'w0' [7/13] | 'w1' 'w0' [1/13] | 'w0' 'w2' 'w2' [5/13]"
    )
    cells = chart_cells(*read(grammar, {"merge": "bodies"}, 60, seed=34, dtype="float64"))
    assert {cell.written for cell in cells} == {True, False}
    assert not [cell for cell in cells if cell.learned and not cell.written]


def test_what_is_constant_or_equal_is_said():
    found = chart_findings(*read(Grammar.from_text(AB), {}))
    assert found.reasons["context height 2"] == "constant here"
    assert "context height 2" not in {target.name for target in found.targets}
    assert found.reasons["inside height 1"].startswith(
        "equal on this corpus, up to a factor: A over 1 token (inside height 1) is a over 1 token "
        "(inside height 0)"
    )
    assert "context height 2: constant here." in found.notes


def test_a_state_is_found_from_its_layer_on_and_not_before():
    grammar = Grammar.from_text(
        "S -> X Y | Y X | X X\nX -> A B | B C | A\nY -> B A | C C | B\n"
        "A -> 'a' | 'b'\nB -> 'b' | 'c'\nC -> 'a' 'c' | 'c'"
    )
    acts, corpus, made = read(grammar, {"rotation": 5}, 300)
    cells = {(cell.site, cell.target): cell for cell in chart_cells(acts, corpus, made)}
    staircase = [
        [cells[site, f"inside height {h}"].learned > 0 for site in acts.sites] for h in (1, 2)
    ]
    last = made.program.written_after()
    for height, found in zip((1, 2), staircase, strict=True):
        layer = min(last[c] for c in made.chart.groups[f"inside height {height}"])
        assert found == [n >= layer for n in range(len(acts.sites))]
    assert all(cell.overlap >= 0.99 for cell in cells.values() if cell.written)


def test_a_wrong_prediction_does_not_meet():
    acts, corpus, made = read(Grammar.from_text(README), {"rotation": 1})
    other = GrammarTransformer.from_grammar(made.grammar, rotation=2)
    cells = chart_cells(acts, corpus, other)
    assert max(cell.overlap for cell in cells if cell.written) < 0.9


@pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="no checkout")
@pytest.mark.parametrize("seed", [1])
def test_random_grammars_go_the_whole_way_in_every_mode(seed, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    module = importlib.import_module("random_grammars")
    asked = Namespace(sentences=40, parameters=200_000)
    found = [module.answer(*given, asked) for given in module.grammars(seed, 1)]
    assert not module.wrong(found)
    assert found[0]["ways"]["spans"]["written"] == found[0]["ways"]["spans"]["aligned"] > 0
    assert "| all | " in module.lines(found)[-1]


def test_noise_is_no_direction_that_was_seen():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((30, 2))
    x = np.hstack([y, np.zeros((30, 38))]) @ np.linalg.qr(rng.standard_normal((40, 40)))[0]
    rounded = x.astype(np.float32).astype(np.float64)  # 30 rows span everything, by their noise
    unit = float(np.finfo(np.float32).eps)
    assert held_out_r2(rounded[:20], y[:20], rounded[20:], y[20:], unit) >= 1 - 1e-9
    still = np.full((10, 2), 0.7) + 1e-16 * rng.standard_normal((10, 2))
    assert np.isnan(held_out_r2(x[:20], y[:20], x[20:], still))


def test_sites_inside_a_block_are_passed_over():
    assert blocks_of("blocks.1.hook_resid_mid") is None
    acts, corpus, made = read(Grammar.from_text(AB), {})
    inside = capture(made.model, corpus, sites=["blocks.1.hook_resid_mid"])
    assert chart_findings(inside, corpus, made).predictions == ()
    assert np.asarray(acts.kept).all()


def test_a_study_has_chart_values_beside_its_labels():
    text = "S -> X Y | Y X\nX -> A B | A\nY -> B A | B\nA -> 'a' | 'b'\nB -> 'b' | 'c'"
    settings = StudySettings(
        name="chart", language=GrammarText(text=text), model=Constructed(), sentences=60,
        probes=Probes(permutations=0, bootstrap=0, twins=1, C=1.0, controls=()),
    )  # fmt: skip
    study, _ = run_study(settings)
    rows = [row for row in study.comparison.rows if not row.target.startswith("height")]
    assert {row.target for row in rows} >= {"inside height 2", "context height 1"}
    for row in rows:
        if row.subspaces is None:
            assert row.verdicts.aligned.reason == NOTHING
        else:
            assert row.subspaces.as_predicted
            answer = "yes" if row.own else "not tested"  # nothing of the target itself is there
            assert row.verdicts.aligned.state == answer or not row.subspaces.beyond_null
    labels = [row for row in study.comparison.rows if row.target.startswith("height")]
    assert not any(row.verdicts.aligned.reason == NO_PATTERN for row in labels)
    checks = {check.name.split(":")[0]: check for check in study.checks}
    assert checks["chart values"].value in (0.0, pytest.approx(1.0))
    assert checks["attention"].value == pytest.approx(1.0)
    assert study.facts["attention explained by positions"].startswith("1.000 of the variance")
    assert "context height 3: constant here." in study.notes
    assert len(study.scores.rows) == len(study.comparison.rows)


def test_a_language_too_small_for_probes_has_its_chart_values_compared():
    settings = StudySettings(
        name="ab", language=GrammarText(text=AB), model=Constructed(), sentences=20,
        probes=Probes(permutations=0, bootstrap=0, twins=1, C=1.0),
    )  # fmt: skip
    study, _ = run_study(settings)
    check, ranks = (check for check in study.checks if check.name.startswith("chart values"))
    assert (ranks.value, ranks.passed) == (0.0, True)
    assert check.name == "chart values: smallest overlap at the 25 cells where written"
    assert check.value >= 0.99
    plain = run_study(settings.model_copy(update={"probes": Probes(charts=False, twins=1)}))[0]
    assert not any("chart" in check.name for check in plain.checks)


def test_a_label_that_other_states_fix_names_the_values_that_carry_it():
    text = README.replace('"the" N', '"the" N | "the" A N') + 'A -> "big" | "small"'
    settings = StudySettings(
        name="fixed", language=GrammarText(text=text), model=Constructed(), sentences=60,
        probes=Probes(
            permutations=0, bootstrap=0, twins=1, method="ridge", controls=(), positions="boundary"
        ),
    )  # fmt: skip
    study, _ = run_study(settings)
    reasons = {
        row.target: row.verdicts.aligned.reason
        for row in study.comparison.rows
        if row.target.startswith("height") and row.subspaces is None
    }
    assert reasons["height 1"].endswith("the values that carry it, inside height 1, are compared")
    assert NO_PATTERN not in reasons.values()


def test_where_states_are_rules_a_label_is_told_from_the_rules_around_it():
    """A rule names its children, so without the rules a parent's state passes for the child's."""
    grammar = families.latin(3, 2)
    acts, corpus, made = read(grammar, {"merge": "rules"}, 300)
    claims = {(p.site, p.target): p for p in made.predictions if p.written}
    blind = joint_patterns(acts, corpus, (1,))[0]
    assert not joint_patterns(acts, corpus, (1,), rules=True)[0]  # the parent's rule tells it
    halves = [found.overlap(claims[cell].subspace) for cell, found in blind.items()]
    assert min(halves) == pytest.approx(0.5)
    written = [c for c in chart_cells(acts, corpus, made) if c.target == "inside height 1"]
    assert min(c.overlap for c in written if c.written) >= 0.99
