"""Places in the residual stream, by TransformerLens's names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Integral
from typing import Literal, final

from ..errors import SiteError

__all__ = ["EMBEDDING", "Site", "resolve"]

EMBEDDING = "blocks.0.hook_resid_pre"
"""The stream before the first block: the embedding (normed already in BERT-like models)."""

_BLOCK = re.compile(r"blocks\.(\d+)\.hook_resid_(pre|mid|post)")
_ORDER = {"pre": 0, "mid": 1, "post": 2}
_SHORT = ("resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out")


@final
@dataclass(frozen=True, order=True)
class Site:
    """A place before, inside or after a block; ordered by depth.

    >>> Site.parse("blocks.3.hook_resid_post")
    Site(layer=3, kind='post')
    >>> Site.parse("ln_final.hook_normalized") is None
    True
    """

    layer: int
    kind: Literal["pre", "mid", "post"]

    @classmethod
    @cache  # asked for every batch, of names that are as many as a model's places
    def parse(cls, name: str) -> "Site | None":
        """The site of this name; ``None`` if it is not on the residual stream."""
        found = _BLOCK.fullmatch(name)
        return None if found is None else cls(int(found[1]), found[2])  # type: ignore[arg-type]

    @property
    def depth(self) -> tuple[int, int]:
        """Position along the forward pass."""
        return self.layer, _ORDER[self.kind]

    @property
    def name(self) -> str:
        """TransformerLens's name."""
        return f"blocks.{self.layer}.hook_resid_{self.kind}"


def resolve(
    sites: str | Sequence[str], layers: str | Sequence[int], n_layers: int
) -> tuple[str, ...]:
    """Full names of the sites meant, in the order of the forward pass.

    ``resid_mid`` is the stream between attention and MLP: what the MLP reads, or the norm in front
    of it. In post-norm blocks (BERT) it is the MLP's own input, behind the first norm. ``attn_out``
    and ``mlp_out`` are TransformerLens's ``hook_attn_out`` and ``hook_mlp_out``; of BERT and its
    kin the former is not what attention adds, but the normed sum, which is ``resid_mid``.

    Args:
        sites: kinds (``resid_pre``, ``resid_mid``, ``resid_post``, ``attn_out``, ``mlp_out``), full
            names (``blocks.3.hook_resid_post``), or several of either.
        layers: block indices for the kinds (negative ones count from the end). ``"all"`` means
            every block and, for ``resid_post``, the embedding in front of them.
        n_layers: blocks of the model.

    Raises:
        SiteError: an unknown kind, or a layer the model does not have.

    >>> resolve("resid_post", "all", 2)
    ('blocks.0.hook_resid_pre', 'blocks.0.hook_resid_post', 'blocks.1.hook_resid_post')
    >>> resolve(["resid_mid", "blocks.0.hook_resid_pre"], [-1], 2)
    ('blocks.0.hook_resid_pre', 'blocks.1.hook_resid_mid')
    """
    asked = [sites] if isinstance(sites, str) else list(sites)
    if not asked:
        raise SiteError('no sites asked for: give at least one, "resid_post" say')
    chosen = _layers(layers, n_layers)
    names: dict[str, None] = {}
    for one in asked:
        for name in _expand(one, chosen, n_layers, everything=isinstance(layers, str)):
            names[name] = None
    if not names:
        raise SiteError('no layers asked for: give at least one block index, or "all"')
    return tuple(sorted(names, key=_depth))


def _expand(one: str, layers: list[int], n_layers: int, everything: bool) -> list[str]:
    if one in _SHORT:
        first = [EMBEDDING] if everything and one == "resid_post" else []
        return first + [f"blocks.{i}.hook_{one}" for i in layers]
    found = re.match(r"blocks\.(\d+)\.", one)
    if found is not None and int(found[1]) >= n_layers:
        raise SiteError(f"site {one!r} lies outside the model: it has blocks 0..{n_layers - 1}")
    if "." not in one and not one.startswith("hook_"):
        raise SiteError(
            f"unknown site {one!r}: give one of {', '.join(_SHORT)}, or a full name such as "
            "'blocks.0.hook_resid_post'"
        )
    return [one]


def _is_whole(index: object) -> bool:
    return isinstance(index, Integral) and not isinstance(index, bool)


def _layers(layers: str | Sequence[int], n_layers: int) -> list[int]:
    if isinstance(layers, str):
        if layers != "all":
            raise SiteError(f'layers is "all" or a list of block indices; received {layers!r}')
        return list(range(n_layers))
    chosen: list[int] = []
    for given in layers:
        if not _is_whole(given):
            raise SiteError(f"layers are block indices, whole numbers; received {given!r:.60}")
        index = int(given) + n_layers if int(given) < 0 else int(given)
        if not 0 <= index < n_layers:
            raise SiteError(
                f"layer {given} lies outside the model: it has blocks 0..{n_layers - 1}"
            )
        chosen.append(index)
    return chosen


def _depth(name: str) -> tuple[int, int, str]:
    site = Site.parse(name)
    return (10**9, 0, name) if site is None else (*site.depth, name)
