"""Everything about one target that does not depend on the site: rows, classes, controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final
from zlib import crc32

import numpy as np
from jaxtyping import Bool, Float, Int

from ..errors import ProbeError
from ..evidence.baselines import control_labels
from ..evidence.number_null import NumberNull
from ..evidence.permutation import LabelNull
from ..evidence.splits import Split
from ..evidence.tokens import Tokens
from ..geometry.chance_patterns import EXCHANGES
from .common_rows import CommonRows, common_rows, own_rows
from .exchanges import exchanged, exchanges
from .targets import ClassTarget

__all__ = ["CONTROL_DRAWS", "Plan", "make_plan", "ragged_note"]

CONTROL_DRAWS = 10
"""Control tasks per target: one draw of random classes can be an easy one."""


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
        common: rows that the logistic probe reads, and which of them are these.
        codes: class codes of ``train``, ``validation`` and ``test``; -1 for a class that is not
            learned.
        groups: groups of the same three.
        shuffled: codes of ``train`` and ``test`` with labels exchanged between sentences.
        controls: of each control task its codes on ``train`` and ``test``.
        unseen: ``[test]`` tokens whose word does not occur in ``train``.
        null: what the accuracy on the test rows would be if activations said nothing.
        exchanges: ``[draw, train]`` for each training row the one whose label it gets when
            sentences exchange theirs, for patterns of no state.
        notes: what was left out, and why.
        guesses: ``[test]`` classes that :class:`linrep.probes.grid.guesses.Guessing` has found;
            none until then.
    """

    name: str
    classes: tuple[str, ...]
    train: Int[np.ndarray, " train"]
    validation: Int[np.ndarray, " validation"]
    test: Int[np.ndarray, " test"]
    common: CommonRows
    codes: tuple[np.ndarray, np.ndarray, np.ndarray]
    groups: tuple[np.ndarray, np.ndarray, np.ndarray]
    shuffled: tuple[np.ndarray, np.ndarray]
    controls: tuple[tuple[np.ndarray, np.ndarray], ...]
    unseen: Bool[np.ndarray, " test"]
    null: LabelNull
    exchanges: Int[np.ndarray, "draw train"]
    notes: tuple[str, ...] = field(default=())
    guesses: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def constant(self) -> bool:
        """There is one class: nothing to learn."""
        return len(self.classes) == 1

    def credit(self, predicted: np.ndarray) -> Float[np.ndarray, " test"]:
        """1 where a prediction is right, else 0."""
        found: np.ndarray = (predicted == self.codes[2]).astype(np.float64)
        return found

    def right(self, rival: str) -> Float[np.ndarray, " test"]:
        """1 where a guess is right, else 0."""
        return self.credit(self.guesses[rival])

    def baseline(self, rival: str) -> float:
        """Accuracy of a guess; NaN for one that was not made."""
        return float(self.right(rival).mean()) if rival in self.guesses else float("nan")

    @property
    def control_way(self) -> tuple[float, float]:
        """Accuracies on a control task: of the most frequent class, and the best there can be.

        Nothing but the most frequent class can be said of a word that was never seen.
        """
        shares = np.bincount(self.codes[0], minlength=len(self.classes)) / len(self.train)
        chance = float(shares.max())
        unseen = float(self.unseen.mean())
        return chance, 1.0 - unseen * (1.0 - chance)

    @property
    def without_draws(self) -> "Plan":
        """Its rows and labels, without what is drawn: all that probes of untrained models need."""
        return replace(self, controls=(), null=self.null.undrawn, exchanges=self.exchanges[:0])

    @property
    def own(self) -> CommonRows:
        """Its rows, and no others."""
        return own_rows((self.train, self.validation, self.test))


def make_plan(
    target: ClassTarget,
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
    rng_shuffle, rng_control, rng_moves = (np.random.default_rng(each) for each in seeds)
    # Targets on the same test tokens exchange labels together: p-values of the family need it.
    rng_swap = np.random.default_rng([seed, crc32(order[test].tobytes())])
    shares = np.bincount(coded[0], minlength=len(learned)) / max(len(train), 1)
    controls = [control_labels(tokens.words, shares, rng_control) for _ in range(CONTROL_DRAWS)]
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
        common=common_rows(order, kept, split, parts),
        codes=(coded[0], coded[1], coded[2]),
        groups=(tokens.groups[train], tokens.groups[parts[1]], tokens.groups[test]),
        # Both parts: against true test labels a strong feature makes a fit to noise swing far
        # to either side of chance.
        shuffled=(
            exchanged(tokens, train, coded[0], rng_shuffle),
            exchanged(tokens, test, coded[2], rng_shuffle),
        ),
        controls=tuple((control[train], control[test]) for control in controls),
        unseen=~np.isin(tokens.words[test], tokens.words[train]),
        null=null,
        exchanges=exchanges(tokens, train, EXCHANGES if permutations else 0, rng_moves),
        notes=(*notes, *ragged_note(target.name, null, tokens, test)),
    )


def ragged_note(
    name: str, null: LabelNull | NumberNull, tokens: Tokens, test: np.ndarray
) -> tuple[str, ...]:
    """A note where labels are not exchanged between whole groups."""
    total, unit = len(test), tokens.unit
    if null.alone == total:
        return (f"{name}: p is not tested, no two test {unit}s share a scored position",)
    if not len(null.ragged):
        return ()
    return (
        f"{name}: {null.signs.shape[1]} of {len(np.unique(tokens.groups[test]))} test {unit}s "
        "hold several texts or share their scored positions with fewer than seven others, so p "
        f"lets what each of them has over chance change sign instead of exchanging its labels; "
        f"{null.alone} of {total} test tokens have no partner at their position and do not count",
    )


def _learned(
    target: ClassTarget,
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
