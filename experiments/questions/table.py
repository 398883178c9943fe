"""Which experiments there are: a name, and what is asked. Loading one loads PyTorch."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..settings_base import SettingsError

if TYPE_CHECKING:
    from .answered import Answered

__all__ = ["QUESTIONS", "answer", "question", "require"]

QUESTIONS: Final[Mapping[str, str]] = {
    "belief": "beliefs of hidden Markov processes in trained transformers, beside principal "
    "components; four minutes",
    "piecewise": "straight pieces of made, trained and random transformers along lines; a minute",
    "recursion": "a recursive grammar unrolled to growing depth: sizes, heights, trained models",
}
"""Name -> what is asked. ``NAME`` is the function of that name in the module of that name here."""


def require(name: str) -> None:
    """Refuse a name that no experiment has.

    Raises:
        SettingsError: it has none; the message lists them.
    """
    if name not in QUESTIONS:
        raise SettingsError(
            f"experiments are {', '.join(QUESTIONS)}; received {name!a:.80}: choose one of them"
        )


def question(name: str) -> Any:
    """The function of an experiment.

    Raises:
        SettingsError: there is no experiment of that name.
    """
    require(name)
    return getattr(import_module(f".{name}", __package__), name)


def answer(name: str, out: str | Path, *, tiny: bool = False, seed: int = 0) -> "Answered":
    """Run an experiment and write its run and page.

    Args:
        name: of the experiment.
        out: folder, new or empty.
        tiny: seconds instead of minutes.
        seed: of everything random.

    Raises:
        SettingsError: there is no experiment of that name.
    """
    found: Answered = question(name)(tiny=tiny, seed=seed, out=out)
    return found
