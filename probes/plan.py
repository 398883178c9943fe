"""Everything about one target that does not depend on the site: rows, classes, controls."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final
from zlib import crc32

import numpy as np
from jaxtyping import Int

from .baselines import best_guess, control_labels, keys_of_words, previous_words
from .errors import ProbeError
from .exchange import LabelNull, exchangeable, swap_sentences
from .groups import Groups
from .protocols import CorpusLike
from .splits import Split
from .targets import Target

__all__ = ["Plan", "Tokens", "make_plan"]


@final
@dataclass(frozen=True, eq=False)
class Tokens:
    """Who stands where, coded once for all targets; rows in order of group and position.

    Args:
        order: ``[token]`` rows of the corpus in that order; ``-1`` never occurs.
        groups: ``[token]`` group of each ordered row.
        sentences: ``[token]`` sentence of each ordered row.
        positions: ``[token]`` place in the sentence.
        words: ``[token]`` key of the word type.
        previous: ``[token]`` key of the word before, -1 at the start.
        unit: what a group is, in one word.
    """

    order: Int[np.ndarray, " token"]
    groups: Int[np.ndarray, " token"]
    sentences: Int[np.ndarray, " token"]
    positions: Int[np.ndarray, " token"]
    words: Int[np.ndarray, " token"]
    previous: Int[np.ndarray, " token"]
    unit: str

    @classmethod
    def of(cls, corpus: CorpusLike, groups: Groups) -> "Tokens":
        """Read them from a corpus."""
        positions = np.asarray(corpus.positions)
        sentences = np.asarray(corpus.sentence_ids)
        _, sentence_keys = np.unique(sentences, return_inverse=True)
        order = np.lexsort((positions, sentences, groups.ids))
        words = keys_of_words(corpus.words)
        previous = previous_words(words, sentences, positions)
        return cls(
            order, groups.ids[order], sentence_keys[order], positions[order], words[order],
            previous[order], groups.unit,
        )  # fmt: skip


@final
@dataclass(frozen=True, eq=False)
class Plan:
    """One target, split, coded, with its controls.

    Args:
        name: of the target.
        classes: those that are learned.
        train: rows (of the corpus) that are learned from.
        validation: rows on which ranks and penalties are chosen.
        test: rows that are scored.
        codes: class codes of ``train``, ``validation`` and ``test``; -1 for a class that is not
            learned.
        groups: groups of the same three.
        shuffled: codes of ``train`` and ``test`` with labels exchanged between sentences.
        control: codes of the control task on ``train`` and ``test``.
        baselines: accuracy of guessing from position, previous word and word.
        null: what the accuracy on the test rows would be if activations said nothing.
        notes: what was left out, and why.
    """

    name: str
    classes: tuple[str, ...]
    train: Int[np.ndarray, " train"]
    validation: Int[np.ndarray, " validation"]
    test: Int[np.ndarray, " test"]
    codes: tuple[np.ndarray, np.ndarray, np.ndarray]
    groups: tuple[np.ndarray, np.ndarray, np.ndarray]
    shuffled: tuple[np.ndarray, np.ndarray]
    control: tuple[np.ndarray, np.ndarray]
    baselines: dict[str, float]
    null: LabelNull
    notes: tuple[str, ...] = field(default=())

    @property
    def constant(self) -> bool:
        """There is one class: nothing to learn."""
        return len(self.classes) == 1

    @property
    def rows_key(self) -> tuple[bytes, bytes, bytes]:
        """Equal for plans that use the same rows."""
        return self.train.tobytes(), self.validation.tobytes(), self.test.tobytes()


def make_plan(
    target: Target,
    tokens: Tokens,
    split: Split,
    kept: np.ndarray,
    *,
    min_count: int,
    permutations: int,
    seed: int,
    seeds: Sequence[np.random.SeedSequence],
) -> Plan:
    """Divide the rows of one target and draw its controls.

    A class with tokens in fewer than ``min_count`` training groups is not learned; its
    test tokens stay and count as errors, so accuracy is comparable with the ceiling.

    Raises:
        ProbeError: a part is empty, or there are more classes than examples.
    """
    order = tokens.order
    asked = (target.mask & kept)[order]
    parts = [
        np.flatnonzero(asked & part[order]) for part in (split.train, split.validation, split.test)
    ]
    train, _, test = parts
    if not len(train) or not len(test):
        raise ProbeError(
            f"target {target.name!r} has {len(train)} training and {len(test)} test tokens: more "
            "sentences in which it is defined are needed"
        )
    codes = target.codes[order]
    used = np.unique(codes[np.concatenate(parts)])
    if len(used) > len(train):
        raise ProbeError(
            f"target {target.name!r} has more classes than examples: {len(used)} classes, "
            f"{len(train)} training tokens. Give more sentences, or coarser labels"
        )
    learned, notes = _learned(target, codes, tokens, parts, min_count)
    recode = np.full(len(target.classes), -1, dtype=np.int64)
    recode[learned] = np.arange(len(learned))
    train = train[recode[codes[train]] >= 0]
    parts[0] = train
    coded = [recode[codes[rows]] for rows in parts]
    rng_shuffle, rng_control = (np.random.default_rng(each) for each in seeds)
    # Targets on the same test tokens exchange labels together: p-values of the family need it.
    rng_swap = np.random.default_rng([seed, crc32(order[test].tobytes())])
    shares = np.bincount(coded[0], minlength=len(learned)) / max(len(train), 1)
    control = control_labels(tokens.words, shares, rng_control)
    baselines = {
        name: float(np.mean(best_guess(key[train], coded[0], key[test], len(learned)) == coded[2]))
        for name, key in (
            ("position", tokens.positions),
            ("previous_word", tokens.previous),
            ("word_identity", tokens.words),
        )
    }
    null = LabelNull.draw(
        coded[2], tokens.groups[test], tokens.positions[test], permutations, rng_swap,
        sentences=tokens.sentences[test],
    )  # fmt: skip
    return Plan(
        name=target.name,
        classes=tuple(target.classes[code] for code in learned),
        train=order[train],
        validation=order[parts[1]],
        test=order[test],
        codes=(coded[0], coded[1], coded[2]),
        groups=(tokens.groups[train], tokens.groups[parts[1]], tokens.groups[test]),
        # Both parts: against true test labels a strong feature makes a fit to noise swing far
        # to either side of chance.
        shuffled=(
            _exchanged(tokens, train, coded[0], rng_shuffle),
            _exchanged(tokens, test, coded[2], rng_shuffle),
        ),
        control=(control[train], control[test]),
        baselines=baselines,
        null=null,
        notes=(*notes, *_ragged(target.name, null, tokens, test)),
    )


def _exchanged(
    tokens: Tokens, rows: np.ndarray, codes: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Labels in other sentences than their own, each at its position where it has a partner."""
    wholes, pieces = exchangeable(tokens.groups[rows], tokens.positions[rows])
    moved: np.ndarray = codes[swap_sentences([*wholes, *pieces], rng, fixed=False)]
    return moved


