"""A text of a corpus as it is shown: its words or spans, its tree, and no more of it than fits."""

from typing import Any, Final, Literal, final

import numpy as np

from ...core.caching import cached_property
from ...corpora.drawing import node_spans
from .values import ExampleNode, ExampleText

__all__ = ["CorpusTexts"]

MOST_WORDS: Final = 48
MOST_ROWS: Final = 10
"""Lines of a tree; those further up are left out."""

MOST_LETTERS: Final = 400
"""Of a word or span, and of the text between two."""

MORE: Final = "…"


@final
class CorpusTexts:
    """The texts of a corpus, of whatever kind.

    Args:
        corpus: words with their sentences and places; trees, texts and spans where it has them.
    """

    def __init__(self, corpus: Any) -> None:
        self.corpus = corpus
        self.sentences = np.asarray(corpus.sentence_ids)
        self.words = np.asarray(corpus.words)

    @cached_property
    def order(self) -> np.ndarray:
        """Rows, sentence after sentence, in the order of their places."""
        return np.lexsort((np.asarray(self.corpus.positions), self.sentences))

    @cached_property
    def bounds(self) -> dict[int, tuple[int, int]]:
        """Sentence -> its first place in the order, and one past its last."""
        ids, starts = np.unique(self.sentences[self.order], return_index=True)
        stops = [*starts[1:].tolist(), len(self.order)]
        return dict(zip(ids.tolist(), zip(starts.tolist(), stops, strict=True), strict=True))

    def rows(self, sentence: int) -> np.ndarray:
        """Rows of a sentence, in their order."""
        start, stop = self.bounds[sentence]
        return self.order[start:stop]

    def same(self, sentence: int) -> object:
        """Equal for equal sentences."""
        return tuple(self.words[self.rows(sentence)].tolist())

    def window(self, sentence: int, focus: int) -> np.ndarray:
        """Rows of a sentence that are shown: all, or those around one of them."""
        rows = self.rows(sentence)
        place = int(np.flatnonzero(rows == focus)[0])
        start = min(max(place - MOST_WORDS // 2, 0), max(len(rows) - MOST_WORDS, 0))
        return rows[start : start + MOST_WORDS]

    def shown(
        self, sentence: int, rows: np.ndarray, chosen: Literal["random", "wrong"]
    ) -> ExampleText:
        """A text, or a part of it.

        Args:
            sentence: which.
            rows: of it, that are shown.
            chosen: why it was.
        """
        whole = self.rows(sentence)
        start = int(np.flatnonzero(whole == rows[0])[0])
        cut = len(rows) < len(whole)
        return ExampleText(
            words=tuple(_short(str(word)) for word in self.words[rows]),
            number=sentence,
            chosen=chosen,
            gaps=self._gaps(sentence, rows),
            nodes=self._nodes(sentence, start, start + len(rows), len(whole)),
            cut=len(whole) if cut else 0,
        )

    def _gaps(self, sentence: int, rows: np.ndarray) -> tuple[str, ...]:
        """What stands between the spans of a running text; all of it before them if they cross."""
        texts, spans = getattr(self.corpus, "texts", None), getattr(self.corpus, "spans", None)
        if texts is None or spans is None:
            return ()
        text, ends = str(texts[sentence]), np.asarray(spans)[rows, 1:].tolist()
        if any(stop > begin for (_, stop), (begin, _) in zip(ends, ends[1:], strict=False)):
            return (_short(text) + " ", *[" "] * len(rows))
        stops = [0, *[stop for _, stop in ends]]
        starts = [*[begin for begin, _ in ends], len(text)]
        gaps = [text[stop:begin] for stop, begin in zip(stops, starts, strict=True)]
        first, *between, last = gaps
        return (_short(first, end=True), *map(_short, between), _short(last))

    def _nodes(self, sentence: int, start: int, stop: int, n: int) -> tuple[ExampleNode, ...]:
        """Nodes over the words shown; none where the tree is of other words."""
        trees = getattr(self.corpus, "trees", ())
        if not len(trees):
            return ()
        tree = trees[sentence]
        if len(tree.leaves()) != n:
            return ()
        return tuple(
            ExampleNode(label, max(first - start, 0), min(last + 1, stop) - start, row)
            for row, first, last, label in sorted(node_spans(tree))
            if row <= MOST_ROWS and first < stop and last >= start
        )


def _short(text: str, end: bool = False) -> str:
    """A text that is not too long; of a long one its beginning, or its end.

    >>> _short("x" * 500)[-3:], len(_short("x" * 500, end=True))
    ('xx…', 400)
    """
    if len(text) <= MOST_LETTERS:
        return text
    kept = MOST_LETTERS - 1
    return MORE + text[-kept:] if end else text[:kept] + MORE
