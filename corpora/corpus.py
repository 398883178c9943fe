"""Sentences with the hidden states of their tokens: the seam from a language to everything else."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal, Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from ..core import checked
from ..core.caching import cached_property
from .chosen_trees import ChosenTrees
from .errors import LanguageError
from .token_layers import Layer
from .tree import Tree

__all__ = ["Corpus", "Given", "Language", "Posterior", "What"]

Given = Literal["prefix", "boundary", "sentence", "position", "window"]
"""What a predictor of ancestors has seen."""

What = Literal["ancestor", "rule", "index"]
"""The ancestor's symbol, the rule that expands it, or its place among its parent's children."""


@final
@dataclass(frozen=True, eq=False)
class Posterior:
    """Probabilities of labels for every token.

    Args:
        labels: the labels that can occur.
        probabilities: ``[token, label]`` rows sum to 1; NaN where undefined.
    """

    labels: tuple[str, ...]
    probabilities: Float[np.ndarray, "token label"]


@runtime_checkable
class Language(Protocol):
    """What a corpus asks of the grammar that made it."""

    def max_posterior(
        self,
        corpus: "Corpus",
        height: int,
        given: Given | str = "prefix",
        window: int | None = None,
    ) -> Float[np.ndarray, " token"]:
        """Highest exact posterior of the ancestor's label, per token."""
        ...

    def posterior(
        self,
        corpus: "Corpus",
        height: int,
        given: Given | str = "prefix",
        window: int | None = None,
    ) -> Posterior:
        """Exact posterior over the ancestor's labels, per token."""
        ...


