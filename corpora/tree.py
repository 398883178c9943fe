"""Immutable derivation trees. Nothing here calls itself: trees may be of any height."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import final

from ..core import checked
from .errors import LanguageError

__all__ = ["Tree", "rebuild"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Tree:
    """A node with its label and children; a child that is a ``str`` is a token.

    Immutable and hashable; trees are equal if labels, children and tokens are.

    >>> tree = Tree("S", (Tree("A", ("a",)), "b"))
    >>> print(tree, tree.leaves(), tree.height)
    (S (A a) b) ('a', 'b') 2
    """

    label: str
    children: tuple["Tree | str", ...]

    def walk(self) -> Iterator["Tree | str"]:
        """Every node and token, parents before children, left to right."""
        stack: list[Tree | str] = [self]
        while stack:
            node = stack.pop()
            yield node
            if isinstance(node, Tree):
                stack.extend(reversed(node.children))

    def leaves(self) -> tuple[str, ...]:
        """The tokens, left to right."""
        return tuple(node for node in self.walk() if isinstance(node, str))

    def nodes(self) -> Iterator["Tree"]:
        """Every inner node, parents before children, left to right."""
        return (node for node in self.walk() if isinstance(node, Tree))

    @property
    def height(self) -> int:
        """Number of edges on the longest path down to a token."""
        deepest, stack = 0, [(self, 1)]
        while stack:
            node, depth = stack.pop()
            deepest = max(deepest, depth)
            stack.extend((c, depth + 1) for c in node.children if isinstance(c, Tree))
        return deepest

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tree):
            return NotImplemented
        return self is other or self._code() == other._code()

    def __hash__(self) -> int:
        return hash(tuple(self._code()))

    def _code(self) -> list[str | int]:
        """Labels with numbers of children, and tokens: different for different trees."""
        code: list[str | int] = []
        stack: list[Tree | str] = [self]
        while stack:
            node = stack.pop()
            if isinstance(node, str):
                code.append(node)
            else:
                code += (node.label, len(node.children))
                stack += node.children
        return code

    def __repr__(self) -> str:
        return self._written(_as_python)

    def __str__(self) -> str:
        """Brackets on one line, the Penn style; round brackets in tokens become -LRB-, -RRB-."""
        return self._written(_as_brackets)

    @checked(LanguageError, most={"indent": 10_000})
    def pretty(self, indent: int = 0) -> str:
        """Brackets over several lines, two blanks per level."""
        lines: list[str] = []
        stack: list[tuple[Tree | str, int, str]] = [(self, indent, "")]  # and what closes after
        while stack:
            node, margin, closers = stack.pop()
            if isinstance(node, str):
                lines.append(" " * margin + _bracketed(node) + closers)
            elif all(isinstance(child, str) for child in node.children):
                lines.append(" " * margin + str(node) + closers)
            else:
                lines.append(" " * margin + f"({node.label}")
                *before, last = node.children
                stack.append((last, margin + 2, closers + ")"))
                stack.extend((child, margin + 2, "") for child in reversed(before))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return self._written(_as_html)

    def _written(self, parts: Callable[["Tree"], Iterable["Tree | str"]]) -> str:
        """The text of a node's parts, in which a part that is a tree is written likewise."""
        pieces: list[str] = []
        stack: list[Tree | str] = [self]
        while stack:
            part = stack.pop()
            if isinstance(part, str):
                pieces.append(part)
            else:
                stack.extend(reversed([*parts(part)]))
        return "".join(pieces)


def rebuild(tree: Tree, make: Callable[[Tree, tuple[Tree | str, ...]], Tree | str]) -> Tree | str:
    """A tree made anew from its tokens up.

    Args:
        tree: stays as it is.
        make: from a node and what became of its children to what becomes of the node.
    """
    done: list[Tree | str] = []  # what becomes of the nodes right of here, the leftmost last
    for node in reversed([*tree.walk()]):
        if isinstance(node, str):
            done.append(node)
        else:
            done.append(make(node, _taken(done, len(node.children))))
    return done[0]


def _taken(done: list[Tree | str], count: int) -> tuple[Tree | str, ...]:
    """The last ``count`` entries, taken away, the last one first."""
    children = tuple(done[: -count - 1 : -1])
    del done[len(done) - count :]
    return children


def _bracketed(token: str) -> str:
    return token.replace("(", "-LRB-").replace(")", "-RRB-")


def _as_brackets(tree: Tree) -> Iterable[Tree | str]:
    yield f"({tree.label}"
    for child in tree.children:
        yield f" {_bracketed(child)}" if isinstance(child, str) else " "
        if isinstance(child, Tree):
            yield child
    yield ")"


def _as_python(tree: Tree) -> Iterable[Tree | str]:
    yield f"Tree(label={tree.label!r}, children=("
    for place, child in enumerate(tree.children):
        yield ", " if place else ""
        yield repr(child) if isinstance(child, str) else child
    yield ",))" if len(tree.children) == 1 else "))"


def _as_html(tree: Tree) -> Iterable[Tree | str]:
    box = "display:inline-block;text-align:center;vertical-align:top;margin:0 .3em"
    line = "border-top:1px solid #999;margin-top:.1em"
    yield f'<span style="{box}"><b>{escape(tree.label)}</b><div style="{line}">'
    for child in tree.children:
        if isinstance(child, str):
            yield f'<span style="{box}"><i>{escape(child)}</i></span>'
        else:
            yield child
    yield "</div></span>"
