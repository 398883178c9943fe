"""Trees as text: every node is a bar over its words, its label in the middle."""

from ..core import checked
from .errors import LanguageError
from .tree import Tree

__all__ = ["draw", "node_spans"]

GAP = 2  # blanks between words


@checked(LanguageError)
def draw(tree: Tree) -> str:
    """A tree over its sentence, for a fixed-width font.

    Args:
        tree: any tree; a node stands as many lines above the words as its longest path has edges.

    Returns:
        Lines of equal length, the root's first, the words last.

    >>> print(draw(Tree("S", (Tree("A", ("left",)), Tree("B", ("right", "up"))))))
    ┌───── S ──────┐
    ┌ A ┐  ┌── B ──┐
    left   right  up
    """
    words = tree.leaves()
    spans = node_spans(tree)
    widths = [max(len(word), 1) for word in words]
    for _, first, last, label in sorted(spans):  # the lower nodes first: they need room anyway
        missing = len(label) + 4 - _width(widths, first, last)
        widths[last] += max(0, missing)
    starts = [sum(widths[:i]) + GAP * i for i in range(len(words))]
    lines = [[" "] * _width(widths, 0, len(words) - 1) for _ in range(tree.height)]
    for height, first, last, label in spans:
        width = _width(widths, first, last)
        bar = f"┌{f' {label} '.center(width - 2, '─')}┐"
        lines[tree.height - height][starts[first] : starts[first] + width] = bar
    shown = (" " * GAP).join(word.ljust(width) for word, width in zip(words, widths, strict=True))
    return "\n".join([*("".join(line) for line in lines), shown])


def _width(widths: list[int], first: int, last: int) -> int:
    return sum(widths[first : last + 1]) + GAP * (last - first)


def node_spans(tree: Tree) -> list[tuple[int, int, int, str]]:
    """Where every node stands over the words of its tree.

    Args:
        tree: any tree.

    Returns:
        (height, first word, last word, label) of every node, children before parents; the height is
        the number of edges on the longest path down to a word.

    >>> node_spans(Tree("S", (Tree("A", ("left",)), "up")))
    [(1, 0, 0, 'A'), (2, 0, 1, 'S')]
    """
    found: list[tuple[int, int, int, str]] = []
    done: list[tuple[int, int]] = []  # height and number of words of what was read so far
    right = len(tree.leaves())
    for node in reversed([*tree.walk()]):  # from the last word to the first, children first
        if isinstance(node, str):
            right -= 1
            done.append((0, 1))
            continue
        below = [done.pop() for _ in node.children]
        height, size = 1 + max(h for h, _ in below), sum(n for _, n in below)
        done.append((height, size))
        found.append((height, right, right + size - 1, node.label))
    return found
