"""Which experiments there are: a name, and what is asked. Loading one loads PyTorch."""

from collections.abc import Mapping
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

from ..settings_base import SettingsError
from ..settings_file import read_file

if TYPE_CHECKING:
    from .answered import Answered

__all__ = ["QUESTIONS", "answer", "question", "require"]

QUESTIONS: Final[Mapping[str, str]] = {
    "agreement": "is the number of the subject used? minimal pairs in a pretrained model "
    "(--model, --data); four minutes",
    "belief": "beliefs of hidden Markov processes in trained transformers, beside principal "
    "components; four minutes",
    "piecewise": "straight pieces of made, trained and random transformers along lines; a minute",
    "places": "latitude and longitude of places in a pretrained model (--model, --data); minutes",
    "pretrained": "parts of speech and phrases of a treebank in a pretrained model (--model, "
    "--data); three minutes",
    "recursion": "a recursive grammar unrolled to growing depth: sizes, heights, trained models",
    "seeds": "which invariants hold in models trained from five seeds; ten minutes",
    "trained": "a trained transformer beside the theory's construction; five minutes",
    "trained_languages": "trained transformers of languages of several kinds, each beside its "
    "construction; ten minutes",
    "truth": "truth of statements in a pretrained model, and in other sets (--model, --data); "
    "minutes",
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


def answer(
    name: str,
    out: str | Path,
    *,
    tiny: bool = False,
    seed: int = 0,
    model: str | None = None,
    data: str | None = None,
    settings: str | Path | None = None,
) -> "Answered":
    """Run an experiment and write its run and page.

    Args:
        name: of the experiment.
        out: folder, new or empty.
        tiny: seconds instead of minutes.
        seed: of everything random.
        model: folder or hub id of a pretrained model, for experiments that read one.
        data: of such experiments: the folder (or glob) of their data.
        settings: a YAML file of the experiment's sizes, in place of its own; what the file does
            not name keeps its default. ``tiny`` and ``seed`` then say nothing.

    Raises:
        SettingsError: there is no experiment of that name, or it needs a model and data, or
            has no use for them, or the settings are not its own.
    """
    asked = question(name)
    given = {key: value for key, value in (("model", model), ("data", data)) if value is not None}
    taken = {"model", "data"} & set(signature(asked).parameters)
    if missing := sorted(taken - set(given)):
        raise SettingsError(
            f"the experiment {name} reads a pretrained model and labelled data: give --model and "
            f"--data; missing: {', '.join(missing)}"
        )
    if extra := sorted(set(given) - taken):
        raise SettingsError(f"the experiment {name} makes its own {' and '.join(extra)}: leave out")
    more = {} if settings is None else {"settings": _sizes(name, asked, settings, tiny or seed)}
    found: Answered = asked(tiny=tiny, seed=seed, out=out, **given, **more)
    return found


def _sizes(name: str, asked: Any, file: str | Path, others: Any) -> Any:
    """Settings of an experiment, of the kind that its function takes.

    Raises:
        SettingsError: they are not of that kind, or are given in two ways.
    """
    if others:
        raise SettingsError("sizes and seed stand in the settings: leave --tiny and --seed out")
    (kind, _) = get_args(get_type_hints(asked)["settings"])
    needs = f"settings of the experiment {name}"
    return read_file(file, kind, (), needs, marks={"experiment": name})
