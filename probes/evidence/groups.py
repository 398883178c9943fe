"""Which tokens stand or fall together, and that no text is both learned from and tested on.

Tokens of one document are no independent witnesses: its author, its topic and its layout are the
same. So documents are kept whole where they are known, else sentences; and equal texts, which a
model reads alike, never stand on both sides of a split.
"""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Int

from ..errors import ProbeError
from ..inputs.protocols import CorpusLike
from ..inputs.reading import as_array
from .splits import Split, split_by_group

__all__ = [
    "FRACTIONS",
    "Division",
    "Groups",
    "divide",
    "enough_in_test",
    "read_groups",
    "text_keys",
    "without_seen",
]

FRACTIONS = (0.7, 0.1, 0.2)  # of groups in train, validation and test
MOST = 0.4  # of the groups go to the test part, however few there are
WANTED = 8  # test groups: signs of fewer than five give no p-value below 0.05, of eight 0.004


@final
@dataclass(frozen=True, eq=False)
class Groups:
    """What must not be divided.

    Args:
        ids: ``[token]`` number of the group of each token, from 0.
        unit: what a group is: a document, a sentence or a running text (all its copies
            together), given ids, or a row of activations without any text.
        texts: ``[token]`` number of the text that the model reads there; equal texts share it.
    """

    ids: Int[np.ndarray, " token"]
    unit: Literal["document", "sentence", "text", "group", "row"]
    texts: Int[np.ndarray, " token"]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(np.unique(self.ids))


@final
@dataclass(frozen=True, eq=False)
class Division:
    """Groups, dealt to train, validation and test.

    Args:
        groups: what was not divided.
        split: tokens of each part that have an activation and a text of their own part.
        fractions: of groups that each part should have.
        left_out: test texts that also stand in an earlier part.
    """

    groups: Groups
    split: Split
    fractions: tuple[float, float, float]
    left_out: int

    @property
    def facts(self) -> dict[str, int | str]:
        """What a group is, how many each part has, and how many test texts were seen before."""
        parts = {name: getattr(self.split, name) for name in ("train", "validation", "test")}
        texts = self.groups.texts
        seen = np.isin(np.unique(texts[parts["test"]]), texts[parts["train"]])
        return {
            "unit": self.groups.unit,
            **{name: len(np.unique(self.groups.ids[part])) for name, part in parts.items()},
            "test texts": len(seen),
            "test texts seen in training": int(seen.sum()),
            "test texts left out": self.left_out,
        }

    @property
    def note(self) -> str:
        """The same in one sentence."""
        told = self.facts
        unit = self.groups.unit
        copies = f" (equal {unit}s together)" if unit in ("sentence", "text", "row") else ""
        left = f"; {self.left_out} that did were left out" if self.left_out else ""
        return (
            f"split by {self.groups.unit}{copies}: {told['train']} to train, {told['validation']} "
            f"to validate, {told['test']} to test; {told['test texts seen in training']} of "
            f"{told['test texts']} test texts were seen in training{left}"
        )


def divide(
    corpus: CorpusLike,
    groups: npt.ArrayLike | str | None,
    fractions: tuple[float, float, float],
    labels: npt.ArrayLike,
    kept: Bool[np.ndarray, " token"],
    *,
    seed: int,
) -> Division:
    """Split a corpus by group, and leave out held-out texts that were seen before.

    Args:
        corpus: tokens.
        groups: as :func:`read_groups` takes them.
        fractions: of groups in each part; the default ones follow :func:`enough_in_test`.
        labels: ``[token]`` or ``[token, target]`` classes that the parts should have alike.
        kept: ``[token]`` tokens that have an activation.
        seed: of the order in which groups are dealt.

    Raises:
        ProbeError: too few groups, or no test text is new.
    """
    found = read_groups(corpus, groups, len(kept))
    if fractions == FRACTIONS:
        fractions = enough_in_test(fractions, found.count)
    split = split_by_group(found.ids, labels, fractions=fractions, seed=seed)
    split, left_out = without_seen(split, found.texts)
    parts = (split.train & kept, split.validation & kept, split.test & kept)
    return Division(found, Split(*parts), fractions, left_out)


