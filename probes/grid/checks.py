"""What is asked of a grid is checked before anything is computed."""

import math
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
import numpy.typing as npt

from ...core.arguments import shown
from ...core.limits import MOST_DRAWS
from ..errors import ProbeError
from ..inputs.reading import as_array, read_names
from ..solvers.methods import PENALTIES
from .notes import CONTROLS

__all__ = [
    "check_ceilings",
    "check_controls",
    "check_counts",
    "check_flag",
    "check_fractions",
    "check_tolerance",
    "read_penalties",
]


MOST_EXAMPLES = 200


def check_counts(**given: object) -> None:
    """Whole numbers, not too small, and no more draws than data can use.

    Raises:
        ProbeError: one is not.
    """
    for name, value in given.items():
        least = 1 if name == "min_count" else 0
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not (whole and least <= int(value) < 2**63):  # type: ignore[call-overload]
            raise ProbeError(f"{name} is a whole number of at least {least}; received {value!r}")
        if name in ("permutations", "bootstrap") and int(value) > MOST_DRAWS:  # type: ignore[call-overload]
            raise ProbeError(
                f"{name} is at most {MOST_DRAWS:,}; received {value!r}: take fewer, hundreds give "
                "p-values and intervals"
            )
        if name == "examples" and int(value) > MOST_EXAMPLES:  # type: ignore[call-overload]
            raise ProbeError(
                f"examples are at most {MOST_EXAMPLES}, what a page can show; received {value!r}"
            )


def check_controls(controls: object) -> tuple[str, ...]:
    """Names of controls that exist.

    Raises:
        ProbeError: no list of names, or one is unknown.
    """
    some = f"a list of some of {list(CONTROLS)}"
    if isinstance(controls, str):
        raise ProbeError(
            f"controls are {some}; received {shown(controls)}: write it as controls=[...]"
        )
    names = read_names(controls, f"controls are {some}")
    if unknown := sorted(set(names) - set(CONTROLS)):
        raise ProbeError(f"controls are {some}; received {str(unknown)[:200]}")
    return names


def check_flag(**flags: object) -> None:
    """Yes or no.

    Raises:
        ProbeError: one is neither.
    """
    for name, value in flags.items():
        if not isinstance(value, bool | np.bool_):
            raise ProbeError(f"{name} is True or False; received {value!r}")


def check_tolerance(tolerance: object) -> float:
    """A positive, finite number.

    Raises:
        ProbeError: it is not.
    """
    real = isinstance(tolerance, Real) and not isinstance(tolerance, bool)
    if not (real and 0 < tolerance < math.inf):  # type: ignore[operator]
        raise ProbeError(f"tolerance is positive and finite; received {tolerance!r}")
    return float(tolerance)  # type: ignore[arg-type]


def check_fractions(fractions: object) -> tuple[float, float, float]:
    """Shares of train, validation and test.

    Raises:
        ProbeError: they are not three finite numbers.
    """
    numbers = _numbers(fractions)
    if numbers is None or len(numbers) != 3:
        raise ProbeError(
            "fractions are three finite numbers, of train, validation and test; "
            f"received {fractions!r}"
        )
    return numbers[0], numbers[1], numbers[2]


def read_penalties(C: object) -> tuple[float, ...]:
    """One inverse penalty or several, ascending; the usual ones for ``None``.

    Raises:
        ProbeError: they are no finite positive numbers.
    """
    if C is None:
        return PENALTIES
    numbers = _numbers([C] if isinstance(C, Real) else C)
    if not numbers or min(numbers) <= 0:
        raise ProbeError(f"C is positive and finite, one number or several; received {C!r}")
    return tuple(sorted(numbers))


def check_ceilings(values: npt.ArrayLike, n: int, where: str) -> np.ndarray:
    """Largest posterior of each token, NaN where it is not known.

    Raises:
        ProbeError: no probabilities, or not one per token.
    """
    array = as_array(values, f"a ceiling is [token] = [{n}] largest posteriors, for {where}")
    if array.dtype.kind not in "fiub" or array.shape != (n,):
        raise ProbeError(
            f"a ceiling is [token] = [{n}] largest posteriors (NaN = unknown); received "
            f"{array.dtype} of shape {array.shape} for {where}"
        )
    numbers: np.ndarray = array.astype(np.float64)
    known = numbers[~np.isnan(numbers)]
    if ((known < 0) | (known > 1 + 1e-9)).any():  # sums of probabilities round
        raise ProbeError(
            f"a ceiling is a probability, 0..1; received {known.min():g} to {known.max():g} for "
            f"{where}"
        )
    return numbers


def _numbers(values: object) -> tuple[float, ...] | None:
    """Finite numbers of a sequence or vector; ``None`` if they are something else."""
    if isinstance(values, np.ndarray) and values.ndim <= 1:
        values = np.atleast_1d(values).tolist()
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        return None
    if not all(isinstance(v, Real) and not isinstance(v, bool) for v in values):
        return None
    numbers = tuple(float(value) for value in values)
    return numbers if all(map(math.isfinite, numbers)) else None
