"""What can be guessed without activations: from the position, the word, or the previous word."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

__all__ = [
    "best_guess",
    "control_labels",
    "exchangeable",
    "keys_of_words",
    "previous_words",
    "swap_sentences",
]


def best_guess(
    keys: Int[np.ndarray, " token"],
    codes: Int[np.ndarray, " token"],
    test_keys: Int[np.ndarray, " test"],
    n_classes: int,
) -> Int[np.ndarray, " test"]:
    """The most frequent class of each key on the training rows; of all rows for unseen keys.

    Ties go to the class that is more frequent overall, then to the first.
    """
    overall = np.bincount(codes, minlength=n_classes)
    majority = int(np.argmax(overall))
    known, place = np.unique(keys, return_inverse=True)
    table = np.bincount(place * n_classes + codes, minlength=len(known) * n_classes)
    scores = table.reshape(len(known), n_classes) + overall / (overall.sum() + 1.0)
    best = scores.argmax(axis=1) if len(known) else np.zeros(0, dtype=np.int64)
    found = np.clip(np.searchsorted(known, test_keys), 0, max(len(known) - 1, 0))
    if not len(known):
        return np.full(len(test_keys), majority)
    guess: np.ndarray = np.where(known[found] == test_keys, best[found], majority)
    return guess


def keys_of_words(words: np.ndarray) -> Int[np.ndarray, " token"]:
    """A number for each word type."""
    _, keys = np.unique(np.asarray(words).astype(str), return_inverse=True)
    return keys.astype(np.int64)


def previous_words(
    word_keys: Int[np.ndarray, " token"],
    sentence_ids: Int[np.ndarray, " token"],
    positions: Int[np.ndarray, " token"],
) -> Int[np.ndarray, " token"]:
    """Key of the word before each token in its sentence; -1 at the start of a sentence."""
    order = np.lexsort((positions, sentence_ids))
    previous = np.full(len(word_keys), -1, dtype=np.int64)
    if len(order) > 1:
        same = sentence_ids[order][1:] == sentence_ids[order][:-1]
        previous[order[1:][same]] = word_keys[order[:-1][same]]
    return previous


def control_labels(
    word_keys: Int[np.ndarray, " token"],
    shares: Float[np.ndarray, " class"],
    rng: np.random.Generator,
) -> Int[np.ndarray, " token"]:
    """A control task: every word type gets one random class, drawn from the target's shares.

    Hewitt and Liang 2019 (arXiv:1909.03368), section 2: accuracy on it is what the probe can
    reach by memorising words.
    """
    of_type = rng.choice(len(shares), size=int(word_keys.max(initial=-1)) + 1, p=shares)
    out: np.ndarray = of_type[word_keys]
    return out


def exchangeable(
    groups: Int[np.ndarray, " token"],
    positions: Int[np.ndarray, " token"],
    *,
    smallest: int = 8,
) -> list[Int[np.ndarray, "_ _"]]:
    """Blocks of rows whose labels may change places without a label leaving its position.

    In each block all tokens of a column stand at the same position of their sentences, and
    sentences (its rows) may be permuted. Sentences with the same scored positions make a block, if
    there are ``smallest`` of them: whole sentences exchange. The others exchange position by
    position; positions that the same sentences have go together. Each row is in one block.

    Args:
        groups: ``[token]`` sentence (or other group) of each row.
        positions: ``[token]`` place of each row in its sentence.
        smallest: sentences with the same scored positions that exchange as wholes.

    >>> exchangeable(np.array([0, 0, 1, 1, 2]), np.array([0, 3, 0, 3, 3]), smallest=2)
    [array([[0, 1],
           [2, 3]]), array([[4]])]
    """
    order = np.lexsort((positions, groups))
    kind = np.stack([groups[order], positions[order]], axis=1)
    # Groups of several sentences have a position several times: these are places of their own.
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (kind[1:] != kind[:-1]).any(axis=1)
    steps = np.arange(len(order))
    again = steps - np.maximum.accumulate(np.where(fresh, steps, 0))
    _, place = np.unique(np.stack([kind[:, 1], again], axis=1), axis=0, return_inverse=True)
    place = place.reshape(-1)
    wholes: dict[bytes, list[np.ndarray]] = {}
    starts = np.flatnonzero(np.diff(kind[:, 0], prepend=-1 - np.abs(kind[:1, 0])))
    for rows in np.split(steps, starts[1:]) if len(steps) else ():
        wholes.setdefault(place[rows].tobytes(), []).append(rows)
    blocks = [np.stack(same) for same in wholes.values() if len(same) >= smallest]
    rest = np.concatenate(
        [steps[:0], *(r for w in wholes.values() if len(w) < smallest for r in w)]
    )
    rest = rest[np.lexsort((kind[rest, 0], place[rest]))]
    columns: dict[bytes, list[np.ndarray]] = {}
    for rows in np.split(rest, np.flatnonzero(np.diff(place[rest])) + 1) if len(rest) else ():
        columns.setdefault(kind[rows, 0].tobytes(), []).append(rows)
    blocks += [np.stack(same, axis=1) for same in columns.values()]
    return [order[block] for block in blocks]


def swap_sentences(
    blocks: Sequence[Int[np.ndarray, "_ _"]],
    rng: np.random.Generator,
    *,
    fixed: bool = True,
) -> Int[np.ndarray, " token"]:
    """For each token the token whose label it gets when sentences exchange their labels.

    Held fixed: the position of every label, hence how often each class stands at each position;
    inside a block (see :func:`exchangeable`) also which labels stand together in a sentence.

    Args:
        blocks: of all rows.
        rng: draws the partners.
        fixed: draw any permutation, in which a sentence may keep its own labels, as a test needs;
            else one cycle through all, in which none does, as a control needs. There tokens
            without a partner at their position exchange with one another.
    """
    source = np.empty(sum(block.size for block in blocks), dtype=np.int64)
    if not fixed:
        alone = [block.reshape(-1, 1) for block in blocks if len(block) == 1]
        blocks = [block for block in blocks if len(block) > 1]
        blocks += [np.concatenate(alone)] if alone else []
    for block in blocks:
        cycle = rng.permutation(len(block))
        if fixed:
            source[block] = block[cycle]
        else:
            source[block[cycle]] = block[np.roll(cycle, 1)]
    return source
