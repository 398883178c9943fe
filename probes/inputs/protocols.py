"""What probes need of activations and of a corpus; any object that offers it will do."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ...core.stored import StoredRows

__all__ = ["ActivationsLike", "CorpusLike", "KnowsCeilings"]


@runtime_checkable
class ActivationsLike(Protocol):
    """Activations per site, rows aligned with the corpus' tokens.

    An object whose attribute ``many_readers`` is True lets several threads read at the same time.
    """

    @property
    def sites(self) -> Sequence[str]:
        """Names of the sites, in the order in which the model computes them."""

    @property
    def kept(self) -> np.ndarray:
        """``[token]`` bool: the token has an activation."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What made the activations, JSON-able."""

    def __getitem__(self, site: str) -> "np.ndarray | StoredRows":
        """``[token, d_model]`` activations of one site."""


@runtime_checkable
class CorpusLike(Protocol):
    """Tokens with their sentence, their place in it, and a label per height."""

    @property
    def words(self) -> np.ndarray:
        """``[token]`` words."""

    @property
    def sentence_ids(self) -> np.ndarray:
        """``[token]`` the sentence each token belongs to."""

    @property
    def positions(self) -> np.ndarray:
        """``[token]`` 0-based place in the sentence."""

    @property
    def heights(self) -> Sequence[int]:
        """Heights that have labels."""

    def labels(self, height: int) -> np.ndarray:
        """``[token]`` label of the ancestor at this height, ``""`` where undefined."""

    def boundary(self, height: int) -> np.ndarray:
        """``[token]`` bool: the token ends that ancestor's span."""


@runtime_checkable
class KnowsCeilings(Protocol):
    """What knows how well anything can do at its sites: a constructed model does."""

    def ceilings(
        self, corpus: Any, sites: Sequence[str], heights: Sequence[int], *, boundary: bool
    ) -> Mapping[tuple[str, str], np.ndarray] | None:
        """Per ``(site, target)`` ``[token]`` the largest posterior; ``None`` if nothing is known.

        Args:
            corpus: tokens.
            sites: places in the stream.
            heights: of the targets.
            boundary: whether only tokens are scored that end a node of the target's height.
        """
