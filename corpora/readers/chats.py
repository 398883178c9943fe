"""Chats as texts: rendered by the tokenizer's own template, every mark as it stands there."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...core import checked
from ...core.arguments import shown
from ..corpus import Corpus
from ..errors import CorpusError
from ..texts import At

__all__ = ["from_messages"]


@checked(CorpusError)
def from_messages(
    chats: Sequence[Any],
    tokenizer: Any,
    *,
    targets: Any = None,
    groups: Any = None,
    at: At | str = "last",
    answer: bool = False,
    source: str = "",
    places: Sequence[str] | None = None,
) -> Corpus:
    """A corpus with one row for each chat: the text that the model is given, to its last token.

    The text holds the template's own special tokens, so that capturing adds none: BOS is never
    there twice.

    Args:
        chats: lists of messages, ``{"role": "user", "content": "..."}`` each.
        tokenizer: of the model, with its chat template.
        targets: what is known of each chat, as :meth:`linrep.Corpus.from_texts` takes it.
        groups: one value for each chat.
        at: which token is read: the text's ``"last"``, its ``"first"``, or the ``"mean"``.
        answer: end with the mark behind which the model answers (``add_generation_prompt``), so
            that the last token is the one before its answer.
        source: a line about where the chats come from; by default their number.
        places: what to call each chat in messages, such as its file and line; by default
            ``chat 0``, ``chat 1``, ...

    Raises:
        CorpusError: the tokenizer has no template, the template fails on a chat, or places are
            not one for each chat.
    """
    if not callable(getattr(tokenizer, "apply_chat_template", None)):
        raise CorpusError(
            "from_messages takes the tokenizer of the model, AutoTokenizer.from_pretrained(...); "
            f"received {shown(tokenizer)}"
        )
    if getattr(tokenizer, "chat_template", None) is None:
        raise CorpusError(
            f"this tokenizer ({type(tokenizer).__name__}) has no chat template, as those of base "
            "models have none: take the chat model's tokenizer, set tokenizer.chat_template, or "
            "write the prompts yourself: Corpus.from_texts"
        )
    if places is not None and len(places) != len(chats):
        raise CorpusError(f"places are one for each of {len(chats)} chats; received {len(places)}")
    texts = []
    for number, chat in enumerate(chats):
        place = f"chat {number}" if places is None else str(places[number])
        _check(chat, place)
        try:
            text = tokenizer.apply_chat_template(
                [dict(message) for message in chat], tokenize=False, add_generation_prompt=answer
            )
        except Exception as error:  # templates are programs, which fail in any way
            roles = [message.get("role") for message in chat]
            raise CorpusError(
                f"the chat template fails on {place}, with roles {roles}: "
                f"{type(error).__name__}: {error!s:.160}; give messages in the form and order that "
                "the model was made for"
            ) from error
        if not text:
            raise CorpusError(f"the chat template makes an empty text of {place}")
        texts.append(str(text))
    return Corpus.from_texts(
        texts,
        targets=targets,
        groups=groups,
        at=at,
        ready=True,
        source=source or f"{len(texts)} chats",
    )


def _check(chat: Any, place: str) -> None:
    """A chat is a list of messages.

    Raises:
        CorpusError: it is something else.
    """
    listed = isinstance(chat, Sequence) and not isinstance(chat, str)
    if listed and chat and all(isinstance(m, Mapping) and "role" in m for m in chat):
        return
    hint = ": a list of chats is expected, [messages] for one" if isinstance(chat, Mapping) else ""
    raise CorpusError(
        f"{place} is {shown(chat)}; expected a list of messages, each "
        f'{{"role": "user", "content": "..."}}{hint}'
    )
