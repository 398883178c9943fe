"""What a constructed model promises about its next-token distribution, computed, not hoped for."""

import math
from dataclasses import dataclass
from typing import final

from ...models import PlainTransformer
from ..errors import ConstructionError
from .backends.sparse import SparseModel
from .program.program import Program
from .program.smallest import smallest_score, smallest_values
from .scale import RANGE
from .settings import ConstructionSettings

__all__ = ["Guarantee", "guarantee", "require_guarantee"]


@final
@dataclass(frozen=True)
class Guarantee:
    """Whether the model is right after every prefix, and how far off it may be.

    In a named basis every zero is exact and every score carries relative rounding only, unless it
    is too small for its dtype. A rotated model knows scores up to an absolute noise: it is right
    about what is possible if the smallest positive score cannot be taken for a zero.

    Args:
        holds: no possible token, after no prefix, is taken for an impossible one, or vice versa.
        noise: scores are off by at most this (logits, with a log head); 0 in a named basis. It is
            measured: 8 times the largest deviation over trial sentences, the likeliest among them.
        smallest: lower bound on the positive scores that a prefix can produce.
        error: bound on the error of each conditional probability; with a log head, of each log
            weight in nats. 0 stands for relative rounding, infinity for no bound.
        statement: the same in words.
    """

    holds: bool
    noise: float
    smallest: float
    error: float
    statement: str

    def __str__(self) -> str:
        return self.statement


def guarantee(
    settings: ConstructionSettings, program: Program, engine: PlainTransformer | SparseModel
) -> Guarantee:
    """The promise of a model, from its operations and the noise measured when it was built."""
    if settings.rotation is None or isinstance(engine, SparseModel):
        return _named(settings, program)
    floor = float(engine.config.score_floor)
    # A folder written before noise was measured states its floor only.
    noise = float((engine.config.linrep or {}).get("noise", floor))
    if settings.head == "log":
        return _logarithm(settings, noise)
    if settings.semiring == "boolean":
        return _support(noise)
    return _rotated(program, noise, floor)


def _named(settings: ConstructionSettings, program: Program) -> Guarantee:
    """Nothing drowns where zeros are exact; numbers may still be too small for their dtype."""
    if settings.semiring == "boolean":
        return Guarantee(True, 0.0, 1.0, 0.0, "every prefix: the support is exact")
    least = min(smallest_values(program))
    smallest = 1.0 if settings.head == "log" else math.exp(smallest_score(program))
    if least < math.log(RANGE[settings.dtype][0]):
        return Guarantee(
            False, 0.0, smallest, math.inf,
            f"not every prefix: values down to {_power(least)} are too small for {settings.dtype}, "
            "and a possible token whose score passes them counts as impossible; typical sentences "
            "stay clear of it if the gauge and the token scale are on",
        )  # fmt: skip
    error = settings.log_error if settings.head == "log" else 0.0
    within = f"log weights within {error:g} nats" if error else "relative rounding only"
    return Guarantee(True, 0.0, smallest, error, f"every prefix: zeros are exact, {within}")


def _logarithm(settings: ConstructionSettings, noise: float) -> Guarantee:
    error = settings.log_error + noise
    holds = noise <= settings.log_error
    words = (
        f"every prefix: log weights within {error:.1e} nats, {noise:.0e} of them the rotation's"
        if holds
        else f"not every prefix: the rotation moves log weights by up to {noise:.0e} nats, more "
        f"than log_error={settings.log_error:g}"
    )
    return Guarantee(holds, noise, 1.0, error if holds else math.inf, words)


def _support(noise: float) -> Guarantee:
    holds = noise < 0.5  # a count of 0 stays below the threshold of 1/2, a count of 1 above it
    words = (
        f"every prefix: the support is exact (counts within {noise:.0e})"
        if holds
        else f"not every prefix: counts are off by up to {noise:.0e}, which 0 and 1 do not survive"
    )
    return Guarantee(holds, noise, 1.0, 0.0 if holds else math.inf, words)


def _rotated(program: Program, noise: float, floor: float) -> Guarantee:
    r"""The floor lies above every zero; does it lie below every positive score?

    With k choices, each score off by at most N, and the sum T of a row at least the smallest score
    s, a conditional z / T is off by at most (N T + z k N) / (T (T - k N)) <= (k + 1) N / (s - k N).
    """
    log_smallest = smallest_score(program)
    smallest, choices = math.exp(log_smallest), len(program.vocabulary) - 1
    below = f"scores go down to {_power(log_smallest)}"
    if smallest <= floor + noise:
        return Guarantee(
            False, noise, smallest, math.inf,
            f"not every prefix: {below}, and those up to {floor + noise:.0e} cannot be told from 0 "
            "in this rotated basis: after rare prefixes possible tokens count as impossible",
        )  # fmt: skip
    rest = smallest - choices * noise
    error = min(1.0, (choices + 1) * noise / rest) if rest > 0 else 1.0
    return Guarantee(
        True, noise, smallest, error,
        f"every prefix: what is possible is exact, conditional probabilities within {error:.0e} "
        f"({below}; the noise of the rotation, measured on trial sentences, with its margin "
        f"{noise:.0e})",
    )  # fmt: skip


def require_guarantee(found: Guarantee, settings: ConstructionSettings) -> None:
    """Refuse a rotated model that would be wrong after some prefix, unless that is wanted.

    Raises:
        ConstructionError: with the numbers and the ways out.
    """
    if settings.rotation is None or settings.inexact == "allow" or found.holds:
        return
    ways = ["rotation=None"]
    if settings.dtype == "float32":
        ways.append("dtype='float64'")
    if settings.semiring == "probability":
        if not settings.gauge:
            ways.append("gauge=True")
        if settings.token_scale != "auto":
            ways.append("token_scale='auto'")
    if settings.head != "log" and settings.semiring != "boolean":
        ways.append("semiring='boolean' for the support alone")
    if settings.head == "log":
        ways.append("a larger log_error")
    raise ConstructionError(
        f"rotation={settings.rotation} in {settings.dtype} is not exact after every prefix of this "
        f"grammar ({found}): use {', or '.join(ways)}; inexact='allow' builds it all the same, "
        "and its guarantee says so"
    )


def _power(logarithm: float) -> str:
    """A number too small for a float, in scientific notation."""
    if not math.isfinite(logarithm):
        return "0"
    exponent = math.floor(logarithm / math.log(10))
    return f"{math.exp(logarithm - exponent * math.log(10)):.1f}e{exponent}"
