"""Trees of other libraries as ours."""

from typing import Any

from .errors import LanguageError
from .tree import Tree

__all__ = ["as_tree"]


def as_tree(given: Any) -> Tree:
    """A tree as it is, or one of ``nltk``: a list of children with a method ``label()``.

    Nothing here calls itself: trees may be of any height.

    Raises:
        LanguageError: something else, or a node without children.

    >>> import nltk
    >>> print(as_tree(nltk.Tree("S", [nltk.Tree("A", ["a"]), "b"])))
    (S (A a) b)
    """
    if isinstance(given, Tree):
        return given
    # Nodes in order, children after their parent; then each is made after its children.
    nodes = [given]
    below: list[list[int | str]] = []
    for node in nodes:  # grows while it is gone through
        if not (isinstance(node, list) and callable(getattr(node, "label", None)) and node):
            raise LanguageError(
                "a corpus is made of trees, linrep.Tree or nltk.Tree, each with a label and at "
                f"least one child; received {type(node).__name__} {node!r:.60}"
            )
        places: list[int | str] = []
        for child in node:
            places.append(child if isinstance(child, str) else len(nodes))
            if not isinstance(child, str):
                nodes.append(child)
        below.append(places)
    made: list[Tree] = [Tree("", ())] * len(nodes)
    for index in range(len(nodes) - 1, -1, -1):
        children = tuple(c if isinstance(c, str) else made[c] for c in below[index])
        made[index] = Tree(str(nodes[index].label()), children)
    return made[0]