def read_groups(corpus: CorpusLike, given: npt.ArrayLike | str | None, n: int) -> Groups:
    """Groups as asked for.

    Args:
        corpus: tokens; its ``groups``, ``document_ids`` and ``text_ids`` are read where it has
            them.
        given: ``[token]`` ids, ``"document"``, ``"sentence"``, or ``None`` for the groups of the
            corpus, for documents where the corpus knows them, and for sentences otherwise.
            Sentences of equal words are one group.
        n: tokens.

    Raises:
        ProbeError: documents are asked for and not known, or the ids are not one per token.
    """
    documents = getattr(corpus, "document_ids", None)
    texts = text_keys(corpus)
    if isinstance(given, str) and given not in ("document", "sentence"):
        raise ProbeError(
            f"groups are 'document', 'sentence', or one id per token; received the text {given!r}"
        )
    if isinstance(given, str) and given == "document" and documents is None:
        raise ProbeError(
            "groups='document' was asked for, but this corpus does not know its documents: read "
            "one file per document, or give one id per token"
        )
    own = getattr(corpus, "groups", None)
    if given is None and own is not None:
        return Groups(_numbered(_ids(own, n)), "group", texts)
    if given is None or isinstance(given, str):
        if documents is None or given == "sentence":
            return Groups(texts, getattr(corpus, "unit", "sentence"), texts)
        return Groups(_numbered(_ids(documents, n)), "document", texts)
    return Groups(_numbered(_ids(given, n)), "group", texts)


def text_keys(corpus: CorpusLike) -> Int[np.ndarray, " token"]:
    """``[token]`` a number for the text of the token's sentence; equal texts, equal numbers.

    Numbers go by first appearance. A corpus whose texts are not its words (points, images) says
    with ``text_ids`` which are equal.
    """
    told = getattr(corpus, "text_ids", None)
    sentences = np.asarray(corpus.sentence_ids)
    if told is not None:
        _, first, same = np.unique(
            _ids(told, len(sentences)), return_index=True, return_inverse=True
        )
        order = np.argsort(np.argsort(first))
        return order[same.reshape(-1)].astype(np.int64)
    _, words = np.unique(np.asarray(corpus.words).astype(str), return_inverse=True)
    order = np.lexsort((np.asarray(corpus.positions), sentences))
    bounds = np.flatnonzero(np.diff(sentences[order])) + 1
    seen: dict[bytes, int] = {}
    keys = np.empty(len(order), dtype=np.int64)
    for rows in np.split(order, bounds) if len(order) else ():
        keys[rows] = seen.setdefault(words[rows].tobytes(), len(seen))
    return keys


def enough_in_test(
    fractions: tuple[float, float, float], n_groups: int
) -> tuple[float, float, float]:
    """The default shares; where groups are few, more of them go to the test part.

    >>> enough_in_test((0.7, 0.1, 0.2), 1000)
    (0.7, 0.1, 0.2)
    >>> [round(share, 3) for share in enough_in_test((0.7, 0.1, 0.2), 24)]
    [0.567, 0.1, 0.333]
    """
    train, validation, test = fractions
    wanted = max(test, min(WANTED / max(n_groups, 1), MOST))
    return train + test - wanted if wanted > test else train, validation, wanted


def without_seen(split: Split, texts: Int[np.ndarray, " token"]) -> tuple[Split, int]:
    """Leave out held-out tokens whose text also stands in an earlier part.

    Args:
        split: by group.
        texts: ``[token]`` key of each token's text.

    Returns:
        The split, and how many test texts were left out.

    Raises:
        ProbeError: no test text is new.
    """
    validation = split.validation & ~np.isin(texts, texts[split.train])
    before = split.train | split.validation
    test = split.test & ~np.isin(texts, texts[before])
    if split.test.any() and not test.any():
        raise ProbeError(
            f"every one of the {len(np.unique(texts[split.test]))} test texts also stands in the "
            "training part, so nothing can be tested on new text: give more texts, or "
            "groups='sentence', which keeps equal sentences together"
        )
    left = len(np.unique(texts[split.test])) - len(np.unique(texts[test]))
    return Split(split.train, validation, test), left


def _numbered(ids: np.ndarray) -> Int[np.ndarray, " token"]:
    _, numbers = np.unique(ids, return_inverse=True)
    found: Int[np.ndarray, " token"] = numbers.reshape(-1).astype(np.int64)
    return found


def _ids(groups: npt.ArrayLike, n: int) -> np.ndarray:
    """One id per token.

    Raises:
        ProbeError: another length or shape.
    """
    ids = as_array(groups, f"groups are one id per token, [{n}]")
    if ids.shape != (n,):
        raise ProbeError(f"groups are one id per token, [{n}]; received shape {ids.shape}")
    try:
        np.unique(ids)
    except TypeError as error:
        raise ProbeError(
            "groups are ids that can be sorted, numbers or text, without None; received "
            f"{ids.dtype} with {type(ids[0]).__name__} first: {error}"
        ) from error
    return ids
