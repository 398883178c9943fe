"""Languages whose hidden states are known: bounded-depth grammars, exactly, and treebanks."""

from . import examples, families
from .binarisation import binarise, level_and_binarise
from .corpus import Corpus, Posterior
from .errors import (
    GrammarError,
    ImpossiblePrefix,
    LanguageError,
    Problem,
    TooLarge,
    TreebankError,
    UnknownToken,
)
from .grammar import Grammar
from .induction import induce
from .interop import from_lark, from_nltk, to_lark, to_nltk
from .normal_form import BinaryGrammar, BinaryRule, UnaryRule
from .rule import BOS, EOS, Rule
from .tree import Tree
from .treebank import corpus_of_trees, read_treebank
from .unroll import unroll

__all__ = [
    "BOS",
    "EOS",
    "BinaryGrammar",
    "BinaryRule",
    "Corpus",
    "Grammar",
    "GrammarError",
    "ImpossiblePrefix",
    "LanguageError",
    "Posterior",
    "Problem",
    "Rule",
    "TooLarge",
    "Tree",
    "TreebankError",
    "UnaryRule",
    "UnknownToken",
    "binarise",
    "corpus_of_trees",
    "examples",
    "families",
    "from_lark",
    "from_nltk",
    "induce",
    "level_and_binarise",
    "read_treebank",
    "to_lark",
    "to_nltk",
    "unroll",
]
