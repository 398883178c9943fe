"""Treebanks as corpora: labels are the steps above each token."""

from collections.abc import Iterable, Sequence
from glob import glob
from pathlib import Path

import numpy as np

from ..core import progress
from .corpus import Corpus
from .errors import LanguageError, TreebankError
from .layers import Layer
from .penn import Unary, parse_penn
from .rule import write_terminal
from .tree import Tree

__all__ = ["corpus_of_trees", "read_treebank"]


def read_treebank(
    paths: str | Path | Iterable[str | Path], *, unary: Unary | str = "keep", source: str = ""
) -> Corpus:
    """Read Penn bracket files into a corpus; heights are steps above the token.

    Height 1 is the part of speech, 2 the phrase above it, 3 the next, and so on. Empty categories
    and function tags are dropped (see :func:`parse_penn`).

    Args:
        paths: a file, a glob pattern, or several of them; read in the order given, matches sorted.
        unary: keep chains of single children, or collapse them into one node ``S+VP``.
        source: a line about where the trees come from; by default the number of files.

    Raises:
        TreebankError: nothing matches, a file cannot be read or is not in Penn brackets (file and
            line are named), or no tree holds a word.
    """
    if unary not in ("keep", "collapse"):
        raise TreebankError(f"unary is 'keep' or 'collapse'; received {unary!r}")
    files = _expand([paths] if isinstance(paths, (str, Path)) else list(paths))
    trees: list[Tree] = []
    for file in progress(files, "reading trees", total=len(files), unit="file"):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text in UTF-8"
            raise TreebankError(f"cannot read {file}: {reason}") from None
        trees += parse_penn(text, str(file), unary=unary)
    if not trees:
        raise TreebankError(f"no tree with a word in {len(files)} file(s): {_first(files)}")
    return corpus_of_trees(trees, source=source or f"{len(files)} treebank file(s)")


def corpus_of_trees(trees: Sequence[Tree], *, source: str = "") -> Corpus:
    """A corpus of given trees, with one height per step above the token.

    Raises:
        LanguageError: there is no tree.

    >>> corpus = corpus_of_trees([Tree("S", (Tree("A", ("a",)), Tree("B", ("b", "c"))))])
    >>> corpus.labels(1).tolist(), corpus.labels(2).tolist(), corpus.boundary(1).tolist()
    (['A', 'B', 'B'], ['S', 'S', 'S'], [True, False, True])
    """
    if not trees:
        raise LanguageError("a corpus of trees needs at least one tree")
    names: dict[str, int] = {}
    rules: dict[str, int] = {}
    words: list[str] = []
    offsets = [0]
    paths: list[list[tuple[int, int, int, int]]] = []
    for tree in trees:
        _walk(tree, words, paths, names, rules)
        offsets.append(len(words))
    vocabulary = {word: index for index, word in enumerate(sorted(set(words)))}
    return Corpus(
        np.array([vocabulary[word] for word in words], dtype=np.int32),
        tuple(vocabulary),
        np.array(offsets),
        _layers(paths, tuple(names), tuple(rules)),
        tuple(trees),
        None,
        source,
    )


def _walk(
    tree: Tree,
    words: list[str],
    paths: list[list[tuple[int, int, int, int]]],
    names: dict[str, int],
    rules: dict[str, int],
) -> None:
    """Append tokens, and for each the nodes above it: (name, rule, index, last token)."""
    stack: list[tuple[Tree | str, tuple[tuple[int, int, int, int], ...], int]] = [(tree, (), -1)]
    while stack:
        node, above, index = stack.pop()
        if isinstance(node, str):
            words.append(node)
            paths.append(list(above))
            continue
        name = names.setdefault(node.label, len(names))
        rule = rules.setdefault(_rule_text(node), len(rules))
        entry = (name, rule, index, len(words) + _count(node) - 1)
        here = (entry, *above)
        for place in range(len(node.children) - 1, -1, -1):
            stack.append((node.children[place], here, place))


def _count(tree: Tree) -> int:
    return len(tree.leaves())


def _rule_text(tree: Tree) -> str:
    right = [write_terminal(c) if isinstance(c, str) else c.label for c in tree.children]
    return f"{tree.label} -> {' '.join(right)}"


def _layers(
    paths: list[list[tuple[int, int, int, int]]], names: tuple[str, ...], rules: tuple[str, ...]
) -> dict[int, Layer]:
    layers: dict[int, Layer] = {}
    for height in range(1, max(len(path) for path in paths) + 1):
        missing = (-1, -1, -1, -1)
        rows = np.array(
            [path[height - 1] if height <= len(path) else missing for path in paths], dtype=np.int32
        )
        ends = rows[:, 3] == np.arange(len(paths))
        layers[height] = Layer(names, rows[:, 0], ends, rules, rows[:, 1], rows[:, 2])
    return layers


def _expand(given: list[str | Path]) -> list[Path]:
    files: list[Path] = []
    for one in given:
        path = Path(one)
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
        raise TreebankError("no treebank file was given")
    return files


def _first(files: list[Path]) -> str:
    return ", ".join(str(file) for file in files[:3]) + (", ..." if len(files) > 3 else "")
