"""Experiments of one file: their tiny form finds what it must, and becomes a run with a page."""

import json

import numpy as np
import pytest

import linrep.experiments
from linrep.cli import main
from linrep.experiments import SettingsError, belief
from linrep.experiments.questions.belief import BeliefSettings, _components, _excess, _share
from linrep.experiments.questions.table import QUESTIONS, question
from linrep.reports import FolderError, read_run


@pytest.fixture(scope="module")
def beliefs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("belief") / "run"
    return belief(tiny=True, out=folder), folder


def test_a_run_of_beliefs_is_written_and_read(beliefs):
    found, folder = beliefs
    read = read_run(folder)
    assert [study.name for study in read.studies] == ["mess3", "rrxor"]
    assert read.settings["experiment"] == "belief"
    assert read.passed
    assert (folder / "report.html").read_text("utf-8").count('class="plot" id=') >= 2
    assert len(found.to_frame()) == len(found.rows) == 12
    assert found.to_markdown().count("\n") == 13
    assert found.plot().data


def test_every_place_has_its_controls(beliefs):
    found, _ = beliefs
    places = found.to_frame().groupby("process")["place"].apply(list)
    assert places["mess3"] == [
        "embedding", "block 0", "block 1", "all sites", "block 1 post, 2 principal components",
        "all sites, 2 principal components",
    ]  # fmt: skip
    assert places["rrxor"][-1] == "all sites, 4 principal components"
    for study in found.run.studies:
        for row in study.scores.rows:
            assert row["interval"] is not None
            assert row["n_gram"] is not None
            assert (row["random_weights"] is None) == ("principal" in row["site"])
        assert study.facts["dimensions of the beliefs"] == (2 if study.name == "mess3" else 4)


def test_the_divergence_of_a_model_that_knows_the_process_is_none():
    """On a process without memory the bias of the readout can be all of a model."""
    import torch

    from linrep.grammars import HiddenMarkov
    from linrep.models import PlainConfig, PlainTransformer, initialise, word_ids

    process = HiddenMarkov([[[0.25]], [[0.75]]], ("a", "b"), ("x",), length=4)
    config = PlainConfig(vocabulary=word_ids(["a", "b"]))
    model = initialise(PlainTransformer(config), seed=0).double().eval()
    corpus = process.sample(5, seed=0, length=3)
    assert (_excess(model, process, corpus) > 0.01).all()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias[:] = torch.tensor([-100.0, np.log(0.25), np.log(0.75), -100.0])
    assert _excess(model, process, corpus) == pytest.approx(0, abs=1e-12)


def test_components_are_those_of_the_largest_variance():
    rng = np.random.default_rng(0)
    stream = rng.standard_normal((400, 5)) * [1, 5, 2, 4, 0.5] + 7
    found = _components(stream, 2)
    assert sorted(np.abs(found.basis).argmax(axis=0).tolist()) == [1, 3]
    centred = stream - stream.mean(axis=0)
    assert _share(centred, found) == pytest.approx(41 / 46.25, abs=0.05)


def test_what_is_asked_wrongly_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="steps names mess3 and rrxor; received 'other'"):
        belief(BeliefSettings(steps={"other": 3}))
    with pytest.raises(SettingsError, match="tiny is"):
        belief(tiny="yes")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FolderError):
        belief(tiny=True, out=tmp_path)
    with pytest.raises(SettingsError, match="are agreement, belief.*received 'nothing'"):
        question("nothing")
    with pytest.raises(SettingsError, match="sequences"):
        BeliefSettings(sequences=1)


def test_every_experiment_is_a_function_of_the_package():
    for name in QUESTIONS:
        found = getattr(linrep.experiments, name)
        assert found.__name__ == name
        assert name in linrep.experiments.__all__


def test_the_command_prints_the_table(tmp_path, capsys, monkeypatch, beliefs):
    found, _ = beliefs
    monkeypatch.setattr(
        "linrep.experiments.questions.belief.belief", lambda *, tiny, seed, out: found
    )
    with pytest.raises(SystemExit) as end:
        main(["experiment", "belief", "--tiny", "--out", str(tmp_path / "run")])
    assert end.value.code == 0
    assert found.to_markdown() in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        main(["experiment", "belief", "--tiny", "--json", "--out", str(tmp_path / "run")])
    assert json.loads(capsys.readouterr().out)["rows"] == json.loads(json.dumps(found.rows))


def test_the_command_lists_experiments_and_refuses_others(capsys):
    with pytest.raises(SystemExit) as end:
        main(["experiment", "list"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("agreement: ")
    with pytest.raises(SystemExit) as end:
        main(["experiment", "nothing"])
    assert end.value.code == 2
    assert "received 'nothing'" in capsys.readouterr().err


def test_sizes_come_from_a_file(tmp_path, capsys, monkeypatch):
    """A language of one's own is trained on as the file says; what is no setting is refused."""
    from linrep.experiments.questions import table, trained_languages

    asked = []

    def remember(settings=None, **_):
        asked.append(settings)
        raise SettingsError("asked")

    remember.__annotations__ = {"settings": trained_languages.LanguagesSettings | None}
    monkeypatch.setattr(table, "question", lambda name: remember)
    file = tmp_path / "own.yaml"
    file.write_text(
        "languages:\n"
        "  own:\n"
        "    language: {source: grammar_text, text: \"S -> 'a' | 'b'\"}\n"
        "    training: {steps: 7}\n"
        "sentences: 40\n"
    )
    command = ["experiment", "trained_languages", "--settings", str(file)]
    command += ["--out", str(tmp_path / "run")]

    def refused(*more):
        with pytest.raises(SystemExit) as end:
            main([*command, *more])
        assert end.value.code == 2
        return capsys.readouterr().err

    assert "asked" in refused()
    (how,) = asked
    assert list(how.languages) == ["own"]
    assert (how.languages["own"].training.steps, how.sentences, how.seed) == (7, 40, 0)
    assert "leave --tiny and --seed out" in refused("--seed", "3")
    file.write_text(file.read_text() + "experiment: trained_languages\n")  # as a run keeps them
    assert "asked" in refused()
    assert asked[1] == how
    file.write_text("experiment: belief\n")
    assert "experiment" in refused()
    file.write_text("width: 3\n")
    assert "width" in refused()
    assert len(asked) == 2
