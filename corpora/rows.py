"""A corpus as a table, and what of it must agree: one row for each token or span."""

import hashlib
from collections.abc import Sequence
from html import escape
from typing import Any, get_args

import numpy as np
from jaxtyping import Int

from ..core import height_target
from .errors import CorpusError, LanguageError
from .texts import At

__all__ = ["as_page", "check_texts", "fingerprint_of", "numbered", "rows_of", "shortly"]


def rows_of(corpus: Any) -> Any:
    """A pandas table with a row for each token or span.

    Args:
        corpus: of words or of running texts.

    Returns:
        Columns ``text`` (its number), ``start`` and ``stop`` (of running texts), ``span`` (the
        characters), one for each target (of a vector one for each of its columns), ``group``
        where there are groups.
    """
    import pandas as pd

    table: dict[str, Any] = {"text": corpus.sentence_ids}
    if corpus.spans is not None:
        table |= {"start": corpus.spans[:, 1], "stop": corpus.spans[:, 2]}
    table["span"] = corpus.words
    for height in corpus.heights:
        table[height_target(height)] = corpus.labels(height)
    for name, target in corpus.targets.items():
        if target.kind == "class":
            table[name] = target.values
        elif not target.columns:
            table[name] = target.values[:, 0]
        else:
            table |= {
                f"{name} {column}": target.values[:, i] for i, column in enumerate(target.columns)
            }
    groups = corpus.document_ids if corpus.groups is None else corpus.groups
    if groups is not None:
        table["group"] = groups
    return pd.DataFrame(table)


def check_texts(corpus: Any) -> None:
    """Spans, targets and groups have one entry for each row, documents for each sentence.

    Raises:
        CorpusError: they have not.
        LanguageError: documents have not one name for each sentence.
    """
    if corpus.documents is not None and len(corpus.documents) != len(corpus):
        raise LanguageError(
            f"documents are one name per sentence; received {len(corpus.documents)} names for "
            f"{len(corpus)} sentences"
        )
    if corpus.at not in ("", *get_args(At)):
        raise CorpusError(f"at is 'last', 'first' or 'mean'; received {corpus.at!r}")
    if (corpus.texts is None) != (corpus.spans is None):
        raise CorpusError("texts and spans come together: Corpus.from_texts makes both")
    n = corpus.n_tokens
    if corpus.texts is not None and (len(corpus.texts), len(corpus.spans)) != (len(corpus), n):
        raise CorpusError(
            f"there are {len(corpus.texts)} texts and {len(corpus.spans)} spans for "
            f"{len(corpus)} sentences and {n} rows: Corpus.from_texts makes them agree"
        )
    for name, target in corpus.targets.items():
        if len(target) != n:
            raise CorpusError(
                f"target {name!r} has {len(target)} values; there are {n} rows (spans): give one "
                "value for each, None where it is not known"
            )
    if corpus.groups is not None and len(corpus.groups) != n:
        raise CorpusError(
            f"groups are one value for each of the {n} rows; received {len(corpus.groups)}"
        )


def fingerprint_of(corpus: Any) -> str:
    """Hex digest of rows and labels: equal for equal corpora, on every machine.

    Args:
        corpus: of words or of running texts.
    """
    digest = hashlib.sha256()
    for array in (corpus.words, *(corpus.labels(height) for height in corpus.heights)):
        digest.update("\x1f".join(array.tolist()).encode("utf-8", "surrogatepass"))
        digest.update(b"\x1e")
    digest.update(corpus.offsets.astype("<i8").tobytes())
    for height in corpus.heights:
        digest.update(np.packbits(corpus.boundary(height)).tobytes())
    if corpus.texts is not None:
        digest.update("\x1f".join(corpus.texts).encode("utf-8", "surrogatepass") + b"\x1e")
        digest.update(corpus.spans.astype("<i8").tobytes() + f"{corpus.at}{corpus.ready}".encode())
    for name in sorted(corpus.targets):
        target = corpus.targets[name]
        digest.update(f"{name}\x1f{target.kind}\x1f{target.columns}\x1e".encode())
        digest.update(
            "\x1f".join(target.values.tolist()).encode("utf-8", "surrogatepass")
            if target.kind == "class"
            else target.values.astype("<f8").tobytes()
        )
    return digest.hexdigest()


def shortly(corpus: Any) -> str:
    """A corpus in one line."""
    if corpus.texts is not None:
        return (
            f"Corpus({len(corpus)} texts, {corpus.n_tokens} rows, targets "
            f"{', '.join(corpus.targets) or 'none'}, {corpus.source or 'no source'})"
        )
    return (
        f"Corpus({len(corpus)} sentences, {corpus.n_tokens} tokens, heights {corpus.heights}, "
        f"{corpus.source or 'no source'})"
    )


def as_page(corpus: Any) -> str:
    """The line, and the first five texts, as HTML."""
    first = corpus.texts or [" ".join(sentence) for sentence in corpus.sentences[:5]]
    rows = "".join(
        f"<tr><td style='text-align:left'>{escape(text)}</td></tr>" for text in first[:5]
    )
    return f"<b>{escape(shortly(corpus))}</b><table>{rows}</table>"


def numbered(names: Sequence[str]) -> Int[np.ndarray, " name"]:
    """A number for each name, by first appearance.

    >>> numbered(["b", "a", "b"]).tolist()
    [0, 1, 0]
    """
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], dtype=np.int64)
