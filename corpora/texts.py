"""Running texts and the spans of characters that are read, checked and put in order."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from jaxtyping import Int, Shaped

from ..core.arguments import shown
from ..core.hints import Unfit, array_like
from .errors import CorpusError
from .targets import Target

__all__ = ["At", "fields_of_texts", "read_targets", "taken_spans"]

At = Literal["last", "first", "mean"]
"""Which token stands for a span: its last, its first, or the mean of all of them."""


def fields_of_texts(texts: Any, spans: Any, targets: Any, groups: Any, at: str) -> dict[str, Any]:
    """What a corpus of running texts is made of.

    Args:
        texts: the texts.
        spans: ``(text, start, stop)`` each; whole texts by default.
        targets: values by name.
        groups: one value for each row or each text.
        at: which token stands for a span.

    Raises:
        CorpusError: they do not fit together.
    """
    texts = _texts(texts)
    found = _spans(spans, texts)
    words = [texts[text][start:stop] for text, start, stop in found.tolist()]
    vocabulary = {word: i for i, word in enumerate(sorted(set(words)))}
    counts = np.bincount(found[:, 0], minlength=len(texts))
    return {
        "word_ids": np.array([vocabulary[word] for word in words], dtype=np.int32),
        "vocabulary": tuple(vocabulary),
        "offsets": np.concatenate([[0], np.cumsum(counts)]),
        "layers": {},
        "texts": texts,
        "spans": found,
        "targets": read_targets(targets),
        "groups": _groups(groups, found, len(texts)),
        "at": at,
    }


def taken_spans(
    spans: Int[np.ndarray, "row 3"], rows: Int[np.ndarray, " chosen"], sizes: np.ndarray
) -> Int[np.ndarray, "chosen 3"]:
    """Spans of chosen texts, whose numbers begin anew.

    Args:
        spans: all.
        rows: those that are chosen, text after text.
        sizes: spans of each chosen text.
    """
    taken: Int[np.ndarray, "chosen 3"] = spans[rows].copy()
    taken[:, 0] = np.repeat(np.arange(len(sizes)), sizes)
    return taken


def read_targets(targets: Any) -> dict[str, Target]:
    """Targets by name, however they come.

    Raises:
        CorpusError: they have no names, or a name stands twice.

    >>> read_targets({"year": [1789.0, None]})["year"].kind
    'number'
    """
    if targets is None:
        return {}
    if isinstance(targets, Target):
        targets = [targets]
    if isinstance(targets, Mapping) or hasattr(targets, "iloc") and hasattr(targets, "columns"):
        named = dict(targets.items())
        if not all(isinstance(name, str) and name for name in named):
            raise CorpusError(f"targets have names, text that is not empty; received {list(named)}")
        return {
            name: values
            if isinstance(values, Target) and values.name == name
            else Target.read(name, values.values, values.kind, values.columns)
            if isinstance(values, Target)
            else Target.read(name, values)
            for name, values in named.items()
        }
    if isinstance(targets, list | tuple) and all(isinstance(one, Target) for one in targets):
        found = {target.name: target for target in targets}
        if len(found) < len(targets):
            raise CorpusError(
                f"targets have different names; received {[target.name for target in targets]}"
            )
        return found
    raise CorpusError(
        "targets are values by name, targets={'truth': [True, False, ...]}, a data frame, or a "
        f"list of linrep.Target; received {shown(targets)}"
    )


def _texts(texts: Any) -> tuple[str, ...]:
    """The texts.

    Raises:
        CorpusError: they are no list of texts, or there is none.
    """
    alone = isinstance(texts, str | bytes | Mapping) or not isinstance(texts, Iterable)
    if alone or getattr(texts, "ndim", 1) == 0:
        raise CorpusError(f"texts are a list of texts, ['...'] for one; received {shown(texts)}")
    found = tuple(texts)
    if not found:
        raise CorpusError("a corpus needs at least one text; received none")
    for index, text in enumerate(found):
        if not isinstance(text, str):
            raise CorpusError(
                f"text {index} is {shown(text)}; every text is a str: drop the rows without one, "
                "or give '' only where nothing is read"
            )
    return tuple(str(text) for text in found)


def _spans(spans: Any, texts: tuple[str, ...]) -> Int[np.ndarray, "row 3"]:
    """Spans as numbers.

    Raises:
        CorpusError: no triples of whole numbers, or one that lies outside its text, is empty, or
            stands before a span of an earlier text.
    """
    if spans is None:
        spans = [(index, 0, len(text)) for index, text in enumerate(texts)]
        if "" in texts:
            raise CorpusError(
                f"text {texts.index('')} is empty, so there is nothing to read: leave it out"
            )
    wanted = "spans are (text, start, stop) each, whole numbers: text counts from 0, stop is one \
past the last character"
    try:
        found = np.asarray(array_like(spans))
    except Unfit as error:
        raise CorpusError(f"{wanted}; received {shown(spans)}: {error}") from error
    if found.ndim != 2 or found.shape[1:] != (3,) or found.dtype.kind not in "iu":
        raise CorpusError(f"{wanted}; received {found.dtype} of shape {found.shape}")
    found = found.astype(np.int64)
    for row, (text, start, stop) in enumerate(found.tolist()):
        _check_span(row, text, start, stop, texts)
    back = np.flatnonzero(np.diff(found[:, 0]) < 0)
    if len(back):
        row = int(back[0]) + 1
        raise CorpusError(
            f"span {row} is of text {found[row, 0]} and stands behind one of text "
            f"{found[row - 1, 0]}: sort spans, and with them targets and groups, by their text"
        )
    return found


def _check_span(row: int, text: int, start: int, stop: int, texts: tuple[str, ...]) -> None:
    """A span lies in its text.

    Raises:
        CorpusError: it does not, or is empty.
    """
    if not 0 <= text < len(texts):
        raise CorpusError(
            f"span {row} is of text {text}; there are {len(texts)} texts, counted from 0"
        )
    if start == stop:
        raise CorpusError(
            f"span {row} of text {text} is empty: it begins and ends at character {start}; stop is "
            "one past the last character"
        )
    if not 0 <= start < stop <= len(texts[text]):
        raise CorpusError(
            f"span {row} goes from character {start} to {stop}; text {text} "
            f"({texts[text]!r:.60}) has {len(texts[text])} characters: count characters of the "
            "text itself, not bytes or tokens"
        )


def _groups(groups: Any, spans: np.ndarray, n_texts: int) -> Shaped[np.ndarray, " row"] | None:
    """One group for each row.

    Raises:
        CorpusError: there is one for neither each row nor each text, or one is missing.
    """
    if groups is None:
        return None
    wanted = f"groups are one value for each of the {len(spans)} rows"
    wanted += "" if n_texts == len(spans) else f", or for each of the {n_texts} texts"
    if isinstance(groups, str | bytes | Mapping):
        raise CorpusError(f"{wanted}; received {shown(groups)}")
    try:
        found = np.asarray(array_like(groups))
    except Unfit as error:
        raise CorpusError(f"{wanted}; received {shown(groups)}: {error}") from error
    if found.ndim != 1 or len(found) not in (len(spans), n_texts):
        raise CorpusError(f"{wanted}; received shape {found.shape}")
    values = found.tolist()
    missing = [row for row, value in enumerate(values) if _missing(value)]
    if missing:
        raise CorpusError(
            f"groups: {len(missing)} of {len(values)} values are missing, row {missing[0]} is the "
            "first: give each row the group it belongs to, or one of its own"
        )
    names = np.array([str(value) for value in values], dtype=str)
    return names if len(names) == len(spans) else names[spans[:, 0]]


def _missing(value: object) -> bool:
    try:
        return value is None or value == "" or bool(value != value)
    except (TypeError, ValueError):  # pandas' NA
        return True
