"""The page in a browser: drawn, quiet, alone, readable at every width, by keyboard, on paper."""

import gzip
import json
from pathlib import Path

import pytest
from tests.browser import CHROMIUM, REQUIRED, Browser

from linrep.reports import report

from .full import ATTACK, full_run

pytestmark = pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="needs chromium")
AXE = Path(__file__).parents[1] / "assets" / "axe-4.14.1.min.js.gz"
WIDTHS = (400, 900, 1400)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return report(full_run(), tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


def unfold(browser):
    """Open everything that is folded, and look at every figure."""
    browser.run("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    count = browser.run("document.querySelectorAll('.plot').length")
    for i in range(count):
        one = f"document.querySelectorAll('.plot')[{i}]"
        browser.run(f"{one}.scrollIntoView({{ block: 'center' }})")
        browser.wait(f"{one}.dataset.drawn")
    return count


OVERLAPS = """
[...document.querySelectorAll(".plot")].flatMap((plot) => {
  const texts = [...plot.querySelectorAll(".xtick text, .ytick text, .annotation-text, .xtitle, "
    + ".x2title, .x3title, .ytitle, [class*=title] > text")];
  const boxes = [...new Set(texts)].filter((t) => t.textContent.trim())
    .map((t) => [t, t.getBoundingClientRect()]).filter(([, b]) => b.width);
  const turned = (t) => /rotate\\((?!0)/.test(t.getAttribute("transform") ?? "");
  const found = [];
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [[s, a], [t, b]] = [boxes[i], boxes[j]];
    if (turned(s) || turned(t)) continue; // the box around a slanted text is not its own
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 2 && down > 3) found.push([plot.id, s.textContent, t.textContent]);
  }
  return found;
})
"""

AXE_FAULTS = """
axe.run(document, { resultTypes: ["violations"] }).then((found) => found.violations
  .filter((each) => ["serious", "critical"].includes(each.impact))
  .map((each) => [each.id, each.nodes.length, each.nodes[0].html.slice(0, 200),
    each.nodes[0].failureSummary.slice(0, 300)]))
"""
WIDER = """
[...document.querySelectorAll(".plot")].filter((p) => p.scrollWidth > p.clientWidth + 1)
  .map((p) => p.id)
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_at_every_width_light_and_dark(browser, page, width, dark):
    """Every figure is drawn, quietly and from the page alone; nothing overflows or overlaps."""
    browser.open(page, width, dark=dark)
    count = unfold(browser)
    assert count >= 10
    assert browser.run("document.querySelectorAll('.plot-canvas .main-svg').length") >= count
    assert browser.faults == []
    assert browser.requests == []
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(WIDER) == []
    assert browser.run(OVERLAPS) == []
    browser.run(gzip.decompress(AXE.read_bytes()).decode("utf-8") + "; true")
    assert browser.run(AXE_FAULTS) == []


def test_names_are_text_wherever_they_stand(browser, page):
    """An element made of a name would ask for its address, or open a dialog."""
    browser.open(page)
    unfold(browser)
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.faults == []
    assert browser.requests == []
    drawn = browser.run("[...document.querySelectorAll('.plot text')].map((t) => t.textContent)")
    assert any(ATTACK in text for text in drawn)
    assert ATTACK in browser.run("document.title")


def test_a_figure_waits_until_it_is_seen(browser, page):
    """What is far below is drawn later: the page does not wait for it."""
    browser.open(page, 900, height=500)
    browser.run("document.querySelector('.plot').scrollIntoView()")
    browser.wait("!!document.querySelector('.plot').dataset.drawn")
    last = "[...document.querySelectorAll('.plot')].at(-1)"
    assert browser.run(f"{last}.dataset.drawn ?? ''") == ""
    browser.run(f"{last}.closest('details').open = true; {last}.scrollIntoView()")
    browser.wait(f"{last}.dataset.drawn")


def test_a_line_of_the_legend_comes_and_goes(browser, page):
    browser.open(page)
    unfold(browser)
    button = (
        "[...document.querySelectorAll('.plot-legend button')]"
        ".find((each) => each.textContent === 'untrained models')"
    )
    lines = f"{button}.closest('.plot').querySelectorAll('.scatterlayer .trace').length"
    assert browser.run(f"{button}.getAttribute('aria-pressed')") == "false"
    before = browser.run(lines)
    browser.run(f"{button}.click()")
    assert browser.run(f"{button}.getAttribute('aria-pressed')") == "true"
    assert browser.run(lines) == before + 2  # one in the panel of each target
    browser.run(f"{button}.click()")
    assert browser.run(lines) == before


SPACE = "document.querySelector('[data-view=turn]').closest('.plot')"
POINTS = f"JSON.stringify({SPACE}.querySelector('.plot-canvas').data.at(-1).x)"


def press(browser, name, code):
    for kind in ("keyDown", "keyUp"):
        key = {"key": name, "code": name, "windowsVirtualKeyCode": code}
        browser.send("Input.dispatchKeyEvent", type=kind, **key)


def test_a_slider_moves_by_the_keyboard(browser, page):
    """It turns one subspace into the other, says where it stands, and stays at another width."""
    browser.open(page)
    unfold(browser)
    slider = f"{SPACE}.querySelector('.plot-slider input')"
    before = browser.run(POINTS)
    browser.run(f"{slider}.focus()")
    press(browser, "End", 35)
    browser.wait(f"{slider}.getAttribute('aria-valuetext').endsWith('predicted')")
    after = browser.run(POINTS)
    assert after != before
    browser.resize(700)
    browser.wait(f"{SPACE}.querySelector('.plot-canvas').layout.width < 700")
    assert browser.run(POINTS) == after


def test_points_of_space_are_seen_from_where_the_reader_looks(browser, page):
    """Turned by half a circle the view is its mirror image; lengths stay as they are."""
    browser.open(page)
    unfold(browser)
    turn, tilt = (f"document.querySelector('[data-view={name}]')" for name in ("turn", "tilt"))
    for slider, value in ((turn, 0), (tilt, 0)):
        browser.run(f"{slider}.value = {value}; {slider}.dispatchEvent(new Event('input'))")
    front = json.loads(browser.run(POINTS))
    assert front == browser.run(
        f"JSON.parse({SPACE}.querySelector('script').textContent).data[0].x"
    )
    browser.run(f"{turn}.focus()")
    press(browser, "End", 35)
    browser.wait(f"{turn}.value === '180'")
    assert json.loads(browser.run(POINTS)) == pytest.approx([-x for x in front], abs=1e-9)


def numbers(browser):
    """Ask every figure for its numbers."""
    own = "[...document.querySelectorAll('.plot details')]"
    browser.run(f"{own}.forEach((each) => (each.open = true))")
    browser.wait(f"{own}.every((each) => each.querySelector('table'))")


def test_every_figure_can_be_reached_and_says_what_it_is(browser, page):
    browser.open(page)
    unfold(browser)
    numbers(browser)
    told = browser.run(
        "[...document.querySelectorAll('.plot-canvas')].map((c) => [c.tabIndex, c.ariaLabel])"
    )
    assert all(index == 0 and len(label) > 5 for index, label in told)
    tables = browser.run(
        "[...document.querySelectorAll('.plot details table')].map((t) => t.rows.length)"
    )
    assert len(tables) == len(told)
    assert min(tables) > 1


def test_the_numbers_of_a_figure_are_those_of_the_run(browser, page):
    browser.open(page)
    unfold(browser)
    numbers(browser)
    table = browser.run(
        "[...[...document.querySelectorAll('.plot')]"
        ".find((each) => each.textContent.includes('untrained models'))"
        ".querySelectorAll('details tr')].map((row) => [...row.cells].map((c) => c.textContent))"
    )
    assert ["height 2", "probe", "2", "1"] in [line[:4] for line in table]


def test_a_page_drawn_in_the_light_follows_the_dark(browser, page):
    browser.open(page)
    unfold(browser)
    ground = "getComputedStyle(document.querySelector('.plot .main-svg')).backgroundColor"
    light = browser.run(ground)
    browser.send("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark"}])  # fmt: skip
    browser.wait(f"{ground} !== {light!r}")
    assert browser.faults == []


def test_paper_shows_every_figure(browser, page):
    """Also those that nobody has looked at."""
    browser.open(page, 900, dark=True)
    browser.run(
        "window.before = 0; addEventListener('beforeprint', () => (window.before = "
        "[...document.querySelectorAll('.plot')].filter((each) => each.dataset.drawn).length))"
    )
    browser.wait("document.querySelector('.plot').dataset.ready")
    pdf = browser.paper()
    assert pdf.startswith(b"%PDF")
    assert browser.run("window.before") == browser.run("document.querySelectorAll('.plot').length")
    assert browser.faults == []
