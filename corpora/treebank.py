"""Treebanks as corpora: labels are the steps above each token."""

from collections.abc import Iterable
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from ..core import checked, progress
from .corpus import Corpus
from .errors import LanguageError, TreebankError
from .penn import Marks, Unary, parse_penn
from .quoting import write_terminal
from .token_layers import TokenLayer
from .tree import Tree
from .tree_reading import as_tree

__all__ = ["corpus_of_trees", "read_treebank"]


@checked(TreebankError)
def read_treebank(
    paths: str | Path | Iterable[str | Path],
    *,
    unary: Unary | str = "keep",
    marks: Marks | str = "strip",
    source: str = "",
) -> Corpus:
    """Read Penn bracket files into a corpus; heights are steps above the token.

    Height 1 is the part of speech, 2 the phrase above it, 3 the next, and so on. Empty categories
    and function tags are dropped (see :func:`parse_penn`). Where several files are read, each is a
    document, which probes never divide.

    Args:
        paths: a file, a glob pattern, or several of them; read in the order given, matches sorted.
        unary: keep chains of single children, or collapse them into one node ``S+VP``.
        marks: drop what follows a dash or an equals sign in a label (``NP-SBJ-1``), or keep it.
        source: a line about where the trees come from; by default the number of files and the
            folder that they lie in.

    Raises:
        TreebankError: nothing matches, a file cannot be read or is not in Penn brackets (file and
            line are named), or no tree holds a word.
    """
    if unary not in ("keep", "collapse"):
        raise TreebankError(f"unary is 'keep' or 'collapse'; received {unary!r}")
    files = _expand([paths] if isinstance(paths, (str, Path)) else list(paths))
    trees: list[Tree] = []
    documents: list[str] = []
    for file in progress(files, "reading trees", total=len(files), unit="file"):
        try:
            text = file.read_text(encoding="utf-8-sig")  # some tools write a byte order mark
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text in UTF-8"
            raise TreebankError(f"cannot read {file}: {reason}") from None
        found = parse_penn(text, str(file), unary=unary, marks=marks)
        trees += found
        documents += [str(file)] * len(found)
    if not trees:
        raise TreebankError(f"no tree with a word in {len(files)} file(s): {_first(files)}")
    return corpus_of_trees(
        trees,
        source=source or _named(files),
        documents=documents if len(set(documents)) > 1 else None,
    )


def _named(files: list[Path]) -> str:
    """The file's name, or how many files of which folder."""
    if len(files) == 1:
        return files[0].name
    folders = {file.resolve().parent for file in files}
    of = f" of {folders.pop().name}" if len(folders) == 1 else ""
    return f"{len(files)} treebank files{of}"


@checked(TreebankError)
def corpus_of_trees(
    trees: Iterable[Any], *, source: str = "", documents: Iterable[str] | None = None
) -> Corpus:
    """A corpus of given trees, with one height per step above the token.

    Args:
        trees: one per sentence; those of ``nltk`` are converted.
        source: a line about where they come from.
        documents: per tree the name of its document, where they are known.

    Raises:
        LanguageError: there is no tree, something else than a tree, or not one document per tree.

    >>> corpus = corpus_of_trees([Tree("S", (Tree("A", ("a",)), Tree("B", ("b", "c"))))])
    >>> corpus.labels(1).tolist(), corpus.labels(2).tolist(), corpus.boundary(1).tolist()
    (['A', 'B', 'B'], ['S', 'S', 'S'], [True, False, True])
    """
    trees = tuple(as_tree(tree) for tree in trees)
    if not trees:
        raise LanguageError("a corpus of trees needs at least one tree")
    nodes = _Nodes()
    offsets = [0]
    for tree in trees:
        nodes.add(tree)
        offsets.append(len(nodes.words))
    vocabulary = {word: index for index, word in enumerate(sorted(set(nodes.words)))}
    return Corpus(
        np.array([vocabulary[word] for word in nodes.words], dtype=np.int32),
        tuple(vocabulary),
        np.array(offsets),
        nodes.layers(),
        trees,
        None,
        source,
        None if documents is None else tuple(documents),
    )


class _Nodes:
    """The nodes of trees as rows, parents before children, and the tokens below them."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.above: list[int] = []  # for each token the row of the node just above it
        self.names: dict[str, int] = {}
        self.rules: dict[str, int] = {}
        # Per node: name, rule, place among its parent's children, row of its parent.
        self.rows: list[tuple[int, int, int, int]] = []

    def add(self, tree: Tree) -> None:
        """Append a tree's tokens and nodes."""
        stack: list[tuple[Tree | str, int, int]] = [(tree, -1, -1)]
        while stack:
            node, index, parent = stack.pop()
            if isinstance(node, str):
                self.words.append(node)
                self.above.append(parent)
                continue
            here = len(self.rows)
            name = self.names.setdefault(node.label, len(self.names))
            rule = self.rules.setdefault(_rule_text(node), len(self.rules))
            self.rows.append((name, rule, index, parent))
            for place in range(len(node.children) - 1, -1, -1):
                stack.append((node.children[place], place, here))

    def layers(self) -> dict[int, TokenLayer]:
        """What is known at every height: from the tokens up, one parent at a time."""
        # Row -1, where the way up ends, holds what says "none".
        table = np.array([*self.rows, (-1,) * 4], dtype=np.int32)
        name, rule, index, parent = np.ascontiguousarray(table.T)
        last = self._last()
        names, rules = tuple(self.names), tuple(self.rules)
        tokens = np.arange(len(self.words))
        layers: dict[int, TokenLayer] = {}
        at = np.array(self.above, dtype=np.int32)
        while (at >= 0).any():
            ends = last[at] == tokens
            layers[len(layers) + 1] = TokenLayer(names, name[at], ends, rules, rule[at], index[at])
            at = parent[at]
        return layers

    def _last(self) -> Int[np.ndarray, " row"]:
        """For each node the last token below it; for the row that says "none", -1."""
        last = [-1] * (len(self.rows) + 1)
        for token, row in enumerate(self.above):
            last[row] = token
        for row in range(len(self.rows) - 1, -1, -1):
            parent = self.rows[row][-1]
            last[parent] = max(last[parent], last[row])
        last[-1] = -1  # where the roots put theirs
        return np.array(last)


def _rule_text(tree: Tree) -> str:
    right = [write_terminal(c) if isinstance(c, str) else c.label for c in tree.children]
    return f"{tree.label} -> {' '.join(right)}"


def _expand(given: list[str | Path]) -> list[Path]:
    files: list[Path] = []
    for one in given:
        path = Path(one)
        if path.is_dir():
            raise TreebankError(
                f"{path} is a folder; files of Penn brackets were expected: give a glob such as "
                f"'{path / '*.ptb'}'"
            )
        if path.exists():
            files.append(path)
            continue
        matches = sorted(glob(str(one), recursive=True))
        if not matches:
            raise TreebankError(
                f"no file matches {str(one)!r}; give a file of Penn brackets or a glob such as "
                "'trees/*.ptb'"
            )
        files += [Path(match) for match in matches]
    if not files:
        raise TreebankError("no treebank file was given: name at least one, or 'trees/*.ptb'")
    return files


def _first(files: list[Path]) -> str:
    return ", ".join(str(file) for file in files[:3]) + (", ..." if len(files) > 3 else "")
