"""Sizes with which experiments on trained models take seconds; such models have learned little."""

from typing import Final

from ..settings import Causal, Probes, Trained

__all__ = ["TINY_PROBES", "TINY_TRAINING"]

TINY_TRAINING: Final = Trained(steps=10, sentences=200, width=16, layers=2)
TINY_PROBES: Final = Probes(
    positions="boundary", permutations=20, bootstrap=50, twins=3, C=10.0,
    controls=("random_weights",), causal=Causal(run="no"),
)  # fmt: skip