def _ragged(name: str, null: LabelNull, tokens: Tokens, test: np.ndarray) -> tuple[str, ...]:
    """A note where labels are not exchanged between whole groups."""
    total, unit = len(null.codes), tokens.unit
    if null.alone == total:
        return (f"{name}: p is not tested, no two test {unit}s share a scored position",)
    if not len(null.ragged):
        return ()
    return (
        f"{name}: {null.signs.shape[1]} of {len(np.unique(tokens.groups[test]))} test {unit}s "
        "share all their scored positions with fewer than seven others, so p lets what each of "
        f"them has over chance change sign instead of exchanging its labels; {null.alone} of "
        f"{total} test tokens have no partner at their position and do not count",
    )


def _learned(
    target: Target,
    codes: np.ndarray,
    tokens: Tokens,
    parts: Sequence[np.ndarray],
    min_count: int,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Classes seen in enough training groups, and a note about the others.

    Raises:
        ProbeError: no class is.
    """
    train, _, test = parts
    n = len(target.classes)
    pairs = np.unique(np.stack([tokens.groups[train], codes[train]]), axis=1)
    seen_in = np.bincount(pairs[1], minlength=n)
    learned = np.flatnonzero(seen_in >= min_count)
    if not len(learned):
        raise ProbeError(
            f"target {target.name!r}: no class occurs in {min_count} training "
            f"{tokens.unit}s; give more {tokens.unit}s, coarser labels, or a lower min_count"
        )
    scored = np.bincount(codes[test], minlength=n)
    missing = np.setdiff1d(np.unique(codes[np.concatenate(parts)]), learned)
    if not len(missing):
        return learned, ()
    names = ", ".join(target.classes[code] for code in missing[:8])
    more = ", ..." if len(missing) > 8 else ""
    return learned, (
        f"{target.name}: {len(missing)} class(es) occur in fewer than {min_count} training "
        f"{tokens.unit}s and are not learned ({names}{more}); their "
        f"{int(scored[missing].sum())} test tokens count as errors and are left out of nll and "
        "v_information",
    )
