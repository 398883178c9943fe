"""Texts, the pieces of them that are read, and what is known of each: the seam to everything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from ..core import checked
from ..core.caching import cached_property
from .chosen_trees import ChosenTrees, chosen_rows
from .errors import LanguageError
from .language import Given, Language, Posterior, What
from .rows import as_page, check_texts, fingerprint_of, numbered, rows_of, shortly
from .targets import Target
from .texts import At, fields_of_texts, taken_spans
from .token_layers import TokenLayer
from .tree import Tree

__all__ = ["Corpus"]


@final
@checked(LanguageError)
@dataclass(frozen=True, eq=False)
class Corpus:
    """Sentences, and for every token and height its ancestor and whether it ends its span.

    Or running texts (:meth:`from_texts`): then a row is a span of characters of a text, ``words``
    are the spans' characters, "sentences" the texts, and there are no heights but ``targets``.

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
        texts: the running texts, one per sentence, or ``None`` where sentences are words.
        spans: ``[row, 3]`` text, start and stop (in characters) of each row of running texts.
        targets: what is known of each row, by name.
        groups: ``[row]`` what probes never divide, or ``None``.
        at: which token stands for a span; ``""`` leaves it to whoever captures.
        ready: the texts hold their special tokens already, as rendered chats do.

    Raises:
        LanguageError: there is not one document per sentence.
        CorpusError: spans, targets or groups do not fit the texts.
    """

    word_ids: Int[np.ndarray, " token"]
    vocabulary: tuple[str, ...]
    offsets: Int[np.ndarray, " bound"]
    layers: Mapping[int, TokenLayer]
    trees: Sequence[Tree] = field(default=(), repr=False)
    grammar: Language | None = field(default=None, repr=False)
    source: str = ""
    documents: tuple[str, ...] | None = field(default=None, repr=False)
    texts: tuple[str, ...] | None = field(default=None, repr=False)
    spans: Int[np.ndarray, "row 3"] | None = field(default=None, repr=False)
    targets: Mapping[str, Target] = field(default_factory=dict, repr=False)
    groups: Shaped[np.ndarray, " row"] | None = field(default=None, repr=False)
    at: At | str = ""
    ready: bool = False

    def __post_init__(self) -> None:
        check_texts(self)

    @classmethod
    def from_texts(
        cls,
        texts: Any,
        *,
        spans: Any = None,
        targets: Any = None,
        groups: Any = None,
        at: At | str = "last",
        ready: bool = False,
        source: str = "",
    ) -> "Corpus":
        """A corpus of running texts; each row is a span of characters, by default a whole text.

        Args:
            texts: the texts as they are written; a model's tokenizer reads them unchanged.
            spans: ``[row, 3]`` or a list of ``(text, start, stop)``: number of the text, first
                character, one past the last; in the order of their texts.
            targets: what is known of each row: values by name, a data frame, or a list of
                :class:`linrep.Target`, which also says how values are read.
            groups: one value for each row, or for each text; probes never divide a group.
            at: which token stands for a span: its ``"last"``, its ``"first"``, or the ``"mean"``.
            ready: the texts hold their special tokens, so that a tokenizer adds none.
            source: a line about where the texts come from.

        Raises:
            CorpusError: a span outside its text, an empty one, or lengths that do not agree.

        >>> corpus = Corpus.from_texts(
        ...     ["Paris is in France.", "Oslo is in Spain."], targets={"truth": [True, False]}
        ... )
        >>> corpus, corpus.words[1].item()
        (Corpus(2 texts, 2 rows, targets truth, no source), 'Oslo is in Spain.')
        >>> Corpus.from_texts(["In France."], spans=[(0, 0, 2), (0, 3, 9)]).words.tolist()
        ['In', 'France']
        """
        return cls(**fields_of_texts(texts, spans, targets, groups, at), ready=ready, source=source)

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
        ids: Int[np.ndarray, " token"] = numbered(self.documents)[self.sentence_ids]
        return ids

    @property
    def text_ids(self) -> Int[np.ndarray, " row"] | None:
        """``[row]`` equal for rows of equal running texts; ``None`` where sentences are words."""
        return None if self.texts is None else np.take(numbered(self.texts), self.sentence_ids)

    @property
    def unit(self) -> str:
        """What the rows stand in: ``"text"`` or ``"sentence"``."""
        return "sentence" if self.texts is None else "text"

    @property
    def rows(self) -> Any:
        """A pandas table: for each row its text, its span, each target and its group."""
        return rows_of(self)

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
        chosen, rows, offsets = chosen_rows(sentences, self.offsets)
        return Corpus(
            self.word_ids[rows],
            self.vocabulary,
            offsets,
            {height: layer.take(rows) for height, layer in self.layers.items()},
            ChosenTrees(self.trees, chosen) if len(self.trees) else (),
            self.grammar,
            self.source,
            None if self.documents is None else tuple(self.documents[i] for i in chosen),
            None if self.texts is None else tuple(self.texts[i] for i in chosen),
            None if self.spans is None else taken_spans(self.spans, rows, np.diff(offsets)),
            {name: target.take(rows) for name, target in self.targets.items()},
            None if self.groups is None else self.groups[rows],
            self.at,
            self.ready,
        )

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of sentences and labels: equal for equal corpora, on every machine."""
        return fingerprint_of(self)

    def _layer(self, height: int) -> TokenLayer:
        if height in self.layers:
            return self.layers[height]
        have = f"{self.heights[0]}..{self.heights[-1]}" if self.heights else "none"
        raise LanguageError(f"height {height} is outside this corpus: it has heights {have}")

    def __repr__(self) -> str:
        return shortly(self)

    def _repr_html_(self) -> str:
        return as_page(self)
