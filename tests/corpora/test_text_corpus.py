"""A corpus of running texts: rows are spans of characters, with targets and groups."""

import numpy as np
import pandas as pd
import pytest

from linrep.core import LinrepError
from linrep.corpora import Corpus, Target
from linrep.probes.evidence.groups import read_groups

TEXTS = ["Paris is in France.", "Oslo is in Spain.", "Paris is in France."]


def test_whole_texts_are_rows():
    corpus = Corpus.from_texts(
        TEXTS, targets={"truth": [True, False, True]}, groups=["a", "b", "a"]
    )
    assert corpus.words.tolist() == TEXTS
    assert corpus.sentence_ids.tolist() == [0, 1, 2]
    assert corpus.positions.tolist() == [0, 0, 0]
    assert corpus.heights == ()
    assert corpus.at == "last"
    assert corpus.targets["truth"].values.tolist() == ["True", "False", "True"]
    assert corpus.text_ids.tolist() == [0, 1, 0]


def test_spans_are_rows_and_texts_may_have_none():
    spans = [(0, 0, 5), (0, 12, 18), (2, 0, 5)]
    corpus = Corpus.from_texts(TEXTS, spans=spans, groups=["x", "y", "z"], at="mean")
    assert corpus.words.tolist() == ["Paris", "France", "Paris"]
    assert corpus.sentence_ids.tolist() == [0, 0, 2]
    assert corpus.positions.tolist() == [0, 1, 0]
    assert corpus.sentences == (("Paris", "France"), (), ("Paris",))
    assert corpus.groups.tolist() == ["x", "y", "z"]


def test_groups_of_texts_are_those_of_their_rows():
    corpus = Corpus.from_texts(TEXTS[:2], spans=[(0, 0, 5), (0, 12, 18), (1, 0, 4)], groups=[7, 8])
    assert corpus.groups.tolist() == ["7", "7", "8"]
    found = read_groups(corpus, None, 3)
    assert (found.unit, found.ids.tolist()) == ("group", [0, 0, 1])


def test_texts_without_groups_are_groups_with_their_copies():
    found = read_groups(Corpus.from_texts(TEXTS), None, 3)
    assert (found.unit, found.ids.tolist()) == ("text", [0, 1, 0])


def test_select_takes_texts_with_their_spans_targets_and_groups():
    spans = [(0, 0, 5), (0, 12, 18), (1, 0, 4), (2, 0, 5)]
    targets = {"kind": ["city", "land", "city", "city"]}
    corpus = Corpus.from_texts(TEXTS, spans=spans, targets=targets, groups=[0, 1, 2])
    part = corpus.select([2, 0])
    assert part.texts == (TEXTS[2], TEXTS[0])
    assert part.spans.tolist() == [[0, 0, 5], [1, 0, 5], [1, 12, 18]]
    assert part.targets["kind"].values.tolist() == ["city", "city", "land"]
    assert part.groups.tolist() == ["2", "0", "0"]


def test_rows_are_a_table():
    place = Target.read("place", np.array([[48.9, 2.4], [59.9, 10.8]]), columns=("lat", "lon"))
    corpus = Corpus.from_texts(
        TEXTS[:2], spans=[(0, 0, 5), (1, 0, 4)], targets=[place], groups=["FR", "NO"]
    )
    expected = pd.DataFrame(
        {
            "text": [0, 1],
            "start": [0, 0],
            "stop": [5, 4],
            "span": ["Paris", "Oslo"],
            "place lat": [48.9, 59.9],
            "place lon": [2.4, 10.8],
            "group": ["FR", "NO"],
        }
    )
    pd.testing.assert_frame_equal(corpus.rows, expected, check_dtype=False)


@pytest.mark.parametrize(
    "change",
    [
        {"spans": [(0, 0, 5), (1, 0, 5), (2, 0, 5)]},
        {"targets": {"truth": [False, False, True]}},
        {"at": "first"},
        {"texts": [TEXTS[0], TEXTS[1], "Paris is in Spain."]},
    ],
)
def test_a_fingerprint_tells_corpora_apart(change):
    given = {"targets": {"truth": [True, False, True]}}
    same = Corpus.from_texts(TEXTS, **given).fingerprint
    changed = {"texts": TEXTS, **given, **change}
    assert Corpus.from_texts(TEXTS, **given).fingerprint == same
    assert Corpus.from_texts(changed.pop("texts"), **changed).fingerprint != same


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"spans": [(0, 0, 99)]}, "span 0 goes from character 0 to 99; text 0 .* has 19 char"),
        ({"spans": [(0, 5, 2)]}, "span 0 goes from character 5 to 2"),
        ({"spans": [(0, 4, 4)]}, "span 0 of text 0 is empty"),
        ({"spans": [(3, 0, 4)]}, "span 0 is of text 3; there are 3 texts"),
        ({"spans": [(-1, 0, 4)]}, "span 0 is of text -1"),
        ({"spans": [(1, 0, 4), (0, 0, 4)]}, "sort spans"),
        ({"spans": [(0, 1)]}, "spans are .text, start, stop. each"),
        ({"spans": [(0, 0.5, 1)]}, "whole numbers"),
        ({"spans": "all"}, "spans are"),
        ({"targets": {"truth": [1, 0]}}, "target 'truth' has 2 values; there are 3 rows"),
        ({"targets": [1, 0, 1]}, "targets are values by name"),
        ({"groups": ["a", "b"]}, "groups are one value for each of the 3 rows"),
        ({"groups": ["a", None, "b"]}, "groups: 1 of 3 values are missing, row 1"),
        ({"groups": [1.0, float("nan"), 2.0]}, "row 1 is the first"),
        ({"at": "middle"}, "at is 'last', 'first' or 'mean'; received 'middle'"),
    ],
)
def test_what_does_not_fit_is_told(given, message):
    with pytest.raises(LinrepError, match=message):
        Corpus.from_texts(TEXTS, **given)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", "texts are a list of texts"),
        ([], "at least one text"),
        (["a", None], "text 1 is None"),
        (["a", ""], "text 1 is empty"),
        (["a", 3], "text 1 is int 3"),
    ],
)
def test_texts_that_are_none_are_told(texts, message):
    with pytest.raises(LinrepError, match=message):
        Corpus.from_texts(texts)
