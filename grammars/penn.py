"""Penn brackets: text -> trees, with the line of every fault."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, cast, final

from .errors import TreebankError
from .tree import Tree, rebuild

__all__ = ["Unary", "parse_penn"]

Unary = Literal["keep", "collapse"]
"""Chains of single children: as written, or joined into one node ``S+VP``."""

_PIECE = re.compile(r"[()]|[^\s()]+")
_COMMENT = re.compile(r"\s*(#|%%|;|\*x\*)")
_ESCAPES = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
}
_NO_NAME = "ROOT"


@final
@dataclass
class _Open:
    """A bracket that has not been closed."""

    line: int
    label: str | None = None
    children: list[Tree | str] = field(default_factory=list)
    emptied: bool = False


def parse_penn(text: str, source: str = "", *, unary: Unary = "keep") -> list[Tree]:
    r"""Trees of a text in Penn brackets.

    Empty categories (``-NONE-``) go, and with them the nodes they leave without words; function
    tags and indices go (``NP-SBJ-1`` and ``NP=2`` become ``NP``); ``-LRB-`` and its kin become the
    brackets they stand for, ``\/`` a slash. Lines that start with ``#``, ``%%``, ``;`` or ``*x*``
    between trees are comments. An outer bracket without a label is dropped, or called ``ROOT``
    where it holds several trees.

    Args:
        text: any number of trees.
        source: name of the file for messages.
        unary: what to do with chains of single children; parts of speech are always kept apart.

    Returns:
        The trees that hold at least one word.

    Raises:
        TreebankError: unbalanced brackets, text outside a tree, or an empty bracket.

    >>> [tree] = parse_penn("( (S (NP-SBJ (-NONE- *)) (VP (VB Go))) )")
    >>> print(tree)
    (S (VP (VB Go)))
    """
    trees: list[Tree] = []
    stack: list[_Open] = []
    for line, piece in _pieces(text, stack):
        where = f"{source}, line {line}" if source else f"line {line}"
        if piece == "(":
            if stack and stack[-1].label is None:
                stack[-1].label = ""
            stack.append(_Open(line))
        elif not stack:
            kind = "a closing bracket without an opening one" if piece == ")" else "text outside"
            raise TreebankError(f"{where}: {kind} any tree: {piece!r}; expected '(' or the end")
        elif piece == ")":
            _close(stack, trees, where, unary)
        elif stack[-1].label is None:
            stack[-1].label = piece
        else:
            stack[-1].children.append(_token(piece))
    if stack:
        place = f"{source}, line {stack[0].line}" if source else f"line {stack[0].line}"
        raise TreebankError(
            f"{place}: the tree that opens here is never closed; {len(stack)} closing "
            f"{'bracket is' if len(stack) == 1 else 'brackets are'} missing at the end of the file"
        )
    return trees


def _pieces(text: str, stack: list[_Open]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not stack and _COMMENT.match(line):
            continue
        for found in _PIECE.finditer(line):
            yield number, found.group()


def _close(stack: list[_Open], trees: list[Tree], where: str, unary: Unary) -> None:
    node = stack.pop()
    if not node.children and not node.emptied:
        raise TreebankError(f"{where}: an empty bracket; expected a label and a word or a subtree")
    if node.label == "-NONE-" or not node.children:
        if stack:
            stack[-1].emptied = True
        return
    made = _make(node)
    if stack:
        stack[-1].children.append(made)
    else:
        trees.append(_collapse(made) if unary == "collapse" else made)


def _make(node: _Open) -> Tree:
    label = node.label or ""
    if not label and len(node.children) == 1 and isinstance(node.children[0], Tree):
        return node.children[0]
    return Tree(_plain(label) or _NO_NAME, tuple(node.children))


def _plain(label: str) -> str:
    """A label without function tags; those that begin with a dash (-LRB-) are whole."""
    return label if label.startswith("-") else re.split(r"[-=]", label, maxsplit=1)[0] or label


def _token(piece: str) -> str:
    return _ESCAPES.get(piece, piece.replace("\\/", "/").replace("\\*", "*"))


def _collapse(tree: Tree) -> Tree:
    """Join each phrase with its only child while that child is a phrase too."""
    return cast(Tree, rebuild(tree, _joined))


def _joined(node: Tree, children: tuple[Tree | str, ...]) -> Tree:
    first = children[0]
    if len(children) > 1 or isinstance(first, str) or _is_tag(first):
        return Tree(node.label, children)
    return Tree(f"{node.label}+{first.label}", first.children)


def _is_tag(tree: Tree) -> bool:
    return all(isinstance(child, str) for child in tree.children)
