"""Who comes in: activations, corpus and lists are what they are taken for, or one clear error."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from ...core.arguments import shown
from ...core.hints import Unfit, array_like
from ...core.texts import encodable
from ..errors import ProbeError

__all__ = [
    "as_array",
    "as_numbers",
    "check_activations",
    "check_corpus",
    "check_manifest",
    "read_heights",
    "read_kept",
    "read_names",
    "sees_next",
    "shown",
]

ACTIVATIONS = ("sites", "kept", "manifest", "__getitem__")
CORPUS = ("words", "sentence_ids", "positions", "heights", "labels", "boundary")


def as_array(values: Any, what: str) -> np.ndarray:
    """Anything that NumPy reads as an array.

    Raises:
        ProbeError: it does not, lists of unequal lengths for example.

    >>> as_array([1, 2], "labels are a vector [token]").shape
    (2,)
    """
    try:
        return np.asarray(array_like(values))
    except Unfit as error:
        reason = str(error) or "a single value"
        raise ProbeError(f"{what}; received {shown(values)}, no array: {reason}") from error


def as_numbers(values: Any, what: str) -> np.ndarray:
    """Numbers as float64.

    Raises:
        ProbeError: they are something else.

    >>> as_numbers([True, 2], "scores").tolist()
    [1.0, 2.0]
    """
    found = as_array(values, what)
    if found.dtype.kind not in "fiub":
        raise ProbeError(f"{what}; received {shown(values)}")
    return found.astype(np.float64)


def check_activations(acts: object, what: str = "activations") -> None:
    """They offer what :class:`ActivationsLike` asks.

    Raises:
        ProbeError: something is missing, or sites are no list of names.
    """
    missing = [name for name in ACTIVATIONS if not hasattr(acts, name)]
    if missing:
        raise ProbeError(
            f"{what} are what linrep.capture returns; received {shown(acts)}, which has no "
            f"{', '.join(missing)}. Arrays of your own are given as {{site: array}}, or one array "
            "[row, d_model] alone"
        )
    read_names(acts.sites, f"sites of the {what} are a list of names")  # type: ignore[attr-defined]


def check_manifest(acts: Any) -> None:
    """The manifest maps names to values.

    Raises:
        ProbeError: it does not.
    """
    if not isinstance(acts.manifest, Mapping):
        raise ProbeError(
            f"the manifest of activations is a mapping (an empty one will do); received "
            f"{shown(acts.manifest)}"
        )


def read_kept(acts: Any, n: int, what: str, remedy: str) -> np.ndarray:
    """``[token]`` bool: which tokens have an activation.

    Raises:
        ProbeError: there is not one value for each token of the corpus.
    """
    kept = as_array(acts.kept, "kept is bool [token]")
    if kept.ndim != 1 or kept.dtype.kind not in "biu":
        raise ProbeError(f"kept is bool [token]; received {kept.dtype} of shape {kept.shape}")
    if len(kept) != n:
        raise ProbeError(f"{what} {len(kept)} rows, the corpus {n} tokens: {remedy}")
    return kept.astype(bool)


def sees_next(manifest: Mapping[str, Any]) -> bool:
    """Whether a token's activation can depend on the word after it.

    Captures measure it. Of arrays from elsewhere it is not known: then the word after counts among
    what has to be beaten.
    """
    checked = manifest.get("self_check")
    told = checked.get("sees_next") if isinstance(checked, Mapping) else None
    return told if isinstance(told, bool) else True


def check_corpus(corpus: object) -> None:
    """It offers what :class:`CorpusLike` asks.

    Raises:
        ProbeError: something is missing.
    """
    missing = [name for name in CORPUS if not hasattr(corpus, name)]
    if missing:
        raise ProbeError(
            f"a corpus is what Grammar.sample or linrep.read_treebank returns; received "
            f"{shown(corpus)}, which has no {', '.join(missing)}"
        )


def read_names(names: object, what: str) -> tuple[str, ...]:
    """A list of names that files can hold, given in any container but a single string.

    Raises:
        ProbeError: it is something else.
    """
    one = isinstance(names, str | bytes | Mapping) or not isinstance(names, Iterable)
    one = one or getattr(names, "ndim", 1) == 0
    found: tuple[Any, ...] = () if one else tuple(names)  # type: ignore[arg-type]
    if one or not all(isinstance(name, str) and encodable(name) for name in found):
        raise ProbeError(f"{what}; received {shown(names)}")
    return found


def read_heights(heights: object, known: Sequence[int]) -> tuple[int, ...]:
    """Heights to probe, each of them labelled; none where none is asked for.

    Raises:
        ProbeError: they are no list of whole numbers, or the corpus has no such labels.
    """
    if heights is None:
        return ()
    alone = isinstance(heights, str | bytes) or getattr(heights, "ndim", 1) == 0
    if alone or not isinstance(heights, Iterable):
        raise ProbeError(
            f"heights are a list of whole numbers, [1] for one; received {shown(heights)}"
        )
    asked = tuple(heights)
    for height in asked:
        whole = isinstance(height, Integral) and not isinstance(height, bool)
        if not whole or height not in known:
            raise ProbeError(
                f"the corpus has no labels at height {height!r}: it has heights {list(known)}"
            )
    return tuple(int(height) for height in asked)
