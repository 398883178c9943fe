"""The whole state of a training in one file, written as a whole or not at all."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ...core import writing
from .errors import TrainingError
from .log import LogRow
from .loop import Loop

__all__ = ["read_state", "write_state"]

MOMENTS = ("exp_avg", "exp_avg_sq")  # AdamW's, by their names in torch


def write_state(loop: Loop, file: Path) -> None:
    """Weights, moments, step, position of the random generator, losses and log.

    The file takes its name when it is whole: whoever is killed meanwhile leaves the one before.

    Args:
        loop: between two steps.
        file: where.

    Raises:
        DiskError: it cannot be written.
    """
    tensors: dict[str, Tensor] = {"losses": torch.tensor(loop.losses, dtype=torch.float64)}
    for name, weights in loop.model.named_parameters():
        tensors[f"weights/{name}"] = weights.detach()
        for moment in MOMENTS if weights in loop.optimiser.state else ():
            tensors[f"{moment}/{name}"] = loop.optimiser.state[weights][moment]
    told = {
        "order": loop.order,
        "rows": [asdict(row) for row in loop.rows],
    }
    partial = file.with_name(f".partial-{file.name}")
    with writing("the state of the training", file.parent, SafetensorError):
        save_file(
            {name: one.contiguous() for name, one in tensors.items()},
            partial,
            {"training": json.dumps(told)},
        )
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(partial, file)


def read_state(loop: Loop, file: Path) -> None:
    """Put a new loop where the file says.

    Args:
        loop: of the same settings, before its first step.
        file: from :func:`write_state`.

    Raises:
        TrainingError: the file is damaged, or of another model.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            told = json.loads((opened.metadata() or {})["training"])
            tensors: dict[str, Tensor] = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
        losses = tensors["losses"].tolist()
        _restore(loop, tensors, len(losses))
        loop.order = loop.batches.order.bit_generator.state = told["order"]
        rows = [LogRow(**row) for row in told["rows"]]
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise TrainingError(
            f"{file} holds no whole state of this training ({str(error):.200}); begin again in "
            "another folder, or remove this file to begin again here"
        ) from error
    loop.losses, loop.rows = losses, rows


def _restore(loop: Loop, tensors: dict[str, Any], step: int) -> None:
    """Weights and moments, copied into the memory that the model has already.

    Raises:
        ValueError: they are of another model.
    """
    with torch.no_grad():
        for name, weights in loop.model.named_parameters():
            found = tensors[f"weights/{name}"]
            if found.shape != weights.shape or found.dtype != weights.dtype:
                raise ValueError(f"{name} has another shape or precision")
            weights.copy_(found)
            if f"{MOMENTS[0]}/{name}" in tensors:
                loop.optimiser.state[weights] = {
                    "step": torch.tensor(float(step)),
                    **{
                        moment: torch.empty_like(weights).copy_(tensors[f"{moment}/{name}"])
                        for moment in MOMENTS
                    },
                }
