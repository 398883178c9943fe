"""Where everything lies in the residual stream of a maxout transformer."""

from dataclasses import asdict, dataclass
from typing import Any, final

from ...core import checked
from ...piecewise import MaxoutNetwork
from .error import MaxoutError

__all__ = ["MaxoutLayout", "piece_target"]


@checked(MaxoutError)
def piece_target(layer: int, unit: int) -> str:
    """Name of the target "active piece of this unit"; layers count from 1, units from 0.

    >>> piece_target(1, 0)
    'layer 1 unit 0'
    """
    return f"layer {layer} unit {unit}"


@final
@checked(MaxoutError)
@dataclass(frozen=True)
class MaxoutLayout:
    """Coordinates ``X | Z | P`` of a token: current activations, this token's pieces, its index.

    Tokens are pieces: token j computes piece j of every unit. With a causal mask every layer has
    tokens of its own, in order, and one more token at the end reads out.

    Args:
        n_inputs: inputs of the network.
        n_outputs: outputs.
        widths: units per layer.
        ranks: pieces of each unit of each layer.
        causal: tokens see earlier tokens only.

    >>> layout = MaxoutLayout(1, 1, (2, 2), ((2, 3), (2, 2)), causal=False)
    >>> layout.tokens, layout.d_model, layout.blocks
    (3, 7, 3)
    """

    n_inputs: int
    n_outputs: int
    widths: tuple[int, ...]
    ranks: tuple[tuple[int, ...], ...]
    causal: bool

    @classmethod
    def of(cls, net: MaxoutNetwork, causal: bool) -> "MaxoutLayout":
        """The layout for a network."""
        return cls(net.n_inputs, net.n_outputs, net.widths, net.ranks, causal)

    @property
    def units(self) -> int:
        """Heads, and coordinates of X and of Z: the widest of inputs and layers."""
        return max(self.n_inputs, *self.widths)

    @property
    def layer_ranks(self) -> tuple[int, ...]:
        """Largest rank of each layer."""
        return tuple(max(ranks) for ranks in self.ranks)

    @property
    def tokens(self) -> int:
        """Tokens of one input."""
        return sum(self.layer_ranks) + 1 if self.causal else max(self.layer_ranks)

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return 2 * self.units + self.tokens

    @property
    def hidden(self) -> int:
        """Neurons of one MLP: two per unit and piece."""
        return 2 * self.units * max(self.layer_ranks)

    @property
    def blocks(self) -> int:
        """Transformer blocks: one more than layers."""
        return len(self.widths) + 1

    @property
    def readout_token(self) -> int:
        """The token whose output is the network's."""
        return self.tokens - 1 if self.causal else 0

    def x(self, unit: int) -> int:
        """Coordinate of the current activation of a unit (or input)."""
        return unit

    def z(self, unit: int) -> int:
        """Coordinate of this token's piece of a unit."""
        return self.units + unit

    def p(self, token: int) -> int:
        """Coordinate that is 1 on this token alone."""
        return 2 * self.units + token

    def group(self, layer: int) -> range:
        """Tokens that hold the pieces of a layer (counted from 1), piece after piece."""
        if not self.causal:
            return range(self.tokens)
        first = sum(self.layer_ranks[: layer - 1])
        return range(first, first + self.layer_ranks[layer - 1])

    def to_json(self) -> dict[str, Any]:
        """All fields, for a model's configuration."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "MaxoutLayout":
        """Inverse of :meth:`to_json`.

        Raises:
            MaxoutError: a field is missing, or is no number.
        """
        try:
            ranks = tuple(tuple(int(r) for r in layer) for layer in fields["ranks"])
            widths = tuple(int(w) for w in fields["widths"])
            return cls(fields["n_inputs"], fields["n_outputs"], widths, ranks, fields["causal"])
        except (KeyError, TypeError, ValueError) as error:
            raise MaxoutError(
                f"these fields are no layout ({error!r:.80}): give what to_json of a layout wrote"
            ) from error
