"""What erasing a state and steering along it did: rows, as data."""

from dataclasses import dataclass
from typing import final

__all__ = ["ErasedRow", "SteeredRow"]


@final
@dataclass(frozen=True)
class ErasedRow:
    """One way of erasing a target at a site, and how one target is then read at one site.

    Args:
        target: what was erased.
        site: where.
        arm: ``none``, ``subspace`` (the learned pattern), ``random`` (of equal dimension),
            ``variance`` (random, of about equal variance removed) or ``leace``.
        dim: dimensions of the subspace.
        removed: share of the variance at the site that is taken out.
        loss: cross-entropy of the next token, nats.
        kl: divergence of the output from the unedited one, nats per token.
        read: which target is read: the erased one, or another that may suffer.
        read_at: where: the edited site or a later one.
        accuracy: of a probe fitted there on unedited activations; held-out sentences.
        chance: share of the most frequent class among them.
    """

    target: str
    site: str
    arm: str
    dim: int
    removed: float
    loss: float
    kl: float
    read: str
    read_at: str
    accuracy: float
    chance: float


@final
@dataclass(frozen=True)
class SteeredRow:
    """One strength of steering from one class of a target towards another.

    Args:
        target: of which the classes are.
        site: where the stream is moved.
        toward: class that a positive strength moves to.
        away: class that it moves from.
        norm: mean norm of the stream there, in which strengths count.
        n: beginnings of sentences.
        strength: either sign.
        effect: mean change of the log-odds of the answer that ``toward`` asks for over the one
            that ``away`` asks for.
        effect_error: its standard error over the beginnings.
        wrong: share of beginnings that move against the strength's sign.
        damage: divergence of the output on other sentences from the unsteered one, nats per token.
        perplexity: of those sentences while steered.
    """

    target: str
    site: str
    toward: str
    away: str
    norm: float
    n: int
    strength: float
    effect: float
    effect_error: float
    wrong: float
    damage: float
    perplexity: float
