"""Immutable derivation trees."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import final

__all__ = ["Tree"]


@final
@dataclass(frozen=True)
class Tree:
    """A node with its label and children; a child that is a ``str`` is a token.

    >>> tree = Tree("S", (Tree("A", ("a",)), "b"))
    >>> print(tree, tree.leaves(), tree.height)
    (S (A a) b) ('a', 'b') 2
    """

    label: str
    children: tuple["Tree | str", ...]

    def leaves(self) -> tuple[str, ...]:
        """The tokens, left to right."""
        return tuple(self._walk())

    def _walk(self) -> Iterator[str]:
        stack: list[Tree | str] = [self]
        while stack:
            node = stack.pop()
            if isinstance(node, str):
                yield node
            else:
                stack.extend(reversed(node.children))

    def nodes(self) -> Iterator["Tree"]:
        """Every inner node, parents before children, left to right."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(c for c in reversed(node.children) if isinstance(c, Tree))

    @property
    def height(self) -> int:
        """Number of edges on the longest path down to a token."""
        deepest, stack = 0, [(self, 1)]
        while stack:
            node, depth = stack.pop()
            deepest = max(deepest, depth)
            stack.extend((c, depth + 1) for c in node.children if isinstance(c, Tree))
        return deepest

    def __str__(self) -> str:
        """Brackets on one line, the Penn style; round brackets in tokens become -LRB-, -RRB-."""
        pieces: list[str] = []
        stack: list[Tree | str] = [self]
        closers: list[int] = []  # children still to come, per open node
        while stack or closers:
            if closers and closers[-1] == 0:
                pieces[-1] += ")"
                closers.pop()
                continue
            node = stack.pop()
            if closers:
                closers[-1] -= 1
            if isinstance(node, str):
                pieces.append(node.replace("(", "-LRB-").replace(")", "-RRB-"))
            else:
                pieces.append(f"({node.label}")
                closers.append(len(node.children))
                stack.extend(reversed(node.children))
        return " ".join(pieces)

    def pretty(self, indent: int = 0) -> str:
        """Brackets over several lines, two blanks per level."""
        if all(isinstance(child, str) for child in self.children):
            return " " * indent + str(self)
        lines = [" " * indent + f"({self.label}"]
        for child in self.children:
            inner = (
                child.pretty(indent + 2) if isinstance(child, Tree) else " " * (indent + 2) + child
            )
            lines.append(inner)
        return "\n".join(lines) + ")"

    def _repr_html_(self) -> str:
        box = "display:inline-block;text-align:center;vertical-align:top;margin:0 .3em"
        below = "".join(
            child._repr_html_()
            if isinstance(child, Tree)
            else f'<span style="{box}"><i>{escape(child)}</i></span>'
            for child in self.children
        )
        line = "border-top:1px solid #999;margin-top:.1em"
        name = f"<b>{escape(self.label)}</b>"
        return f'<span style="{box}">{name}<div style="{line}">{below}</div></span>'
