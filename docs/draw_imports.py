"""Draw docs/architecture.md's picture from the import graph, and list the import contracts.

``python docs/draw_imports.py`` prints both; ``--write`` puts them into the page. An arrow that
follows from others is left out: where a imports b and b imports c, nothing says that a imports c.
"""

import argparse
import configparser
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/architecture.md"
BEGIN, END = "<!-- drawn by docs/draw_imports.py -->", "<!-- end of the drawing -->"
COMMAND_LINE = "command line"


def room_of(module: str) -> str:
    """The room that a module stands in; modules of the command line are one room.

    >>> room_of("linrep.probes.grid.probe"), room_of("linrep.cli_run"), room_of("linrep.entry")
    ('probes', 'command line', 'command line')
    """
    name = module.split(".")[1] if "." in module else ""
    return COMMAND_LINE if name.startswith("cli") or name in ("", "entry", "__main__") else name


def imports() -> dict[str, set[str]]:
    """Room -> the rooms that it imports, as the modules' own import statements say."""
    import grimp

    graph = grimp.build_graph("linrep", cache_dir=None)
    found: dict[str, set[str]] = {room_of(module): set() for module in graph.modules}
    for module in graph.modules:
        here = room_of(module)
        others = map(room_of, graph.find_modules_directly_imported_by(module))
        found[here] |= {other for other in others if other != here}
    return found


def reachable(rooms: dict[str, set[str]], start: str) -> set[str]:
    """Everything that a room imports, directly or not.

    >>> sorted(reachable({"a": {"b"}, "b": {"c"}, "c": set()}, "a"))
    ['b', 'c']
    """
    seen: set[str] = set()
    ahead = list(rooms[start])
    while ahead:
        room = ahead.pop()
        if room not in seen:
            seen.add(room)
            ahead += rooms[room]
    return seen


def arrows(rooms: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Imports that do not follow from others, in order; rooms must not import in a circle.

    >>> arrows({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    [('a', 'b'), ('b', 'c')]
    """
    return [
        (room, other)
        for room in sorted(rooms)
        for other in sorted(rooms[room])
        if not any(other in reachable(rooms, between) for between in rooms[room] - {other})
    ]


def contracts() -> list[tuple[str, str]]:
    """Container and layers, from top to bottom, of each import contract in setup.cfg."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    found = []
    for section in config.sections():
        if section.startswith("importlinter:contract:"):
            holder = config[section].get("containers", "linrep").strip()
            layers = config[section]["layers"].strip().splitlines()
            found.append((holder, " > ".join(layer.replace("linrep.", "") for layer in layers)))
    return found


def drawing() -> str:
    """What stands between the page's marks."""
    rooms = imports()
    lines = ["```mermaid", "flowchart TD"]
    lines += [f'    {name.replace(" ", "_")}["{name}"]' for name in sorted(rooms)]
    lines += [
        f"    {upper.replace(' ', '_')} --> {lower.replace(' ', '_')}"
        for upper, lower in arrows(rooms)
    ]
    lines += ["```", "", "| room | imports |", "|---|---|"]
    lines += [
        f"| {name} | {', '.join(sorted(rooms[name])) or 'nothing'} |" for name in sorted(rooms)
    ]
    lines += [
        "",
        "| inside | from top to bottom; what stands between bars does not import each other |",
    ]
    lines += ["|---|---|"]
    lines += [f"| `{holder}` | {layers.replace('|', '&#124;')} |" for holder, layers in contracts()]
    return "\n".join(lines)


def parted(page: str) -> tuple[str, str, str]:
    """A page up to the first mark, what is drawn, and the rest.

    Raises:
        ValueError: a mark is missing.
    """
    found = re.fullmatch(f"(.*{BEGIN}\n)(.*)(\n{END}.*)", page, re.S)
    if found is None:
        raise ValueError(f"{PAGE} lacks {BEGIN} or {END}")
    return found[1], found[2], found[3]


def main() -> None:
    """Print the drawing, or write it into the page."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--write", action="store_true", help="put it into docs/architecture.md")
    if not reader.parse_args().write:
        print(drawing())
        return
    before, _, after = parted(PAGE.read_text("utf-8"))
    PAGE.write_text(before + drawing() + after, "utf-8")


if __name__ == "__main__":
    main()
