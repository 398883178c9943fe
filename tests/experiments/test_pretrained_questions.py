"""Experiments that read a pretrained model, on a tiny one and made-up data."""

import json

import numpy as np
import pytest

from linrep.cli import main
from linrep.experiments import SettingsError, agreement, places, pretrained, truth
from linrep.experiments.questions.agreement import AgreementSettings, read_beginnings
from linrep.experiments.questions.places import PlacesSettings
from linrep.experiments.questions.pretrained import PretrainedSettings
from linrep.experiments.questions.table import answer
from linrep.experiments.questions.truth import TruthSettings
from linrep.experiments.settings import Probes
from linrep.reports import read_run

FEW = Probes(permutations=19, bootstrap=20, twins=3, C=1.0, controls=("random_weights", "surface"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Statements, places, trees and minimal pairs, all made up."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for name in ("cities", "others"):
        lines = ["statement,label,city"]
        for i in range(30):
            lines += [f"City {i} is large.,1,c{i}", f"City {i} is not large.,0,c{i}"]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    lines = ["name,latitude,longitude"]
    lines += [f"Place {i},{rng.normal():.3f},{rng.normal():.3f}" for i in range(60)]
    (folder / "world_place.csv").write_text("\n".join(lines) + "\n")
    trees = [f"(S (NP (D the) (N n{i})) (VP (V v{i % 3})))" for i in range(40)]
    (folder / "trees.ptb").write_text("\n".join(trees) + "\n")
    pairs = []
    for i in range(40):
        words = {"one_prefix_prefix": f"The noun{i}{'s' if i % 2 else ''}"}
        verbs = ("are", "is") if i % 2 else ("is", "are")
        words |= dict(zip(("one_prefix_word_good", "one_prefix_word_bad"), verbs, strict=True))
        pairs.append(json.dumps(words))
    pairs.append(json.dumps({"sentence_good": "No beginning here."}))
    (folder / "pairs.jsonl").write_text("\n".join(pairs) + "\n")
    return folder


def test_truth_is_read_in_two_files(model, data, tmp_path):
    how = TruthSettings(learned_from="cities.csv", read_in=("others.csv",), probes=FEW)
    found = truth(how, model=model, data=data, out=tmp_path / "run")
    assert [row["read in"] for row in found.rows] == ["–", "others"]
    assert found.rows[0]["target"] == "label"
    assert read_run(tmp_path / "run").studies[0].transfers


def test_places_are_numbers(model, data):
    found = places(PlacesSettings(probes=FEW), model=model, data=data)
    assert [row["target"] for row in found.rows] == ["latitude", "longitude"]
    assert {row["verdict"].split(":")[0] for row in found.rows} == {"not decodable"}


def test_a_treebank_in_a_pretrained_model(model, data):
    how = PretrainedSettings(heights=(1,), probes=FEW)
    found = pretrained(how, model=model, data=data / "trees.ptb")
    assert [row["target"] for row in found.rows] == ["part of speech"]


def test_agreement_by_exchanges(model, data, tmp_path):
    how = AgreementSettings(files=("pairs.jsonl",), pairs=8, draws=2, permutations=19)
    found = agreement(how, model=model, data=data, out=tmp_path / "run")
    assert [row["after"] for row in found.rows] == ["block 0"]
    study = read_run(tmp_path / "run").studies[0]
    assert {row.exchange.measure for row in study.comparison.rows} == {"log-odds"}
    assert max(row.verdicts.rung for row in study.comparison.rows) < 4  # its weights are random


def test_beginnings_have_two_words_and_both_verbs(data):
    found = read_beginnings([data / "pairs.jsonl"])
    assert len(found) == 40
    assert {row.number for row in found} == {"singular", "plural"}
    assert found[1].answers == ("are", "is")


def test_files_without_beginnings_are_refused(data, tmp_path):
    with pytest.raises(SettingsError, match="no beginnings of both numbers"):
        read_beginnings([])
    (tmp_path / "bad.jsonl").write_text("not json\n")
    with pytest.raises(SettingsError, match="cannot read minimal pairs"):
        read_beginnings([tmp_path / "bad.jsonl"])


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("truth", {}, "--model and --data; missing: data, model"),
        ("truth", {"model": "M"}, "missing: data"),
        ("belief", {"data": "D"}, "makes its own data"),
    ],
)
def test_what_an_experiment_reads_has_to_be_given(name, given, why, tmp_path):
    with pytest.raises(SettingsError, match=why):
        answer(name, tmp_path / "run", **given)


def test_the_command_says_what_is_missing(capsys):
    with pytest.raises(SystemExit) as end:
        main(["experiment", "places", "--tiny"])
    assert end.value.code == 2
    assert "--model and --data" in capsys.readouterr().err
