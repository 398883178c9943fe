"""A page as PDF or as a picture, by a browser that is installed: no shell, no network."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..core import LinrepError

__all__ = ["BROWSERS", "BrowserError", "find_browser", "printed"]

BROWSERS: Final = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
    "chrome-headless-shell", "msedge", "microsoft-edge",
)  # fmt: skip
SECONDS: Final = 120
WIDTH: Final = 1200
TALLEST: Final = 16_000  # pixels that a browser can draw in one piece
FOLDED: Final = re.compile(r"<details(?=[ >])(?![^>]*\sopen[\s>])")
MEASURE: Final = (
    "<script>addEventListener('load', () => document.documentElement.setAttribute("
    "'data-height', document.documentElement.scrollHeight))</script>"
)


class BrowserError(LinrepError):
    """A page cannot be made a PDF or a picture here."""


def find_browser() -> str:
    """The first of the known browsers that is on the path.

    Raises:
        BrowserError: there is none.
    """
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise BrowserError(
        "a PDF or a picture of a page is made by a browser, and none is installed: none of "
        f"{', '.join(BROWSERS)} is on the PATH; install Chromium, or write the page as .html and "
        "print it from any browser"
    )


def printed(html: str, kind: str) -> bytes:
    """A page as a PDF, or as a picture of all of it.

    In a PDF, what is folded on the page is open. The browser reads the page from a temporary
    file, with a temporary profile, and looks up no host. Both are gone afterwards, whatever
    happens.

    Args:
        html: the page, with everything in it.
        kind: ``pdf`` or ``png``.

    Raises:
        BrowserError: no browser is installed, or it fails; a picture would be too tall.
    """
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="linrep-page-", ignore_cleanup_errors=True) as folder:
        here = Path(folder)
        page, out = here / "page.html", here / f"page.{kind}"
        shown = FOLDED.sub("<details open", html) if kind == "pdf" else html
        page.write_text(shown, encoding="utf-8")
        if kind == "pdf":
            _run(browser, here, ["--no-pdf-header-footer", f"--print-to-pdf={out}"], page)
        else:
            height = _height(browser, here, html)
            size = [f"--window-size={WIDTH},{height}", "--hide-scrollbars"]
            _run(browser, here, [*size, f"--screenshot={out}"], page)
        if not out.is_file() or not out.stat().st_size:
            raise BrowserError(
                f"{browser} has written no {kind}: write the page as .html and print it from a "
                "browser"
            )
        return out.read_bytes()


def _height(browser: str, here: Path, html: str) -> int:
    """How tall the whole page is.

    Raises:
        BrowserError: it is taller than a picture can be.
    """
    measured = here / "measured.html"
    measured.write_text(html.replace("</body>", f"{MEASURE}</body>", 1), encoding="utf-8")
    text = _run(browser, here, [f"--window-size={WIDTH},900", "--dump-dom"], measured)
    found = re.search(r'data-height="(\d+)"', text)
    height = int(found[1]) if found else 900
    if height > TALLEST:
        raise BrowserError(
            f"the page is {height} pixels tall; a picture holds at most {TALLEST}: take .pdf"
        )
    return max(height, 200)


def _run(browser: str, here: Path, asked: Sequence[str], page: Path) -> str:
    """Let the browser do one thing.

    Raises:
        BrowserError: it fails, or takes too long.
    """
    line = [
        browser, "--headless=new", "--disable-gpu", "--no-first-run", "--disable-extensions",
        "--disable-background-networking", "--disable-sync", "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000",
        f"--user-data-dir={here / 'profile'}", *asked, page.as_uri(),
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        line.insert(1, "--no-sandbox")  # Chromium has no sandbox for root
    try:
        done = subprocess.run(
            line, capture_output=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise BrowserError(
            f"{browser} did not finish the page within {SECONDS} seconds: write it as .html and "
            "print it from a browser"
        ) from None
    except OSError as error:
        raise BrowserError(
            f"{browser} cannot be started: {error.strerror}: write the page as .html and print it "
            "from a browser"
        ) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BrowserError(
            f"{browser} failed (status {done.returncode}): {(said or ['it said nothing'])[-1]:.200}"
        )
    return done.stdout.decode("utf-8", "replace")
