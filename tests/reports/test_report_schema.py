"""report.json: whatever a run holds, what is written meets the published schema."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path

import jsonschema
import numpy as np
import pydantic
import pytest
from hypothesis import given, settings, strategies as st

from linrep.core import CellScore, ErasedRow, Invariant, SteeredRow
from linrep.probes import Moved, Score, Transfer
from linrep.reports import Check, Scores, read_run, report, report_schema, write_run
from linrep.reports.described import meanings
from linrep.reports.meeting import ComparedSubspaces
from linrep.reports.report_json import run_json
from linrep.reports.report_schema import ReportFile
from linrep.reports.run_json import dumps
from linrep.reports.through import Through

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.just(math.nan)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def rows_of(record, **fixed):
    """Any values of a record, number fields that may be NaN included."""
    kinds = {"float": NUMBERS, "int": st.integers(-5, 10**6), "str": TEXTS, "bool": st.booleans()}
    entries = {
        one.name: fixed[one.name] if one.name in fixed else kinds[one.type.__name__]
        for one in fields(record)
    }
    return st.fixed_dictionaries(entries)


STATES = st.sampled_from(["as predicted", "partly", "not as predicted", "not telling"])
MOVED = rows_of(Moved, site=st.just("a"), chance=st.floats(0, 1), n_test=st.integers(0, 9))
CHECKS = rows_of(Check, relation=st.sampled_from(["<=", ">="]), limit=st.floats(-9, 9))
PARTS = st.fixed_dictionaries({
    "erased": st.lists(rows_of(ErasedRow), max_size=2),
    "steered": st.lists(rows_of(SteeredRow), max_size=2),
    "invariants": st.lists(rows_of(Invariant, state=STATES), max_size=2),
    "checks": st.lists(CHECKS, max_size=3),
    "moved": st.lists(MOVED, max_size=2),
    "notes": st.lists(TEXTS, max_size=2),
    "names": st.dictionaries(st.sampled_from(["height 1"]), TEXTS.filter(bool)),
})  # fmt: skip
RECORDS = {"erased": ErasedRow, "steered": SteeredRow, "invariants": Invariant, "checks": Check}


def built(parts):
    """The parts of a study, out of plain values."""
    made = {name: tuple(record(**row) for row in parts[name]) for name, record in RECORDS.items()}
    table = {"a": np.array([[1.0, math.nan], [0.5, 1.0]])}
    moved = tuple(Moved(**row) for row in parts["moved"])
    transfers = (Transfer("height 1", moved, ("x", "y"), table),) if moved else ()
    return {**made, "transfers": transfers, "notes": tuple(parts["notes"]),
            "names": parts["names"]}  # fmt: skip


@pytest.fixture(scope="module")
def planted():
    return read_run(ROOT / "tests" / "formats" / "run_1")


@settings(max_examples=15)
@given(parts=PARTS, columns=st.dictionaries(TEXTS, NUMBERS | TEXTS | st.booleans(), max_size=3),
       exchange=rows_of(CellScore))  # fmt: skip
def test_whatever_a_run_holds_its_report_meets_the_schema(planted, parts, columns, exchange):
    run = planted
    study = run.studies[0]
    rows = [dict(row) for row in study.scores.rows]
    known = {one.name for one in fields(Score)} | {"share"}
    rows[0] |= {name: value for name, value in columns.items() if name not in known}
    first = replace(study.comparison.rows[0], exchange=CellScore(**exchange))
    comparison = replace(study.comparison, rows=(first, *study.comparison.rows[1:]))
    whole = replace(
        run,
        studies=(
            replace(study, scores=Scores(tuple(rows)), comparison=comparison, **built(parts)),
        ),
    )
    text = dumps(run_json(whole))
    ReportFile.model_validate_json(text)
    jsonschema.validate(json.loads(text), report_schema())


def test_the_schema_itself_is_one():
    jsonschema.Draft202012Validator.check_schema(report_schema())


def test_the_published_file_is_what_the_models_say():
    file = ROOT / "docs" / "report.schema.json"
    assert json.loads(file.read_text("utf-8")) == report_schema(), (
        "make it again: linrep schema > docs/report.schema.json"
    )


@pytest.mark.parametrize("kept", ["run_1"])
def test_reports_of_older_runs_meet_it_too(kept, tmp_path):
    run = read_run(Path(__file__).resolve().parents[1] / "formats" / kept)
    ReportFile.model_validate_json(report(run, tmp_path / "old.json").read_text("utf-8"))


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "linrep report 2"}, {"unknown": 1}, {"passed": "perhaps"}, {"studies": []},
        {"title": None},
    ],
)  # fmt: skip
def test_another_number_or_another_field_is_refused(run, change):
    data = json.loads(dumps(run_json(run))) | change
    with pytest.raises(pydantic.ValidationError):
        ReportFile.model_validate(data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, report_schema())


@pytest.mark.parametrize("place", ["scores", "comparison", "checks"])
def test_a_column_of_the_wrong_kind_is_refused(run, place):
    data = json.loads(dumps(run_json(run)))
    study = data["studies"][0]
    if place == "scores":
        study["scores"]["rows"][0]["p_family"] = "small"
    elif place == "comparison":
        study["comparison"]["rows"][0]["subspaces"]["overlap"] = "much"
    else:
        study["checks"][0]["limit"] = None
    with pytest.raises(pydantic.ValidationError):
        ReportFile.model_validate(data)


@pytest.mark.parametrize("record", [Score, CellScore, ErasedRow, SteeredRow, Invariant])
def test_every_column_is_described(record):
    assert set(meanings(record)) == {one.name for one in fields(record)}
    assert all(meanings(record).values())


@pytest.mark.parametrize("record", [Score, CellScore, ErasedRow, SteeredRow, ComparedSubspaces,
                                    Invariant, Through])  # fmt: skip
def test_every_field_of_a_record_stands_in_the_schema(record):
    known = [set(part.get("properties", {})) for part in report_schema()["$defs"].values()]
    assert any({one.name for one in fields(record)} <= names for names in known)


def test_what_only_pairs_two_runs_is_not_in_the_report(run, tmp_path):
    out = write_run(run, tmp_path / "run")
    assert "by_group" not in (out / "report.json").read_text("utf-8")
