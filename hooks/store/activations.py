"""Activations: one array per site, aligned with the words of a corpus."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as Folder
from types import MappingProxyType
from typing import Any, ClassVar, final

import numpy as np

from ...core import as_path, checked
from ...core.arrays import as_mask
from ...core.hints import Unfit, array_like
from ..errors import CaptureError
from ..inputs.corpus import fingerprint_of, word_count
from .rows import Rows
from .store import read_store

__all__ = ["Activations", "read_rows"]

_PATHS = (str, Folder)


@final
@checked(CaptureError)
@dataclass(frozen=True, eq=False)
class Activations:
    """What a model's residual stream holds at every word of a corpus.

    Guarantee: ``acts[site]`` has one row per word, in the corpus' order; rows of words that have
    no activation (``kept`` is False there) are zeros.

    Args:
        arrays: per site ``[token, d_model]``; an ndarray or memory-mapped :class:`Rows`.
        kept: ``[token]`` True where the word has an activation.
        manifest: JSON-able: model, tokenizer, corpus, dtype, attention kernel, norm semantics.
        corpus: the corpus, if at hand.

    Raises:
        CaptureError: shapes that do not fit together.

    >>> acts = Activations.from_arrays({"blocks.0.hook_resid_post": np.ones((3, 4))}, None)
    >>> acts.sites, acts["blocks.0.hook_resid_post"].shape, int(acts.kept.sum())
    (('blocks.0.hook_resid_post',), (3, 4), 3)
    """

    arrays: Mapping[str, np.ndarray | Rows]
    kept: np.ndarray
    manifest: Mapping[str, Any] = field(default_factory=dict)
    corpus: Any = None
    many_readers: ClassVar[bool] = True  # several threads may read sites at the same time

    def __post_init__(self) -> None:
        if not self.arrays:
            raise CaptureError("activations hold at least one site; received none")
        kept = as_mask(self.kept, "kept is True or False for each token", CaptureError)
        kept.setflags(write=False)
        object.__setattr__(self, "kept", kept)
        object.__setattr__(self, "arrays", MappingProxyType(dict(self.arrays)))
        for site, array in self.arrays.items():
            if array.ndim != 2 or len(array) != len(kept):
                raise CaptureError(
                    f"{site} has shape {tuple(array.shape)}; expected [token, d_model] with "
                    f"{len(kept)} tokens"
                )

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles hold the numbers themselves, also where these lie in a store."""
        arrays = {site: np.asarray(array) for site, array in self.arrays.items()}
        return Activations, (arrays, self.kept, dict(self.manifest), self.corpus)

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites, in the order of the forward pass."""
        return tuple(self.arrays)

    @property
    def n_tokens(self) -> int:
        """Rows per site."""
        return len(self.kept)

    @property
    def complete(self) -> bool:
        """Whether every shard of a store has been captured."""
        return not self.manifest.get("missing_shards")

    def __getitem__(self, site: str) -> Any:
        if site not in self.arrays:
            known = ", ".join(self.sites)
            raise CaptureError(f"no site {site!r} was captured: ask for one of {known}")
        return self.arrays[site]

    def __len__(self) -> int:
        return self.n_tokens

    def __repr__(self) -> str:
        return f"Activations({len(self.sites)} sites, {self.n_tokens} tokens)"

    @classmethod
    def from_arrays(
        cls,
        arrays: Any,
        corpus: Any = None,
        *,
        kept: Any = None,
        manifest: Mapping[str, Any] | None = None,
    ) -> "Activations":
        """Bring your own arrays: from nnsight, vLLM, a paper's dump.

        Args:
            arrays: a mapping from site to ``[token, d_model]``, one row per word of the corpus.
            corpus: the corpus, against whose number of words the rows are counted.
            kept: ``[token]`` words that have an activation; default all.
            manifest: whatever is known about where they come from.

        Raises:
            CaptureError: no mapping from names to arrays, the rows do not fit the corpus, or
                values are not finite.
        """
        if not isinstance(arrays, Mapping):
            raise CaptureError(
                "from_arrays takes a mapping from sites to arrays, such as "
                f"{{'blocks.0.hook_resid_post': array}}; received {type(arrays).__name__}"
                + (": open a folder with Activations.open" if isinstance(arrays, _PATHS) else "")
            )
        given = {_site_name(site): _matrix(site, array) for site, array in arrays.items()}
        if not given:
            raise CaptureError("from_arrays needs at least one site; received none")
        first = next(iter(given.values()))
        expected = len(first) if corpus is None else word_count(corpus)
        for site, array in given.items():
            if len(array) != expected:
                raise CaptureError(
                    f"{site} has {len(array)} rows; the corpus has {expected} words: give one row "
                    "per word, in the corpus' order, without BOS, special and padding tokens"
                )
        mask = np.ones(expected, dtype=bool) if kept is None else kept
        about: dict[str, Any] = {"source": "arrays brought along", "self_check": "not run"}
        if corpus is not None:
            about["corpus"] = {"fingerprint": fingerprint_of(corpus), "words": expected}
        return cls(given, mask, {**about, **(manifest or {})}, corpus)

    @classmethod
    def open(
        cls, folder: str | Folder, corpus: Any = None, *, verify: bool = False
    ) -> "Activations":
        """Open a store; arrays are memory-mapped, and each part is checked when first read.

        Args:
            folder: where :func:`linrep.capture` wrote.
            corpus: the corpus it was captured on; checked against the manifest.
            verify: read and check every byte now (SHA-256).
        """
        return cls(*read_store(as_path(folder), corpus, verify=verify), corpus)


def _site_name(site: Any) -> str:
    if isinstance(site, str) and site:
        return site
    raise CaptureError(
        f"sites have names, text such as 'blocks.3.hook_resid_post'; received {site!r:.40}"
    )


def read_rows(site: str, array: Any) -> np.ndarray:
    """An array or tensor as NumPy's.

    Raises:
        CaptureError: it is none.
    """
    try:
        return np.asarray(array_like(array))
    except Unfit as reason:  # rows of unequal lengths, or no numbers
        raise CaptureError(
            f"{site} is no array [token, d_model]: {reason!s:.80}; received {type(array).__name__}"
        ) from None


def _matrix(site: str, array: Any) -> np.ndarray:
    matrix = read_rows(site, array)
    if matrix.ndim != 2 or matrix.dtype.kind != "f":
        raise CaptureError(
            f"{site} is an array of shape {matrix.shape} and dtype {matrix.dtype}; expected floats "
            "[token, d_model]"
        )
    if not np.isfinite(matrix).all():
        raise CaptureError(
            f"{site} holds NaN or infinite values: mark such words by kept=False "
            "and set their rows to zero"
        )
    return matrix
