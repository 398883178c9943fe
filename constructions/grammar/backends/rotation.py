"""A random orthogonal change of the residual basis that leaves the function unchanged."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from ....models import PlainTransformer

__all__ = ["ROTATION_NOISE", "rotate", "rotation_matrix"]

ROTATION_NOISE = {"float64": 1e-12, "float32": 2e-5}
"""What a rotated score of 0 is allowed to show at least: rounded entries of order 1 over the width.

Ordinary models stay below it (docs/theory/grammar.md, section 11); where one was
measured to show more, :func:`~linrep.constructions.grammar.backends.dense.build_dense` cuts there.
"""


def rotation_matrix(width: int, seed: int) -> Float[np.ndarray, "d_model d_model"]:
    """A Haar-random orthogonal matrix (Mezzadri, arXiv math-ph/0609050), from a seed.

    >>> q = rotation_matrix(5, seed=0)
    >>> bool(np.allclose(q @ q.T, np.eye(5)))
    True
    """
    drawn = np.random.default_rng(seed).standard_normal((width, width))
    q, r = np.linalg.qr(drawn)
    return np.asarray(q * np.sign(np.diag(r)), dtype=np.float64)


def rotate(model: PlainTransformer, seed: int) -> None:
    """Turn the stream of a norm-free float64 model in place: ``x`` becomes ``x Q``.

    Writers (embeddings, attention and MLP outputs and their biases) are multiplied by Q, readers by
    its transpose on their input side, so every product is what it was. Exact zeros become rounding
    of order 1e-17 and small scores inherit it: accuracy is absolute, no longer relative. Source:
    docs/theory/grammar.md, section 11.
    """
    q = torch.from_numpy(rotation_matrix(model.config.hidden_size, seed))

    def reader(linear: Any) -> None:
        linear.weight.copy_(linear.weight @ q)

    def writer(linear: Any) -> None:
        linear.weight.copy_(q.T @ linear.weight)
        linear.bias.copy_(linear.bias @ q)

    with torch.no_grad():
        for table in (model.tok, model.posn):
            table.weight.copy_(table.weight @ q)
        block: Any
        for block in model.layers:
            for name in ("q_proj", "k_proj", "v_proj"):
                reader(getattr(block.attn, name))
            for name in ("gate_proj", "up_proj"):
                if hasattr(block.mlp, name):
                    reader(getattr(block.mlp, name))
            writer(block.attn.o_proj)
            writer(block.mlp.down_proj)
        reader(model.head)
