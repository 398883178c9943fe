"""Corpora: sentences, the hidden states of their tokens, trees, treebanks."""

from .corpus import Corpus, Posterior
from .errors import LanguageError, TreebankError
from .tree import Tree
from .treebank import corpus_of_trees, read_treebank

__all__ = [
    "Corpus",
    "LanguageError",
    "Posterior",
    "Tree",
    "TreebankError",
    "corpus_of_trees",
    "read_treebank",
]
