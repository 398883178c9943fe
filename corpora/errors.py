"""What can go wrong with a corpus, a sentence or a treebank, as errors a user can act on."""

from ..core import LinrepError

__all__ = ["CorpusError", "LanguageError", "TreebankError"]


class CorpusError(LinrepError):
    """Texts, spans, targets or groups cannot be read as a corpus; the message says which."""


class LanguageError(LinrepError):
    """A question to a language that has no answer: a height or a length it does not have."""


class TreebankError(LinrepError):
    """A treebank cannot be read; the message names file and line."""
