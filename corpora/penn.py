"""Penn brackets: text -> trees, with the line of every fault."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, cast, final

from .errors import TreebankError
from .tree import Tree, rebuild

__all__ = ["Marks", "Unary", "parse_penn"]

Marks = Literal["strip", "keep"]
"""What follows a dash or an equals sign in a label (``NP-SBJ-1``): dropped, or part of it."""

Unary = Literal["keep", "collapse"]
"""Chains of single children: as written, or joined into one node ``S+VP``."""

# Blanks are ASCII's: a no-break space and its kin are letters of a word ("20\u00a0000").
_PIECE = re.compile(r"[()]|[^ \t\n\r\f\v()]+")
_COMMENT = re.compile(r"[ \t\f\v]*(#|%%|;|\*x\*)")
_LINE_END = re.compile(r"\r\n|\r|\n")  # not str.splitlines: U+2028 and U+0085 stay in words
_ESCAPES = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
}
_NO_NAME = "ROOT"
_TRACE = re.compile(r"\*.*\*(-\d+)?|0")  # of the CorpusSearch format, beside words
_NO_TEXT = ("ID", "CODE")  # its nodes that hold none


@final
@dataclass
class _Open:
    """A bracket that has not been closed."""

    line: int
    label: str | None = None
    children: list[Tree | str] = field(default_factory=list)
    emptied: bool = False


def parse_penn(
    text: str, source: str = "", *, unary: Unary = "keep", marks: Marks | str = "strip"
) -> list[Tree]:
    r"""Trees of a text in Penn brackets.

    Empty categories (``-NONE-``) go, and with them the nodes they leave without words; function
    tags and indices go (``NP-SBJ-1`` and ``NP=2`` become ``NP``); ``-LRB-`` and its kin become the
    brackets they stand for, ``\/`` a slash. Lines that start with ``#``, ``%%``, ``;`` or ``*x*``
    between trees are comments. An outer bracket without a label is dropped, or called ``ROOT``
    where it holds several trees. An outer bracket that holds an ``(ID ...)`` is of the CorpusSearch
    format: its ``ID`` and ``CODE`` nodes go, and traces such as ``*con*``, ``*T*-1`` and ``0``.

    Args:
        text: any number of trees.
        source: name of the file for messages.
        unary: what to do with chains of single children; parts of speech are always kept apart.
        marks: drop what follows a dash or an equals sign in a label, or keep labels as written.

    Returns:
        The trees that hold at least one word.

    Raises:
        TreebankError: unbalanced brackets, text outside a tree, or an empty bracket; or ``marks``
            is neither word.

    >>> [tree] = parse_penn("( (S (NP-SBJ (-NONE- *)) (VP (VB Go))) )")
    >>> print(tree)
    (S (VP (VB Go)))
    """
    if marks not in ("strip", "keep"):
        raise TreebankError(f"marks are 'strip' or 'keep'; received {marks!r}")
    trees: list[Tree] = []
    stack: list[_Open] = []
    for line, piece in _pieces(text, stack):
        where = f"{source}, line {line}" if source else f"line {line}"
        if piece == "(":
            if stack and stack[-1].label is None:
                stack[-1].label = ""
            stack.append(_Open(line))
        elif not stack:
            fault = (
                "a closing bracket closes nothing"
                if piece == ")"
                else f"text outside any tree: {piece!r:.60}"
            )
            raise TreebankError(f"{where}: {fault}; expected '(' or the end of the file")
        elif piece == ")":
            _close(stack, trees, where, unary, marks)
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
    for number, line in enumerate(_LINE_END.split(text.removeprefix("\ufeff")), start=1):
        if not stack and _COMMENT.match(line):
            continue
        for found in _PIECE.finditer(line):
            yield number, found.group()


def _close(stack: list[_Open], trees: list[Tree], where: str, unary: Unary, marks: str) -> None:
    node = stack.pop()
    if not stack and not node.label:
        _drop_ids(node)
    if not node.children and not node.emptied:
        raise TreebankError(f"{where}: {_empty(node.label)}")
    if node.label == "-NONE-" or not node.children:
        if stack:
            stack[-1].emptied = True
        return
    made = _make(node, marks)
    if stack:
        stack[-1].children.append(made)
    else:
        trees.append(_collapse(made) if unary == "collapse" else made)


def _empty(label: str | None) -> str:
    if not label:
        return "an empty bracket; expected a label and a word or a subtree"
    label = f"{label:.60}"
    return (
        f"({label}) has a label and nothing below it; expected a word or a subtree, such as "
        f"(XX {label}). If {label} is a word, give it a part of speech; if it marks the end of a "
        "text, take the line out"
    )


def _drop_ids(node: _Open) -> None:
    """Of an outer bracket in the CorpusSearch format: what is no text goes."""
    if not any(isinstance(child, Tree) and child.label == "ID" for child in node.children):
        return
    kept = [_without_traces(child) for child in node.children]
    node.children = [child for child in kept if child != ""]
    node.emptied = True


def _without_traces(tree: Tree | str) -> Tree | str:
    """The tree without traces and the nodes that they leave without words; "" if none is left."""

    def keep(node: Tree, children: tuple[Tree | str, ...]) -> Tree | str:
        words = [c for c in children if isinstance(c, Tree) or (c and not _TRACE.fullmatch(c))]
        return Tree(node.label, tuple(words)) if words and node.label not in _NO_TEXT else ""

    return tree if isinstance(tree, str) else rebuild(tree, keep)


def _make(node: _Open, marks: str) -> Tree:
    label = node.label or ""
    if not label and len(node.children) == 1 and isinstance(node.children[0], Tree):
        return node.children[0]
    return Tree((_plain(label) if marks == "strip" else label) or _NO_NAME, tuple(node.children))


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
