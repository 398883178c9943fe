"""Universal Dependencies: CoNLL-U files as texts whose words are spans."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from ...core import checked
from ..corpus import Corpus
from ..errors import CorpusError
from ..targets import TargetKind
from ..texts import At
from .columns_of import require, target_of
from .files import found_files, read_text

__all__ = ["read_conllu"]

_FIELDS = ("upos", "xpos", "deprel", "lemma", "form")
_NUMBERS = ("depth", "head_distance")


@final
@dataclass(eq=False)
class _Found:
    """What has been read so far, a row for each word."""

    texts: list[str] = field(default_factory=list)
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    words: list[Mapping[str, Any]] = field(default_factory=list)
    empty: int = 0
    fused: int = 0
    rebuilt: int = 0
    documents: bool = False


@checked(CorpusError)
def read_conllu(
    paths: Any, targets: Sequence[str] = ("upos",), *, at: At | str = "last", source: str = ""
) -> Corpus:
    """Sentences of CoNLL-U files: each is a text, each of its syntactic words a row.

    The text is the one that ``# text`` gives, where the words are found again; else it is made of
    the words, with the blanks that ``SpaceAfter=No`` leaves. Words of a multiword token (``don't``)
    that are not written one after the other in it all have its span. Empty nodes are left out.
    Documents (``# newdoc``), or files where there are several, are groups.

    Args:
        paths: a file, a glob pattern, or several of them.
        targets: ``upos``, ``xpos``, ``deprel``, ``lemma``, ``form``; ``depth`` (arcs up to the
            root, which has 0) and ``head_distance`` (words from the word to its head, negative
            where the head stands before it; the root has none), which are numbers; or any feature
            of the sixth column (``Number``, ``Tense``), undefined for words that lack it.
        at: which token stands for a word: its ``"last"``, its ``"first"``, or the ``"mean"``.
        source: a line about where the sentences come from; by default the number of files.

    Raises:
        CorpusError: nothing matches, a file is no CoNLL-U (file and line are named), or no word
            has a target.
    """
    if isinstance(targets, str):
        targets = (targets,)
    files = found_files(paths, "CoNLL-U", "*.conllu")
    found = _Found()
    for path in files:
        _read_file(path, found, several=len(files) > 1)
    if not found.words:
        raise CorpusError(f"no word in {len(files)} CoNLL-U file(s): {files[0]}")
    where = str(files[0]) if len(files) == 1 else f"{len(files)} CoNLL-U files"
    told = source or f"{where}{_told(found)}"
    return Corpus.from_texts(
        found.texts,
        spans=found.spans,
        targets=[_target(name, found.words, where) for name in targets],
        groups=found.groups if found.documents or len(files) > 1 else None,
        at=at,
        source=told,
    )


def _told(found: _Found) -> str:
    said = [
        f"{count} {what}"
        for count, what in (
            (found.empty, "empty nodes left out"),
            (found.fused, "words with the span of a whole multiword token"),
            (found.rebuilt, "texts made from their words"),
        )
        if count
    ]
    return f" ({', '.join(said)})" if said else ""


def _target(name: str, words: Sequence[Mapping[str, Any]], where: str) -> Any:
    """The values of a target."""
    if name in (*_FIELDS, *_NUMBERS):
        kinds: dict[str, TargetKind] = {name: "number" if name in _NUMBERS else "class"}
        return target_of(name, [word[name] for word in words], where, kinds)
    features = sorted({feature for word in words for feature in word["feats"] or {}})
    require(name, [*_FIELDS, *_NUMBERS, *features], "target", where)
    return target_of(
        name, [(word["feats"] or {}).get(name) for word in words], where, {name: "class"}
    )


def _read_file(path: Path, found: _Found, *, several: bool) -> None:
    """All sentences of a file.

    Raises:
        CorpusError: it is no CoNLL-U.
    """
    import conllu
    from conllu.exceptions import ParseException

    document = str(path) if several else ""
    for line, block in _blocks(read_text(path)):
        try:
            sentences = conllu.parse(block)
        except (ParseException, ValueError, IndexError, KeyError) as error:
            raise CorpusError(
                f"{path}, lines {line} to {line + block.count(chr(10))}: no CoNLL-U sentence "
                f"({error!s:.120}); expected comments with # and lines of ten fields with tabs "
                "between"
            ) from error
        for sentence in sentences:
            told = sentence.metadata
            if "newdoc id" in told or "newdoc" in told:
                found.documents = True
                name = told.get("newdoc id") or told.get("newdoc") or f"line {line}"
                document = f"{path}: {name}"
            _add(sentence, found, f"{path}, line {line}")
            found.groups.append(document or str(path))


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Sentences and the lines on which they begin."""
    first = 1
    lines: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        line = line.rstrip("\r")
        if line.strip():
            first = first if lines else number
            lines.append(line)
        elif lines:
            yield first, "\n".join(lines)
            lines = []


def _add(sentence: Any, found: _Found, where: str) -> None:
    """One sentence, a row for each of its words.

    Raises:
        CorpusError: its heads make no tree, or a word is given twice.
    """
    words = {token["id"]: dict(token) for token in sentence if isinstance(token["id"], int)}
    found.empty += sum(isinstance(t["id"], tuple) and t["id"][1] == "." for t in sentence)
    if list(words) != list(range(1, len(words) + 1)):
        raise CorpusError(
            f"{where}: words are numbered 1, 2, 3, ... in each sentence; received {list(words)[:9]}"
        )
    for word in words.values():
        if word["form"] in (None, ""):
            raise CorpusError(
                f"{where}: word {word['id']} has an empty second column; expected the word itself"
            )
        for name in _FIELDS[:-1]:
            word[name] = None if word.get(name) in (None, "_") else word[name]
        word["depth"] = _depth(word, words, where)
        word["head_distance"] = word["head"] - word["id"] if word["head"] else None
    text, places, fused, rebuilt = _placed(sentence, words)
    found.fused, found.rebuilt = found.fused + fused, found.rebuilt + rebuilt
    number = len(found.texts)
    found.texts.append(text)
    for index, word in words.items():
        found.words.append(word)
        found.spans.append((number, *places[index]))


def _depth(word: Mapping[str, Any], words: Mapping[int, Mapping[str, Any]], where: str) -> Any:
    """Arcs from a word up to the root; ``None`` where heads are not told.

    Raises:
        CorpusError: there is no such head, or heads go round in a circle.
    """
    here, arcs = word, 0
    while here["head"]:
        arcs += 1
        if here["head"] not in words or arcs > len(words):
            raise CorpusError(
                f"{where}: from word {word['id']} ({word['form']!r}), whose head is "
                f"{word['head']}, no way leads to the root (0): the seventh field is the number of "
                "a word, or 0"
            )
        here = words[here["head"]]
    return None if here["head"] is None else arcs


def _placed(
    sentence: Any, words: Mapping[int, Any]
) -> tuple[str, dict[int, tuple[int, int]], int, int]:
    """The text, where each word stands, words that share a span, and whether the text was made."""
    surface = _surface(sentence)
    places: dict[int, tuple[int, int]] = {}
    text = sentence.metadata.get("text") or ""
    bounds = _in_text(text, [form for form, _, _ in surface])
    rebuilt = bounds is None
    if bounds is None:
        text, bounds = "", []
        for form, _, space in surface:
            bounds.append((len(text), len(text) + len(form)))
            text += form + (" " if space else "")
        text = text.rstrip(" ") or text
    fused = 0
    for (form, ids, _), (start, stop) in zip(surface, bounds, strict=True):
        pieces = [words[i]["form"] for i in ids]
        if "".join(pieces) == form:
            for i, piece in zip(ids, pieces, strict=True):
                places[i] = (start, start + len(piece))
                start += len(piece)
        else:
            places |= dict.fromkeys(ids, (start, stop))
            fused += len(ids)
    return text, places, fused, int(rebuilt)


def _surface(sentence: Any) -> list[tuple[str, list[int], bool]]:
    """What is written: form, the words in it, and whether a blank follows."""
    found: list[tuple[str, list[int], bool]] = []
    inside = 0
    for token in sentence:
        index = token["id"]
        space = (token["misc"] or {}).get("SpaceAfter") != "No"
        if isinstance(index, tuple):
            if index[1] == "-":
                found.append((token["form"], list(range(index[0], index[2] + 1)), space))
                inside = index[2]
        elif index > inside:
            found.append((token["form"], [index], space))
    return found


def _in_text(text: str, forms: Sequence[str]) -> list[tuple[int, int]] | None:
    """Where the forms stand in the text, blanks between them; ``None`` where they do not."""
    bounds: list[tuple[int, int]] = []
    at = 0
    for form in forms:
        while at < len(text) and text[at].isspace():
            at += 1
        if not text.startswith(form, at):
            return None
        bounds.append((at, at + len(form)))
        at += len(form)
    return bounds if not text[at:].strip() else None
