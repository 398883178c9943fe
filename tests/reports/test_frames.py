"""A run as data frames: every number is there, under its name and of its kind."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from linrep.core import CellScore, ErasedRow
from linrep.reports import (
    Comparison,
    FolderError,
    RecordError,
    Run,
    Scores,
    Study,
    frames,
    write_run,
)


@pytest.fixture
def bare():
    """A run in which nothing was probed."""
    return Run("t", "q", {}, {}, (Study("one", "q", {}, Scores(()), Comparison(())),))


def test_a_folder_and_its_run_give_the_same_tables(run, tmp_path):
    folder = write_run(run, tmp_path / "run")
    here, there = frames(run), frames(folder)
    assert list(here) == list(there)
    for name in here:
        pd.testing.assert_frame_equal(here[name], there[name])


def test_every_score_is_there_once(run):
    table = frames(run).scores
    assert len(table) == len(run.rows())
    for (study, row), (_, line) in zip(run.rows(), table.iterrows(), strict=True):
        assert (line.study, line.site, line.target) == (study.name, row["site"], row["target"])
        assert line.accuracy == row["accuracy"]
        assert [line.interval_low, line.interval_high] == list(row["interval"])


def test_verdicts_are_the_runs_and_tidy(run):
    tables = frames(run)
    rows = run.studies[0].comparison.rows
    assert len(tables.verdicts) == 4 * len(rows)
    wide = tables.verdicts.pivot(index=["site", "target"], columns="rung", values="state")
    for row in rows:
        assert wide.loc[row.site, row.target].to_dict() == {
            name: getattr(row.verdicts, name).state
            for name in ("decodable", "selective", "aligned", "causal")
        }
    assert tables.comparison["rung"].tolist() == [row.verdicts.rung for row in rows]


def test_a_table_without_rows_has_the_columns_and_kinds_of_one_with_rows(run, bare):
    full, empty = frames(run), frames(bare)
    for name in full:
        assert list(empty[name].columns) == list(full[name].columns)[: len(empty[name].columns)]
        assert (empty[name].dtypes == full[name].dtypes[: len(empty[name].columns)]).all()
        assert empty[name].empty


def test_what_was_not_measured_is_missing_and_not_nothing(run):
    study = run.studies[0]
    done = {name: math.nan for name, kind in CellScore.__annotations__.items() if kind is float}
    texts = dict.fromkeys(("site", "target", "measure", "protocol"), "x")
    counts = dict.fromkeys(("dim", "n_moved", "n_equal", "n_groups"), 3)
    cell = CellScore(**texts, **counts, **done, identity=True, follows=False)
    rows = (replace(study.comparison.rows[0], exchange=cell),)
    erased = (ErasedRow("t", "s", "none", 0, math.nan, 1.0, 0.0, "t", "s", math.nan, 0.5),)
    tables = frames(replace(run, studies=(
        replace(study, comparison=Comparison(rows), erased=erased),)))  # fmt: skip
    assert tables.exchanges.loc[0, "share"] != tables.exchanges.loc[0, "share"]  # NaN
    assert bool(tables.exchanges.loc[0, "identity"]) is True
    assert tables.exchanges.dtypes["n_moved"] == "Int64"
    assert math.isnan(tables.erased.loc[0, "accuracy"])
    assert tables.scores["p_unseen"].isna().all()
    assert tables.comparison["map_dims"].isna().all()


def test_tables_are_found_by_name_and_others_are_not(run):
    tables = frames(run)
    assert tables["checks"] is tables.checks
    assert "checks: 1" in repr(tables)
    with pytest.raises(KeyError, match="there are scores, verdicts"):
        _ = tables["nonsense"]


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(FolderError, match="does not exist"):
        frames(tmp_path / "none")
    with pytest.raises(RecordError, match="run"):
        frames(3)


def test_a_column_that_is_not_of_its_kind_is_named(run):
    study = run.studies[0]
    rows = [dict(row) for row in study.scores.rows]
    rows[3]["n_test"] = "many"
    odd = replace(run, studies=(replace(study, scores=Scores(tuple(rows))),))
    with pytest.raises(RecordError, match=r"n_test of scores .* whole number: received 'many'"):
        frames(odd)
