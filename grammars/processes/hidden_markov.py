"""A hidden Markov process as a language: sentences of one length, and the exact belief states."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Float, Int

from ...core import checked
from ...corpora.corpus import Corpus
from ...corpora.targets import Target
from ..errors import ImpossiblePrefix, LanguageError, UnknownToken
from ..memory import require_memory
from .chances import are_probabilities, check_matrices, check_names, draw, stationary
from .filtering import beliefs_after, distinct, entropies, reachable

__all__ = ["BELIEF", "NEXT", "STATE", "HiddenMarkov"]

BELIEF, NEXT, STATE = "belief", "next token", "state"
MOST = 10**6  # tokens of a sentence
SETTLED = 1000  # tokens after which no observer learns more of a process that is worked with


@final
@checked(LanguageError)
@dataclass(frozen=True, eq=False)
class HiddenMarkov:
    """A process that emits a token with every change of its hidden state.

    Its states are not tokens, and no token need give one away: what can be known after some tokens
    is a *belief*, the exact posterior of the state, which determines everything that follows. The
    process has no end; as a language it has sentences of ``length`` tokens, of which the state
    before the first is drawn from ``start``.

    Args:
        transitions: ``[symbol, state, state]`` probability of the token and of the next state,
            given the state: the sum over tokens and next states is 1.
        terminals: the token of each symbol.
        states: the names of the states.
        length: tokens of a sentence.
        start: probabilities of the states before the first token; by default those that stay as
            they are (the stationary distribution).

    Raises:
        LanguageError: no probabilities, sizes or names that do not agree, or several stationary
            distributions and no start.

    >>> even = HiddenMarkov([[[0.5, 0], [0, 0]], [[0, 0.5], [1, 0]]], ("0", "1"), ("even", "odd"))
    >>> even.start.round(4).tolist(), even.beliefs(["1", "0"]).round(2).tolist()
    ([0.6667, 0.3333], [[0.67, 0.33], [0.5, 0.5], [1.0, 0.0]])
    """

    transitions: Float[np.ndarray, "symbol state state"]
    terminals: tuple[str, ...]
    states: tuple[str, ...]
    length: int = 10
    start: Float[np.ndarray, " state"] | None = field(default=None)

    def __post_init__(self) -> None:
        matrices = np.array(self.transitions, dtype=np.float64)
        check_names(matrices, self.terminals, self.states)
        if not 1 <= self.length <= MOST:
            raise LanguageError(f"length is 1..{MOST} tokens; received {self.length}")
        check_matrices(matrices, self.states)
        start = stationary(matrices) if self.start is None else np.array(self.start, np.float64)
        if start.shape != (len(self.states),) or not are_probabilities(start[None]).all():
            raise LanguageError(
                f"start has one probability for each of the {len(self.states)} states, with sum 1; "
                f"received {start.tolist()}"
            )
        for name, array in (("transitions", matrices), ("start", start)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    # -- sentences

    @property
    def lengths(self) -> frozenset[int]:
        """Every length that a sentence can have."""
        return frozenset({self.length})

    def sample(self, n: int, seed: int = 0, *, length: int | None = None) -> Corpus:
        """``n`` sentences with the beliefs of an observer; the same seed gives the same corpus.

        The corpus has three targets, each of what holds after the token: ``belief``, the exact
        posterior of the state given the tokens so far; ``next token``, the exact distribution of
        the token that the process emits next; ``state``, the state itself, which no observer knows.

        Args:
            n: number of sentences.
            seed: of the randomness; nothing else enters.
            length: tokens of a sentence, where it is not ``self.length``.

        Raises:
            LanguageError: a negative number of sentences, or an impossible length.
        """
        length = self.length if length is None else length
        if n < 0 or not 1 <= length <= MOST:
            raise LanguageError(
                f"a sample has 0 or more sentences of 1..{MOST} tokens; received n = {n}, "
                f"length = {length}"
            )
        size = len(self.states)
        require_memory(n * length * (size + 4) * 24, f"a sample of {n} sentences")
        rng = np.random.default_rng(seed)
        tokens = np.empty((n, length), dtype=np.int64)
        states = np.empty((n, length), dtype=np.int64)
        now = draw(np.broadcast_to(self._start, (n, size)), rng)
        choices = np.moveaxis(self.transitions, 0, 1).reshape(size, -1)  # [state, symbol x state]
        for place in range(length):
            drawn = draw(choices[now], rng)
            tokens[:, place], now = np.divmod(drawn, size)
            states[:, place] = now
        found = self._corpus(tokens, f"{n} sentences of {length} tokens sampled with seed {seed}")
        state = Target(
            STATE, np.array(self.states, dtype=str)[states.reshape(-1)], "class", (),
            "the hidden state after the token, as it was drawn",
        )  # fmt: skip
        targets = {**found.targets, STATE: state}
        return Corpus(
            found.word_ids, found.vocabulary, found.offsets, {}, source=found.source,
            targets=targets,
        )  # fmt: skip

    def corpus(self, sentences: Sequence[Sequence[str]]) -> Corpus:
        """A corpus of given sentences of one length, with the targets of an observer.

        Args:
            sentences: tokens of each; those that cannot occur raise :class:`ImpossiblePrefix`.

        Raises:
            LanguageError: the sentences differ in length, or have no tokens.
        """
        encoded = [self._encode(sentence) for sentence in sentences]
        if len({len(ids) for ids in encoded}) > 1 or any(len(ids) == 0 for ids in encoded):
            raise LanguageError("sentences of a process have one length of 1 token or more")
        width = len(encoded[0]) if encoded else self.length
        tokens = np.array(encoded, dtype=np.int64).reshape(len(encoded), width)
        return self._corpus(tokens, f"{len(encoded)} given sentences")

    # -- what an observer knows

    def beliefs(self, prefix: Iterable[str]) -> Float[np.ndarray, "read state"]:
        """``[read, state]`` the posterior of the state after each part of a prefix, from none on.

        An impossible prefix raises :class:`ImpossiblePrefix`.
        """
        found: np.ndarray = self._beliefs(self._encode(prefix)[None])[0]
        return found

    def next_token_probabilities(self, prefix: Iterable[str]) -> Float[np.ndarray, "read choice"]:
        """``[read, choice]`` next-token distribution after each part of a prefix, from none on.

        Columns are the terminals in order, then the end, which comes after ``length`` tokens and
        not before. An impossible or longer prefix raises :class:`ImpossiblePrefix`.

        Raises:
            ImpossiblePrefix: no sentence starts so.
        """
        tokens = self._encode(prefix)
        if len(tokens) > self.length:
            raise ImpossiblePrefix(
                f"sentences have {self.length} tokens; received {len(tokens)}; choose a process "
                "with a larger length"
            )
        following = self._beliefs(tokens[None])[0] @ self._emission
        ends = np.arange(len(following)) == self.length
        table: np.ndarray = np.column_stack([np.where(ends[:, None], 0.0, following), ends])
        return table

    def probability(self, sentence: Iterable[str]) -> float:
        """Probability that the process starts with these tokens; 0.0 where it cannot."""
        found = beliefs_after(self.transitions, self._start, self._encode(sentence)[None])[1]
        return float(found.prod())

    def reachable_beliefs(self, length: int | None = None) -> Float[np.ndarray, "belief state"]:
        """The different beliefs that an observer can hold after at most so many tokens.

        More than half a million raise :class:`TooLarge`, here and below.

        Args:
            length: number of tokens, at most a thousand; by default those of a sentence.
        """
        most = self._places(self.length if length is None else length)
        layers = reachable(self.transitions, self._start, most)
        return distinct(np.concatenate([beliefs for beliefs, _ in layers]))

    def conditional_entropies(self, length: int | None = None) -> Float[np.ndarray, " read"]:
        """``[read]`` entropy of the next token in nats, given the 0, 1, ... tokens before it.

        No model's mean loss at that place is below it. Exact up to rounding.

        Args:
            length: number of places; by default the tokens of a sentence.

        Raises:
            LanguageError: a length below 1, or beyond a thousand.
        """
        places = self.length if length is None else length
        if places < 1:
            raise LanguageError(f"length is a positive number of places; received {places}")
        return entropies(self.transitions, self._start, self._places(places - 1))

    def entropy_rate(self, length: int | None = None) -> tuple[float, float]:
        """Bounds of the entropy of a token given the whole past, in nats.

        The upper one is the entropy given ``length`` tokens; the lower one also given the state
        before them (Cover and Thomas, Elements of Information Theory, theorem 4.5.1). Both are
        exact, and meet as the length grows; they suppose the stationary start.

        Args:
            length: tokens that are given; by default one less than those of a sentence.

        >>> from linrep.grammars import families
        >>> lower, upper = families.rrxor().entropy_rate(12)
        >>> bool(abs(lower - 2 / 3 * np.log(2)) < 1e-9), bool(upper - lower < 0.05)
        (True, True)
        """
        given = self._places(self.length - 1 if length is None else length)
        upper = entropies(self.transitions, self._start, given)[-1]
        known = [entropies(self.transitions, one, given)[-1] for one in np.eye(len(self.states))]
        return float(self._start @ np.array(known)), float(upper)

    # -- inside

    @property
    def _start(self) -> Float[np.ndarray, " state"]:
        start: np.ndarray | None = self.start
        return stationary(self.transitions) if start is None else start

    @cached_property
    def _emission(self) -> Float[np.ndarray, "state symbol"]:
        """Probability of each token, given the state."""
        found: np.ndarray = self.transitions.sum(axis=2).T
        return found

    def _places(self, length: int) -> int:
        if not 0 <= length <= SETTLED:
            raise LanguageError(f"length is 0..{SETTLED} tokens here; received {length}")
        return length

    def _encode(self, tokens: Iterable[str]) -> Int[np.ndarray, " position"]:
        index = {word: number for number, word in enumerate(self.terminals)}
        found = list(tokens)
        for place, token in enumerate(found):
            if not isinstance(token, str) or token not in index:
                raise UnknownToken(
                    f"token {token!r:.40} at position {place} is none of this process: it emits "
                    f"{', '.join(self.terminals[:8])}"
                )
        return np.array([index[token] for token in found], dtype=np.int64)

    def _beliefs(
        self, tokens: Int[np.ndarray, "sentence position"]
    ) -> Float[np.ndarray, "sentence read state"]:
        beliefs, probability = beliefs_after(self.transitions, self._start, tokens)
        if not (probability > 0).all():
            row, place = np.argwhere(probability <= 0)[0].tolist()
            words = [self.terminals[token] for token in tokens[row, : place + 1]]
            raise ImpossiblePrefix(f"the process never starts with {' '.join(words)!r:.200}")
        return beliefs

    def _corpus(self, tokens: Int[np.ndarray, "sentence position"], source: str) -> Corpus:
        n, length = tokens.shape
        beliefs = self._beliefs(tokens)[:, 1:].reshape(n * length, len(self.states))
        targets = [
            Target(
                BELIEF, beliefs, "number", self.states,
                "exact posterior of the hidden state, given the tokens so far",
            ),
            Target(
                NEXT, beliefs @ self._emission, "number", self.terminals,
                "exact distribution of the next token",
            ),
        ]  # fmt: skip
        return Corpus(
            tokens.reshape(-1).astype(np.int32), self.terminals, np.arange(n + 1) * length, {},
            source=source, targets={target.name: target for target in targets},
        )  # fmt: skip
