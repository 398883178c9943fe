"""From settings to a corpus: the first step of the pipeline."""

from typing import TYPE_CHECKING

from ..corpora import Target
from ..grammars import Corpus, Grammar, families, read_treebank
from .data import read_data
from .settings import (
    DataFile,
    GrammarFile,
    GrammarText,
    HierarchyFamily,
    Language,
    LatinFamily,
    Treebank,
)
from .supply import supply_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..reports.values import Json

__all__ = ["language_facts", "make_corpus", "make_grammar"]


MOST_LISTED = 20  # classes whose rows are counted on a page


def make_grammar(language: Language) -> Grammar | None:
    """The grammar that the settings name; ``None`` for a treebank and for labelled texts.

    >>> make_grammar(LatinFamily(order=2, depth=2)).depth
    2
    """
    if isinstance(language, LatinFamily):
        return families.latin(language.order, language.depth, start=language.start)
    if isinstance(language, HierarchyFamily):
        return families.random_hierarchy(
            n_symbols=language.n_symbols,
            n_rules=language.n_rules,
            arity=language.arity,
            depth=language.depth,
            seed=language.seed,
        )
    if isinstance(language, GrammarFile):
        return Grammar.from_file(language.path)
    if isinstance(language, GrammarText):
        return Grammar.from_text(language.text)
    return None


def make_corpus(
    language: Language, sentences: int, seed: int, *, model: str | None = None
) -> Corpus:
    """Sentences with labels: sampled from a grammar, those of a treebank, or labelled texts.

    Args:
        language: where the sentences come from.
        sentences: how many to sample; a treebank gives all it has.
        seed: of the sampling.
        model: folder or hub id of the model; its tokenizer renders chats.

    Returns:
        The corpus.
    """
    grammar = make_grammar(language)
    if grammar is not None:
        return grammar.sample(sentences, seed=seed)
    if isinstance(language, DataFile):
        return read_data(language, model=model, seed=seed)
    assert isinstance(language, Treebank)  # noqa: S101 - the only kind left
    return read_treebank(language.paths, unary=language.unary)


def language_facts(corpus: Corpus) -> "Mapping[str, Json]":
    """What a reader wants to know about the sentences."""
    import numpy as np

    if corpus.texts is not None:
        return _text_facts(corpus)
    facts: dict[str, Json] = {
        "sentences": len(corpus),
        "tokens": corpus.n_tokens,
        "word types": len(np.unique(corpus.words)),
        "sentences from": corpus.source,
        "corpus fingerprint": corpus.fingerprint[:16],
    }
    if corpus.document_ids is not None:
        facts["documents"] = len(np.unique(corpus.document_ids))
    grammar = corpus.grammar
    supply = supply_of(corpus)
    if supply is not None:
        facts["different sentences"] = supply.fact
    if isinstance(grammar, Grammar):
        lengths = sorted(grammar.lengths)
        facts |= {
            "grammar": f"depth {grammar.depth}, {len(grammar.rules)} rules, "
            f"{len(grammar.nonterminals)} nonterminals, {len(grammar.terminals)} terminals",
            "sentence lengths": str(lengths[0])
            if len(lengths) == 1
            else f"{lengths[0]} to {lengths[-1]}",
            "derivations in all": str(grammar.n_derivations),
        }
        if grammar.notes:
            facts["notes on the grammar"] = "; ".join(grammar.notes)
    return facts


def _text_facts(corpus: Corpus) -> "Mapping[str, Json]":
    """What a reader wants to know about labelled texts."""
    import numpy as np

    whole = corpus.words.tolist() == list(corpus.texts or ())
    facts: dict[str, Json] = {
        "texts": len(corpus),
        "read of each": "the whole text" if whole else f"{corpus.n_tokens} pieces in all",
        "token that stands for it": corpus.at or "last",
        "texts from": corpus.source,
        "corpus fingerprint": corpus.fingerprint[:16],
    }
    if corpus.groups is not None:
        facts["groups"] = len(np.unique(corpus.groups))
    for name, target in corpus.targets.items():
        facts[f"target {name}"] = _described(target)
    return facts


def _described(target: Target) -> str:
    """A target's kind, its rows, and its classes where they are few."""
    import numpy as np

    rows = f"of {int(target.defined.sum())} rows"
    if target.kind == "number":
        width = target.values.shape[1]
        return f"a number, {rows}" if width == 1 else f"{width} numbers, {rows}"
    classes, counts = np.unique(target.values[target.defined], return_counts=True)
    told = f"{len(classes)} classes, {rows}"
    if len(classes) > MOST_LISTED:
        return told
    listed = (f"{name}: {count}" for name, count in zip(classes, counts, strict=True))
    return f"{told} ({', '.join(listed)})"
