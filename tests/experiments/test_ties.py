"""What a corpus does not tell apart is said on the page, and ambiguous labels are not refuted."""

from dataclasses import replace

import numpy as np
import pytest

from linrep import capture, compare, probe, report
from linrep.constructions import GrammarTransformer
from linrep.core import Prediction, Subspace
from linrep.experiments import StudySettings, run_study
from linrep.experiments.charts import chart_findings
from linrep.experiments.settings import Causal, Constructed, GrammarText, Probes
from linrep.grammars import Grammar
from linrep.reports import Run, Verdict, Verdicts
from linrep.reports.meeting import AMBIGUOUS, TIED
from linrep.reports.rungs import decodable

TEXT = "S -> A B | B A | A A\nA -> 'a' | 'c'\nB -> 'b'"
AMBIGUOUS_TEXT = (
    "S -> X Y | Y X | X\nX -> A B | B A\nY -> B A | A A\nA -> 'a' | 'b'\nB -> 'b' | 'c'"
)


@pytest.fixture(scope="module")
def found():
    grammar = Grammar.from_text(TEXT)
    made = GrammarTransformer.from_grammar(grammar, rotation=1)
    corpus = grammar.sample(60, seed=0)
    blocks = range(len(made.program.layers))
    sites = ["blocks.0.hook_resid_pre", *(f"blocks.{b}.hook_resid_post" for b in blocks)]
    acts = capture(made.model, corpus, sites=sites)
    return acts, corpus, chart_findings(acts, corpus, made)


def test_a_claim_says_what_its_values_are_tied_to(found):
    acts, _, told = found
    claims = {(p.site, p.target): p for p in told.predictions}
    embedding = claims[acts.sites[0], "inside height 1"]
    assert not embedding.own
    assert "a over 1 token (inside height 0)" in embedding.tied
    written = claims[acts.sites[-1], "inside height 1"]
    assert written.own
    assert written.tied


def test_what_is_tied_and_not_written_is_no_finding(found):
    acts, corpus, told = found
    results = probe(
        acts, corpus, targets=list(told.targets), positions="all", groups="sentence",
        permutations=0, bootstrap=0, controls=(),
    )  # fmt: skip
    results = replace(results, patterns=dict(told.patterns))
    rows = {(r.site, r.target): r for r in compare(results, told.predictions).rows}
    tied = [r for r in rows.values() if r.tied]
    assert tied
    for row in tied:
        assert row.mark == " ≈"
        if row.own:
            assert row.told_apart.startswith("no: with ")
            assert row.verdicts.aligned.state == "yes" or not row.subspaces.beyond_null
        else:
            assert row.told_apart.startswith("no: it is that of ")
            assert (
                row.verdicts.aligned
                == Verdict("not tested", TIED.format(row.target), "tied to what is written here")
                or not row.subspaces.beyond_null
            )


def test_a_headline_says_what_qualifies_a_rung():
    yes, untested = Verdict("yes", "far above"), Verdict("not tested", "none")
    tied = Verdict("yes", "overlap 1", "with what it is tied to")
    assert Verdicts(yes, yes, tied, untested).headline == "aligned, with what it is tied to"
    apart = Verdict("not tested", "theirs", "tied to what is written here")
    assert Verdicts(yes, yes, apart, untested).headline == "selective, tied to what is written here"


def test_a_score_of_one_that_counts_for_nothing_is_explained():
    row = {"kind": "number", "r2": 1.0, "chance": 0.1, "random_weights": 1.0, "n_twins": 5}
    told = {"p_family": 0.001, "p_untrained": 1.0}
    assert "says nothing about what this model has computed" in decodable(row | told).reason
    for other in ({"r2": 0.4, "random_weights": 0.5}, {"random_weights": 0.9}):
        assert "says nothing about" not in decodable(row | told | other).reason


def test_an_ambiguous_label_is_not_refuted_and_beliefs_reach_the_ceiling(tmp_path):
    settings = StudySettings(
        name="ambiguous", language=GrammarText(text=AMBIGUOUS_TEXT), sentences=200,
        model=Constructed(beliefs="boundary"),
        probes=Probes(
            twins=1, permutations=0, bootstrap=20, controls=(), method="ridge",
            positions="boundary", causal=Causal(run="no"),
        ),
    )  # fmt: skip
    study, _ = run_study(settings)
    labels = [row for row in study.comparison.rows if row.target.startswith("height")]
    refuted = [row for row in labels if row.verdicts.aligned.state == "no"]
    assert not refuted
    assert any(row.verdicts.aligned.reason.startswith(AMBIGUOUS) for row in labels)
    ceilings = {(r["site"], r["target"]): r["ceiling"] for r in study.scores.rows}
    posteriors = [row for row in labels if row.claim == "P6"]
    assert posteriors
    for row in posteriors:
        assert row.predicted_accuracy == pytest.approx(ceilings[row.site, row.target])
    assert all(row.predicted_accuracy is None for row in labels if row.claim == "P1+P6")
    page = report(Run("t", "", {}, {}, (study,)), tmp_path / "page.html").read_text("utf-8")
    for words in ("told from other values", "rank predicted", "≈ these sentences do not tell"):
        assert words in page
    text = report(Run("t", "", {}, {}, (study,)), tmp_path / "page.md").read_text("utf-8")
    assert "| rank predicted | rank found |" in text


def test_only_a_claim_without_an_accuracy_is_ambiguous():
    space = Subspace(np.eye(3)[:, :1])
    claim = Prediction("blocks.0.hook_resid_post", "height 1", space, True, "boundary", 1)
    assert not claim.ambiguous
    assert replace(claim, claim="P1+P6").ambiguous
    assert not replace(claim, claim="P1+P2", accuracy=1.0).ambiguous
