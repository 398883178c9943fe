"""The built site asks for nothing from elsewhere: what a page would request lies beside it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.util.logging import getLogger

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["asked_elsewhere", "refuse_elsewhere"]

LOGGER = getLogger(__name__)
# Tags that a browser follows by itself; a link in a text is followed by its reader.
TAG = re.compile(r"<(?:script|link|img|iframe|source|video|audio|object|embed)\b[^>]*>", re.I)
ADDRESS = re.compile(
    r"""\b(?:src|href|srcset|data)\s*=\s*["']?\s*((?:https?:)?//[^\s"'>]+)""", re.I
)
NAMED = re.compile(r"""rel\s*=\s*["']?(?:canonical|author|license)\b""", re.I)  # never requested
STYLE = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^\s"')]+)""", re.I)


def asked_elsewhere(text: str, *, style: bool = False) -> list[str]:
    """Addresses on other machines that a browser would ask for.

    Args:
        text: of a page, or of a style sheet.
        style: whether it is a style sheet.

    >>> asked_elsewhere('<a href="https://x.org">x</a><script src="https://cdn.org/a.js">')
    ['https://cdn.org/a.js']
    """
    if style:
        return STYLE.findall(text)
    tags = [tag for tag in TAG.findall(text) if not NAMED.search(tag)]
    return [address for tag in tags for address in ADDRESS.findall(tag)]


def refuse_elsewhere(app: "Sphinx", error: Exception | None) -> None:
    """Warn of each file of the site that would ask for something from elsewhere."""
    if error is not None or app.builder.format != "html":
        return
    for path in sorted(Path(app.outdir).rglob("*")):
        if path.suffix in (".html", ".css"):
            text = path.read_text("utf-8", errors="replace")
            for address in asked_elsewhere(text, style=path.suffix == ".css"):
                LOGGER.warning("%s asks for %s", path.relative_to(app.outdir), address)


def setup(app: "Sphinx") -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("build-finished", refuse_elsewhere, priority=900)  # when all files are there
    return {"parallel_read_safe": True, "parallel_write_safe": True}
