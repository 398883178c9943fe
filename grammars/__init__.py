"""Languages whose hidden states are known: bounded-depth grammars, processes, treebanks."""

from ..corpora.corpus import Corpus
from ..corpora.language import Posterior
from ..corpora.tree import Tree
from ..corpora.treebank import corpus_of_trees, read_treebank
from .belief_targets import belief_targets
from .derived import examples, families
from .derived.induction import induce
from .derived.interop import from_lark, from_nltk, to_lark, to_nltk
from .derived.unroll import unroll
from .errors import (
    GrammarError,
    ImpossiblePrefix,
    LanguageError,
    Problem,
    TooLarge,
    TreebankError,
    UnknownToken,
)
from .formats.rule import BOS, EOS, Rule
from .forms.binarisation import binarise, level_and_binarise
from .forms.normal_form import BinaryGrammar, BinaryRule, UnaryRule
from .grammar import Grammar
from .processes.hidden_markov import HiddenMarkov

__all__ = [
    "BOS",
    "EOS",
    "BinaryGrammar",
    "BinaryRule",
    "Corpus",
    "Grammar",
    "GrammarError",
    "HiddenMarkov",
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
    "belief_targets",
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
