"""Minimal pairs: two texts that differ in one place, of which one is right."""

from typing import Any, Literal

from ...core import checked
from ...core.arguments import shown
from ..corpus import Corpus
from ..errors import CorpusError
from ..texts import At
from .files import found_files, json_lines

__all__ = ["read_pairs"]


@checked(CorpusError)
def read_pairs(
    paths: Any,
    *,
    good: str = "sentence_good",
    bad: str = "sentence_bad",
    read: Literal["text", "difference"] = "text",
    at: At | str = "last",
) -> Corpus:
    """Pairs of texts, one JSON object in each line; the two of a pair are one group.

    The target ``good`` is ``"True"`` for the first of each pair, ``"False"`` for the second.

    Args:
        paths: a file, a glob pattern, or several of them.
        good: the key of the right text.
        bad: the key of the wrong one.
        read: the whole ``"text"``, or the words where the two differ (the ``"difference"``).
        at: which token stands for what is read: its ``"last"``, its ``"first"``, or the ``"mean"``.

    Raises:
        CorpusError: a line lacks a text, or the two are equal.
    """
    texts: list[str] = []
    spans: list[tuple[int, int, int]] = []
    files = found_files(paths, "pairs", "*.jsonl")
    for path in files:
        for line, record in json_lines(path):
            where = f"{path}, line {line}"
            pair = _text(record, good, where), _text(record, bad, where)
            if pair[0] == pair[1]:
                raise CorpusError(
                    f"{where}: both texts are {shown(pair[0])}; expected two that differ"
                )
            for text, (start, stop) in zip(pair, _read(*pair, read), strict=True):
                spans.append((len(texts), start, stop))
                texts.append(text)
    return Corpus.from_texts(
        texts,
        spans=spans,
        targets={"good": [index % 2 == 0 for index in range(len(texts))]},
        groups=[f"pair {index // 2}" for index in range(len(texts))],
        at=at,
        source=str(files[0]) if len(files) == 1 else f"{len(files)} files of pairs",
    )


def _text(record: dict[str, Any], key: str, where: str) -> str:
    """A text of a pair.

    Raises:
        CorpusError: there is none.
    """
    text = record.get(key)
    if isinstance(text, str) and text.strip():
        return text
    raise CorpusError(
        f"{where}: no text under {key!r}; it has {', '.join(map(repr, record))}: name the keys "
        "with good=..., bad=..."
    )


def _read(good: str, bad: str, read: str) -> list[tuple[int, int]]:
    """What is read of each of the two."""
    if read == "text":
        return [(0, len(good)), (0, len(bad))]
    begin = 0
    while begin < min(len(good), len(bad)) and good[begin] == bad[begin]:
        begin += 1
    end = 0
    while end < min(len(good), len(bad)) - begin and good[-1 - end] == bad[-1 - end]:
        end += 1
    found = []
    for text in (good, bad):
        start, stop = begin, len(text) - end
        while start and not text[start - 1].isspace():  # whole words
            start -= 1
        while stop < len(text) and not text[stop].isspace():
            stop += 1
        start, stop = (start, stop) if text[start:stop].strip() else (0, len(text))
        found.append((start, stop))
    return found
