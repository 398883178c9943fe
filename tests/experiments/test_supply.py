"""Languages with few sentences or labels: the page says so, and what to do."""

import pytest

from linrep import Grammar, capture, families
from linrep.core import LinrepError
from linrep.experiments import Experiment, StudySettings, run_study
from linrep.experiments.settings import Constructed, GrammarText, LatinFamily, Probes
from linrep.experiments.subjects import make_subject
from linrep.experiments.supply import NEEDED, Supply, sentences_in_all, supply_of
from linrep.experiments.unanswered import unanswered
from linrep.probes import ProbeError
from linrep.reports import Run, read_run, report, summary_lines, write_run

TWO = "S -> A B | B A\nA -> 'a'\nB -> 'b'"
ONE = "S -> A B\nA -> 'a'\nB -> 'b'"
FLAT = "S -> 'a' 'b' | 'b'"
TWELVE = """
S -> NP V
NP -> 'the' N | N
N -> 'dog' | 'cat' | 'cow'
V -> 'sees' | 'hears'
"""
FIXED = """
S -> NP V [0.6] | NP V NP [0.4]
NP -> 'the' N
N -> 'dog' | 'cat'
V -> 'sees' | 'hears'
"""


def study_of(text, **probes):
    few = {"permutations": 19, "bootstrap": 0, "twins": 3, "C": 1.0, "charts": False} | probes
    settings = StudySettings(
        name="small", language=GrammarText(text=text), model=Constructed(), sentences=60,
        probes=Probes(**few),
    )  # fmt: skip
    return settings, run_study(settings)[0]


@pytest.mark.parametrize(
    ("text", "heights", "said"),
    [
        (TWO, None, "the language has 2 different sentences, and no sampling makes more"),
        (ONE, None, "the language has 1 different sentence, and no sampling makes more"),
        (FLAT, None, "every token has the same label at each of the heights [1]"),
        (FLAT, (1,), "the language has 2 different sentences"),
    ],
)
def test_a_page_is_written_where_no_probe_can_be_fitted(text, heights, said, tmp_path):
    settings, study = study_of(text, heights=heights)
    assert not study.scores.rows
    assert study.checks
    assert study.passed
    (note,) = study.notes
    assert note.startswith("not tested: ")
    assert said in note
    assert "larger grammar" in note
    run = Run("small", "", Experiment(title="t", studies=(settings,)).dump(), {}, (study,))
    assert any(said in line for line in summary_lines(run))
    folder = write_run(run, tmp_path / "run")
    again = read_run(folder)
    assert again.study("small").notes == study.notes
    for name in ("again.html", "again.md"):
        page = report(again, tmp_path / name).read_text("utf-8")
        assert said.split(" [")[0] in page
        assert page.count("<table") <= 1  # of checks; no grid without a cell


def test_few_sentences_are_named_in_every_verdict_that_needs_more():
    _, study = study_of(TWELVE, heights=(1,))
    reasons = {row.verdicts.decodable.reason for row in study.comparison.rows}
    assert len(reasons) == 1
    assert "the language has 12 different sentences, and no sampling makes more" in reasons.pop()
    assert study.facts["different sentences"] == "12 of the 12 that the language has"
    assert any(note.startswith("Few sentences: the language has 12") for note in study.notes)


def test_a_height_that_the_position_tells_is_called_constant():
    """Noun phrases and verbs have their places in these sentences, whatever the words."""
    _, study = study_of(FIXED, heights=(2,))
    for row in study.comparison.rows:
        assert row.verdicts.decodable.state == "not tested"
        assert row.verdicts.decodable.reason.startswith("constant on this corpus")
        assert row.verdicts.word != "not decodable"


def test_other_mistakes_are_still_mistakes():
    """What a larger sample mends, or no sample, is no property of the language."""
    with pytest.raises(LinrepError, match="height"):
        study_of("S -> A A A A A A\nA -> 'a' | 'b'", heights=(9,))
    language, model = LatinFamily(order=2, depth=3), Constructed()
    settings = StudySettings(name="large", language=language, model=model)
    corpus = families.latin(order=2, depth=3).sample(40, seed=0)
    subject = make_subject(model, corpus)
    acts = capture(subject.model, corpus)
    with pytest.raises(ProbeError, match="another reason"):
        unanswered(settings, corpus, subject, acts, (), ProbeError("another reason"))


def test_what_to_do_follows_from_the_language():
    assert "sample more" in Supply(5, 400).remedy
    assert "sample more" in Supply(5, None).remedy
    assert "larger grammar" in Supply(5, 5).remedy
    assert Supply(1, 1).remedy.startswith("the language has 1 different sentence,")
    assert not Supply(NEEDED, NEEDED).notes


def test_sentences_are_counted_once_each():
    twice = Grammar.from_text("S -> A | B\nA -> 'x' | 'y'\nB -> 'x'")
    assert twice.n_derivations == 3
    assert sentences_in_all(twice) == 2
    assert sentences_in_all(families.latin(order=3, depth=4)) is None
    assert supply_of(twice.sample(40, seed=0)) == Supply(2, 2)


def test_enough_sentences_are_enough():
    """Just as many as are called enough give the test groups that a verdict needs."""
    terminals = " | ".join(f"'w{i}'" for i in range(NEEDED))
    text = f"S -> A B\nA -> {terminals}\nB -> 'b'"
    _, study = study_of(text, heights=(1,))
    assert all(row["n_groups"] >= 6 for row in study.scores.rows)
    assert not any("Few sentences" in note for note in study.notes)
