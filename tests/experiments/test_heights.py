"""Heights: what was asked for as it stands, else what the corpus can tell."""

import pytest

from linrep.corpora.penn import parse_penn
from linrep.experiments import SettingsError, probe_settings
from linrep.experiments.heights import heights_of
from linrep.grammars import Grammar, corpus_of_trees, families

SHALLOW = "(S (NP (DT the) (NN dog)) (VP (VBZ barks)))\n(Q (NP (NNS cats)) (VP (VBP sleep)))"


def chosen(corpus, trees="*.ptb", grammar=None, **asked):
    study = probe_settings("model", trees, grammar, **asked).studies[0]
    return heights_of(study, corpus)


def test_missing_default_heights_are_left_out_and_that_is_said():
    heights, (note,) = chosen(corpus_of_trees(parse_penn(SHALLOW)))
    assert heights == (1, 2, 3)
    assert "Heights probed: 1, 2, 3, of the 1, 2, 3, 4 probed by default" in note
    assert note.endswith("at 4.")


def test_a_height_of_one_label_is_left_out():
    heights, (note,) = chosen(corpus_of_trees(parse_penn(SHALLOW.replace("Q", "S"))))
    assert heights == (1, 2)
    assert note.endswith("at 3, 4.")


def test_deep_trees_are_probed_up_to_height_4():
    text = "(A (B (C (D (E (F a)) (G b)) (H c)) (I d)) (J e))" * 2
    deep = parse_penn(text.replace("(A", "(A1", 1) + text)
    assert chosen(corpus_of_trees(deep)) == ((1, 2, 3, 4), ())


def test_heights_asked_for_stay_as_they_are():
    corpus = corpus_of_trees(parse_penn(SHALLOW))
    assert chosen(corpus, heights="4,9") == ((4, 9), ())


def test_all_heights_of_a_grammar_below_its_root_are_probed():
    corpus = families.latin(order=2, depth=6).sample(50, seed=0)
    assert chosen(corpus, None, "g.cfg") == ((1, 2, 3, 4, 5), ())


def test_a_grammar_of_one_label_per_height_is_told_so():
    corpus = Grammar.from_text("S -> 'a' 'b' | 'b'").sample(5, seed=0)
    heights, (note,) = chosen(corpus, None, "g.cfg")
    assert heights == ()
    assert "larger grammar" in note


def test_nothing_to_probe_is_refused():
    corpus = corpus_of_trees(parse_penn("(S (A a))\n(S (A b))"))
    with pytest.raises(SettingsError, match=r"more than one label .* the corpus has \[1, 2\]"):
        chosen(corpus)
