"""Settings made in Python are refused as those in files are: with the place, as a SettingsError."""

import pytest

from linrep import families
from linrep.experiments import Experiment, SettingsError, StudySettings, read_settings
from linrep.experiments.settings import Constructed, GrammarText, LatinFamily, Treebank
from linrep.experiments.subjects import make_subject


def test_the_place_of_a_mistake_is_named_in_full():
    study = {"name": "a", "language": {"source": "latin", "order": 0}, "model": {"source": "x"}}
    with pytest.raises(SettingsError, match=r"studies\.0\.language\.latin\.order: .*received 0"):
        Experiment(title="t", studies=(study,))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sentences": 1.5}, "sentences"),
        ({"nonsense": 1}, "nonsense: Extra inputs"),
        ({"name": "a/b"}, "name"),
        ({"language": Treebank(paths="x")}, "a treebank has none"),
    ],
)
def test_studies_are_refused_too(fields, message):
    plain = {"name": "a", "language": LatinFamily(), "model": Constructed()}
    assert StudySettings(**plain).sentences == 1000
    with pytest.raises(SettingsError, match=message):
        StudySettings(**plain | fields)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"mode": "x"}, "mode: Input should be 'spans' or 'shapes'"),
        ({"beliefs": "prefix", "passes": 1}, "beliefs need mode='spans'"),
        ({"backend": "sparse"}, "leave rotation=None"),
        ({"rotation": -1}, "rotation"),
        ({"token_scale": 0}, "token_scale is 'auto' or a positive number"),
    ],
)
def test_choices_of_a_construction_are_refused_before_any_work(choices, message):
    with pytest.raises(SettingsError, match=message):
        Constructed(**choices)


def test_choices_reach_the_model(tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text(
        "title: t\nstudies:\n- name: a\n  language: {source: latin, order: 2, depth: 2}\n"
        "  model: {source: constructed, mode: shapes, passes: 1, rotation: null, gauge: false}\n"
    )
    read = read_settings(file, ("studies.0.model.dtype=float32",)).studies[0]
    corpus = families.latin(order=2, depth=2).sample(5, seed=0)
    how = make_subject(read.model, corpus).construction.settings
    assert (how.mode, how.passes, how.rotation, how.gauge) == ("shapes", 1, None, False)
    assert how.dtype == "float32"


def test_settings_read_back_as_they_were():
    study = StudySettings(
        name="a", language=GrammarText(text="S -> 'a'"), model=Constructed(), seed=3
    )
    experiment = Experiment(title="t", studies=(study,))
    assert Experiment.model_validate(experiment.dump()) == experiment
