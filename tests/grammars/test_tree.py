"""Trees: flat and very high ones, in every way they are compared, written and read."""

from dataclasses import make_dataclass

import pytest
from hypothesis import given, strategies as st

from linrep.corpora.penn import parse_penn
from linrep.corpora.tree import rebuild
from linrep.grammars import Tree, corpus_of_trees, induce

TREES = st.recursive(
    st.sampled_from("ab("),
    lambda below: st.builds(
        Tree, st.sampled_from("AB"), st.lists(below, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=6,
).filter(lambda tree: isinstance(tree, Tree))
HIGH = 5000

Plain = make_dataclass("Plain", ["label", "children"], frozen=True)


def plain(tree):
    """The obvious twin: a dataclass that compares and shows itself by calling itself."""
    return tree if isinstance(tree, str) else Plain(tree.label, tuple(map(plain, tree.children)))


@given(TREES, TREES)
def test_trees_compare_and_show_themselves_as_a_dataclass_does(one, two):
    assert (one == two) == (plain(one) == plain(two))
    assert (hash(one) == hash(two)) or one != two
    assert repr(one) == repr(plain(one)).replace("Plain", "Tree")
    assert eval(repr(one), {"Tree": Tree}) == one
    assert parse_penn(str(one)) == parse_penn(one.pretty())
    assert rebuild(one, lambda node, children: Tree(node.label, children)) == one


def test_a_label_is_not_a_token_and_a_tree_not_a_text():
    assert Tree("S", ("A", "a")) != Tree("S", (Tree("A", ("a",)),))
    assert Tree("S", ("a",)) != "S"
    assert Tree("S", ("a",)) != ("S", ("a",))


@pytest.mark.parametrize("beside", [(), ("a",)], ids=["unary", "right-branching"])
def test_very_high_trees_work_everywhere(beside):
    def high(token):
        tree = Tree("X", (Tree("T", (token,)),))
        for _ in range(HIGH - 2):
            tree = Tree("X", (*beside, tree))
        return tree

    tree, same, other = high("b"), high("b"), high("c")
    assert tree == same
    assert hash(tree) == hash(same)
    assert tree != other
    assert repr(tree) == repr(same) != repr(other)
    assert tree.height == HIGH == len(list(tree.nodes()))
    assert parse_penn(str(tree)) == [tree] == parse_penn(tree.pretty())
    assert tree._repr_html_().count("<b>") == HIGH
    [joined] = parse_penn(str(tree), unary="collapse")
    assert joined.height == (HIGH if beside else 2)
    corpus = corpus_of_trees([tree])
    assert corpus.heights == tuple(range(1, HIGH + 1))
    assert corpus.labels(1)[-1] == "T"
    assert corpus.labels(HIGH)[-1] == "X"
    assert corpus.boundary(HIGH)[-1]
    assert "T" in induce([tree], depth=3, tokens="tags").terminals
