"""What the logistic probe holds in memory is counted, and refused before the work."""

from collections.abc import Sequence

import numpy as np

from ...core.limits import available_memory, refuse_large
from ..errors import ProbeError
from ..inputs.protocols import ActivationsLike
from ..solvers.heads import LOGITS as TOGETHER
from ..solvers.scratch import fits
from .common_rows import SHARE
from .targets import ClassTarget, NumberTarget

__all__ = ["refuse_too_many_rows"]

LOGITS = 4  # arrays as wide as all classes: logits, residuals, moves, and one under trial


def refuse_too_many_rows(
    acts: ActivationsLike,
    targets: Sequence[ClassTarget | NumberTarget],
    learned: np.ndarray,
    heads: int,
    *,
    held: bool,
) -> int:
    """Refuse a logistic probe whose rows do not fit into memory; rows of unknown width pass.

    Rows that are too many for memory lie in a temporary file, unless they have to be held; logits
    are always in memory.

    Args:
        acts: activations; the first site's width stands for all.
        targets: what is probed.
        learned: ``[token]`` True for rows of the training and the validation part.
        heads: probes of one target that are fitted together: it alone, or its controls.
        held: rows have to be in memory: codelengths read them in another order.

    Returns:
        Bytes that the work on one site needs, as far as they are counted.

    Raises:
        ProbeError: they do not fit.
    """
    every = int(learned.sum())
    own = [int((target.mask & learned).sum()) for target in targets]
    counts = [every if count >= SHARE * every else count for count in own]  # common rows
    classes = [isinstance(target, ClassTarget) for target in targets]
    shape: tuple[int, ...] = getattr(acts[acts.sites[0]], "shape", ())
    if len(shape) != 2 or not any(classes):
        return 0
    wide = getattr(acts[acts.sites[0]], "dtype", None) == np.float64
    size, d = (8 if wide else 4), shape[1]
    n = max(count for count, asked in zip(counts, classes, strict=True) if asked)
    widths = [len(target.classes) for target in targets if isinstance(target, ClassTarget)]
    most = max(max(widths), TOGETHER // max(size * n, 1))  # classes whose probes go together
    columns = min(heads * sum(widths), most)
    in_memory = held or fits(n, d, np.dtype(np.float64 if wide else np.float32))
    # Codelengths read a target's own rows beside those that all share.
    needed = size * n * (d * (in_memory + held) + LOGITS * columns)
    what = f"{n:,} rows of {d:,} numbers, and " if in_memory else f"of {n:,} rows "
    refuse_large(
        ProbeError, needed, available_memory(),
        f"the logistic solver passes over its rows again and again and holds {what}logits of "
        f"{columns:,} classes: {needed:,} bytes; this",
        "method='lda' and method='ridge' read rows in blocks, without codelength; or probe fewer "
        "tokens (positions=)",
    )  # fmt: skip
    return needed
