"""What can be guessed without activations: from the position, the word, or a neighbour of it."""

import numpy as np
from jaxtyping import Float, Int

__all__ = [
    "best_guess",
    "control_labels",
    "keys_of_words",
    "next_words",
    "previous_words",
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


def next_words(
    word_keys: Int[np.ndarray, " token"],
    sentence_ids: Int[np.ndarray, " token"],
    positions: Int[np.ndarray, " token"],
) -> Int[np.ndarray, " token"]:
    """Key of the word after each token in its sentence; -1 at the end of a sentence.

    >>> next_words(np.array([5, 7, 5]), np.array([0, 0, 1]), np.array([0, 1, 0])).tolist()
    [7, -1, -1]
    """
    return previous_words(word_keys, sentence_ids, -positions)


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
