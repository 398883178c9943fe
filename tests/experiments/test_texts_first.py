"""The texts are looked at before the model loads, by everything that takes both."""

import json
import sys

import numpy as np
import pytest
import yaml

from linrep import (
    Subspace,
    attention_by_position,
    capture,
    dose_response,
    erasure_effects,
    interchange,
    stream,
)
from linrep.cli import main
from linrep.core import LinrepError
from linrep.experiments import StudySettings
from linrep.experiments.calibration import calibrate
from linrep.experiments.questions.agreement import agreement
from linrep.experiments.settings import GrammarFile, Loaded
from linrep.hooks.reading import prepared

SITE = "blocks.0.hook_resid_post"
LINE = Subspace(np.eye(4)[:, :1], "pattern", "a line")
WORDS = [["a", "b"]] * 30


@pytest.fixture(autouse=True)
def loads(monkeypatch, tmp_path):
    """Nothing can be loaded; what was asked for is kept."""
    from linrep.experiments import subjects

    asked = []

    def load(source, **_):
        asked.append(source)
        raise LinrepError("THE MODEL WAS LOADED")

    question = sys.modules[agreement.__module__]
    for module in (prepared, subjects, question):
        monkeypatch.setattr(module, "load", load)
    monkeypatch.chdir(tmp_path)
    return asked


CALLS = {
    "capture": lambda: capture("model", [["a"], "b"]),
    "capture of nothing": lambda: capture("model", []),
    "stream": lambda: stream("model", [["a"], 3], len, {"t": ["x"]}),
    "stream, labels": lambda: stream("model", [["a", "b"]], len, {"t": ["x"]}),
    "attention": lambda: attention_by_position("model", [["a"], "b"]),
    "interchange": lambda: interchange("model", [["a", "b"]], {(SITE, "height 1"): LINE}),
    "interchange, pairs": lambda: interchange("model", None, {(SITE, "t"): LINE}, pairs=[3]),
    "erase": lambda: erasure_effects("model", ["a b"], SITE, LINE, {"t": ["x"]}, "t"),
    "erase, labels": lambda: erasure_effects("model", WORDS, SITE, LINE, {"t": ["x"]}, "t"),
    "erase, few": lambda: erasure_effects("model", WORDS[:3], SITE, LINE, {"t": ["x"] * 6}, "t"),
    "dose": lambda: dose_response("model", SITE, np.eye(4)[0], [["a", 3]], [["a", "b"]], WORDS),
    "dose, text": lambda: dose_response("model", SITE, np.eye(4)[0], [["a"]], [["a", "b"]], ["a"]),
    "dose, nowhere": lambda: dose_response(
        "model", SITE, np.zeros(4), [["a"]], [["a", "b"]], WORDS
    ),
    "calibrate": lambda: calibrate(
        StudySettings(name="s", language=GrammarFile(path="no.cfg"), model=Loaded(path="model"))
    ),
    "agreement": lambda: agreement(model="model", data="nowhere"),
}


@pytest.mark.parametrize("name", CALLS)
def test_functions_look_at_the_texts_first(name, loads):
    with pytest.raises(LinrepError) as error:
        CALLS[name]()
    assert "THE MODEL WAS LOADED" not in str(error.value)
    assert not loads


