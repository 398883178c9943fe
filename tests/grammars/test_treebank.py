"""Penn brackets, corpora of trees and induced grammars."""

from collections import Counter
from fractions import Fraction

import nltk
import numpy as np
import pytest

from linrep.corpora.penn import parse_penn
from linrep.grammars import (
    LanguageError,
    Tree,
    TreebankError,
    corpus_of_trees,
    examples,
    induce,
    read_treebank,
    unroll,
)

TEXT = """# a comment
%% another
( (S (NP-SBJ-1 (DT The) (NN cat)) (VP=2 (VBD sat) (NP (-NONE- *T*-1))) (. .)) )
(ROOT
  (S (NP (PRP It))   (VP (VBZ is) (ADJP-PRD (JJ \\*new\\/old) (-LRB- -LRB-) (-RRB- -RRB-)))))
( (X (NN one)) (Y (NN two)) )
(NP (-NONE- *))
"""


def write(tmp_path, text, name="a.ptb"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_what_a_reader_must_know(tmp_path):
    corpus = read_treebank(write(tmp_path, TEXT))
    assert [str(tree) for tree in corpus.trees] == [
        "(S (NP (DT The) (NN cat)) (VP (VBD sat)) (. .))",
        "(ROOT (S (NP (PRP It)) (VP (VBZ is) (ADJP (JJ *new/old) (-LRB- -LRB-) (-RRB- -RRB-)))))",
        "(ROOT (X (NN one)) (Y (NN two)))",
    ]
    assert corpus.sentences[1] == ("It", "is", "*new/old", "(", ")")
    assert corpus.labels(1).tolist()[:4] == ["DT", "NN", "VBD", "."]
    assert corpus.labels(2).tolist()[:4] == ["NP", "NP", "VP", "S"]
    assert corpus.labels(3).tolist()[:4] == ["S", "S", "S", ""]
    assert corpus.labels(4).tolist()[:5] == ["", "", "", "", "ROOT"]
    assert corpus.boundary(2).tolist()[:4] == [False, True, True, True]
    assert corpus.boundary(3).tolist()[:4] == [False, False, False, False]
    assert corpus.labels(2, "rule").tolist()[0] == "NP -> DT NN"
    assert corpus.labels(1, "index").tolist()[:4] == ["0", "1", "0", "2"]
    assert corpus.max_posterior(1) is None
    assert corpus.grammar is None


def test_chains_of_single_children_kept_or_collapsed(tmp_path):
    path = write(tmp_path, "(ROOT (S (VP (VB Go))))")
    assert read_treebank(path).labels(2).tolist() == ["VP"]
    collapsed = read_treebank(path, unary="collapse")
    assert collapsed.labels(2).tolist() == ["ROOT+S+VP"]
    assert collapsed.heights == (1, 2)
    with pytest.raises(TreebankError, match="'keep' or 'collapse'; received 'drop'"):
        read_treebank(path, unary="drop")


FAULTS = [
    ("(S (NP (NN cat))", r"a\.ptb, line 1: the tree that opens here is never closed; 1 closing"),
    ("(S (NN a))\n\n(S (NN b)))\n", r"a\.ptb, line 3: a closing bracket closes nothing"),
    ("(S (NN a))\nword (S (NN b))", r"a\.ptb, line 2: text outside any tree: 'word'"),
    ("(S (NN a)\n ())", r"a\.ptb, line 2: an empty bracket"),
    ("(S\n(NP (NN a)\n", r"a\.ptb, line 1: .* 2 closing brackets are missing"),
    ("", r"no tree with a word in 1 file"),
    ("(NP (-NONE- *))", r"no tree with a word"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_faults_name_file_and_line(tmp_path, text, message):
    with pytest.raises(TreebankError, match=message):
        read_treebank(write(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(TreebankError, match=r"no file matches '.*nothing\*\.ptb'"):
        read_treebank(str(tmp_path / "nothing*.ptb"))
    with pytest.raises(TreebankError, match="no treebank file was given"):
        read_treebank([])
    path = tmp_path / "latin1.ptb"
    path.write_bytes("(S (NN caf\xe9))".encode("latin-1"))
    with pytest.raises(TreebankError, match="not a text in UTF-8"):
        read_treebank(path)
    with pytest.raises(TreebankError, match=r"is a folder; .* give a glob such as '.*\*\.ptb'"):
        read_treebank(tmp_path)


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "marked.ptb"
    path.write_bytes("(S (NN a))".encode("utf-8-sig"))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_treebank(path).sentences == (("a",),)


def test_blanks_that_are_letters_stay_in_the_word():
    words = ["20\u00a0000", "a\u3000b", "c\u2028d", "e\u0085f"]
    text = "(S " + " ".join(f"(NN {word})" for word in words) + ")\n(S (NN g)))"
    with pytest.raises(TreebankError, match="line 2"):
        parse_penn(text)
    [tree, _] = parse_penn(text[:-1])
    assert list(tree.leaves()) == words


def test_a_bracket_with_a_label_alone_is_named_with_a_way_on():
    with pytest.raises(TreebankError, match=r"\(Dia\) has a label and nothing below.*\(XX Dia\)"):
        parse_penn("(S (NP (PRP (Dia))) (VP (VB go)))")
    with pytest.raises(TreebankError, match="marks the end of a text, take the line out"):
        parse_penn("(S (NN a))\n( END_OF_TEXT_UNIT )")


def test_corpus_search_files_lose_their_ids_and_traces():
    text = "( (IP-MAT (NP-SBJ *con*) (CODE <P_1>) (NP (N hon)) (C 0) (PU .)) (ID 1_TEST,1;JP))"
    [tree] = parse_penn(text)
    assert str(tree) == "(IP (NP (N hon)) (PU .))"
    assert parse_penn("( (IP (NP *con*)) (ID 2))\n(S (NN a))") == parse_penn("(S (NN a))")
    # Without an ID the same pieces are words: a star or a 0 may be one.
    assert parse_penn("(S (SYM *con*) (CD 0))")[0].leaves() == ("*con*", "0")


def test_marks_of_labels_stay_where_asked():
    text = "(v-fin-1 (NC##g=f## Haus))"
    assert str(parse_penn(text)[0]) == "(v (NC##g Haus))"
    assert str(parse_penn(text, marks="keep")[0]) == "(v-fin-1 (NC##g=f## Haus))"
    with pytest.raises(TreebankError, match="'strip' or 'keep'; received 'some'"):
        parse_penn(text, marks="some")


def test_trees_of_nltk_are_converted():
    text = "(S (NP (DT the) (NN dog)) (VP (VBZ barks)))"
    theirs = corpus_of_trees([nltk.Tree.fromstring(text)])
    assert theirs.fingerprint == corpus_of_trees(parse_penn(text)).fingerprint
    assert isinstance(theirs.trees[0], Tree)
    for wrong in ("S", None, nltk.Tree("S", [3]), nltk.Tree("S", [])):
        with pytest.raises(LanguageError, match="made of trees, linrep.Tree or nltk.Tree"):
            corpus_of_trees([wrong])


def test_several_files_are_documents(tmp_path):
    paths = [write(tmp_path, "(S (NN a))\n(S (NN b))", f"{name}.ptb") for name in "xy"]
    corpus = read_treebank(paths)
    assert corpus.document_ids.tolist() == [0, 0, 1, 1]
    assert corpus.select([3, 0]).documents == (str(paths[1]), str(paths[0]))
    assert read_treebank(paths[0]).document_ids is None
    with pytest.raises(LanguageError, match="one name per sentence; received 1 names for 2"):
        corpus_of_trees(corpus.trees[:2], documents=["x"])


def test_trees_may_come_one_by_one():
    trees = [Tree("S", ("a",)), Tree("S", (Tree("B", ("b",)),))]
    corpus = corpus_of_trees(tree for tree in trees)
    assert corpus.trees == tuple(trees)
    assert corpus.fingerprint == corpus_of_trees(trees).fingerprint
    with pytest.raises(LanguageError, match="at least one tree"):
        corpus_of_trees(iter(()))


def test_several_files_and_globs(tmp_path):
    first = write(tmp_path, "(S (NN a))", "1.ptb")
    write(tmp_path, "(S (NN b) (NN c))", "2.ptb")
    assert read_treebank(str(tmp_path / "*.ptb")).sentences == (("a",), ("b", "c"))
    assert read_treebank([first, str(tmp_path / "2*")]).n_tokens == 3


def test_nltk_reads_the_same_trees(gum):
    """GUM has no empty categories; nltk keeps function tags, which are cut here."""
    path = sorted((gum / "news").glob("*.ptb"))[0]
    corpus = read_treebank(path)
    theirs = [
        nltk.Tree.fromstring(block)
        for block in path.read_text("utf-8").split("\n\n")
        if block.strip()
    ]
    assert len(theirs) == len(corpus)
    words = [word for tree in theirs for word in tree.leaves()]
    unescaped = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]"}
    assert [unescaped.get(word, word) for word in words] == corpus.words.tolist()
    token = 0
    for tree in theirs:
        for i in range(len(tree.leaves())):
            path_down = tree.leaf_treeposition(i)
            for height in range(1, len(path_down) + 1):
                node = tree[path_down[:-height]]
                label = node.label()
                label = label if label.startswith("-") else label.split("-")[0].split("=")[0]
                assert corpus.labels(height)[token] == label
            deepest = corpus.heights[-1]
            if deepest > len(path_down):
                assert corpus.labels(len(path_down) + 1)[token] == ""
            token += 1


def test_collapsing_agrees_with_nltk(gum):
    path = sorted((gum / "news").glob("*.ptb"))[1]
    mine = parse_penn(path.read_text("utf-8"), unary="collapse")
    for tree, kept in zip(mine, parse_penn(path.read_text("utf-8")), strict=True):
        theirs = nltk.Tree.fromstring(str(kept))
        theirs.collapse_unary(collapsePOS=False, collapseRoot=True)
        assert " ".join(str(theirs).split()) == str(tree)


def test_real_treebanks_are_read(gum):
    corpus = read_treebank(str(gum / "court" / "*.ptb"))
    assert len(corpus) == len(corpus.trees) > 200
    assert corpus.n_tokens == len(corpus.words) > 5_000
    assert (corpus.labels(1) != "").all()
    assert not any("-" in label[1:] for label in set(corpus.labels(2)) if not label.startswith("-"))
    ends = np.flatnonzero(corpus.boundary(1))
    assert len(ends) > 0.99 * corpus.n_tokens


def test_trees_show_themselves():
    tree = Tree("S", (Tree("A", ("a<b",)), "b"))
    assert "a&lt;b" in tree._repr_html_()
    assert tree.pretty() == "(S\n  (A a<b)\n  b)"
    assert (tree.height, tree.leaves(), [n.label for n in tree.nodes()]) == (
        2,
        ("a<b", "b"),
        ["S", "A"],
    )
    assert parse_penn(str(tree)) == [tree]
    corpus = corpus_of_trees([tree])
    assert "1 sentences" in corpus._repr_html_()
    with pytest.raises(LanguageError, match="at least one tree"):
        corpus_of_trees([])


def test_induction_gives_back_relative_frequencies():
    grammar = unroll(examples.text("english"), depth=7)
    trees = list(grammar.sample(400, seed=1).trees)
    counts, heads = Counter(), Counter()
    for tree in trees:
        for node in tree.nodes():
            body = tuple(c if isinstance(c, str) else c.label for c in node.children)
            counts[node.label, body] += 1
            heads[node.label] += 1
    induced = induce(trees, depth=7)
    assert induced.lost_mass == 0
    for rule in induced.rules:
        assert rule.weight == Fraction(counts[rule.lhs, rule.rhs], heads[rule.lhs])
    assert sum(counts.values()) == sum(counts[rule.lhs, rule.rhs] for rule in induced.rules)
    for tree in trees[:20]:
        assert induced.tree_probability(tree) > 0


def test_a_treebank_gives_a_grammar_of_bounded_depth(gum):
    corpus = read_treebank(str(gum / "court" / "*carpet.ptb"))
    grammar = induce(corpus, depth=6, tokens="tags")
    assert grammar.depth == 6
    assert 0 < grammar.lost_mass < 1
    deeper = induce(corpus, depth=8, tokens="tags")
    assert deeper.lost_mass < grammar.lost_mass
    sample = grammar.sample(50, seed=0)
    assert set(sample.vocabulary) <= set(corpus.labels(1))
    assert max(tree.height for tree in sample.trees) <= 6
    # A short sentence of the treebank itself is in the language.
    low = [t for t in induce_tags(corpus) if t.height <= 6]
    assert grammar.probability(low[0].leaves()) > 0


def induce_tags(corpus):
    """Trees with parts of speech as tokens."""

    def cut(tree):
        children = []
        for child in tree.children:
            leaf = isinstance(child, Tree) and all(isinstance(c, str) for c in child.children)
            children.append(child.label if leaf else cut(child))
        return Tree(tree.label, tuple(children))

    return [cut(tree) for tree in corpus.trees]


def test_induction_needs_trees():
    grammar = unroll(examples.text("dyck"), depth=3)
    corpus = grammar.sample(3)
    assert induce(corpus, depth=3).depth <= 3
    with pytest.raises(LanguageError, match="this corpus has none"):
        induce([], depth=3)
    with pytest.raises(LanguageError, match="'words' or 'tags'; received 'letters'"):
        induce(corpus, depth=3, tokens="letters")


def test_a_label_called_top_is_not_taken_for_the_new_root():
    trees = [Tree("TOP", (Tree("A", ("a",)),)), Tree("X", (Tree("TOP", ("b",)),))]
    grammar = induce(trees, depth=4)
    assert grammar.start == "TOP'"
    assert {s: grammar.probability(s, exact=True) for s in grammar.all_sentences()} == {
        ("a",): Fraction(1, 2),
        ("b",): Fraction(1, 2),
    }
    assert "TOP -> TOP" not in str(grammar)
