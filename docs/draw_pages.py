"""Small pictures of report pages, to look at after a change: widths, light, dark and print.

``python docs/draw_pages.py demo=runs/demo/report.html ...`` writes
``docs/pages/demo-400-light.webp`` and so on, half as wide as the page; it needs Chromium.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import Browser  # noqa: E402

SHOTS = {
    "400-light": (400, 1600),
    "900-light": (900, 1300),
    "1400-light": (1400, 1300),
    "1400-dark": (1400, 1300),
    "800-print": (800, 1130),
}
"""Name -> width and height in pixels."""
DRAWN = """[...document.querySelectorAll(".plot")].every((plot) =>
  plot.dataset.drawn || !plot.checkVisibility()
  || plot.getBoundingClientRect().top > innerHeight)"""
"""Whether every figure is drawn that is in sight."""


def main() -> None:
    """Draw every page that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", metavar="NAME=PAGE.html")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "pages")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(Path(profile))
        for each in asked.pages:
            name, _, page = each.partition("=")
            for shot, size in SHOTS.items():
                path = asked.to / f"{name}-{shot}.webp"
                how = shot.partition("-")[2]
                made = picture(browser, Path(page).resolve(), *size, how)
                made.save(path, quality=45, method=6)
                print(path, path.stat().st_size)
        browser.close()


def picture(browser: Browser, page: Path, width: int, height: int, how: str) -> Image.Image:
    """The upper part of a page, with its first figure drawn, at half its size."""
    browser.open(page, width, dark=how == "dark", height=height)
    if how == "print":
        browser.send("Emulation.setEmulatedMedia", media="print")
    browser.wait(DRAWN)
    with tempfile.TemporaryDirectory() as folder:
        whole = Image.open(browser.picture(Path(folder) / "page.png", whole=False)).convert("RGB")
    browser.send("Emulation.setEmulatedMedia", media="")
    return whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
