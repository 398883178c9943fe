"""A model on labelled text: tables, CoNLL-U files, spans."""

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ..core import checked
from ..corpora import Corpus, read_conllu, read_spans, read_table
from ..corpora.readers.files import ending, found_files, json_lines
from .settings import DataFile
from .settings_base import SettingsError, problems

__all__ = ["of_data", "question_of", "read_data"]

UNIVERSAL = (".conllu", ".conll", ".conllup")


def read_data(settings: DataFile) -> Corpus:
    """The corpus that the settings name.

    Args:
        settings: files, columns and targets.

    Raises:
        SettingsError: a setting does not belong to this kind of file.
        CorpusError: the files cannot be read.
    """
    first = found_files(settings.paths, "labelled text", "*.csv")[0]
    if ending(first) in UNIVERSAL:
        _refuse(
            settings, first, "CoNLL-U names its words, documents and texts itself", "span", "group"
        )
        return read_conllu(settings.paths, settings.targets, at=settings.at)
    if ending(first) in (".jsonl", ".ndjson") and _has_spans(first):
        _refuse(settings, first, "each line has its own spans and its group", "span", "group")
        if len(settings.targets) > 1:
            raise SettingsError(
                f"{first}: spans have one value each; received targets {list(settings.targets)}"
            )
        target = settings.targets[0]
        return read_spans(
            settings.paths, target=target, kind=settings.kinds.get(target), at=settings.at
        )
    return read_table(
        first,
        text=settings.text,
        targets=settings.targets,
        groups=settings.group,
        span=settings.span,
        at=settings.at,
        kinds=settings.kinds,
    )


def question_of(settings: DataFile) -> str:
    """What a page about labelled texts asks."""
    names = ", ".join(settings.targets)
    piece = "text" if settings.span is None else f"{settings.span} in its text"
    if ending(Path(settings.paths)) in UNIVERSAL:
        piece = "word"
    surface = "its words, letters, length" if piece == "text" else "the word, its neighbours, place"
    return (
        f"Can a linear probe read {names} of each {piece} from the residual stream, layer by "
        "layer, better than from the same architecture with random weights, and better than from "
        f"{surface} and embedding together?"
    )


@checked(SettingsError)
def of_data(
    data: str | None,
    targets: Sequence[str] | None,
    *,
    trees: str | None = None,
    grammar: str | os.PathLike[str] | None = None,
    text: str = "text",
    span: str | None = None,
    group: str = "auto",
    at: str = "last",
    numbers: Sequence[str] | None = None,
) -> DataFile | None:
    """What the options of ``linrep probe`` say about labelled texts; ``None`` without ``--data``.

    Args:
        data: file or glob.
        targets: columns to recover.
        trees: must not be given beside it.
        grammar: likewise.
        text: column of the texts.
        span: column of the piece, or two with a comma.
        group: column of what is never divided; ``"auto"`` for none.
        at: token that stands for what is read.
        numbers: targets that are numbers.

    Raises:
        SettingsError: options that do not go together, or impossible values.

    >>> of_data("a.csv", ["label"], group="city").group
    'city'
    """
    if data is None:
        if targets or span or numbers:
            raise SettingsError(
                "--target, --span and --number are of labelled text: give --data FILE"
            )
        return None
    if trees is not None or grammar is not None:
        raise SettingsError("give --data, --trees or --grammar: one of them")
    if not targets:
        raise SettingsError(
            "--data needs --target NAME, what to recover: a column of the table, or upos, deprel, "
            "depth, ... of CoNLL-U"
        )
    bounds = None if span is None else span.split(",")
    piece = None if bounds is None else bounds[0] if len(bounds) == 1 else tuple(bounds)
    try:
        return DataFile.model_validate(
            {
                "paths": data,
                "targets": targets,
                "text": text,
                "span": piece,
                "group": None if group == "auto" else group,
                "at": at,
                "kinds": dict.fromkeys(numbers or (), "number"),
            }
        )
    except ValidationError as error:
        raise SettingsError(problems(error)) from error


def _has_spans(path: Path) -> bool:
    """The first record has a list of spans."""
    return any(isinstance(record.get("spans"), list) for _, record in _first(path))


def _first(path: Path) -> list[tuple[int, dict[str, object]]]:
    return [next(iter(json_lines(path)))]


def _refuse(settings: DataFile, path: Path, why: str, *names: str) -> None:
    """A setting that this kind of file has no use for.

    Raises:
        SettingsError: it is given.
    """
    given = [name for name in names if getattr(settings, name) is not None]
    if given:
        raise SettingsError(f"{path}: {', '.join(given)} is of tables; {why}: leave it out")
