"""The words of one message: literal text, with a readable placeholder for each value in it."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, product

__all__ = ["Words", "values_by_name", "worded"]

MOST_VARIANTS = 12  # of one message
SHOWN = 28  # letters of a placeholder
PLAIN = {"str", "repr", "shown", "sorted", "list", "tuple", "float", "int", "set", "abs"}
UNCHANGED = {"tolist", "items", "values", "keys", "item", "strip", "as_posix"}
# What a call says about its first argument.
SAYS = {"len": "number of {}", "min": "least of {}", "max": "greatest of {}", "sum": "sum of {}"}


def worded(text: str) -> bool:
    """Whether there is a word outside the placeholders.

    >>> worded("{what}: give a list"), worded("{head}: {fault}")
    (True, False)
    """
    return bool(re.search(r"[A-Za-z]{2,}", re.sub(r"\{[^{}]*\}", "", text)))


def values_by_name(body: ast.AST) -> dict[str, list[ast.expr]]:
    """What each name below a node is set to: by an assignment, or by a loop over a display."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(body):
        pairs: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            pairs = [(node.target, node.value)]
        elif isinstance(node, ast.For | ast.comprehension):
            pairs = [(node.target, value) for value in ranged(node.iter, found)]
        for target, value in pairs:
            for name, part in named(target, value):
                found.setdefault(name, []).append(part)
    return found


def named(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Names of an assignment with their values."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, part in zip(target.elts, value.elts, strict=False):
            yield from named(one, part)


def ranged(over: ast.expr, known: Mapping[str, list[ast.expr]]) -> Iterator[ast.expr]:
    """What a loop runs over, where that is written out: a list, or a dictionary and its items."""
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Attribute):
        over = over.func.value
    if isinstance(over, ast.Name):
        for value in known.get(over.id, []):
            yield from ranged(value, {})
    elif isinstance(over, ast.List | ast.Tuple):
        yield from over.elts
    elif isinstance(over, ast.Dict):
        for key, value in zip(over.keys, over.values, strict=True):
            if key is not None:
                yield ast.Tuple([key, value])


