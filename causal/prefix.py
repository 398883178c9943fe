"""What a model keeps of the tokens before an edit: they are not run again."""

from dataclasses import dataclass
from typing import Any, final

from jaxtyping import Float
from torch import Tensor

__all__ = ["Prefix"]


@final
@dataclass(frozen=True, eq=False)
class Prefix:
    """Keys and values of all tokens before an edit, of some inputs.

    No token before the first edited one sees the edit, so that its keys and values stay.

    Args:
        begin: number of tokens.
        layers: per block its keys and its values.
    """

    begin: int
    layers: tuple[
        tuple[
            Float[Tensor, "batch head position d_head"], Float[Tensor, "batch head position d_head"]
        ],
        ...,
    ]

    @classmethod
    def of(cls, cache: Any, begin: int, n_layers: int) -> "Prefix | None":
        """What stands in a cache after these tokens; ``None`` if it is of another kind.

        Args:
            cache: from a pass over the tokens alone.
            begin: how many.
            n_layers: blocks of the model.
        """
        found: list[tuple[Tensor, Tensor]] = []
        for layer in getattr(cache, "layers", ()):
            keys, values = getattr(layer, "keys", None), getattr(layer, "values", None)
            if not isinstance(keys, Tensor) or not isinstance(values, Tensor):
                return None
            if keys.ndim != 4 or keys.shape[2] != begin:  # a window, a state
                return None
            found.append((keys, values))
        return cls(begin, tuple(found)) if len(found) == n_layers else None

    def cache(self, times: int, begun: int) -> Any:
        """A new cache for several copies of the inputs, one after the other.

        Args:
            times: copies.
            begun: blocks that will not be run: they need no copies.
        """
        from transformers import DynamicCache

        made = DynamicCache()
        for i, (keys, values) in enumerate(self.layers):
            n = times if i >= begun else 1
            made.update(keys.repeat(n, 1, 1, 1), values.repeat(n, 1, 1, 1), i)
        return made
