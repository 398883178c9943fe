"""Minimal pairs: the counterfactual of models without a grammar, by two answers."""

from collections.abc import Sequence

import numpy as np

from ..core import checked
from .errors import CausalError
from .pairs import Pairs

__all__ = ["minimal_pairs"]


@checked(CausalError)
def minimal_pairs(
    prefixes: Sequence[Sequence[str]],
    answers: Sequence[Sequence[str]],
    labels: Sequence[str],
    *,
    target: str = "number",
    at: Sequence[int] | None = None,
    n: int = 200,
    seed: int = 0,
) -> Pairs:
    """Pairs of beginnings that ask for different words: "the key" is, "the keys" are.

    Base and source are two of the beginnings; their lengths may differ. Where their labels differ
    (*moved*), the base with the source's state should go on as the source asks: the log-odds of
    the base's right answer over its wrong one should become those that the model gives the same two
    answers after the source. Where the labels are equal, they should stay.

    Of answers of several tokens the first is compared; both begin with different tokens.

    Args:
        prefixes: beginnings of sentences, words each.
        answers: of each beginning the right next word and the wrong one.
        labels: of each beginning what decides between the answers (``singular``).
        target: what the labels are of.
        at: of each beginning the position whose state is exchanged; by default its last word.
        n: pairs wanted, about half of them moved; at most one of either kind per beginning.
        seed: of the choice.

    Raises:
        CausalError: lengths differ, or all labels are the same.

    >>> pairs = minimal_pairs(
    ...     [["the", "key"], ["the", "keys"], ["keys"]],
    ...     [("is", "are"), ("are", "is"), ("are", "is")],
    ...     ["one", "many", "many"],
    ...     n=4,
    ... )
    >>> int(pairs.moved.sum()), pairs.answers[0][0] in ("is", "are")
    (2, True)
    """
    if not len(prefixes) == len(answers) == len(labels) or n < 1:
        raise CausalError(
            f"every beginning has two answers and a label, and n is at least 1; received "
            f"{len(prefixes)} beginnings, {len(answers)} answers, {len(labels)} labels, n = {n}"
        )
    if at is not None and len(at) != len(prefixes):
        raise CausalError(f"at has one position per beginning; received {len(at)}")
    for i, (words, both) in enumerate(zip(prefixes, answers, strict=True)):
        if not len(words) or len(both) != 2 or not all(isinstance(w, str) for w in (*words, *both)):
            raise CausalError(
                f"beginning {i} is at least one word, with two answers; received "
                f"{list(words)!r:.60} and {list(both)!r:.60}"
            )
    if not len(labels):
        raise CausalError("pairs are made from beginnings of two kinds; received none")
    if len(set(labels)) < 2:
        raise CausalError(f"all beginnings have the label {labels[0]!r}: give two kinds")
    rng = np.random.default_rng(seed)
    kinds = np.array(labels, dtype=str)
    chosen = [
        *_draw(prefixes, kinds, (n + 1) // 2, True, rng),
        *_draw(prefixes, kinds, n // 2, False, rng),
    ]
    places = [len(words) - 1 for words in prefixes] if at is None else list(at)
    base, source = ([tuple(prefixes[i]) for i in side] for side in zip(*chosen, strict=True))
    last = tuple((len(words) - 1,) for words in base)
    return Pairs(
        target=target,
        base=tuple(base),
        source=tuple(source),
        base_at=tuple((places[i],) for i, _ in chosen),
        source_at=tuple((places[j],) for _, j in chosen),
        before=tuple(labels[i] for i, _ in chosen),
        after=tuple(labels[j] for _, j in chosen),
        groups=np.array([i for i, _ in chosen]),
        read=last,
        asked=tuple(source),
        asked_read=tuple((len(words) - 1,) for words in source),
        answers=tuple((answers[i][0], answers[i][1]) for i, _ in chosen),
        source_of=f"{len(prefixes)} beginnings",
    )


def _draw(
    prefixes: Sequence[Sequence[str]],
    kinds: np.ndarray,
    wanted: int,
    moved: bool,
    rng: np.random.Generator,
) -> list[tuple[int, int]]:
    """(base, source), every base once."""
    found: list[tuple[int, int]] = []
    for i in rng.permutation(len(prefixes)).tolist():
        if len(found) == wanted:
            break
        like = np.flatnonzero((kinds != kinds[i]) == moved).tolist()
        fit = [j for j in like if tuple(prefixes[j]) != tuple(prefixes[i])]
        if fit:
            found.append((i, int(rng.choice(fit))))
    return found