@dataclass(frozen=True)
class Words:
    """Draws the words of expressions in one function.

    Args:
        body: the function, or the module outside of functions.
        helpers: functions of the package that may return a message, by name.
        constants: values that modules name at their top.
        fields: whether values inside of a text are drawn too, not only named.
        depth: how many names and calls lie between the message and here.
    """

    body: ast.AST
    helpers: Mapping[str, ast.FunctionDef]
    constants: Mapping[str, list[ast.expr]]
    fields: bool = False
    depth: int = 0

    @cached_property
    def local(self) -> dict[str, list[ast.expr]]:
        """What the function's names are set to."""
        return values_by_name(self.body)

    @cached_property
    def caught(self) -> dict[str, str]:
        """Names of errors that the function has caught, with their class."""
        return {
            node.name: ast.unparse(node.type) if node.type else "any error"
            for node in ast.walk(self.body)
            if isinstance(node, ast.ExceptHandler) and node.name
        }

    def caught_in(self, node: ast.expr) -> str:
        """The class of an error that was caught and is named in an expression."""
        names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
        return next((self.caught[name] for name in names if name in self.caught), "")

    def deeper(self, body: ast.AST | None = None) -> "Words":
        """The same one step further, perhaps in another function."""
        return replace(self, body=body or self.body, depth=self.depth + 1)

    def of(self, node: ast.expr) -> list[str]:
        """Each variant of a message that has words; values inside are drawn where it has none."""
        for words in (self, replace(self, fields=True)):
            drawn = [" ".join(text.split()) for text in islice(words.drawn(node), MOST_VARIANTS)]
            if texts := [text for text in dict.fromkeys(drawn) if worded(text)]:
                return texts
        return []

    def drawn(self, node: ast.expr) -> Iterator[str]:
        """Variants, with the blanks of the source."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.replace("{", "(").replace("}", ")")
        elif isinstance(node, ast.JoinedStr):
            yield from joined(list(self.drawn(part)) for part in node.values)
        elif isinstance(node, ast.FormattedValue):
            yield from self.field(node.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield from joined(list(self.drawn(part)) for part in (node.left, node.right))
        elif isinstance(node, ast.IfExp):
            yield from self.drawn(node.body)
            yield from self.drawn(node.orelse)
        elif isinstance(node, ast.BoolOp):
            for part in node.values:
                yield from self.drawn(part)
        elif isinstance(node, ast.Name):
            yield from self.name(node)
        elif isinstance(node, ast.Call):
            yield from self.call(node)
        else:
            yield placeholder(node)

    def field(self, node: ast.expr) -> Iterator[str]:
        """A value inside a text: words where it is a constant of the module, or of two texts."""
        if self.fields or isinstance(node, ast.IfExp | ast.Constant):
            yield from self.drawn(node)
        elif isinstance(node, ast.Name) and node.id not in self.local:
            known = [v for v in self.constants.get(node.id, []) if isinstance(v, ast.Constant)]
            texts = [str(value.value) for value in known]
            yield texts[0] if len(texts) == 1 else placeholder(node)
        else:
            yield placeholder(node)

    def name(self, node: ast.Name) -> Iterator[str]:
        """What a name is set to, where that has words."""
        values = self.local.get(node.id) or self.constants.get(node.id) or []
        if self.depth > 3 or not values:
            yield placeholder(node)
            return
        for value in values:
            texts = list(self.deeper().drawn(value))
            yield from [text for text in texts if worded(text)] or [placeholder(node)]

    def call(self, node: ast.Call) -> Iterator[str]:
        """The words that a function returns, or a method of text leaves as they are."""
        called = ast.unparse(node.func).split(".")[-1]
        if isinstance(node.func, ast.Attribute) and called in ("rstrip", "strip", "lower"):
            yield from self.drawn(node.func.value)
        elif called in self.helpers and self.depth <= 3:
            helper = self.helpers[called]
            ends = [part for part in ast.walk(helper) if isinstance(part, ast.Return)]
            returned = [part.value for part in sorted(ends, key=lambda part: part.lineno)]
            found = [text for one in returned if one for text in self.deeper(helper).drawn(one)]
            yield from [text for text in found if worded(text)] or [placeholder(node)]
        else:
            yield placeholder(node)


def joined(parts: Iterator[list[str]]) -> Iterator[str]:
    """Every way to choose one variant of each part."""
    for choice in product(*parts):
        yield "".join(choice)


def placeholder(node: ast.expr) -> str:
    """A readable name in braces for a value.

    >>> placeholder(ast.parse("len(self.rows)", mode="eval").body)
    '{number of rows}'
    >>> placeholder(ast.parse("', '.join(str(x) for x in sorted(names))", mode="eval").body)
    '{names}'
    """
    return "{" + " ".join(said(node).split()) + "}"


def said(node: ast.expr) -> str:
    """A value in words as short as can be."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return node.id.strip("_").replace("_", " ").lower()
    if isinstance(node, ast.Attribute):
        return attribute(node)
    if isinstance(node, ast.Call):
        return of_call(node)
    if isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp):
        return said(node.generators[0].iter)
    if isinstance(node, ast.Subscript):
        return said(node.value)
    if isinstance(node, ast.BoolOp):
        return " or ".join(said(part) for part in node.values)
    if isinstance(node, ast.IfExp):
        return said(node.body)
    text = ast.unparse(node).replace("{", "(").replace("}", ")")
    return text if len(text) <= SHOWN else "..."


def attribute(node: ast.Attribute) -> str:
    """``error.strerror`` -> strerror; the name of a type -> type of it."""
    inner = node.value
    if node.attr in ("__name__", "__qualname__"):
        is_type = isinstance(inner, ast.Call) and ast.unparse(inner.func) == "type"
        return f"type of {said(inner.args[0])}" if is_type else said(inner)
    return node.attr.strip("_").replace("_", " ").lower()


def of_call(node: ast.Call) -> str:
    """A call by what it is about."""
    called = ast.unparse(node.func).split(".")[-1]
    args = [said(arg) for arg in node.args[:1]]
    if called in SAYS and args:
        return SAYS[called].format(args[0])
    if called in PLAIN | {"join", "next", "enumerate", "map", "zip", "any", "all"} and args:
        return said(node.args[-1]) if called == "map" else args[0]
    if isinstance(node.func, ast.Attribute) and called in UNCHANGED:
        return said(node.func.value)
    return called.strip("_").replace("_", " ") + (f" of {args[0]}" if args else "")
