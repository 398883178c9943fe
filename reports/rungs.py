"""The first two rungs, answered from one row of a score grid."""

import math
from collections.abc import Mapping
from typing import Final

from ..probes.evidence.rivals import LEAST_GROUPS, LEAST_TWINS
from ..probes.grid.notes import EMBEDDINGS
from .values import number, of_whole_text, score_column
from .verdicts import Verdict

__all__ = ["baselines", "constant", "decodable", "selective", "strongest_baseline"]

BASELINES: Final = (
    "chance",
    "position",
    "previous_word",
    "word_identity",
    "next_word",
    "n_gram",
    "surface",
    "bag_of_words",
    "characters",
    "length",
    "embedding",
    "random_weights",
)

WELL: Final = 0.9  # a score from which a reader wonders why it counts for nothing
NEAR: Final = 0.02  # of scores that a reader takes for equal
GIVEN: Final = (
    "; it can be read here, but words and positions give it away, and any weights carry these "
    "along: that it can be read says nothing about what this model has computed"
)
UNTRAINED: Final = "not shown to be more than an untrained model of this shape gives"
AS_UNTRAINED: Final = "not more than untrained models"
EMBEDDED: Final = "not shown to be more than the embedding gives"
UNSEEN: Final = "at words that were never trained on, not shown to be more than chance"
CERTAIN: Final = 1 - 1e-12  # a mean of ones up to rounding
OTHERS: Final = "take other heights, other tokens, or a larger language"
ON_THE_SURFACE: Final = "not beyond the word"


def _value(row: Mapping[str, object], name: str) -> float | None:
    """A number of the row, ``None`` where it was not measured."""
    value = row.get(name)
    if not isinstance(value, float | int) or isinstance(value, bool) or math.isnan(value):
        return None
    return float(value)


def baselines(row: Mapping[str, object]) -> dict[str, float | None]:
    """What stands beside a probe, ``None`` where not measured; the embedding is none for itself.

    >>> list(baselines({"site": "blocks.0.hook_resid_pre", "chance": 0.5}).items())[:2]
    [('chance', 0.5), ('position', None)]
    """
    names = [name for name in BASELINES if name != "embedding" or row.get("site") not in EMBEDDINGS]
    return {name: _value(row, name) for name in names}


def strongest_baseline(row: Mapping[str, object]) -> tuple[str, float | None]:
    """Name and value of the strongest baseline measured, ``("", None)`` if there is none."""
    measured = {name: value for name, value in baselines(row).items() if value is not None}
    best = max(measured, key=lambda name: measured[name], default="")
    return best, measured.get(best)


def decodable(
    row: Mapping[str, object],
    *,
    level: float = 0.05,
    permutations: int | None = None,
    remedy: str = "give more",
) -> Verdict:
    """Rung 1: above chance, above shuffled labels, and above untrained models of this shape.

    The score is accuracy of classes and R2 of numbers; a probe that says the same of every held-out
    token is no finding.

    Both p-values hold for all cells of the grid together, and both have to be at most ``level``.
    Labels are shuffled among equal positions, so the one against them is also that of a score no
    better than the position tells.
    What the word, its neighbours and the embedding reach is the matter of the second rung.

    Args:
        row: one row of a score grid.
        level: chance, over all cells, of taking one for decodable that is not.
        permutations: how many were made, if known.
        remedy: what to do where there are too few test groups.

    Returns:
        The answer, with the numbers; "not tested" where the target is constant, or where one
        of the three is missing and no other says no.

    >>> row = {"accuracy": 0.75, "chance": 0.3, "random_weights": 0.4, "n_twins": 5}
    >>> told = {"p_family": 0.005, "p_untrained": 0.001}
    >>> decodable(row | told).state, decodable(row | told | {"p_untrained": 0.2}).state
    ('yes', 'no')
    >>> decodable(row).state
    'not tested'
    """
    if untold := constant(row) or _too_few(row, remedy):
        return untold
    if row.get("collapsed") is True:
        return Verdict("no", "the probe says the same of every held-out token")
    rivals = {
        "p_family": ("shuffled", "not told from shuffled labels"),
        "p_untrained": ("random_weights", UNTRAINED),
    }
    score, chance = _value(row, score_column(row)), _value(row, "chance")
    missing = ["chance was not measured"] if score is None or chance is None else []
    if score is not None and chance is not None and score <= chance:
        return Verdict("no", f"no more than chance ({_beside(row, 'chance')})")
    for name, (column, words) in rivals.items():
        p = _value(row, name)
        if p is None:
            missing.append(_absent(name, row, permutations))
        elif name == "p_family" and permutations and (1 + permutations) * level < 1:
            missing.append(
                f"with {permutations} permutations no p-value can be {number(level)} or less: at "
                f"least {math.ceil(1 / level) - 1} are needed"
            )
        elif p > level:
            said = f"{words} ({_beside(row, column)}): p = {number(p)}"
            instead = AS_UNTRAINED if words == UNTRAINED else ""
            return Verdict("no", said + (GIVEN if _given_away(row, column) else ""), instead)
    if missing:
        return Verdict("not tested", "; ".join(missing))
    p = max(float(str(row[name])) for name in rivals)
    return Verdict(
        "yes",
        f"{number(score)} is above chance ({number(chance)}), shuffled labels and untrained "
        f"models (at most {number(_value(row, 'random_weights'))}); p is at most {number(p)}",
    )


