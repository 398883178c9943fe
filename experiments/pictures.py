"""A few sentences under their trees: what the labels of a study are about."""

from itertools import islice

from ..corpora.drawing import draw
from ..grammars import Corpus, Grammar

__all__ = ["drawn_trees"]

WIDEST = 110  # characters that fit on a page
LOOKED_AT = 100  # sentences
LONGEST = 40  # tokens


def drawn_trees(corpus: Corpus, most: int = 3) -> tuple[str, ...]:
    """Sentences of a grammar under their trees, as text; none of other corpora.

    The shortest that has several trees comes first, with two of them; then short ones, each of
    another shape.

    Args:
        corpus: sentences.
        most: pictures.
    """
    grammar = corpus.grammar
    if not isinstance(grammar, Grammar):
        return ()
    short = {words for words in corpus.sentences[:LOOKED_AT] if len(words) <= LONGEST}
    ordered = sorted(short, key=lambda words: (len(words), words))
    several = next((words for words in ordered if grammar.n_trees(words) > 1), None)
    drawn: dict[str, str] = {}
    for words in ordered if several is None else [several, *ordered]:
        pictures = [draw(tree) for tree in islice(grammar.trees(words), 2)]
        if len(pictures[0].partition("\n")[0]) > WIDEST:
            continue
        bars = "".join(letter if letter in "┌┐\n" else " " for letter in pictures[0])
        drawn.setdefault(bars, "\n\n".join(pictures))
        if len(drawn) == most:
            break
    return tuple(drawn.values())
