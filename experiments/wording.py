"""What a study's rows and targets are called on its page."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..core import height_target
from .data import piece_of
from .settings import DataFile, Language, Treebank

__all__ = ["names_of", "piece_name", "wording_of"]

PHRASES = ("part of speech", "parent phrase", "grandparent phrase", "great-grandparent phrase")


def wording_of(language: Language, heights: Sequence[int]) -> dict[str, Any]:
    """What a :class:`linrep.Study` says of its rows and targets.

    Args:
        language: of the study.
        heights: that are probed.
    """
    return {"piece": piece_name(language), "names": names_of(language, heights)}


def piece_name(language: Language) -> str:
    """What a row is: a token of a grammar, a word of a treebank, what of a text is read.

    Args:
        language: of the study.
    """
    if isinstance(language, DataFile):
        return piece_of(language)
    return "word" if isinstance(language, Treebank) else "token"


def names_of(language: Language, heights: Sequence[int]) -> Mapping[str, str]:
    """What pages call the heights of a treebank: 1 is the part of speech; others keep theirs.

    Args:
        language: of the study.
        heights: that are probed.

    >>> names_of(Treebank(paths="trees/*.ptb"), (1, 2, 6))["height 6"]
    'phrase 6 steps up'
    """
    if not isinstance(language, Treebank):
        return {}
    return {
        height_target(h): PHRASES[h - 1] if h <= len(PHRASES) else f"phrase {h} steps up"
        for h in heights
    }
