"""The first sentences of a page: what was found, in the target's own language."""

from dataclasses import replace

import pytest

from linrep.probes import Moved, Transfer
from linrep.reports import Run, Scores, Study, compare, read_run, write_run
from linrep.reports.findings import findings
from linrep.reports.markdown import render_markdown
from linrep.reports.named import named_study
from linrep.reports.words import words_of

from .conftest import Grid, make_grid

SITES = ("blocks.0.hook_resid_pre", "blocks.0.hook_resid_post", "blocks.1.hook_resid_post")
FOUND = {"p_family": 0.005, "p_untrained": 0.005, "p_surface": 0.005}


def study(score=0.8, surface=0.5, at=(2,), **told):
    """A target of statements that is read at some of three sites."""
    grid = Grid(covariances=dict.fromkeys(SITES, make_grid().covariances[SITES[0]]))
    for index, site in enumerate(SITES):
        found = index in at
        value = score if found else 0.5
        grid.rows.append(
            {
                "site": site, "target": "label", "accuracy": value, "validation": value,
                "interval": [value - 0.1, value + 0.1], "chance": 0.5, "random_weights": 0.5,
                "surface": surface, "bag_of_words": surface, "n_twins": 5, "n_groups": 40,
                "position": 0.5, "previous_word": 0.5, "word_identity": 0.5, "next_word": 0.5,
                **dict.fromkeys(FOUND, 0.005 if found else 0.9), **(told if found else {}),
            }
        )  # fmt: skip
    scores = Scores(tuple(grid.rows))
    return Study("cities", "", {}, scores, compare(grid, draws=5), piece="statement")


def moved(away, above):
    row = {"site": SITES[2], "low": 0.4, "high": 0.9, "chance": 0.5, "twin": 0.5}
    size = {"n_train": 9, "n_test": 9}
    rows = [
        Moved(train="cities", test="cities", score=0.8, above=True, **row, **size),
        Moved(train="cities", test="facts", score=away, above=above, **row, **size),
    ]
    import numpy as np

    return Transfer("label", tuple(rows), ("cities", "facts"), {SITES[2]: np.eye(2)})


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (study(at=(1, 2)), "Label of each statement can be read from the stream from block 0 on "
         "(at best accuracy 0.800 [0.700 to 0.900] after block 0; 5 untrained models there at most "
         "0.500), beyond "
         "what its words, letters and length give (0.500)."),
        (study(surface=0.7), "beyond what its words, letters and length give (0.700), though these "
         "give most of it."),
        (study(surface=0.8, p_surface=0.6), "but that is mostly lexical: its words, letters and "
         "length alone give most of it (0.800)."),
        (study(surface=0.6, p_surface=0.6), "but it is not shown to be more than its words, "
         "letters and length give (0.600)."),
        (study(at=()), "Label of each statement is not shown to be readable from the stream "
         "(accuracy 0.500"),
        (study(n_groups=3), "Whether label of each statement can be read was not tested: 3 test"),
        (study(p_surface=None), "but whether that is more than its words, letters and length tell "
         "was not tested"),
    ],
)  # fmt: skip
def test_one_sentence_says_what_was_found(made, said):
    assert said in findings(made)[0]


@pytest.mark.parametrize(
    ("away", "above", "said"),
    [
        (
            0.5,
            False,
            "but what is read on cities is not shown to carry over to facts (0.500 [0.400 to",
        ),
        (0.8, True, "and what is read on cities carries over to facts (0.800 [0.400 to 0.900]"),
    ],
)
def test_the_sentence_says_whether_it_carries_over(away, above, said, tmp_path):
    whole = replace(study(at=(1, 2)), transfers=(moved(away, above),))
    assert said in findings(whole)[0]
    again = read_run(write_run(Run("t", "", {}, {}, (whole,)), tmp_path / "run"))
    assert findings(again.studies[0]) == findings(whole)
    assert again.studies[0].transfers[0].rows == whole.transfers[0].rows


def test_a_page_of_statements_has_no_word_of_trees_and_exchanges():
    run = Run("t", "", {}, {}, (study(),))
    words = dict(words_of(run))
    assert "statement" in words["target"]
    assert not {"ceiling", "overlap", "exchange", "aligned", "codelength", "R²"} & set(words)
    text = render_markdown(run)
    for word in ("token", "nonterminal", "grammar", "ancestor", "height"):
        assert word not in text.lower(), word


def test_heights_of_a_treebank_are_called_by_what_they_are(run):
    bare = tuple(replace(row, subspaces=None) for row in run.studies[0].comparison.rows)
    before = replace(
        run.studies[0], names={"height 1": "part of speech"}, piece="word",
        comparison=replace(run.studies[0].comparison, rows=bare),
    )  # fmt: skip
    after = named_study(before)
    assert {row["target"] for row in after.scores.rows} == {"part of speech", "height 2"}
    assert {row.target for row in after.comparison.rows} == {"part of speech", "height 2"}
    assert findings(before) == findings(after)
    assert findings(before)[0].startswith("Part of speech")
    assert "of each word can be read" in findings(before)[0]
