"""Which texts of the test part are kept: half at random, half where probes are surely wrong."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

__all__ = ["MOST_CELLS", "MOST_READ", "chosen_texts", "kept_sites"]

MOST_CELLS: Final = 600
"""Sites times targets; of more sites some are left out."""

MOST_READ: Final = 20_000
"""Answers kept; texts are left out until there are no more, but for the first four."""

LEAST = 4


def kept_sites(sites: Sequence[str], n_targets: int, best: Iterable[str] = ()) -> tuple[str, ...]:
    """All sites, or as many as fit, evenly over the stream, the first and the last among them.

    Args:
        sites: all, in order.
        n_targets: how many targets are kept.
        best: sites that are kept in any case: where targets are read best.

    >>> kept_sites(["a", "b", "c"], 2)
    ('a', 'b', 'c')
    >>> len(kept_sites([f"blocks.{i}" for i in range(100)], 50))
    12
    """
    most = max(MOST_CELLS // max(n_targets, 1), 2)
    if len(sites) <= most:
        return tuple(sites)
    places = np.linspace(0, len(sites) - 1, most).round().astype(int)
    kept = {sites[place] for place in places.tolist()} | set(best)
    return tuple(site for site in sites if site in kept)


def chosen_texts(
    candidates: Sequence[int],
    wrong: Sequence[Mapping[int, float]],
    sizes: Mapping[int, int],
    same: Mapping[int, object],
    most: int,
    rng: np.random.Generator,
) -> list[tuple[int, bool]]:
    """Texts to keep: at random and where a probe is surely wrong in turn, no text twice.

    Args:
        candidates: texts of the test part.
        wrong: for each target text -> how sure its probe is of what is wrong.
        sizes: text -> how many answers it holds.
        same: text -> what is equal for equal texts.
        most: how many to keep.
        rng: for the random ones.

    Returns:
        Texts, and whether each was chosen because a probe is wrong there.

    >>> rng = np.random.default_rng(0)
    >>> chosen_texts([4, 5, 6], [{6: 0.9}], {4: 1, 5: 1, 6: 1}, {4: "a", 5: "a", 6: "b"}, 3, rng)
    [(6, True), (4, False)]
    """
    shuffled = rng.permutation(np.asarray(candidates, dtype=np.int64)).tolist()
    place = {text: i for i, text in enumerate(shuffled)}
    queues = [iter(sorted(told, key=lambda text: (-told[text], place[text]))) for told in wrong]
    chosen: dict[int, bool] = {}
    seen: set[object] = set()
    read = 0
    for text, because in _in_turn(_round_robin(queues), shuffled):
        if text in chosen or same[text] in seen:
            continue
        if len(chosen) >= most or (len(chosen) >= LEAST and read + sizes[text] > MOST_READ):
            break
        chosen[text] = because
        seen.add(same[text])
        read += sizes[text]
    return list(chosen.items())


def _round_robin(queues: Sequence[Iterator[int]]) -> Iterator[int]:
    """One of each queue, then the next of each."""
    waiting = list(queues)
    while waiting:
        for queue in list(waiting):
            text = next(queue, None)
            if text is None:
                waiting.remove(queue)
            else:
                yield text


def _in_turn(wrong: Iterator[int], others: Iterable[int]) -> Iterator[tuple[int, bool]]:
    """One that is wrong, one of the others, and so on; the others go on where none is wrong."""
    for other in others:
        text = next(wrong, None)
        if text is not None:
            yield text, True
        yield other, False
