"""Checks ask of a construction what theory says of it, and no more."""

import pytest
import torch

from linrep.experiments import StudySettings
from linrep.experiments.exactness import EXACT, next_tokens_of
from linrep.experiments.pipeline import run_study
from linrep.experiments.settings import Constructed, GrammarText, Probes
from linrep.experiments.subjects import make_subject
from linrep.grammars import Grammar, families

# The last token does not tell whether it is a word of its own or all of an A.
AMBIGUOUS = "S -> B 't' C\nC -> B\nB -> A A [5/12] | A [5/12] | 'a' 't' 'a' [1/6]\nA -> 'a'"
# After rare prefixes the noise of a rotated basis is divided by a small score.
RARE = "S -> A A A\nA -> 'a' [0.001] | 'b' [0.001] | 'a' 'b' [0.998]"


def checks(text):
    """The checks of a small study, by the first words of their names, and its remarks."""
    study, _ = run_study(
        StudySettings(
            name="small",
            language=GrammarText(text=text),
            model=Constructed(position_code="circular", rotation=1),
            sentences=120,
            probes=Probes(
                positions="boundary",
                method="lda",
                permutations=0,
                bootstrap=20,
                twins=1,
                controls=(),
            ),
        )
    )
    assert not [str(check) for check in study.checks if not check.passed]
    return " | ".join(check.name for check in study.checks), " | ".join(study.notes)


def test_what_ambiguous_grammars_do_not_promise_is_not_asked_of_them():
    asked, remarks = checks(AMBIGUOUS)
    assert "next-token" in asked
    for name in ("staircase", "overlap where written"):
        assert name not in asked
        assert f"not tested: {name}: in this grammar the last tokens do not tell" in remarks


def test_what_clear_grammars_promise_is_asked_of_them():
    asked, remarks = checks(str(families.latin(order=3, depth=2)))
    assert "staircase" in asked
    assert "smallest overlap" in asked
    assert "do not tell" not in remarks


@pytest.mark.parametrize("position_code", ["circular", "onehot"])
def test_a_rotated_model_may_be_off_after_rare_prefixes_by_what_its_noise_does_there(position_code):
    grammar = Grammar.from_text(RARE)
    rare = [("a", "a", "a"), ("b", "a", "b"), ("a", "b", "a", "a")]
    subject = make_subject(
        Constructed(position_code=position_code, rotation=1), grammar.sample(60, seed=0)
    )
    found = next_tokens_of(subject, grammar, rare)
    assert found.largest > EXACT
    assert found.error <= found.allowed < 1e-3
    with torch.no_grad():
        subject.model.head.weight[1] *= 1 + 1e-8
    spoiled = next_tokens_of(subject, grammar, [("a", "b") * 3])
    assert spoiled.allowed < 1e-10  # of a likely sentence
    assert spoiled.error > spoiled.allowed
