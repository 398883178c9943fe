"""Settings: closed, frozen, the same after a round trip through YAML."""

import pytest
import yaml
from pydantic import ValidationError

from linrep.core import YamlError, read_yaml
from linrep.experiments import (
    Experiment,
    SettingsError,
    demo_settings,
    probe_settings,
    read_settings,
)
from linrep.experiments.settings import Probes


def write(tmp_path, data):
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "experiment",
    [
        demo_settings(),
        demo_settings(seed=7),
        probe_settings("model", "trees/*.ptb"),
        probe_settings("model", None, "language.cfg", positions="boundary", codelength=True),
    ],
)
def test_round_trip_through_yaml(tmp_path, experiment):
    assert read_settings(write(tmp_path, experiment.dump())) == experiment


def test_the_seed_reaches_every_study():
    assert all(study.seed == 7 for study in demo_settings(seed=7).studies)


def test_overrides_change_one_setting(tmp_path):
    path = write(tmp_path, demo_settings().dump())
    changed = read_settings(path, ("studies.0.sentences=50", "studies.1.probes.heights=[1, 2]"))
    assert changed.studies[0].sentences == 50
    assert changed.studies[1].probes.heights == (1, 2)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("studies.0.sentences=1", "greater than or equal to 2"),
        ("studies.0.sentence=9", "sentence: Extra inputs are not permitted"),
        ("studies.9.sentences=9", "have no 'studies.9.sentences'"),
        ("studies.0.sentences", "needs NAME=VALUE"),
        ("studies.0.model.source=oracle", "oracle"),
        ("studies.0.probes.method=magic", "logistic"),
        ("studies=[]", "at least 1"),
        ("studies.0.model.rotation=-1", "rotation: .*greater than or equal to 0; received -1"),
        ("studies.0.seed=-1", "seed: .*greater than or equal to 0; received -1"),
        (f"studies.0.seed={2**32}", "seed: .*less than or equal to 4294967295"),
    ],
)
def test_impossible_settings_are_refused_with_their_place(tmp_path, override, message):
    path = write(tmp_path, demo_settings().dump())
    with pytest.raises(SettingsError, match=message):
        read_settings(path, (override,))


def test_one_line_per_fault_and_no_dump_of_the_settings(tmp_path):
    data = demo_settings().dump()
    for study in data["studies"]:
        study["probes"]["permutations"] = -5
    with pytest.raises(SettingsError) as caught:
        read_settings(write(tmp_path, data))
    first, second, _ = str(caught.value).splitlines()
    assert first.endswith(
        "studies.0.probes.permutations: Input should be greater than or equal to 0; received -5"
    )
    assert second.startswith("studies.1.probes.permutations: ")
    data["studies"] = [data["studies"]]
    with pytest.raises(SettingsError) as caught:
        read_settings(write(tmp_path, data))
    (line,) = str(caught.value).splitlines()
    assert "studies.0: Input should be a valid dictionary" in line
    assert "latin" not in line
    with pytest.raises(SettingsError, match=r"received 'x{76}\.\.\.$"):
        read_settings(write(tmp_path, demo_settings().dump()), (f"studies.0.seed={'x' * 200}",))


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot read"):
        read_settings(tmp_path / "none.yaml")
    with pytest.raises(SettingsError, match=r"is a folder; .* give .*settings\.yaml"):
        read_settings(tmp_path)
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(SettingsError, match="is not YAML"):
        read_settings(tmp_path / "bad.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(SettingsError, match="holds no settings"):
        read_settings(tmp_path / "list.yaml")


def test_settings_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        demo_settings().title = "other"


def test_studies_have_different_names_and_constructions_a_grammar():
    data = demo_settings().dump()
    data["studies"][1]["name"] = data["studies"][0]["name"]
    with pytest.raises(ValidationError, match="different names"):
        Experiment.model_validate(data)
    data = demo_settings().dump()
    data["studies"][0]["language"] = {"source": "treebank", "paths": "*.ptb"}
    with pytest.raises(ValidationError, match="needs a grammar"):
        Experiment.model_validate(data)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trees": None}, "one of the two"),
        ({"trees": "x", "grammar": "y"}, "one of the two"),
        ({"trees": "x", "heights": "one"}, "--heights takes numbers"),
        ({"trees": "x", "positions": "everywhere"}, "'all' or 'boundary'"),
    ],
)
def test_impossible_questions_are_refused(arguments, message):
    with pytest.raises(SettingsError, match=message):
        probe_settings("model", **arguments)


def test_one_draw_of_random_weights_is_no_bar_by_itself():
    by_command = probe_settings("model", "trees/*.ptb").studies[0].probes
    assert by_command.twins == Probes().twins == 5
    assert Probes(twins=1).twins == 1  # who asks for one gets one


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("studies.0.name=a/b", "name: String should match"),
        ("studies.0.name=..", "name: String should match"),
        ("studies.0.probes.controls=[shufled]", "controls.0: .*'shuffled'.*; received 'shufled'"),
        ("studies.0.probes.bootstrap=100000000000", "bootstrap: .*less than or equal to 1000000"),
        ("studies.0.probes.permutations=100000000000", "permutations: .*less than or equal"),
        ("title=*.ptb", r"value of --set title=\*\.ptb is not YAML .*put text into quotes"),
        ("title=What: is: it", "is not YAML"),
        ("title=@x", "is not YAML"),
        ("title=[1", "is not YAML"),
        ("title=2024-13-77", "impossible value .*month"),
        ("title=0b_", "impossible value"),
        ("title=" + "9" * 6000, "impossible value"),
        ("title=" + "[" * 5000, "nested more than 100 deep"),
    ],
)
def test_corner_values_are_refused_in_one_message(tmp_path, override, message):
    path = write(tmp_path, demo_settings().dump())
    with pytest.raises(SettingsError, match=message):
        read_settings(path, (override,))


def test_aliases_are_refused_at_once(tmp_path):
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]"
        for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    ]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(SettingsError, match="uses an alias"):
        read_settings(path)


def test_depth_is_refused_before_anything_is_built():
    deepest = read_yaml("[" * 100 + "]" * 100, "it")
    assert str(deepest).count("[") == 100
    with pytest.raises(YamlError, match="it is nested more than 100 deep"):
        read_yaml("[" * 101 + "]" * 101, "it")
    with pytest.raises(YamlError, match="nested more than 100 deep"):
        read_yaml("{a: " * 20_000, "it")


def test_very_many_problems_are_counted(tmp_path):
    path = write(tmp_path, {"title": "t", "studies": [0] * 2000})
    with pytest.raises(SettingsError, match=r"studies\.9: .*\nand 1990 more$") as caught:
        read_settings(path)
    assert len(str(caught.value).splitlines()) == 11
    with pytest.raises(SettingsError) as caught:
        read_settings(write(tmp_path, demo_settings().dump()), ("a" * 10**5 + "=1",))
    assert len(str(caught.value)) < 300
