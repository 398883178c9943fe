"""How large a model this trainer takes."""

from typing import Any

from .errors import TrainingError

__all__ = ["COUNTED", "require_small"]

MOST = 200_000_000  # parameters: with gradients and AdamW's two moments 3.2 GB in float32
COUNTED = 10**8  # sentences or steps that could ever be worked off


def require_small(*, hidden_size: int = 64, num_hidden_layers: int = 4, **more: Any) -> int:
    """How many parameters the blocks have; what would take all memory is refused before any is.

    Raises:
        TrainingError: too many parameters.

    >>> require_small(hidden_size=10, num_hidden_layers=2)
    2400
    """
    inner = more.get("intermediate_size") or 4 * hidden_size
    gated = 3 if more.get("architecture") == "llama" else 2
    size = int(num_hidden_layers * (4 * hidden_size**2 + gated * hidden_size * inner))
    if size > MOST:
        raise TrainingError(
            f"{num_hidden_layers} blocks of width {hidden_size} have about {size:,} parameters; "
            f"this trainer is for small models, of at most {MOST:,}: choose fewer layers or a "
            "smaller width"
        )
    return size
