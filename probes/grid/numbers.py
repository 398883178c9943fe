"""Everything about one number target that does not depend on the site: rows, scale, controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final
from zlib import crc32

import numpy as np
from jaxtyping import Bool, Float, Int

from ..errors import ProbeError
from ..evidence.number_guesses import control_numbers
from ..evidence.number_null import NumberNull
from ..evidence.number_scores import Scale, credits_of
from ..evidence.permutation import Frame
from ..evidence.splits import Split
from ..evidence.tokens import Tokens
from ..geometry.chance_patterns import EXCHANGES
from .common_rows import CommonRows, own_rows
from .exchanges import exchanged, exchanges
from .plan import CONTROL_DRAWS, ragged_note
from .targets import NumberTarget

__all__ = ["NumberPlan", "make_number_plan"]

WIDEST = 64  # columns of all control tasks of a target together, if two of them fit


@final
@dataclass(frozen=True, eq=False)
class NumberPlan:
    """One number target (or a vector of them), split, scaled, with its controls.

    All numbers are in training standard deviations from the training mean, column by column;
    columns that do not vary in training are left out.

    Args:
        name: of the target.
        columns: names of the columns that are learned.
        scale: from the target's numbers to these.
        train: rows (of the corpus) that are learned from.
        validation: rows for choices among sites.
        test: rows that are scored.
        values: ``[row, column]`` of ``train``, ``validation`` and ``test``.
        groups: groups of the same three.
        shuffled: numbers of ``train`` and ``test`` exchanged between sentences.
        controls: of each control task its numbers on ``train`` and ``test``.
        unseen: ``[test]`` tokens whose word does not occur in ``train``.
        null: what predictions of the test rows would do if activations said nothing.
        exchanges: ``[draw, train]`` for each training row the one whose numbers it gets when
            sentences exchange theirs, for patterns of no state.
        notes: what was left out, and why.
        guesses: ``[test, column]`` numbers that :class:`linrep.probes.grid.guesses.Guessing` has
            found; none until then.
    """

    name: str
    columns: tuple[str, ...]
    scale: Scale
    train: Int[np.ndarray, " train"]
    validation: Int[np.ndarray, " validation"]
    test: Int[np.ndarray, " test"]
    values: tuple[np.ndarray, np.ndarray, np.ndarray]
    groups: tuple[np.ndarray, np.ndarray, np.ndarray]
    shuffled: tuple[np.ndarray, np.ndarray]
    controls: tuple[tuple[np.ndarray, np.ndarray], ...]
    unseen: Bool[np.ndarray, " test"]
    null: NumberNull
    exchanges: Int[np.ndarray, "draw train"]
    notes: tuple[str, ...] = field(default=())
    guesses: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def constant(self) -> bool:
        """No column varies, in training or among the rows that are scored."""
        return not len(self.columns) or not bool(np.square(self.values[2]).sum() > 0)

    def credit(self, predicted: np.ndarray) -> Float[np.ndarray, " test"]:
        """Each test token's share of R2."""
        return credits_of(predicted, self.values[2])

    def right(self, rival: str) -> Float[np.ndarray, " test"]:
        """Credits of a guess."""
        return self.credit(self.guesses[rival])

    def baseline(self, rival: str) -> float:
        """R2 of a guess; NaN for one that was not made."""
        return float(self.right(rival).mean()) if rival in self.guesses else float("nan")

    @property
    def control_way(self) -> tuple[float, float]:
        """R2 on a control task: of the training mean, and the best there can be.

        Nothing but the mean can be said of a word that was never seen.
        """
        return 0.0, 1.0 - float(self.unseen.mean())

    @property
    def without_draws(self) -> "NumberPlan":
        """Its rows and labels, without what is drawn: all that probes of untrained models need."""
        return replace(self, controls=(), null=self.null.undrawn, exchanges=self.exchanges[:0])

    @property
    def own(self) -> CommonRows:
        """Its rows, and no others."""
        return own_rows((self.train, self.validation, self.test))


def make_number_plan(
    target: NumberTarget,
    tokens: Tokens,
    split: Split,
    kept: np.ndarray,
    *,
    permutations: int,
    seed: int,
    seeds: Sequence[np.random.SeedSequence],
) -> NumberPlan:
    """Divide the rows of one target, scale its numbers and draw its controls.

    Raises:
        ProbeError: a part is empty.
    """
    order = tokens.order
    asked = (target.mask & kept)[order]
    parts = [
        np.flatnonzero(asked & part[order]) for part in (split.train, split.validation, split.test)
    ]
    train, _, test = parts
    if len(train) < 2 or not len(test):
        raise ProbeError(
            f"target {target.name!r} has {len(train)} training and {len(test)} test tokens: more "
            "sentences in which it is defined are needed"
        )
    given = target.values[order]
    scale = Scale.of(given[train])
    values = [scale(given[rows]) for rows in parts]
    columns = tuple(
        name for name, varies in zip(target.columns, scale.varies, strict=True) if varies
    )
    rng_shuffle, rng_control, rng_moves = (np.random.default_rng(each) for each in seeds)
    # Targets on the same test tokens exchange together, classes and numbers alike.
    rng_swap = np.random.default_rng([seed, crc32(order[test].tobytes())])
    frame = Frame.of(tokens.groups[test], tokens.positions[test], tokens.sentences[test])
    null = NumberNull.draw(values[2], frame, permutations, rng_swap)
    draws = min(CONTROL_DRAWS, max(2, WIDEST // max(len(columns), 1)))
    tasks = [control_numbers(tokens.words, values[0], rng_control) for _ in range(draws)]
    return NumberPlan(
        name=target.name,
        columns=columns,
        scale=scale,
        train=order[train],
        validation=order[parts[1]],
        test=order[test],
        values=(values[0], values[1], values[2]),
        groups=(tokens.groups[train], tokens.groups[parts[1]], tokens.groups[test]),
        shuffled=(
            exchanged(tokens, train, values[0], rng_shuffle),
            exchanged(tokens, test, values[2], rng_shuffle),
        ),
        controls=tuple((task[train], task[test]) for task in tasks),
        unseen=~np.isin(tokens.words[test], tokens.words[train]),
        null=null,
        exchanges=exchanges(tokens, train, EXCHANGES if permutations else 0, rng_moves),
        notes=(
            *_constant_columns(target, columns),
            *ragged_note(target.name, null, tokens, test),
        ),
    )


def _constant_columns(target: NumberTarget, columns: tuple[str, ...]) -> tuple[str, ...]:
    """A note about the columns of a vector that do not vary."""
    lost = [name for name in target.columns if name not in columns]
    if not lost or not columns:
        return ()
    more = ", ..." if len(lost) > 8 else ""
    return (
        f"{target.name}: {len(lost)} of {len(target.columns)} columns do not vary in training and "
        f"are left out ({', '.join(lost[:8])}{more})",
    )