RIGHT = {
    "capture": lambda: capture("model", [["a"], ["b"]]),
    "stream": lambda: stream("model", [["a", "b"]], len, {"t": ["x", "y"]}),
    "attention": lambda: attention_by_position("model", [["a"], ["b"]]),
    "erase": lambda: erasure_effects("model", WORDS, SITE, LINE, {"t": ["x"] * 60}, "t"),
    "dose": lambda: dose_response("model", SITE, np.eye(4)[0], [["a"]], [["a", "b"]], WORDS),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_model_is_loaded_where_the_texts_are_right(name, loads):
    with pytest.raises(LinrepError, match="THE MODEL WAS LOADED"):
        RIGHT[name]()
    assert loads == ["model"]


COMMANDS = {
    "no such table": ("probe", "--data", "no.csv", "--target", "label"),
    "no such column": ("probe", "--data", "table.csv", "--target", "lable"),
    "no such text": ("probe", "--data", "table.csv", "--target", "label", "--text", "txt"),
    "no such group": ("probe", "--data", "table.csv", "--target", "label", "--group", "city"),
    "no such span": ("probe", "--data", "table.csv", "--target", "label", "--span", "word"),
    "no target": ("probe", "--data", "table.csv"),
    "no other file": ("probe", "--data", "table.csv", "--target", "label", "--transfer", "b.csv"),
    "no such feature": ("probe", "--data", "ud.conllu", "--target", "Nubmer"),
    "no trees": ("probe", "--trees", "*.ptb"),
    "broken trees": ("probe", "--trees", "broken.mrg"),
    "no such height": ("probe", "--grammar", "g.cfg", "--heights", "7"),
    "no grammar": ("probe", "--grammar", "no.cfg", "--erase", "--steer"),
    "broken grammar": ("probe", "--grammar", "broken.cfg"),
    "calibrate, no trees": ("calibrate", "--trees", "*.ptb"),
    "calibrate, no height": ("calibrate", "--grammar", "g.cfg", "--heights", "7"),
    "calibrate, no grammar": ("calibrate", "--grammar", "no.cfg"),
    "agreement": ("experiment", "agreement", "--data", "nowhere"),
    "truth": ("experiment", "truth", "--data", "nowhere"),
    "places": ("experiment", "places", "--data", "nowhere"),
    "pretrained": ("experiment", "pretrained", "--data", "nowhere/*.ptb"),
}


@pytest.fixture
def files(tmp_path):
    (tmp_path / "table.csv").write_text("text,label\na b,1\nb c,0\n")
    (tmp_path / "g.cfg").write_text("S -> A A\nA -> 'a' | 'b'\n")
    (tmp_path / "broken.cfg").write_text("S -> A A\n")
    (tmp_path / "broken.mrg").write_text("(S (A a)\n")
    (tmp_path / "ud.conllu").write_text(
        "1\tdogs\tdog\tNOUN\t_\tNumber=Plur\t0\troot\t_\t_\n\n"
        "1\tdog\tdog\tNOUN\t_\tNumber=Sing\t0\troot\t_\t_\n\n"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_look_at_the_texts_first(name, files, loads, capsys):
    command, *words = COMMANDS[name]
    where = [] if command == "calibrate" else ["--out", "made"]
    with pytest.raises(SystemExit) as end:
        main([command, *words, "--model", "model", *where])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert "THE MODEL WAS LOADED" not in said
    assert not loads


def test_a_command_loads_the_model_where_the_texts_are_right(files, loads, capsys):
    with pytest.raises(SystemExit) as end:
        main(["probe", "--grammar", "g.cfg", "--model", "model", "--out", "made"])
    assert end.value.code == 2
    assert "THE MODEL WAS LOADED" in capsys.readouterr().err
    assert loads == ["model"]


LATER = {
    "table": {"source": "data", "paths": "table.csv", "targets": ["lable"]},
    "other file": {
        "source": "data", "paths": "table.csv", "targets": ["label"], "transfer": ["no.csv"],
    },
    "trees": {"source": "treebank", "paths": "*.ptb"},
    "grammar": {"source": "grammar_text", "text": "S -> A"},
    "grammar file": {"source": "grammar_file", "path": "no.cfg"},
}  # fmt: skip


@pytest.mark.parametrize("name", LATER)
def test_texts_of_all_studies_are_looked_at_before_the_first_model_loads(
    name, files, loads, tmp_path, capsys
):
    first = {"source": "data", "paths": "table.csv", "targets": ["label"]}
    studies = [
        {"name": f"study {i}", "language": language, "model": {"source": "loaded", "path": "model"}}
        for i, language in enumerate([first, LATER[name]])
    ]
    (tmp_path / "s.yaml").write_text(yaml.safe_dump({"title": "t", "studies": studies}))
    with pytest.raises(SystemExit) as end:
        main(["run", "s.yaml", "--out", "made"])
    assert end.value.code == 2
    assert "THE MODEL WAS LOADED" not in capsys.readouterr().err
    assert not loads


def test_words_of_a_sweep_are_looked_at_before_the_first_training(tmp_path, capsys, monkeypatch):
    from linrep.experiments import sweep

    monkeypatch.setattr(sweep, "train", lambda *_, **__: pytest.fail("trained"))
    settings = {"language": {"source": "grammar_file", "path": "no.cfg"}}
    (tmp_path / "s.json").write_text(json.dumps(settings))
    with pytest.raises(SystemExit) as end:
        main(["sweep", "s.json", "--out", "made"])
    assert end.value.code == 2
    assert "no.cfg" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
