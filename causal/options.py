"""How states are exchanged: one object, or its fields by name."""

from dataclasses import dataclass
from typing import Any, TypedDict, final, get_args

from ..core import checked
from .errors import CausalError
from .pairs import Protocol

__all__ = ["Exchange", "ExchangeOptions"]

MOST_EPOCHS = 100_000


class ExchangeOptions(TypedDict, total=False):
    """The fields of :class:`Exchange`, as keywords of :func:`linrep.interchange`."""

    protocol: str
    twin: Any
    draws: int
    bootstrap: int
    tokenizer: Any
    batch_size: int | None
    resume: bool
    isolation: bool
    das: int


@final
@checked(CausalError)
@dataclass(frozen=True, kw_only=True, eq=False)
class Exchange:
    """How states are exchanged, and what stands beside the result.

    Args:
        protocol: ``last token`` or ``whole span``: at which tokens of the span.
        twin: whether to run a random-weight twin, or the twin itself.
        draws: random subspaces of each kind.
        bootstrap: resamples of base sentences.
        tokenizer: for an instance that is given without one.
        batch_size: pairs per batch; by default by tokens.
        resume: begin edited passes at the edited block where the model allows it: same numbers.
        isolation: look at what the exchange leaves of the corpus's other heights, by probes fitted
            on unedited states; not for pairs that are given, whose other targets are not known.
        das: epochs of a search for a subspace of equal dimension at each site (TransformerLens's
            distributed alignment search), with its own controls: arbitrary answers, and a
            random-weight twin. 0: none, since it takes its time.

    Raises:
        CausalError: an unknown protocol, or numbers out of their range.

    >>> Exchange(draws=4).protocol
    'last token'
    """

    protocol: str = "last token"
    twin: Any = True
    draws: int = 12
    bootstrap: int = 1000
    tokenizer: Any = None
    batch_size: int | None = None
    resume: bool = True
    isolation: bool = True
    das: int = 0

    def __post_init__(self) -> None:
        if self.protocol not in get_args(Protocol):
            raise CausalError(
                f"protocol is one of {', '.join(get_args(Protocol))}; received {self.protocol!r}"
            )
        if not 2 <= self.draws <= 1000 or not 0 <= self.bootstrap <= 10**6:
            raise CausalError(
                "draws lie in 2..1000 and bootstrap in 0..1000000; received "
                f"{self.draws} and {self.bootstrap}"
            )
        if not 0 <= self.das <= MOST_EPOCHS:
            raise CausalError(
                f"das is a number of epochs, 0 (no search) to {MOST_EPOCHS}; received {self.das}"
            )