@final
@checked(LanguageError)
@dataclass(frozen=True, eq=False)
class Corpus:
    """Sentences, and for every token and height its ancestor and whether it ends its span.

    Heights of a sampled corpus are the levels of its grammar: the label of a token at height h is
    the first symbol with level at most h on the way from the root to the token. Heights of a
    treebank are steps above the token: 1 part of speech, 2 parent phrase, and so on.

    Args:
        word_ids: ``[token]`` index into ``vocabulary``, sentence after sentence.
        vocabulary: the distinct words.
        offsets: ``[sentence + 1]`` where each sentence begins; the last entry is ``n_tokens``.
        layers: height -> what is known at that height.
        trees: one tree per sentence; empty where there are none.
        grammar: the grammar that the sentences come from, or ``None``.
        source: where the sentences come from, in words.
        documents: per sentence the name of its document, or ``None`` where they are not known.

    Raises:
        LanguageError: there is not one document per sentence.
    """

    word_ids: Int[np.ndarray, " token"]
    vocabulary: tuple[str, ...]
    offsets: Int[np.ndarray, " bound"]
    layers: Mapping[int, Layer]
    trees: Sequence[Tree] = field(default=(), repr=False)
    grammar: Language | None = field(default=None, repr=False)
    source: str = ""
    documents: tuple[str, ...] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.documents is not None and len(self.documents) != len(self):
            raise LanguageError(
                f"documents are one name per sentence; received {len(self.documents)} names for "
                f"{len(self)} sentences"
            )

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.offsets) - 1

    @property
    def n_tokens(self) -> int:
        """Number of tokens in all sentences."""
        return len(self.word_ids)

    @property
    def heights(self) -> tuple[int, ...]:
        """Heights for which labels exist."""
        return tuple(sorted(self.layers))

    @cached_property
    def words(self) -> Shaped[np.ndarray, " token"]:
        """``[token]`` the words as strings, sentence after sentence."""
        words: Shaped[np.ndarray, " token"]
        words = np.array(self.vocabulary, dtype=str)[self.word_ids]
        words.setflags(write=False)
        return words

    @cached_property
    def sentences(self) -> tuple[tuple[str, ...], ...]:
        """The sentences as tuples of words."""
        words = self.words.tolist()
        bounds = self.offsets.tolist()
        return tuple(tuple(words[a:b]) for a, b in zip(bounds[:-1], bounds[1:], strict=True))

    @cached_property
    def sentence_ids(self) -> Int[np.ndarray, " token"]:
        """``[token]`` index of the sentence that holds the token."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @cached_property
    def positions(self) -> Int[np.ndarray, " token"]:
        """``[token]`` index of the token in its sentence, from 0."""
        places: Int[np.ndarray, " token"]
        places = np.arange(self.n_tokens) - np.repeat(self.offsets[:-1], np.diff(self.offsets))
        return places

    @cached_property
    def document_ids(self) -> Int[np.ndarray, " token"] | None:
        """``[token]`` number of the document that holds the token, by first appearance.

        ``None`` where documents are not known. Probes never divide a document.
        """
        if self.documents is None:
            return None
        number = {name: i for i, name in enumerate(dict.fromkeys(self.documents))}
        ids: Int[np.ndarray, " token"]
        ids = np.array([number[name] for name in self.documents])[self.sentence_ids]
        return ids

    def labels(self, height: int, what: What | str = "ancestor") -> Shaped[np.ndarray, " token"]:
        """``[token]`` strings: the ancestor at ``height``; ``""`` where there is none.

        Args:
            height: 1 is just above the token.
            what: the ancestor's symbol, the rule that expands it, or its place in its parent.

        Raises:
            LanguageError: the corpus has no such height, or ``what`` is unknown.
        """
        layer = self._layer(height)
        if what not in ("ancestor", "rule", "index"):
            raise LanguageError(f"labels are of 'ancestor', 'rule' or 'index'; received {what!r}")
        highest = int(layer.index.max(initial=0))
        names, ids = {
            "ancestor": (layer.names, layer.symbols),
            "rule": (layer.rule_names, layer.rules),
            "index": (tuple(map(str, range(highest + 1))), layer.index),
        }[what]
        # "" stands last, where the index -1 finds it.
        labels: Shaped[np.ndarray, " token"] = np.array([*names, ""], dtype=str)[ids]
        return labels

    def boundary(self, height: int) -> Bool[np.ndarray, " token"]:
        """``[token]`` whether the token is the last one of its ancestor's span.

        Raises:
            LanguageError: the corpus has no such height.
        """
        return self._layer(height).boundary

    def max_posterior(
        self, height: int, given: Given | str = "prefix", *, window: int | None = None
    ) -> Float[np.ndarray, " token"] | None:
        """``[token]`` the highest posterior probability of any label; NaN where undefined.

        Its mean over a set of tokens that is chosen by what is given is the best accuracy that
        any classifier can reach there from that. A set chosen by more (the tokens where a node
        ends, beside ``prefix`` or ``sentence``) tells something itself and can be beaten.
        ``None`` where the corpus has no grammar.

        Args:
            height: of the ancestor.
            given: ``prefix`` (tokens up to this one), ``boundary`` (and that the ancestor ends
                here; defined at boundary tokens only), ``sentence``, ``position`` (only how many
                tokens came before), ``window`` (position and the last ``window`` tokens).
            window: number of tokens seen, the current one included.

        Raises:
            LanguageError: a height the grammar does not have, or a window without its size.
        """
        if self.grammar is None:
            return None
        return self.grammar.max_posterior(self, height, given, window)

    def posterior(
        self, height: int, given: Given | str = "prefix", *, window: int | None = None
    ) -> Posterior | None:
        """Exact posterior over the labels at ``height`` for every token, ``[token, label]``.

        It is the label of an ambiguous or unfinished sentence as the language has it, where
        :meth:`labels` shows the tree that was sampled. ``None`` where the corpus has no grammar.

        Args:
            height: of the ancestor.
            given: see :meth:`max_posterior`.
            window: number of tokens seen, the current one included.

        Raises:
            LanguageError: a height the grammar does not have, or a window without its size.
        """
        if self.grammar is None:
            return None
        return self.grammar.posterior(self, height, given, window)

    def select(self, sentences: Sequence[int] | np.ndarray) -> "Corpus":
        """The corpus of these sentences, in this order.

        Args:
            sentences: indices; negative ones count from the end.

        Raises:
            LanguageError: an index outside the corpus, or something else than indices.
        """
        given = np.asarray(sentences)
        if given.size and given.dtype.kind not in "iu":
            raise LanguageError(
                f"sentences are selected by their indices; received {given.dtype} values; "
                "turn a mask into indices with np.flatnonzero"
            )
        chosen = given.astype(np.int64).reshape(-1)
        if chosen.size and (chosen.min() < -len(self) or chosen.max() >= len(self)):
            raise LanguageError(
                f"sentence indices lie in 0..{len(self) - 1}; "
                f"received {chosen.min()}..{chosen.max()}"
            )
        chosen = chosen % max(len(self), 1)
        sizes = np.diff(self.offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[chosen] - offsets[:-1], sizes)
        trees = self.trees
        return Corpus(
            self.word_ids[rows],
            self.vocabulary,
            offsets,
            {height: layer.take(rows) for height, layer in self.layers.items()},
            ChosenTrees(trees, chosen) if len(trees) else (),
            self.grammar,
            self.source,
            None if self.documents is None else tuple(self.documents[i] for i in chosen),
        )

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of sentences and labels: equal for equal corpora, on every machine."""
        digest = hashlib.sha256()
        for array in (self.words, *(self.labels(h) for h in self.heights)):
            digest.update("\x1f".join(array.tolist()).encode())
            digest.update(b"\x1e")
        digest.update(self.offsets.astype("<i8").tobytes())
        for height in self.heights:
            digest.update(np.packbits(self.boundary(height)).tobytes())
        return digest.hexdigest()

    def _layer(self, height: int) -> Layer:
        if height in self.layers:
            return self.layers[height]
        have = f"{self.heights[0]}..{self.heights[-1]}" if self.heights else "none"
        raise LanguageError(f"height {height} is outside this corpus: it has heights {have}")

    def __repr__(self) -> str:
        return (
            f"Corpus({len(self)} sentences, {self.n_tokens} tokens, heights {self.heights}, "
            f"{self.source or 'no source'})"
        )

    def _repr_html_(self) -> str:
        first = [escape(" ".join(sentence)) for sentence in self.sentences[:5]]
        rows = "".join(f"<tr><td style='text-align:left'>{line}</td></tr>" for line in first)
        return f"<b>{escape(repr(self))}</b><table>{rows}</table>"
