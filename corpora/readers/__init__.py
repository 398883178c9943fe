"""Files of labelled text as corpora: tables, CoNLL-U, spans, columns, pairs, chats."""

from .chat_files import read_chats
from .chats import from_messages
from .labelled import read_columns, read_spans
from .pairs import read_pairs
from .table import read_table
from .universal import read_conllu

__all__ = [
    "from_messages",
    "read_chats",
    "read_columns",
    "read_conllu",
    "read_pairs",
    "read_spans",
    "read_table",
]