def selective(
    row: Mapping[str, object],
    *,
    word_types: int | None,
    features: int,
    level: float = 0.05,
    remedy: str = "give more",
) -> Verdict:
    """Rung 2: it is about more than the surface.

    The surface is the word, its neighbours (the next one where the model may see it), the position
    and the embedding, read together (of spans of running texts also their words, letters and
    length); it has to be beaten on all tokens, and on those whose words
    were trained on. Where enough test words do not occur in the training part,
    the probe has to beat chance on these as well. Control tasks, which give every word type a
    random class (Hewitt and Liang 2019), stand beside the answer and do not decide it: a label
    that can only be read three times in four may be read as well as it can be, and still less often
    than random classes of words are; what is memorised of words is part of the surface.

    Args:
        row: one row of a score grid.
        word_types: distinct words in the corpus, if known.
        features: dimensions that the probe reads.
        level: chance, over all cells, of taking one for selective that is not.
        remedy: what to do where there are too few test groups.

    Returns:
        The answer, with the numbers.

    >>> row = {"accuracy": 0.8, "surface": 0.6, "control_task": 0.5, "p_surface": 0.001}
    >>> selective(row, word_types=900, features=64).state
    'yes'
    >>> found = selective(row | {"p_surface": 0.3}, word_types=900, features=64)
    >>> found.state, found.instead
    ('no', 'not beyond the word')
    >>> selective({"accuracy": 0.8}, word_types=900, features=64).state
    'not tested'
    """
    if untold := constant(row) or _too_few(row, remedy):
        return untold
    surface, instead = _surface(row)
    if row.get("site") in EMBEDDINGS:
        return Verdict("not tested", "the embedding holds the word and its position only", instead)
    if _value(row, "p_surface") is None:
        return Verdict("not tested", "the surface (word, neighbours, position) was not measured")
    room = _value(row, "p_perfect")
    if room is not None and room > level:
        return Verdict(
            "not tested",
            f"{surface} tell it already ({number(_value(row, 'surface'))}), so well that even a "
            "probe without any error could not be shown to read more",
            instead,
        )
    questions = {
        "p_surface": ("surface", f"not shown to be more than {surface} give"),
        "p_embedding": ("embedding", EMBEDDED),
        "p_unseen": ("unseen", UNSEEN),
    }
    for name, (column, words) in questions.items():
        p = _value(row, name)
        if p is not None and p > level:
            return Verdict("no", f"{words} ({_beside(row, column)}): p = {number(p)}", instead)
    return Verdict("yes", _more_than_the_surface(row, word_types, features))


def _surface(row: Mapping[str, object]) -> tuple[str, str]:
    """What the surface of a row is, and what is true of a label that lies on it."""
    if not of_whole_text(row):
        return "word, neighbours, position and embedding", ON_THE_SURFACE
    return "words, letters, length, position and embedding", "not beyond the words of the text"


def _more_than_the_surface(row: Mapping[str, object], word_types: int | None, features: int) -> str:
    """What was beaten, and what stands beside it."""
    told = f"beats the surface ({number(_value(row, 'surface'))})"
    if _value(row, "p_unseen") is not None:
        what = "texts" if of_whole_text(row) else "words"
        told += f"; at {what} never trained on it reaches {number(_value(row, 'unseen'))}"
    elif not of_whole_text(row):
        told += "; words never trained on: too few to test"
    control = _value(row, "control_task")
    if control is None:
        return told
    told += f"; control tasks reach {number(control)}"
    if word_types is not None and word_types <= features:
        told += f", as any would with {word_types} word types in {features} dimensions"
    return told


def constant(row: Mapping[str, object]) -> Verdict | None:
    """The answer where nothing is left to be told apart, whatever was measured.

    Args:
        row: one row of a score grid.

    Returns:
        "Not tested" with the reason, or ``None`` where the target varies.

    >>> str(constant({"n_classes": 1}))[:46]
    'not tested (constant on this corpus: there is '
    """
    chance = _value(row, "chance")
    what = "value" if row.get("kind") == "number" else "class"
    if _value(row, "n_classes") == 1:
        return Verdict("not tested", f"constant on this corpus: there is one {what}; {OTHERS}")
    if chance is not None and chance >= CERTAIN:
        return Verdict(
            "not tested",
            f"constant on this corpus: tokens at one position all have the same {what}, so the "
            f"position alone tells it; {OTHERS}",
        )
    return None


def _too_few(row: Mapping[str, object], remedy: str) -> Verdict | None:
    """The answer where there are too few test groups for any."""
    groups = _value(row, "n_groups")
    if groups is None or groups >= LEAST_GROUPS:
        return None
    return Verdict(
        "not tested", f"{int(groups)} test groups, at least {LEAST_GROUPS} are needed: {remedy}"
    )


def _given_away(row: Mapping[str, object], column: str) -> bool:
    """Whether the target is read well, and as well from untrained models."""
    score, twin = _value(row, score_column(row)), _value(row, "random_weights")
    if column != "random_weights" or score is None or twin is None:
        return False
    return score >= WELL and twin >= score - NEAR


def _beside(row: Mapping[str, object], column: str) -> str:
    """The probe's number beside another."""
    if column == "unseen":
        return f"{number(_value(row, 'unseen'))} on {row.get('n_unseen')} tokens"
    other = _value(row, column)
    against = "" if other is None else f" against {number(other)}"
    return f"{number(_value(row, score_column(row)))}{against}"


def _absent(name: str, row: Mapping[str, object], permutations: int | None) -> str:
    """Why one of the p-values is missing."""
    if name == "p_family":
        return "no labels were shuffled" if permutations == 0 else "no labels could be shuffled"
    twins = int(_value(row, "n_twins") or 0)
    probed = "1 untrained model was" if twins == 1 else f"{twins} untrained models were"
    return f"{probed} probed, at least {LEAST_TWINS} are needed"
