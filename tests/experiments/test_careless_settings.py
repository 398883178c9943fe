"""Settings made in Python are refused as those in files are: with the place, as a SettingsError."""

import pytest

from linrep.experiments import Experiment, SettingsError, StudySettings
from linrep.experiments.settings import Constructed, GrammarText, LatinFamily, Treebank


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


def test_settings_read_back_as_they_were():
    study = StudySettings(
        name="a", language=GrammarText(text="S -> 'a'"), model=Constructed(), seed=3
    )
    experiment = Experiment(title="t", studies=(study,))
    assert Experiment.model_validate(experiment.dump()) == experiment
