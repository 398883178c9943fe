"""Pairs of a base and a source: what is exchanged between them, and what should come out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Any, Literal, final

import numpy as np
from jaxtyping import Bool, Float, Int

from ..core import checked
from .errors import CausalError

__all__ = ["Pairs", "Protocol"]

Protocol = Literal["last token", "whole span"]
"""``last token``: the state of the span's last token is exchanged; ``whole span``: of all."""


@final
@checked(CausalError)
@dataclass(frozen=True, eq=False)
class Pairs:
    """A base sentence, a source sentence, and the positions whose states are exchanged.

    The pairs whose labels differ are *moved*: after the exchange the model should speak as if the
    span had the source's label. Where the labels are *equal*, nothing should change.

    Args:
        target: what the labels are of (``height 2``).
        base: ``[pair]`` sentences that are run with the exchange.
        source: ``[pair]`` sentences whose states are put in.
        base_at: ``[pair]`` positions of the span in the base, ascending; the last one is its last
            token.
        source_at: ``[pair]`` the source's position for each of these, as many.
        before: ``[pair]`` the label of the span in the base.
        after: ``[pair]`` its label in the source.
        expected: ``[pair]`` the exact distribution of the next token ``[read, choice]``; ``None``
            where two answers are compared instead.
        choices: names of the columns of ``expected``.
        answers: ``[pair]`` two continuations of the base, of one word each: what the base asks for
            and what the source asks for; ``None`` where ``expected`` is given.
        groups: ``[pair]`` which pairs go together in intervals: those of one base sentence.
        read: ``[pair]`` positions of the base after which the output is compared.
        asked: ``[pair]`` the counterfactual: what the model would have read, had the span been the
            source's.
        asked_read: ``[pair]`` the positions of ``asked`` that answer to ``read``, as many.
        source_of: where the pairs come from, in words.

    Raises:
        CausalError: lengths differ, a position lies outside its sentence, or there is nothing to
            compare the output with.
    """

    target: str
    base: tuple[tuple[str, ...], ...]
    source: tuple[tuple[str, ...], ...]
    base_at: tuple[tuple[int, ...], ...]
    source_at: tuple[tuple[int, ...], ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    groups: Int[np.ndarray, " pair"]
    read: tuple[tuple[int, ...], ...]
    asked: tuple[tuple[str, ...], ...]
    asked_read: tuple[tuple[int, ...], ...]
    expected: tuple[Float[np.ndarray, "_ choice"], ...] | None = None
    choices: tuple[str, ...] = ()
    answers: tuple[tuple[str, str], ...] | None = None
    source_of: str = ""

    def __post_init__(self) -> None:
        n = len(self.base)
        columns = {
            "source": self.source, "base_at": self.base_at, "source_at": self.source_at,
            "before": self.before, "after": self.after, "groups": self.groups, "read": self.read,
            "asked": self.asked, "asked_read": self.asked_read,
            "expected": self.expected, "answers": self.answers,
        }  # fmt: skip
        uneven = {k: len(v) for k, v in columns.items() if v is not None and len(v) != n}
        if uneven:
            raise CausalError(
                f"every field of pairs has one entry for each pair; base has {n}, and others have "
                f"another number: {uneven}"
            )
        if (self.expected is None) == (self.answers is None):
            raise CausalError(
                "pairs have either the exact distribution that is expected, or two answers to "
                "compare; received "
                f"{'neither' if self.answers is None else 'both'}"
            )
        for i in range(n):
            self._check(i)

    def _check(self, i: int) -> None:
        """Positions of one pair.

        Raises:
            CausalError: they do not fit.
        """
        here, there = self.base_at[i], self.source_at[i]
        if not here or len(here) != len(there) or list(here) != sorted(set(here)):
            raise CausalError(
                f"pair {i} maps positions {here} of the base to {there} of the source: give as "
                "many of both, at least one, the base's ascending"
            )
        read, asked = self.read[i], self.asked_read[i]
        if not read or len(read) != len(asked):
            raise CausalError(
                f"pair {i} compares the output at {read} with that at {asked} of the "
                "counterfactual: give as many of both, at least one"
            )
        if self.expected is not None and len(self.expected[i]) != len(read):
            raise CausalError(
                f"pair {i} reads {len(read)} positions and expects {len(self.expected[i])} "
                "distributions: give one for each"
            )
        for name, places, sentence in (
            ("base", (*here, *read), self.base[i]),
            ("source", there, self.source[i]),
            ("counterfactual", asked, self.asked[i]),
        ):
            if min(places) < 0 or max(places) >= len(sentence):
                raise CausalError(
                    f"pair {i} names positions {places} of its {name}, which has positions 0 to "
                    f"{len(sentence) - 1}"
                )

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.base)

    @cached_property
    def moved(self) -> Bool[np.ndarray, " pair"]:
        """``[pair]`` whether the labels differ."""
        return np.array([a != b for a, b in zip(self.before, self.after, strict=True)], dtype=bool)

    def select(self, pairs: Sequence[int] | np.ndarray) -> "Pairs":
        """These pairs, in this order.

        Raises:
            CausalError: something else than indices of pairs.
        """
        rows = np.asarray(pairs)
        if rows.size and rows.dtype.kind not in "iu":
            raise CausalError(f"pairs are selected by their indices; received {rows.dtype} values")
        rows = rows.astype(np.int64).reshape(-1)
        if rows.size and (rows.min() < -len(self) or rows.max() >= len(self)):
            raise CausalError(f"indices of pairs lie in 0..{len(self) - 1}; received {rows.max()}")
        names = ("base", "source", "base_at", "source_at", "before", "after", "read", "asked",
                 "asked_read")  # fmt: skip
        picked: dict[str, Any] = {
            name: tuple(getattr(self, name)[i] for i in rows) for name in names
        }
        return replace(
            self,
            **picked,
            groups=np.asarray(self.groups)[rows],
            expected=None if self.expected is None else tuple(self.expected[i] for i in rows),
            answers=None if self.answers is None else tuple(self.answers[i] for i in rows),
        )

    def __repr__(self) -> str:
        return (
            f"Pairs({self.target}: {int(self.moved.sum())} moved, "
            f"{int((~self.moved).sum())} equal, {self.source_of or 'given'})"
        )

    def _repr_html_(self) -> str:
        lines = [
            f"<tr><td>{escape(' '.join(self.base[i]))}</td>"
            f"<td>{escape(' '.join(self.source[i]))}</td>"
            f"<td>{escape(self.before[i])} → {escape(self.after[i])}</td></tr>"
            for i in range(min(5, len(self)))
        ]
        head = "<tr><th>base</th><th>source</th><th>label</th></tr>"
        return f"<b>{escape(repr(self))}</b><table>{head}{''.join(lines)}</table>"
