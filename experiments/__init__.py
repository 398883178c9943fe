"""The pipeline, its settings, and one file per question."""

from importlib import import_module
from typing import TYPE_CHECKING

from .demo import demo_settings
from .settings import Experiment, SettingsError, StudySettings, read_settings
from .sweep_settings import SweepSettings, read_sweep
from .treebank import probe_settings

if TYPE_CHECKING:
    from .pipeline import run_experiment, run_study
    from .sweep import SweepRow, SweepTable, run_sweep

__all__ = [
    "Experiment",
    "SettingsError",
    "StudySettings",
    "SweepRow",
    "SweepSettings",
    "SweepTable",
    "demo_settings",
    "probe_settings",
    "read_settings",
    "read_sweep",
    "run_experiment",
    "run_study",
    "run_sweep",
]


def __getattr__(name: str) -> object:
    # What computes needs PyTorch, which takes seconds to load; settings do not.
    if name in ("run_experiment", "run_study"):
        return getattr(import_module(".pipeline", __name__), name)
    if name in ("SweepRow", "SweepTable", "run_sweep"):
        return getattr(import_module(".sweep", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
