"""What the options of ``linrep probe`` say about labelled texts."""

import os
from collections.abc import Sequence

from pydantic import ValidationError

from ..core import checked
from .settings import DataFile
from .settings_base import SettingsError, problems

__all__ = ["of_data"]


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
    answer: bool = False,
    most: int | None = None,
    transfer: Sequence[str] | None = None,
) -> DataFile | None:
    """What the options of ``linrep probe`` say about labelled texts; ``None`` without ``--data``.

    Args:
        data: file or glob.
        targets: columns to recover.
        trees: must not be given beside it.
        grammar: likewise.
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
    if data is None:
        if targets or span or numbers or transfer or most or answer:
            raise SettingsError(
                "--target, --span, --number, --transfer, --most and --answer are of labelled text: "
                "give --data FILE"
            )
        return None
    if trees is not None or grammar is not None:
        raise SettingsError("give --data, --trees or --grammar: one of them")
    bounds = None if span is None else span.split(",")
    piece = None if bounds is None else bounds[0] if len(bounds) == 1 else tuple(bounds)
    try:
        return DataFile.model_validate(
            {
                "paths": data,
                "targets": targets or (),
                "text": text,
                "span": piece,
                "group": None if group == "auto" else group,
                "at": at,
                "kinds": dict.fromkeys(numbers or (), "number"),
                "answer": answer,
                "most": most,
                "transfer": transfer or (),
            }
        )
    except ValidationError as error:
        raise SettingsError(problems(error)) from error
