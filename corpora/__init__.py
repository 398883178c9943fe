"""Corpora: sentences, the hidden states of their tokens, trees, treebanks."""

from .corpus import Corpus
from .errors import CorpusError, LanguageError, TreebankError
from .language import Posterior
from .readers import (
    from_messages,
    read_chats,
    read_columns,
    read_conllu,
    read_pairs,
    read_spans,
    read_table,
)
from .targets import Target, TargetKind
from .tree import Tree
from .treebank import corpus_of_trees, read_treebank

__all__ = [
    "Corpus",
    "CorpusError",
    "LanguageError",
    "Posterior",
    "Target",
    "TargetKind",
    "Tree",
    "TreebankError",
    "corpus_of_trees",
    "from_messages",
    "read_chats",
    "read_columns",
    "read_conllu",
    "read_pairs",
    "read_spans",
    "read_table",
    "read_treebank",
]
