"""What the logistic probe holds in memory is counted, and refused before the work."""

from collections.abc import Sequence

import numpy as np

from ...core.limits import available_memory, refuse_large
from ..errors import ProbeError
from ..inputs.protocols import ActivationsLike
from .targets import ClassTarget, NumberTarget

__all__ = ["refuse_too_many_rows"]

LOGITS = 4  # arrays as wide as all classes: logits, residuals, moves, and one under trial


def refuse_too_many_rows(
    acts: ActivationsLike,
    targets: Sequence[ClassTarget | NumberTarget],
    learned: np.ndarray,
    heads: int,
) -> None:
    """Refuse a logistic probe whose rows do not fit into memory; rows of unknown width pass.

    Args:
        acts: activations; the first site's width stands for all.
        targets: what is probed.
        learned: ``[token]`` True for rows of the training and the validation part.
        heads: probes of one target that are fitted together: it alone, or its controls.

    Raises:
        ProbeError: they do not fit.
    """
    counts = [int((target.mask & learned).sum()) for target in targets]
    classes = [isinstance(target, ClassTarget) for target in targets]
    shape: tuple[int, ...] = getattr(acts[acts.sites[0]], "shape", ())
    if len(shape) != 2 or not any(classes):
        return
    wide = getattr(acts[acts.sites[0]], "dtype", None) == np.float64
    size, d = (8 if wide else 4), shape[1]
    n = max(count for count, asked in zip(counts, classes, strict=True) if asked)
    columns = sum(len(target.classes) for target in targets if isinstance(target, ClassTarget))
    needed = size * n * (d + LOGITS * heads * columns)
    refuse_large(
        ProbeError, needed, available_memory(),
        f"the logistic solver passes over its rows again and again and holds them: {n:,} rows of "
        f"{d:,} numbers, and logits of {heads * columns:,} classes, are {needed:,} bytes: this",
        "method='lda' and method='ridge' read rows in blocks, without codelength; or probe fewer "
        "tokens (positions=)",
    )  # fmt: skip
