"""Train, validation and test parts that never share a group (a sentence, a document, any id)."""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool

from ...core import checked
from ..errors import ProbeError
from ..inputs.labels import encode

__all__ = ["Split", "split_by_group"]


@final
@checked(ProbeError)
@dataclass(frozen=True, eq=False)
class Split:
    """Disjoint masks over tokens.

    Args:
        train: what is learned is learned here.
        validation: layers, ranks and penalties are chosen here.
        test: scores come from here alone.

    Raises:
        ProbeError: parts share a token, or are no masks of one length.
    """

    train: Bool[np.ndarray, " token"]
    validation: Bool[np.ndarray, " token"]
    test: Bool[np.ndarray, " token"]

    def __post_init__(self) -> None:
        parts = (self.train, self.validation, self.test)
        if any(part.dtype != bool or part.shape != self.train.shape for part in parts):
            raise ProbeError(
                "train, validation and test are masks [token] of one length; received "
                + ", ".join(f"{part.dtype} of shape {part.shape}" for part in parts)
            )
        if (
            (self.train & self.validation)
            | (self.train & self.test)
            | (self.validation & self.test)
        ).any():
            raise ProbeError(
                "train, validation and test share tokens, so that a probe would be tested on what "
                "it has learned from: give each token to one of them, as split_by_group does"
            )


@checked(ProbeError)
def split_by_group(
    groups: npt.ArrayLike,
    labels: npt.ArrayLike | None = None,
    *,
    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2),
    seed: int = 0,
) -> Split:
    """Split tokens by group; the order of the rows does not matter.

    Args:
        groups: ``[token]`` id of the group each token belongs to.
        labels: ``[token]`` classes (or ``[token, target]`` several) whose shares the parts
            should have alike, as far as whole groups allow (greedy: each group goes where its
            classes are lacking most, after Sechidis et al. 2011).
        fractions: of train, validation and test; they are divided by their sum.
        seed: of the order in which groups are dealt.

    A group that holds more tokens than the largest held-out part should have is learned from, as
    long as enough other groups are left for the other parts.

    Raises:
        ProbeError: fewer groups than parts, lengths differ, or fractions are no three numbers.

    >>> split = split_by_group([0, 0, 1, 2, 3, 4], fractions=(0.6, 0.2, 0.2))
    >>> bool(split.train[0] == split.train[1]), int(split.test.sum()) >= 1
    (True, True)
    """
    of_row = np.asarray(groups)
    if of_row.ndim != 1:
        raise ProbeError(f"groups are one id per token; received shape {of_row.shape}")
    if labels is not None and np.shape(labels)[:1] != of_row.shape:
        raise ProbeError(
            f"lengths differ: groups of shape {of_row.shape} and labels of shape "
            f"{np.shape(labels)}; give one of each for each token"
        )
    try:
        ids, index = np.unique(of_row, return_inverse=True)
    except TypeError as error:
        raise ProbeError("groups are ids that can be sorted, numbers or text") from error
    wanted = np.asarray(fractions)
    usable = wanted.shape == (3,) and wanted.dtype.kind in "fiu"
    if not (usable and np.isfinite(wanted).all() and (wanted >= 0).all() and wanted.sum() > 0):
        raise ProbeError(
            "fractions are three numbers, of train, validation and test, none of them negative; "
            f"received {fractions}"
        )
    wanted = wanted / wanted.sum()
    if len(ids) < (wanted > 0).sum():
        raise ProbeError(
            f"{len(ids)} group(s) cannot make {(wanted > 0).sum()} parts: more are needed (a "
            "document, or where documents are not known a sentence with all its copies, never "
            "stands in two parts)"
        )
    order = np.random.default_rng(seed).permutation(len(ids))
    profile = _profile(index, len(ids), labels)
    part = _deal(order, profile, wanted, _giants(profile[:, 1], wanted))
    of_token = part[index]
    return Split(of_token == 0, of_token == 1, of_token == 2)


def _profile(index: np.ndarray, n_groups: int, labels: npt.ArrayLike | None) -> np.ndarray:
    """What each group brings: itself, its tokens, and its tokens of each class."""
    columns = [np.ones((n_groups, 1)), np.bincount(index, minlength=n_groups)[:, None]]
    if labels is not None:
        array = np.asarray(labels)
        for column in [array] if array.ndim == 1 else list(array.T):
            codes, classes = encode(column)
            seen = codes >= 0
            cells = index[seen] * len(classes) + codes[seen]
            counts = np.bincount(cells, minlength=n_groups * len(classes))
            columns.append(counts.reshape(n_groups, len(classes)))
    profile = np.hstack(columns).astype(np.float64)
    # A class counts by its share: rare classes weigh as much as common ones.
    out: np.ndarray = profile / np.maximum(profile.sum(axis=0), 1.0)
    return out


def _giants(sizes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Groups too large for any held-out part, largest first; enough others stay to fill those."""
    if wanted[0] <= 0:
        return np.zeros(0, dtype=np.int64)
    held_out = wanted[1:].max()
    largest = np.argsort(-sizes, kind="stable")
    most = len(sizes) - int((wanted[1:] > 0).sum())
    giants: np.ndarray = largest[: int((sizes > held_out + 1e-12).sum())][:most]
    return giants


def _deal(
    order: np.ndarray, profile: np.ndarray, wanted: np.ndarray, giants: np.ndarray
) -> np.ndarray:
    """Deal groups one by one in a random order, each to the part that lacks its content most.

    Giants have been given to the training part before.
    """
    part = np.zeros(len(order), dtype=np.int64)
    missing = wanted[:, None] * np.ones(profile.shape[1])
    share = np.where(wanted > 0, wanted, np.inf)
    missing[0] -= profile[giants].sum(axis=0)
    for group in order[~np.isin(order, giants)]:
        gain = (missing @ profile[group]) / share
        # A part that has its share of groups takes no more while another lacks some.
        gain[missing[:, 0] <= 1e-12] = -np.inf
        chosen = int(np.argmax(gain))
        part[group] = chosen
        missing[chosen] -= profile[group]
    return part
