"""Scores of classes beside accuracy, by scikit-learn."""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["FALSE_ALARMS", "class_scores"]

FALSE_ALARMS = 0.01  # share of the first class taken for the second, at most


def class_scores(
    predicted: Int[np.ndarray, " token"],
    true: Int[np.ndarray, " token"],
    margin: Float[np.ndarray, " token"] | None = None,
) -> dict[str, float]:
    """Balanced accuracy and macro F1; of two classes also what their order by score gives.

    Means are over the classes that were learned and occur among the tokens.

    Args:
        predicted: codes of the classes predicted.
        true: codes of the true classes, -1 for one that was not learned.
        margin: of two classes, how much higher the second scores than the first.

    Returns:
        By name; NaN where one of two classes does not occur.

    >>> found = class_scores(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), np.arange(4.0))
    >>> found["balanced_accuracy"], found["auroc"], found["recall_at_1_fpr"]
    (0.75, 1.0, 1.0)
    """
    from sklearn import metrics

    present = np.unique(true[true >= 0]).tolist()
    if not present:
        return {}
    among = {"labels": present, "average": "macro", "zero_division": 0.0}
    _, recall, f1, _ = metrics.precision_recall_fscore_support(true, predicted, **among)
    found = {"balanced_accuracy": float(recall), "macro_f1": float(f1)}
    if margin is None or len(present) < 2:
        return found
    known = true >= 0
    second, margin = true[known] == 1, margin[known]
    false, right, _ = metrics.roc_curve(second, margin, drop_intermediate=False)
    return found | {
        "auroc": float(metrics.roc_auc_score(second, margin)),
        "average_precision": float(metrics.average_precision_score(second, margin)),
        "recall_at_1_fpr": float(right[false <= FALSE_ALARMS].max()),
    }
