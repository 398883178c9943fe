"""The list of messages as a page: ``.. messages-of:: hooks``, ``.. messages-counted:: tests``."""

from collections.abc import Sequence

from docutils import nodes
from docutils.parsers.rst import Directive
from linrep_messages import Message, messages
from linrep_provoked import Record, read_record
from sphinx import addnodes

__all__ = ["MessagesCounted", "MessagesOf", "counted"]

MARK = "\N{NOT SIGN}"  # beside a message that no test provokes


class MessagesOf(Directive):
    """A table of one area's messages."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The table; what has no words of its own stands in a second one."""
        found = [one for one in messages() if one.area == self.arguments[0]]
        record = read_record()
        worded = [
            [name_of(one), words_of(one, record), place_of(one)] for one in found if one.texts
        ]
        others = [[name_of(one), [plain(one.reason)], place_of(one)] for one in found if one.reason]
        made: list[nodes.Node] = [table(("error", "message", "raised in"), worded)]
        if others:
            made.append(plain("Without words of their own:"))
            made.append(table(("raised", "why", "in"), others))
        return made


class MessagesCounted(Directive):
    """How many of the messages a test provokes."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One paragraph, and those that no test provokes."""
        found, record = messages(), read_record()
        made: list[nodes.Node] = [plain(counted(found, record))]
        rows = [
            [name_of(one), words_of(one, record), [plain(record.why_not(one) or "no test yet")]]
            for one in found
            if one.texts and not record.saw(one)
        ]
        return [*made, table(("error", "message", "why no test provokes it"), rows)]


def counted(found: Sequence[Message], record: Record) -> str:
    """The figure in a sentence."""
    worded = [one for one in found if one.texts]
    seen = sum(record.saw(one) for one in worded)
    return (
        f"There are {len(worded)} places in the source with a message, and "
        f"{len(found) - len(worded)} more that hand on another's or have none. "
        f"Tests provoke {seen} of the {len(worded)}."
    )


def plain(text: str) -> nodes.paragraph:
    """A paragraph of text."""
    return nodes.paragraph("", text)


def name_of(one: Message) -> list[nodes.Node]:
    """The class; a helper's parameter is called what it is."""
    kind = one.kind if one.kind[:1] in "_" or one.kind[:1].isupper() else "the caller's error"
    return [nodes.paragraph("", "", nodes.literal("", kind))]


def words_of(one: Message, record: Record) -> list[nodes.Node]:
    """Each variant as a line of its own."""
    mark = "" if record.saw(one) else f" {MARK}"
    lines = [nodes.literal("", text, classes=["message"]) for text in one.texts]
    return [nodes.paragraph("", "", line, nodes.Text(mark)) for line in lines]


def place_of(one: Message) -> list[nodes.Node]:
    """The public name that raises it, with a link, and the file."""
    from linrep_site import page_of

    first = one.where.split(".")[0]
    paths = {name: path for path, (area, name) in page_of().items() if area == one.area}
    line = nodes.paragraph()
    if first in paths and not first.startswith("_"):
        shown = nodes.literal("", one.where)
        line += addnodes.pending_xref(
            "", shown, refdomain="py", reftype="obj", reftarget=paths[first], refexplicit=True
        )
    else:
        line += nodes.literal("", one.where or "the module")
    return [line, plain(one.module)]


def table(head: tuple[str, str, str], rows: list[list[list[nodes.Node]]]) -> nodes.table:
    """A table of three columns."""
    group = nodes.tgroup(cols=3)
    group += [nodes.colspec(colwidth=width) for width in (20, 55, 25)]
    top, body = nodes.thead(), nodes.tbody()
    top += nodes.row("", *(nodes.entry("", plain(text)) for text in head))
    body += [nodes.row("", *(nodes.entry("", *cell) for cell in row)) for row in rows]
    group += [top, body]
    return nodes.table("", group, classes=["messages"])
