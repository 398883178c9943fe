"""Which messages the tests provoke: a record beside the pages, kept by docs/unprovoked.py."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from linrep_messages import Message

__all__ = ["RECORD", "Record", "read_record", "write_record"]

RECORD = Path(__file__).resolve().parents[1] / "provoked_messages.json"
Names = dict[str, dict[str, str]]  # module -> name of a message -> "", or why it is not provoked


class Record:
    """What the tests provoked when they were last run for it.

    Args:
        provoked: messages that a test saw.
        unseen: messages that none provokes, with the reason.
    """

    def __init__(self, provoked: Names, unseen: Names) -> None:
        self.provoked, self.unseen = provoked, unseen

    def saw(self, one: Message) -> bool:
        """Whether a test provokes the message."""
        return one.name in self.provoked.get(one.module, {})

    def why_not(self, one: Message) -> str:
        """The reason that is given for a message without a test; empty if there is none."""
        return "" if self.saw(one) else self.unseen.get(one.module, {}).get(one.name, "")

    def of(self, known: Iterable[Message], seen: Iterable[Message], *, whole: bool) -> "Record":
        """The record after a run: names that are gone are dropped.

        Args:
            known: every message that there is now.
            seen: those that the run provoked.
            whole: whether the run was of all tests, so that earlier ones do not count.
        """
        known, seen = [one for one in known if one.texts], set(seen)
        provoked: Names = defaultdict(dict)
        unseen: Names = defaultdict(dict)
        for one in known:
            if one in seen or (not whole and self.saw(one)):
                provoked[one.module][one.name] = ""
        for one in known:
            reason = self.unseen.get(one.module, {}).get(one.name)
            if reason and one.name not in provoked[one.module]:
                unseen[one.module][one.name] = reason
        return Record(provoked, unseen)


def read_record() -> Record:
    """The record; an empty one where there is none yet."""
    if not RECORD.is_file():
        return Record({}, {})
    kept = json.loads(RECORD.read_text("utf-8"))
    provoked = {module: dict.fromkeys(names, "") for module, names in kept["provoked"].items()}
    return Record(provoked, kept["not provoked"])


def write_record(record: Record) -> None:
    """Write the record, so that a change of one message changes one line."""
    kept = {
        "provoked": {module: sorted(names) for module, names in record.provoked.items() if names},
        "not provoked": {module: names for module, names in record.unseen.items() if names},
    }
    text = json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False)
    RECORD.write_text(text + "\n", "utf-8")
