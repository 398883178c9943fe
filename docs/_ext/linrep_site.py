"""What the site draws from the code itself: names, commands, settings, messages, drawings."""

import re
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from linrep_commands import command_lines
from linrep_message_pages import MessagesCounted, MessagesOf
from linrep_settings import settings_lines
from sphinx.util.logging import getLogger

import linrep

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

LOGGER = getLogger(__name__)

PACKAGES = (
    "core", "corpora", "grammars", "piecewise", "models", "constructions", "hooks", "probes",
    "causal", "reports", "experiments",
)  # fmt: skip


def face(package: str) -> list[str]:
    """Public names of a package."""
    return list(import_module(f"linrep.{package}").__all__)


def page_of() -> dict[str, tuple[str, str]]:
    """Each public name once: the shortest path that it can be imported from -> (package, name)."""
    homes = {f"linrep.{name}": (home, name) for name, home in linrep._HOME.items()}
    seen = {identity(home, name) for home, name in homes.values()}
    for package in PACKAGES:
        for name in face(package):
            if identity(package, name) not in seen:
                seen.add(identity(package, name))
                homes[f"linrep.{package}.{name}"] = (package, name)
    return homes


def identity(package: str, name: str) -> object:
    """The object behind a name; a value that is shared by chance (a string) is told by its name."""
    value = getattr(import_module(f"linrep.{package}"), name)
    return id(value) if hasattr(value, "__module__") or isinstance(value, ModuleType) else name


def names_lines(package: str) -> list[str]:
    """A table of a package's names, then each of them from its docstring."""
    here = {path: name for path, (home, name) in page_of().items() if home == package}
    lines = [".. autosummary::", ""]
    modules = {path for path in here if is_module(package, here[path])}
    lines += [f"   ~{path}" for path in sorted({*here} - modules, key=str.lower)]
    for path in sorted(here, key=str.lower):
        value = getattr(import_module(f"linrep.{package}"), here[path])
        lines += ["", *documented(path, value)]
    return lines


def is_module(package: str, name: str) -> bool:
    """Whether a public name is a module, such as ``families``."""
    return isinstance(getattr(import_module(f"linrep.{package}"), name), ModuleType)


def documented(path: str, value: object) -> list[str]:
    """The directive that shows one name."""
    if isinstance(value, type):
        members = [] if issubclass(value, BaseException) else ["   :members:"]
        return [f".. autoclass:: {path}", *members, "   :show-inheritance:"]
    if isinstance(value, ModuleType):
        return [f".. automodule:: {value.__name__}", "   :members:"]
    kind = "autofunction" if callable(value) else "autodata"
    return [f".. {kind}:: {path}"]


class Drawn(Directive):
    """Parses lines that a function returns, as if they stood in the page."""

    has_content = False
    required_arguments = 1

    def lines(self) -> list[str]:
        """The lines."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse them."""
        holder = nodes.section()
        holder.document = self.state.document
        self.state.nested_parse(
            StringList(self.lines(), source=self.arguments[0]), 0, holder, match_titles=1
        )
        return holder.children


class NamesOf(Drawn):
    """``.. names-of:: hooks``."""

    def lines(self) -> list[str]:
        """Reference of one package."""
        return names_lines(self.arguments[0])


class SettingsOf(Drawn):
    """``.. settings-of:: StudySettings``."""

    def lines(self) -> list[str]:
        """Fields of a pydantic model and of the models inside it."""
        return settings_lines(self.arguments[0])


class CommandLine(Drawn):
    """``.. command-line:: linrep``."""

    def lines(self) -> list[str]:
        """Every command with its options."""
        return command_lines()


class Mermaid(Directive):
    """A drawing, shown as its text: the site loads nothing from elsewhere to draw it."""

    has_content = True
    options: ClassVar[dict[str, object]] = {}

    def run(self) -> list[nodes.Node]:
        """The text in a block."""
        return [nodes.literal_block("\n".join(self.content), "\n".join(self.content))]


def not_ours(
    _app: object, _what: str, name: str, member: object, _skip: bool, _options: object
) -> bool | None:
    """Leave out what a class has from another library without having written it itself."""
    return True if re.fullmatch(r"set_\w+_request", name) or member is None else None


def other_path(
    app: "Sphinx", _env: object, node: nodes.Element, shown: nodes.Element
) -> nodes.Node | None:
    """Where a reference names an object by another of its paths; what is not public gets no link.

    A name that cannot be imported stays unresolved, which is a warning.
    """
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target.startswith("linrep."):
        return None
    try:
        value = located(target)
    except (ImportError, AttributeError):
        return None
    path = paths_by_identity().get(value)
    if path is None:
        return shown
    domain = app.env.get_domain("py")
    return (
        domain.resolve_xref(app.env, node["refdoc"], app.builder, "obj", path, node, shown) or shown
    )


def none_is_missing(_app: object, env: "BuildEnvironment") -> None:
    """Warn of each public name that no page shows."""
    shown = env.get_domain("py").objects  # type: ignore[attr-defined]
    modules = {path for path, (home, name) in page_of().items() if is_module(home, name)}
    for path in page_of().keys() - modules - shown.keys():
        LOGGER.warning("the reference does not show %s", path)


def located(target: str) -> int:
    """Identity of the object at a dotted path.

    Raises:
        ImportError: if there is none.
    """
    parts = target.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            value: object = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            value = getattr(value, name)
        return id(value)
    raise ImportError(target)


@cache
def paths_by_identity() -> dict[int, str]:
    """Identity of each public object -> the path under which the reference shows it."""
    return {
        id(getattr(import_module(f"linrep.{home}"), name)): path
        for path, (home, name) in page_of().items()
    }


def setup(app: "Sphinx") -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-skip-member", not_ours)
    app.connect("missing-reference", other_path)
    app.connect("env-check-consistency", none_is_missing)
    app.add_directive("names-of", NamesOf)
    app.add_directive("settings-of", SettingsOf)
    app.add_directive("command-line", CommandLine)
    app.add_directive("messages-of", MessagesOf)
    app.add_directive("messages-counted", MessagesCounted)
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
