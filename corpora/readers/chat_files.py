"""Files of chats: messages, and what is known of each chat, in one JSON object a line."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...core import checked
from ...core.arguments import shown
from ..corpus import Corpus
from ..errors import CorpusError
from ..targets import TargetKind
from ..texts import At
from .chats import from_messages
from .columns_of import require, target_of
from .files import found_files, json_lines

__all__ = ["read_chats"]


@checked(CorpusError)
def read_chats(
    paths: Any,
    tokenizer: Any,
    *,
    targets: Sequence[str] = (),
    groups: str | None = None,
    messages: str = "messages",
    at: At | str = "last",
    answer: bool = False,
    kinds: Mapping[str, TargetKind] | None = None,
) -> Corpus:
    """Chats, one JSON object in each line, rendered by the tokenizer's own template.

    A line is ``{"messages": [{"role": "user", "content": "..."}], "harmful": true}``.

    Args:
        paths: a file, a glob pattern, or several of them.
        tokenizer: of the model, with its chat template.
        targets: keys to recover; by default none.
        groups: key of what is never divided between training and test.
        messages: key of the messages.
        at: which token is read: the text's ``"last"``, its ``"first"``, or the ``"mean"``.
        answer: end with the mark behind which the model answers, so that the last token is the
            one before its answer.
        kinds: ``"class"`` or ``"number"`` of targets whose values do not tell.

    Raises:
        CorpusError: a line lacks its messages or group, no line has a target, or the template
            fails on a chat; file and line are named.
    """
    if isinstance(targets, str):
        targets = (targets,)
    files = found_files(paths, "chats", "*.jsonl")
    found = [
        (f"{path}, line {line}", record) for path in files for line, record in json_lines(path)
    ]
    where = str(files[0]) if len(files) == 1 else f"{len(files)} files of chats"
    known = list(dict.fromkeys(key for _, record in found for key in record))
    for name in (messages, *targets, *((groups,) if groups else ())):
        require(name, known, "key", where)
    for place, record in found:
        for key in (messages, *((groups,) if groups else ())):
            if record.get(key) in (None, "", []):
                raise CorpusError(f"{place}: no {key!r}; received {shown(record)}")
    return from_messages(
        [record[messages] for _, record in found],
        tokenizer,
        targets=[
            target_of(name, [record.get(name) for _, record in found], where, kinds)
            for name in targets
        ],
        groups=[record[groups] for _, record in found] if groups else None,
        at=at,
        answer=answer,
        source=where,
        places=[place for place, _ in found],
    )
