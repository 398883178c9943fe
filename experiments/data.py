"""A model on labelled text: tables, CoNLL-U files, columns, spans, minimal pairs, chats."""

from pathlib import Path
from typing import Any

from ..core import LinrepError
from ..corpora import (
    Corpus,
    read_chats,
    read_columns,
    read_conllu,
    read_pairs,
    read_spans,
    read_table,
)
from ..corpora.readers.file_kind import FileKind, file_kind
from ..corpora.readers.files import found_files
from .sample import at_most
from .settings import DataFile
from .settings_base import SettingsError

__all__ = ["kind_of", "piece_of", "question_of", "read_data"]

PAIR = ("sentence_good", "sentence_bad")
CHAT = "messages"
DIFFERENCE = "difference"


def read_data(settings: DataFile, *, model: str | None = None, seed: int = 0) -> Corpus:
    """The corpus that the settings name.

    Args:
        settings: files, columns and targets.
        model: folder or hub id of the model; its tokenizer renders chats.
        seed: of the draw, where only some texts are asked for.

    Raises:
        SettingsError: a setting does not belong to this kind of file.
        CorpusError: the files cannot be read.
    """
    corpus = _READERS[kind_of(settings)](settings, _files(settings)[0], model)
    return corpus if settings.most is None else at_most(corpus, settings.most, seed)


def kind_of(settings: DataFile) -> FileKind:
    """What the files of the settings hold.

    Raises:
        SettingsError: their names tell nothing.
    """
    return file_kind(_files(settings)[0], pair=_pair(settings) or PAIR, chat=_chat(settings))


def _files(settings: DataFile) -> list[Path]:
    return found_files(settings.paths, "labelled text", "*.csv")


def _pair(settings: DataFile) -> tuple[str, str] | None:
    """Keys of a minimal pair, where the settings name two."""
    first, comma, second = settings.text.partition(",")
    return (first.strip(), second.strip()) if comma else None


def _chat(settings: DataFile) -> str:
    return CHAT if settings.text == "text" else settings.text


def _table(settings: DataFile, path: Path, _: str | None) -> Corpus:
    _targets(settings, path, "a column of the table")
    if len(_files(settings)) > 1:
        raise SettingsError(
            f"{settings.paths} matches {len(_files(settings))} tables; one is read at a time: name "
            "one with --data, and others with --transfer to see whether its probes carry over"
        )
    return read_table(
        path,
        text=settings.text,
        targets=settings.targets,
        groups=settings.group,
        span=settings.span,
        at=settings.at,
        kinds=settings.kinds,
    )


def _universal(settings: DataFile, path: Path, _: str | None) -> Corpus:
    _refuse(settings, path, "CoNLL-U names its words, documents and texts itself", "span", "group")
    _targets(settings, path, "upos, deprel, depth, head_distance, or a feature such as Number")
    return read_conllu(settings.paths, settings.targets, at=settings.at)


def _columns(settings: DataFile, path: Path, _: str | None) -> Corpus:
    why = "words in columns have no other text, and their documents are marked -DOCSTART-"
    _refuse(settings, path, why, "span", "group")
    _targets(settings, path, "NAME for the last column, NAME=NUMBER for another, from 0")
    columns = dict(map(_numbered, settings.targets))
    unnumbered = [name for name in settings.targets if "=" not in name]
    if len(unnumbered) > 1:
        raise SettingsError(
            f"{path}: only one target can be the last column; received {unnumbered}: number the "
            f"others, such as --target {unnumbered[0]}=1"
        )
    return read_columns(settings.paths, columns=columns, at=settings.at)


def _numbered(target: str) -> tuple[str, int]:
    """A target of a column, ``ner=3``.

    Raises:
        SettingsError: what stands behind the sign is no number.
    """
    name, sign, column = target.partition("=")
    try:
        return name, int(column) if sign else -1
    except ValueError:
        raise SettingsError(
            f"--target {target}: a column is a number, from 0, or from the end with -1"
        ) from None


