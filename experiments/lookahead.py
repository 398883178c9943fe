"""Looks at the texts of all studies before the first model is loaded: a slip costs no minutes."""

from .heights import heights_of
from .settings import Experiment, HierarchyFamily, LatinFamily
from .transferring import corpora_of

__all__ = ["look_ahead"]


def look_ahead(settings: Experiment) -> None:
    """Read the texts of every study but the first, which is worked on at once.

    Families of grammars have been checked with the settings.

    Args:
        settings: of all studies.

    Raises:
        SettingsError: a study asks for what its texts do not have.
        CorpusError: a file cannot be read.
        GrammarError: a grammar is at fault.
    """
    for study in settings.studies[1:]:
        if not isinstance(study.language, LatinFamily | HierarchyFamily):
            heights_of(study, corpora_of(study)[0])
