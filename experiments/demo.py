"""The embedded default: three languages whose every subspace is known, and models made of them."""

from ..core import checked
from .settings import (
    Constructed,
    Experiment,
    GrammarText,
    HierarchyFamily,
    LatinFamily,
    Probes,
    SettingsError,
    StudySettings,
)

__all__ = ["demo_settings"]

QUESTION = (
    "Is the hidden state of a grammar a linear subspace of the residual stream, where theory says "
    "it should be? Here the answer is known: the weights of all models are computed from their "
    "grammars (arXiv:2606.17522), so every subspace, every layer and every ceiling is predicted. "
    "This page calibrates the instrument: it has to find what is there, at its place, and nothing "
    "that is not."
)
LATIN = (
    "Every symbol is the sum of its two children modulo the number of classes. Until a span ends, "
    "its symbol is uniform whatever was seen, so no probe can beat a guess; at its last token "
    "the h-th block (block h - 1, counted from 0) writes the symbol of height h, and the ceiling "
    "jumps from 1/order to 1: a staircase. "
    "The whole sentence has one symbol, so its last token follows from all the others: the model "
    "has to use every state to predict it."
)
ENGLISH = (
    "A little English, with sentences of several shapes that a person can read: “kim saw lee with "
    "kim” has two trees, in which either lee or the meeting is with kim. Where the words leave it "
    "open, no probe can know the label, and the ceiling is the probability of the likelier one."
)
ENGLISH_GRAMMAR = """\
S -> NP VP
VP -> V NP [0.6] | Met PP [0.4]
Met -> V 'kim' | V 'lee'
NP -> 'kim' [0.2] | 'lee' [0.2] | 'the' N [0.3] | 'kim' PP [0.15] | 'lee' PP [0.15]
PP -> 'with' 'kim' | 'with' 'lee' | 'near' 'kim' | 'near' 'lee'
N -> 'dog' | 'duck' | 'cat'
V -> 'saw' | 'met' | 'heard'
"""
HIERARCHY = (
    "Each symbol has a few bodies, drawn at random, and no body has two parents. Part of a span "
    "already tells something about its symbol, so the ceilings rise layer by layer; a probe has to "
    "follow them, and not to exceed them beyond sampling error. They are those of this model's "
    "sites: random weights let other words through, so their twin can read more at the same site."
)


@checked(SettingsError)
def demo_settings(seed: int = 0) -> Experiment:
    """Settings of ``linrep demo``.

    Args:
        seed: of the grammar drawn, the sentences and every split.

    Returns:
        The experiment: a ``latin``, an ``english`` and a ``random_hierarchy`` study.

    >>> [study.name for study in demo_settings().studies]
    ['latin', 'english', 'random_hierarchy']
    """
    model = Constructed(position_code="onehot", rotation=1)
    probes = Probes(positions="boundary", C=DEMO_C, examples=DEMO_EXAMPLES)
    return Experiment(
        title="Calibration on constructed transformers",
        question=QUESTION,
        studies=(
            StudySettings(
                name="latin",
                question=LATIN,
                language=LatinFamily(order=3, depth=4, start="one"),
                model=model,
                sentences=1000,
                probes=probes,
                seed=seed,
            ),
            StudySettings(
                name="english",
                question=ENGLISH,
                language=GrammarText(text=ENGLISH_GRAMMAR),
                model=model,
                sentences=400,
                probes=probes,
                seed=seed,
            ),
            StudySettings(
                name="random_hierarchy",
                question=HIERARCHY,
                language=HierarchyFamily(n_symbols=4, n_rules=3, depth=4, seed=seed),
                model=model,
                sentences=1000,
                probes=probes,
                seed=seed,
            ),
        ),
    )


DEMO_C = 10.0
"""Hardly any penalty: the theory says that unregularised probes reach the ceilings."""
DEMO_EXAMPLES = 12
"""Held-out texts of each study: half of the default, so that the page stays below 2 MB."""
