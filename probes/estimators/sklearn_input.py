"""scikit-learn's own checks of what estimators are given; what they refuse is a ProbeError."""

from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ...core.hints import Unfit, array_like
from ..errors import ProbeError

__all__ = ["NotFitted", "WrongType", "require_fitted", "validated"]


class WrongType(ProbeError, TypeError):
    """The input is of a kind that scikit-learn refuses with a TypeError, a sparse matrix say."""


class NotFitted(ProbeError, NotFittedError):  # type: ignore[misc]  # untyped base
    """A probe is asked before it was fitted."""


def require_fitted(estimator: Any) -> None:
    """It has learned something.

    Raises:
        NotFitted: it has not.
    """
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise NotFitted(str(error)) from None


def validated(estimator: Any, *given: Any, classes: bool = False, **options: Any) -> Any:
    """Features, and labels if there are any, as :func:`sklearn.utils.validation.validate_data`.

    Args:
        estimator: who asks.
        given: features, or features and labels; tensors will do.
        classes: labels are classes.
        options: scikit-learn's.

    Raises:
        ProbeError: scikit-learn refuses them.
        WrongType: where it raises a TypeError.
    """
    try:
        given = tuple(array_like(one) if hasattr(one, "detach") else one for one in given)
        with np.errstate(over="ignore", invalid="ignore"):  # refused as infinite
            found = validate_data(estimator, *given, dtype=(np.float64, np.float32), **options)
        if classes:
            check_classification_targets(found[1])
    except Unfit as error:
        raise ProbeError(f"features and labels are arrays: {error}") from None
    except TypeError as error:
        raise WrongType(str(error)) from error
    except (ValueError, OverflowError, RecursionError) as error:
        raise ProbeError(str(error)) from error
    return found
