"""Every message of linrep, drawn from the source: where it is raised, and its words.

A field of an f-string becomes a placeholder in braces. A raise that has no words of its own is
listed with the reason; one from which nothing can be drawn is an error, so that the list is whole.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path

from linrep_message_words import Words, values_by_name

__all__ = ["AREAS", "Message", "Undrawn", "messages"]

SOURCE = Path(__file__).resolve().parents[2] / "src" / "linrep"
if not SOURCE.is_dir():  # a copy of the pages alone: the package that is installed
    SOURCE = Path(import_module("linrep").__file__ or "").parent
AREAS = (
    "corpora", "grammars", "piecewise", "models", "constructions", "hooks", "probes", "causal",
    "reports", "experiments", "core", "cli",
)  # fmt: skip

# Raises without words of their own, and why: by class, or by what is handed on.
WORDLESS = {
    "Stop": "no error: ends a forward pass when all that was asked for has been read",
    "Unfit": "inside only: the message is that of the argument (core/arguments.py)",
    "typer.Exit": "the exit status of a command whose answer is printed already",
    "SystemExit": "the exit status",
    "KeyboardInterrupt": "the user's own interruption",
}
HANDED_ON = {
    "GrammarError(*)": "lists the problems that were found; each of them stands here",
    "NothingToExchange(str(next(iter(without.values()))))": "hands on the first NothingToExchange",
    "next((reason for reason in reasons if str(reason)), Unfit())": WORDLESS["Unfit"],
    "SettingsError(chosen[0])": "says the page's own note on why no height can be probed",
    "error": "hands on the error that it was given",
    "better": "hands on a LoadError that stands here",
    "Problem(fault.text, *line.spot(fault.offset), kind='form')": "gives a _Syntax its place",
}


class Undrawn(ValueError):
    """There is a raise whose words cannot be read from the source."""


@dataclass(frozen=True)
class Message:
    """One place that makes an error, or warns.

    Args:
        module: the file, below the package.
        where: the function or method around it.
        first: its first line.
        last: its last line.
        kind: class of the exception.
        texts: the words, in each of their variants.
        reason: why there are no words of its own; else empty.
    """

    module: str
    where: str
    first: int
    last: int
    kind: str
    texts: tuple[str, ...] = ()
    reason: str = ""

    @property
    def area(self) -> str:
        """The package; ``cli`` for the modules beside the packages."""
        return self.module.split("/")[0] if "/" in self.module else "cli"

    @property
    def name(self) -> str:
        """What it is known by when its lines move."""
        return f"{self.where}: {self.kind}: {self.texts[0][:72] if self.texts else ''}"


Site = tuple[ast.Raise | ast.Call, str, ast.AST]


@cache
def messages(source: Path = SOURCE) -> tuple[Message, ...]:
    """Every message, in the order of the source.

    Raises:
        Undrawn: words of some cannot be drawn; the text names each of them.
    """
    trees = {path.relative_to(source).as_posix(): parsed(path) for path in walked(source)}
    kinds = exceptions(trees.values())
    helpers, constants = everywhere(trees.values())
    found, refused = [], []
    for module, tree in trees.items():
        own, top = everywhere([tree])
        for node, where, function in sites(tree, kinds):
            words = Words(function, helpers | own, constants | top)
            try:
                kind, texts, reason = content(node, words)
            except Undrawn as error:
                refused.append(f"{module}:{node.lineno}: {error}")
                continue
            last = node.end_lineno or node.lineno
            found.append(Message(module, where, node.lineno, last, kind, texts, reason))
    if refused:
        raise Undrawn("no words can be drawn from these:\n" + "\n".join(refused))
    return tuple(found)


def walked(folder: Path) -> Iterator[Path]:
    """Modules below a folder in order, also behind links."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from walked(path)
        elif path.suffix == ".py":
            yield path


def parsed(path: Path) -> ast.Module:
    """The tree of a file."""
    return ast.parse(path.read_text("utf-8"))


def everywhere(
    trees: Iterable[ast.Module],
) -> tuple[dict[str, ast.FunctionDef], dict[str, list[ast.expr]]]:
    """Functions by name, and what modules name at their top; names of two things are left out."""
    functions: dict[str, list[ast.FunctionDef]] = {}
    constants: dict[str, list[ast.expr]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                functions.setdefault(node.name, []).append(node)
        top = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
        for name, values in values_by_name(ast.Module(top, [])).items():
            constants.setdefault(name, []).extend(values)
    helpers = {name: found[0] for name, found in functions.items() if len(found) == 1}
    constants = {name: values for name, values in constants.items() if len(values) == 1}
    return helpers, constants


def exceptions(trees: Iterable[ast.Module]) -> set[str]:
    """Classes of exceptions that the package defines, and the record of a grammar's problem."""
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found, more = {"Exception"}, {"Problem"}
    while more:
        found |= more
        more = {name for name, above in bases.items() if found & above} - found
    return found - {"Exception"}


def sites(tree: ast.Module, kinds: set[str]) -> Iterator[Site]:
    """Raises that name something, errors made outside of a raise, and warnings.

    A problem of a grammar that is made inside a raise counts for itself.
    """

    def below(node: ast.AST, where: str, function: ast.AST, raising: bool) -> Iterator[Site]:
        for child in ast.iter_child_nodes(node):
            inside, around, inner = where, function, raising
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                inside = f"{where}.{child.name}" if where else child.name
                around = child if isinstance(child, ast.FunctionDef) else function
            elif isinstance(child, ast.Raise) and child.exc is not None:
                yield child, where, function
                inner = True
            elif isinstance(child, ast.Call):
                called = ast.unparse(child.func)
                if called in ("Problem", "warnings.warn") or (called in kinds and not raising):
                    yield child, where, function
                    inner = True
            yield from below(child, inside, around, inner)

    yield from below(tree, "", tree, raising=False)


def content(node: ast.Raise | ast.Call, words: Words) -> tuple[str, tuple[str, ...], str]:
    """Class, words and, where there are none, the reason.

    Raises:
        Undrawn: there is neither.
    """
    made = node if isinstance(node, ast.Call) else node.exc or node
    called = made.func if isinstance(made, ast.Call) else made
    kind = ast.unparse(called)
    parts = made.args if isinstance(made, ast.Call) else []
    if kind == "warnings.warn":
        kind, parts = ast.unparse(parts[1]) if len(parts) > 1 else "UserWarning", parts[:1]
    for part in parts:
        if texts := words.of(part):
            return kind, tuple(texts), ""
    if kind in WORDLESS:
        return kind, (), WORDLESS[kind]
    if caught := words.caught_in(made):
        return kind, (), f"hands on the message of the {caught} that it caught"
    for form, reason in HANDED_ON.items():
        if fnmatchcase(ast.unparse(made), form.replace("[", "[[]")):
            return kind, (), reason
    raise Undrawn(ast.unparse(made))
