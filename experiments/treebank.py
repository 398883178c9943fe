"""A model on a treebank, or on a grammar: is structure readable, and is it more than chance?"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict, Unpack

from pydantic import ValidationError

from ..core import checked
from ..core.options import refuse_unknown
from ..core.paths import folder_name
from .data import question_of
from .naming import language_named
from .settings import (
    DataFile,
    Experiment,
    Language,
    Loaded,
    SettingsError,
    StudySettings,
    Treebank,
)
from .settings_base import problems

__all__ = ["probe_settings"]

QUESTION = (
    "Can a linear probe read the ancestors of each token from the residual stream, layer by "
    "layer, better than from the same architecture with random weights, and better than from the "
    "word, its neighbours, its position and its embedding together?"
)
OF_TREES = QUESTION.replace(
    "the ancestors of each token", "the part of speech of each word and the phrases above it"
)


class ProbingOptions(TypedDict, total=False):
    """Keywords of :func:`probe_settings` beyond those that it names."""

    groups: str
    permutations: int
    codelength: bool
    examples: int
    causal: str
    das: int
    erase: bool
    steer: bool
    long_inputs: str
    special_tokens: bool
    check: str | None
    layers: str | None
    targets: str


@checked(SettingsError)
def probe_settings(
    model: str,
    trees: str | None,
    grammar: str | os.PathLike[str] | None = None,
    *,
    heights: str | None = None,
    sentences: int = 1000,
    positions: str = "all",
    seed: int = 0,
    data: DataFile | None = None,
    **options: Unpack[ProbingOptions],
) -> Experiment:
    """Settings of ``linrep probe``.

    Args:
        model: a model folder or hub id.
        trees: glob of Penn-bracket files.
        grammar: a grammar file or a family (:func:`linrep.experiments.naming.language_named`),
            instead of trees.
        heights: numbers, comma between; those that the language lacks are an error. By default
            all that have more than one label, of a treebank those among 1 to 4.
        sentences: sampled from the grammar.
        positions: ``"all"`` or ``"boundary"``.
        seed: of everything random.
        data: labelled texts, instead of trees and of a grammar.
        **options: settings of the probes and of the reading, by name:
        groups: what is never divided between training and test: ``"document"``, ``"sentence"``,
            or ``"auto"`` for documents where the reader knows them (one file each).
        permutations: shuffles per p-value.
        codelength: whether to measure it.
        examples: held-out texts that the run keeps for its page; 0: none.
        causal: whether to exchange states (``"auto"``: where the language gives the exact answer
            and the model is small, ``"yes"``, ``"no"``).
        das: epochs of a search for a subspace whose exchange works, at each site; 0: none.
        erase: whether to take targets out and look further on.
        steer: whether to push the stream from one symbol towards another.
        long_inputs: what to do with sentences beyond the model's context: ``"refuse"`` them, read
            them through a ``"window"`` that moves, or ``"cut"`` them off.
        special_tokens: let the tokenizer add its BOS, ``[CLS]``, ``[SEP]``.
        check: the self-checks of the capture, comma between; by default all.
        layers: blocks to read beside the embedding, comma between; by default all.
        targets: of a grammar, ``"labels"`` or ``"beliefs"``: its exact posteriors beside labels.

    Returns:
        The experiment.

    Raises:
        SettingsError: neither or both languages, or a value that is impossible.

    >>> probe_settings("model", "trees/*.ptb", heights="1,2").studies[0].probes.heights
    (1, 2)
    """
    refuse_unknown("probe_settings", options, ProbingOptions.__annotations__, SettingsError)
    if data is None and (trees is None) == (grammar is None):
        raise SettingsError(
            "give --data FILE, --trees 'GLOB' or --grammar FILE: one of the two kinds of trees, or "
            "labelled text"
        )
    language: Language = (
        data
        if data is not None
        else language_named(grammar)
        if grammar is not None
        else Treebank(paths=str(trees))
    )
    question = question_of(data) if data is not None else OF_TREES if trees else QUESTION
    name = folder_name(Path(model)) if Path(model).exists() else "/".join(Path(model).parts[-2:])
    try:
        wanted = _whole(heights, "--heights")
        study = StudySettings.model_validate(
            {
                "name": _name(language),
                "question": question,
                "language": language,
                "model": Loaded(path=model),
                "sentences": sentences,
                "seed": seed,
                "reading": _reading(options),
                "probes": {
                    "heights": wanted,
                    "positions": positions,
                    **_probes(options, grouped=data is None),
                    "tolerance": 1e-3,  # moves accuracies by less than a tenth of their interval
                },
            }
        )
    except ValidationError as error:
        raise SettingsError(problems(error)) from error
    where = "a treebank" if grammar is None else Path(os.fspath(grammar)).name
    where = where if data is None else Path(data.paths).name
    return Experiment(title=f"{name} on {where}", question=question, studies=(study,))


def _reading(options: ProbingOptions) -> dict[str, Any]:
    """How the model reads, as far as it was said."""
    said = _named(options, "long_inputs", "special_tokens")
    if "layers" in options:
        said["layers"] = _whole(options["layers"], "--layers")
    check = options.get("check")
    return said if check is None else said | {"check": [one.strip() for one in check.split(",")]}


def _probes(options: ProbingOptions, *, grouped: bool) -> dict[str, Any]:
    """What is asked of the probes, as far as it was said; files of text have their own groups."""
    said = _named(
        options, "permutations", "codelength", "examples", *(("groups",) if grouped else ())
    )
    causal = _named(options, "das", "erase", "steer")
    causal |= {"run": options["causal"]} if "causal" in options else {}
    said |= {"beliefs": _beliefs(options["targets"])} if "targets" in options else {}
    return said | ({"causal": causal} if causal else {})


def _beliefs(targets: str) -> bool:
    """Whether beliefs are asked for.

    Raises:
        SettingsError: something else is.
    """
    if targets not in ("labels", "beliefs"):
        raise SettingsError(
            "--targets are of a grammar: labels (its hidden symbols), or beliefs (its exact "
            f"posteriors beside them); received {targets!r}; --target names a target of labelled "
            "text"
        )
    return targets == "beliefs"


def _named(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: options[name] for name in names if name in options}


def _name(language: Language) -> str:
    if isinstance(language, DataFile):
        stem = Path(language.paths).stem
        return "texts" if set("*?[|") & set(stem) else stem
    return "treebank" if isinstance(language, Treebank) else "grammar"


def _whole(text: str | None, option: str) -> tuple[int, ...] | None:
    """Whole numbers of an option.

    Raises:
        SettingsError: it holds something else.
    """
    if text is None:
        return None
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise SettingsError(
            f"{option} takes numbers with commas, such as 1,2,3; received {text!r}"
        ) from None
