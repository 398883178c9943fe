"""Whatever a careless user hands to the grid, the answer is one error that says what to do."""

import jaxtyping
import numpy as np
import pytest

from linrep.core import LinrepError
from linrep.probes import ProbeError, probe
from linrep.probes.inputs.reading import as_array, read_heights, shown

N = 30  # sentences: enough for three parts
SOON = {"permutations": 0, "bootstrap": 0}


@pytest.fixture(autouse=True)
def as_users_run_it():
    """Users have no annotations checked while they run: the messages are the package's own."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"heights": 1}, r"heights are a list of whole numbers, \[1\] for one; received int 1"),
        ({"heights": "1"}, "heights are a list of whole numbers"),
        ({"heights": [True]}, "no labels at height True"),
        ({"heights": [np.array([1])]}, "no labels at height array"),
        ({"targets": 3}, "targets are a mapping from names to .* received int 3"),
        ({"targets": ["a", "b"]}, "the corpus has no target 'a': it has .*'height 1'"),
        ({"targets": {3: ["a"]}}, "targets have names, .* received int 3: call it '3'"),
        ({"targets": {"": ["a"]}}, "targets have names"),
        ({"targets": {"a": [[1], [1, 2]]}}, "target 'a' has one value for each row"),
        ({"positions": 5}, "a mask of positions is bool"),
        ({"positions": {None: "all", "b": "all"}}, r"unknown targets \['None', 'b'\]"),
        ({"positions": [[True], [True, False]]}, "a mask of positions is bool .* no array"),
        ({"controls": None}, "controls are a list of some of .* received None"),
        ({"controls": [["shuffled"]]}, "controls are a list of some of"),
        ({"random_weights": "twin"}, "twin are what linrep.capture returns; received str 'twin'"),
        ({"ceilings": 0.5}, "ceilings are a mapping from targets"),
        ({"ceilings": np.ones(3)}, "ceilings are a mapping from targets"),
        ({"ceilings": {"height 1": [[1], [1, 2]]}}, "a ceiling is .* no array"),
        ({"permutations": "a"}, "permutations is a whole number"),
        ({"codelength": "yes"}, "codelength is True or False; received 'yes'"),
        ({"groups": [[1], [1, 2]]}, "groups are one id per token.* no array"),
        ({"C": "x"}, "C is positive and finite"),
        ({"tolerance": "a"}, "tolerance is positive and finite; received 'a'"),
        ({"tolerance": None}, "tolerance is positive and finite; received None"),
        ({"engine": 3}, "an engine is a name"),
        ({"engine": None}, "an engine is a name"),
    ],
)
def test_arguments_of_other_types_are_named(planted, arguments, message):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    with pytest.raises(LinrepError, match=message):
        probe(acts, corpus, **SOON | arguments)


def test_groups_that_cannot_be_sorted_are_refused(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    with pytest.raises(ProbeError, match="groups are ids that can be sorted, .* without None"):
        probe(acts, corpus, groups=[None] * corpus.n_tokens, **SOON)


@pytest.mark.parametrize("given", [None, 3, "x", {}, object()])
def test_what_is_no_activations_is_told_what_they_are(planted, given):
    _, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    with pytest.raises(ProbeError, match=r"has no .*sites.*given as \{site: array\}"):
        probe(given, corpus, **SOON)


@pytest.mark.parametrize("given", [[], np.ones(3), np.ones((3, 2, 2)), {"late": ["a"]}])
def test_arrays_of_another_form_are_refused(planted, given):
    _, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    with pytest.raises(ProbeError, match=r"numbers \[row, d_model\]; received .* of shape"):
        probe(given, corpus, **SOON)


@pytest.mark.parametrize("given", [np.ones((3, 2)), {"late": np.ones((3, 2))}])
def test_arrays_have_a_row_for_each_token(planted, given):
    _, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    with pytest.raises(ProbeError, match="3 rows, the corpus .* one row for each of its tokens"):
        probe(given, corpus, **SOON)


@pytest.mark.parametrize("given", [3, "x", object()])
def test_what_is_neither_corpus_nor_values_is_sent_to_where_they_are_made(planted, given):
    acts, _, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    with pytest.raises(ProbeError, match=r"read_treebank returns; .* has no words"):
        probe(acts, given, **SOON)


def test_activations_without_corpus_or_values_ask_for_one(planted):
    acts, _, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    with pytest.raises(ProbeError, match="nothing to probe: .* know no corpus"):
        probe(acts, **SOON)


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("kept", None, r"kept is bool \[token\]"),
        ("kept", np.ones(3, dtype=bool), "activations have 3 rows"),
        ("kept", np.full(200, "yes"), r"kept is bool \[token\]; received <U3"),
        ("manifest", None, "the manifest of activations is a mapping"),
    ],
)
def test_activations_that_say_nonsense_of_themselves_are_refused(
    planted, attribute, value, message
):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    setattr(acts, attribute, value)
    with pytest.raises(ProbeError, match=message):
        probe(acts, corpus, **SOON)


@pytest.mark.parametrize("sites", ["late", 3, [3], [["late"]]])
def test_sites_are_names(planted, sites):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    odd = type("Odd", (type(acts),), {"sites": sites})(dict(acts), corpus.n_tokens)
    with pytest.raises(ProbeError, match="sites of the activations are a list of names"):
        probe(odd, corpus, **SOON)


@pytest.mark.parametrize("kind", [complex, str, object])
def test_activations_are_numbers(planted, kind):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    odd = type(acts)({"late": acts["late"].astype(kind)}, corpus.n_tokens)
    with pytest.raises(ProbeError, match="activations at 'late' are numbers"):
        probe(odd, corpus, **SOON)


def test_ragged_activations_are_refused(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    with pytest.raises(ProbeError, match="activations at 'late' .* no array"):
        probe(type(acts)({"late": [[1.0], [1.0, 2.0]]}, corpus.n_tokens), corpus, **SOON)


def test_what_can_be_understood_is_taken(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=N)
    for heights in ([1], (1,), {1}, range(1, 2), np.array([1]), iter([1])):
        assert probe(acts, corpus, heights=heights, **SOON).targets == ("height 1",)
    assert read_heights(None, (1, 2)) == ()
    controls = iter(["shuffled"])
    assert probe(acts, corpus, controls=controls, **SOON).settings["controls"] == ["shuffled"]


def test_messages_stay_on_one_short_line():
    assert shown(None) == "None"
    assert shown("a") == "str 'a'"
    assert shown(3) == "int 3"
    assert len(shown(np.ones((50, 50)))) < 80
    assert as_array([1, 2], "numbers").tolist() == [1, 2]
