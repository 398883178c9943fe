"""The pipeline, its settings, and one file per question."""

from importlib import import_module
from typing import TYPE_CHECKING

from .demo import demo_settings
from .questions.table import QUESTIONS, question
from .settings import Experiment, SettingsError, StudySettings, read_settings
from .sweep_settings import SweepSettings, read_sweep
from .treebank import probe_settings

if TYPE_CHECKING:
    from .pipeline import run_experiment, run_study
    from .questions.agreement import AgreementSettings, agreement
    from .questions.answered import Answered
    from .questions.belief import BeliefSettings, belief
    from .questions.piecewise import PiecewiseSettings, piecewise
    from .questions.places import PlacesSettings, places
    from .questions.pretrained import PretrainedSettings, pretrained
    from .questions.recursion import RecursionSettings, recursion
    from .questions.seeds import SeedsSettings, seeds
    from .questions.trained import TrainedSettings, trained
    from .questions.trained_languages import LanguagesSettings, OneLanguage, trained_languages
    from .questions.truth import TruthSettings, truth
    from .sweep import SweepRow, SweepTable, run_sweep

__all__ = [
    "AgreementSettings",
    "Answered",
    "BeliefSettings",
    "Experiment",
    "LanguagesSettings",
    "OneLanguage",
    "PiecewiseSettings",
    "PlacesSettings",
    "PretrainedSettings",
    "RecursionSettings",
    "SeedsSettings",
    "SettingsError",
    "StudySettings",
    "SweepRow",
    "SweepSettings",
    "SweepTable",
    "TrainedSettings",
    "TruthSettings",
    "agreement",
    "belief",
    "demo_settings",
    "piecewise",
    "places",
    "pretrained",
    "probe_settings",
    "read_settings",
    "read_sweep",
    "recursion",
    "run_experiment",
    "run_study",
    "run_sweep",
    "seeds",
    "trained",
    "trained_languages",
    "truth",
]


_HOME = {
    "LanguagesSettings": ".questions.trained_languages",
    "OneLanguage": ".questions.trained_languages",
    "TruthSettings": ".questions.truth",
    "TrainedSettings": ".questions.trained",
    "SeedsSettings": ".questions.seeds",
    "PretrainedSettings": ".questions.pretrained",
    "PlacesSettings": ".questions.places",
    "AgreementSettings": ".questions.agreement",
    "Answered": ".questions.answered",
    "BeliefSettings": ".questions.belief",
    "PiecewiseSettings": ".questions.piecewise",
    "RecursionSettings": ".questions.recursion",
    "run_experiment": ".pipeline",
    "run_study": ".pipeline",
    "SweepRow": ".sweep",
    "SweepTable": ".sweep",
    "run_sweep": ".sweep",
}


def __getattr__(name: str) -> object:
    # The pipeline and experiments need PyTorch, which takes seconds to load; settings do not.
    if name in QUESTIONS:
        return question(name)
    if name in _HOME:
        return getattr(import_module(_HOME[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