def _spans(settings: DataFile, path: Path, _: str | None) -> Corpus:
    _refuse(settings, path, "each line has its own spans and its group", "span", "group")
    _targets(settings, path, "the key under which each span has its value, such as label")
    if len(settings.targets) > 1:
        raise SettingsError(
            f"{path}: spans have one value each; received targets {list(settings.targets)}"
        )
    target = settings.targets[0]
    return read_spans(
        settings.paths, target=target, kind=settings.kinds.get(target), at=settings.at
    )


def _pairs(settings: DataFile, path: Path, _: str | None) -> Corpus:
    _refuse(settings, path, "the two texts of a pair are one group", "group")
    if set(settings.targets) - {"good"}:
        raise SettingsError(
            f"{path} holds minimal pairs, whose target is 'good' (the first of the two); received "
            f"{list(settings.targets)}: leave --target out"
        )
    if settings.span not in (None, DIFFERENCE):
        raise SettingsError(
            f"{path} holds minimal pairs, of which the whole text is read, or with --span "
            f"{DIFFERENCE} the words that differ; received --span {settings.span}"
        )
    good, bad = _pair(settings) or PAIR
    return read_pairs(
        settings.paths,
        good=good,
        bad=bad,
        read="difference" if settings.span else "text",
        at=settings.at,
    )


def _chats(settings: DataFile, path: Path, model: str | None) -> Corpus:
    from ..models.tokenizers import tokenizer_of

    _refuse(settings, path, "a chat is read as a whole", "span")
    _targets(settings, path, "a key beside the messages")
    if model is None:
        raise SettingsError(
            f"{path} holds chats, which the template of a model's tokenizer renders: give the "
            "folder of a model"
        )
    return read_chats(
        settings.paths,
        tokenizer_of(model),
        targets=settings.targets,
        groups=settings.group,
        messages=_chat(settings),
        at=settings.at,
        answer=settings.answer,
        kinds=settings.kinds,
    )


_READERS: dict[FileKind, Any] = {
    "table": _table,
    "universal": _universal,
    "columns": _columns,
    "spans": _spans,
    "pairs": _pairs,
    "chats": _chats,
}


def piece_of(settings: DataFile) -> str:
    """What a row is called: the statement, the entity, the word.

    >>> piece_of(DataFile(paths="no.csv", targets=("label",), text="statement"))
    'statement'
    """
    try:
        kind = kind_of(settings)
    except LinrepError:  # no such file yet, and a settings object may be made all the same
        kind = "table"
    if kind in ("universal", "columns"):
        return "word"
    if kind in ("spans", "chats"):
        return kind[:-1]
    if kind == "pairs":
        return "text" if settings.span is None else "difference"
    named = settings.text if settings.span is None else settings.span
    return named if isinstance(named, str) and named.isalpha() else "text"


def question_of(settings: DataFile) -> str:
    """What a page about labelled texts asks."""
    names = _list(tuple(name.partition("=")[0] for name in settings.targets) or ("good",))
    piece = piece_of(settings)
    whole = settings.span is None and piece not in ("word", "span")
    surface = (
        "its words, its letters, its length"
        if whole
        else f"the {piece} itself, its neighbours, its position"
    )
    asked = (
        f"Can a linear probe read {names} of each {piece} from the residual stream, layer by "
        "layer? Better than from the same architecture with random weights, and better than from "
        f"{surface} and its embedding together?"
    )
    if not settings.transfer:
        return asked
    others = _list(tuple(Path(path).stem for path in settings.transfer))
    return f"{asked} And does what was learned from {Path(settings.paths).stem} hold in {others}?"


def _list(names: tuple[str, ...]) -> str:
    """Names as a sentence has them.

    >>> _list(("upos", "depth", "Tense"))
    'upos, depth and Tense'
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _targets(settings: DataFile, path: Path, such: str) -> None:
    """There is something to recover.

    Raises:
        SettingsError: there is not.
    """
    if not settings.targets:
        raise SettingsError(f"--data needs --target NAME, what to recover of {path}: {such}")


def _refuse(settings: DataFile, path: Path, why: str, *names: str) -> None:
    """A setting that this kind of file has no use for.

    Raises:
        SettingsError: it is given.
    """
    given = [name for name in names if getattr(settings, name) is not None]
    if given:
        raise SettingsError(f"{path}: --{', --'.join(given)} is of tables; {why}: leave it out")
