"""The tanh form of GELU, in one pass over its numbers instead of eight.

GPT-2 and many models after it compute ``0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`` one
operation at a time, and each writes an array as large as the widest of the model. PyTorch has the
same function as one operation: values differ by the rounding of float32, neither being closer to
the exact value than the other.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import FastGELUActivation, NewGELUActivation

__all__ = ["GELUS", "gelu"]

GELUS: tuple[type[nn.Module], ...] = (NewGELUActivation, FastGELUActivation)
"""Modules of transformers that compute it by single operations."""


def gelu(layer: nn.Module, *given: Any, **named: Any) -> Tensor:
    """What such a module gives: in one pass for a float32 array in this machine's memory.

    Args:
        layer: the module.
        given: what it is called with.
        named: likewise.
    """
    rows = given[0] if len(given) == 1 and not named else None
    if (
        type(rows) is Tensor
        and rows.dtype is torch.float32
        and rows.is_cpu
        and torch.is_inference_mode_enabled()
        and not torch.is_autocast_enabled("cpu")
    ):
        return functional.gelu(rows, approximate="tanh")
    own: Tensor = type(layer).forward(layer, *given, **named)
    return own
