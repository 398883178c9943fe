"""What the options of ``linrep probe`` say about labelled texts."""

import os
from collections.abc import Sequence
from typing import TypedDict, Unpack

from pydantic import ValidationError

from ..core import checked
from ..core.options import refuse_unknown
from .settings import DataFile
from .settings_base import SettingsError, problems

__all__ = ["of_data"]

ALWAYS = ("text", "group", "at")  # they have a value where nobody gave one


class DataOptions(TypedDict, total=False):
    """Keywords of :func:`of_data` beyond those that it names."""

    text: str
    span: str | None
    group: str
    at: str
    numbers: Sequence[str] | None
    answer: bool
    most: int | None
    transfer: Sequence[str] | None


@checked(SettingsError)
def of_data(
    data: str | None,
    targets: Sequence[str] | None,
    *,
    trees: str | None = None,
    grammar: str | os.PathLike[str] | None = None,
    **options: Unpack[DataOptions],
) -> DataFile | None:
    """What the options of ``linrep probe`` say about labelled texts; ``None`` without ``--data``.

    Args:
        data: file or glob.
        targets: columns to recover.
        trees: must not be given beside it.
        grammar: likewise.
        **options: of the texts, by name:
        text: column of the texts; of minimal pairs two keys, comma between.
        span: column of the piece, or two with a comma; of minimal pairs ``difference``.
        group: column of what is never divided; ``"auto"`` for none.
        at: token that stands for what is read.
        numbers: targets that are numbers.
        answer: chats end with the mark behind which the model answers.
        most: texts, drawn by the seed.
        transfer: other files of the kind, on which the probes are scored.

    Raises:
        SettingsError: options that do not go together, or impossible values.

    >>> of_data("a.csv", ["label"], group="city").group
    'city'
    """
    refuse_unknown("of_data", options, DataOptions.__annotations__, SettingsError)
    if data is None:
        if targets or any(value for name, value in options.items() if name not in ALWAYS):
            raise SettingsError(
                "--target, --span, --number, --transfer, --most and --answer are of labelled text: "
                "give --data FILE"
            )
        return None
    if trees is not None or grammar is not None:
        raise SettingsError("give --data, --trees or --grammar: one of them")
    span, group = options.get("span"), options.get("group", "auto")
    bounds = None if span is None else span.split(",")
    piece = None if bounds is None else bounds[0] if len(bounds) == 1 else tuple(bounds)
    try:
        return DataFile.model_validate(
            {
                "paths": data,
                "targets": targets or (),
                "text": options.get("text", "text"),
                "span": piece,
                "group": None if group == "auto" else group,
                "at": options.get("at", "last"),
                "kinds": dict.fromkeys(options.get("numbers") or (), "number"),
                "answer": options.get("answer", False),
                "most": options.get("most"),
                "transfer": options.get("transfer") or (),
            }
        )
    except ValidationError as error:
        raise SettingsError(problems(error)) from error
