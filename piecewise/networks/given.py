"""What may be given where a network is read: a network, or what holds one."""

import sys
from typing import Any

from ..errors import NetworkError
from .network import MaxoutNetwork

__all__ = ["AnyNetwork", "as_network"]

AnyNetwork = Any
"""A :class:`MaxoutNetwork`, a ``torch.nn.Sequential`` (read by :func:`from_torch`), a
``MaxoutTransformer`` (the network in its weights), or an :class:`Approximation` (its network)."""


def as_network(given: AnyNetwork) -> MaxoutNetwork:
    """The network that was given, or that what was given holds.

    Raises:
        NetworkError: it holds none.

    >>> from .families import tent
    >>> net = tent(2)
    >>> as_network(net) is net
    True
    """
    if isinstance(given, MaxoutNetwork):
        return given
    if callable(getattr(given, "to_maxout", None)):
        given = given.to_maxout()
    elif isinstance(getattr(given, "network", None), MaxoutNetwork):
        given = given.network
    elif "torch" in sys.modules and isinstance(given, sys.modules["torch"].nn.Module):
        return MaxoutNetwork.from_torch(given)
    if isinstance(given, MaxoutNetwork):
        return given
    raise NetworkError(
        f"a MaxoutNetwork, a torch.nn.Sequential or a MaxoutTransformer is expected; received "
        f"{type(given).__name__} {str(given)[:60]!r}: read a file with MaxoutNetwork.load, a "
        "folder with MaxoutTransformer.from_pretrained"
    )
