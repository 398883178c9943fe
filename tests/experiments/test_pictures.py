"""Sentences under their trees, as text."""

import pytest

from linrep import Grammar, LinrepError, Tree, corpus_of_trees, families
from linrep.corpora.drawing import draw
from linrep.experiments.demo import demo_settings
from linrep.experiments.languages import make_grammar
from linrep.experiments.pictures import drawn_trees


@pytest.mark.parametrize("seed", range(5))
def test_every_node_is_a_bar_over_its_words(seed):
    """Read back from the drawing: label, first and last word of each node."""
    tree = families.random_grammar(depth=4, n_rules=2, n_symbols=2, seed=seed).sample(1).trees[0]
    *lines, words = draw(tree).splitlines()
    starts, place = [], 0
    for word in tree.leaves():
        place = words.index(word, place)
        starts.append(place)
        place += len(word)
    read = []
    for height, line in enumerate(reversed(lines), start=1):
        for bar in filter(None, line.replace("┐", "┐|").split("|")):
            if bar.strip():
                first = line.index(bar) + len(bar) - len(bar.lstrip())
                last = line.index(bar) + len(bar)
                inside = tuple(i for i, start in enumerate(starts) if first <= start < last)
                read.append((height, bar.strip("┌┐─ ")))
                assert inside
    expected = [(node.height, node.label) for node in tree.nodes()]
    assert sorted(read) == sorted(expected)


def test_narrow_words_make_room_for_long_labels():
    picture = draw(Tree("Sentence", (Tree("Adverb", ("a",)), "b")))
    assert picture.splitlines()[1].startswith("┌ Adverb ┐")
    assert len({len(line) for line in picture.splitlines()}) == 1
    with pytest.raises(LinrepError):
        draw("no tree")


def test_an_ambiguous_sentence_comes_first_with_two_trees():
    (_, english, _) = demo_settings().studies
    grammar = make_grammar(english.language)
    first, *others = drawn_trees(grammar.sample(100, seed=0))
    assert first.count("S") == 2
    assert "Met" in first
    assert len(others) == 2


def test_pictures_are_of_grammars_and_fit_the_page():
    assert drawn_trees(corpus_of_trees([Tree("S", ("a",))])) == ()
    assert drawn_trees(families.latin(order=2, depth=8).sample(2, seed=0)) == ()
    plain = Grammar.from_text("S -> 'a' | 'a' 'a'").sample(9, seed=0)
    assert all(p.count("S") == 1 for p in drawn_trees(plain))
