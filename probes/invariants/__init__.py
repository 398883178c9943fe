"""What theory says of any model of a grammar, in whatever basis, beside untrained models."""

from .measure import Invariants, measure_invariants

__all__ = ["Invariants", "measure_invariants"]
