"""Examples on pages: what the script shows is what Python says; markup stays text."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from linrep.probes.examples.values import ExampleNode, Examples, ExampleTarget, ExampleText
from linrep.probes.examples.view import ExamplesView, script, sentence, shade, style, told
from linrep.reports import read_run, write_run
from linrep.reports.html import render_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SITES = ("blocks.0.hook_resid_pre", "blocks.0.hook_resid_post", "blocks.1.hook_resid_post")
HOSTILE = "<img src=x onerror=alert(1)>"
CLOSER = "</script><script>document.title='out'</script>"


def made():
    """Eight texts, three targets, three sites; markup in words, labels, gaps and names."""
    texts = [
        ExampleText(
            ("the", f"dog{i}", HOSTILE), 10 * i, "wrong" if i % 2 else "random",
            nodes=(ExampleNode("NP", 0, 2, 1), ExampleNode(CLOSER, 0, 3, 2)),
        )
        for i in range(6)
    ]  # fmt: skip
    texts += [
        ExampleText((HOSTILE,), 71, "random", gaps=("It is ", CLOSER)),
        ExampleText(("a", "b"), 72, "random", cut=300),
    ]
    sizes = [len(text.words) for text in texts]
    names = ("N", "V", HOSTILE, CLOSER)

    def line(text, site, kind):
        out = []
        for word in range(sizes[text]):
            code, sure = (text + word) % 4, (37 * text + 11 * word + 29 * site) % 101
            wrong = (text + word + site) % 3 == 0
            if kind == "number":
                out.append(f"{sure / 10},-1;{sure - 30}")
            elif kind == "bare":
                out.append(f"!{(code + 1) % 4}" if wrong else "=")
            elif wrong:
                out.append(f"{(code + 1) % 4}:{sure}:" + ("-" if sure % 2 else f"{sure // 3}"))
            else:
                out.append(str(sure))
        return " ".join(["-", *out[1:]]) if text == 1 else " ".join(out)

    def truth(text, kind):
        out = [f"{text}.5,2" if kind == "number" else str((text + word) % 4)
               for word in range(sizes[text])]  # fmt: skip
        return " ".join(["-", *out[1:]]) if text == 1 else " ".join(out)

    def target(name, kind):
        return ExampleTarget(
            name, "number" if kind == "number" else "class", () if kind == "number" else names,
            SITES[1], tuple(truth(i, kind) for i in range(len(texts))),
            {site: tuple(line(i, s, kind) for i in range(len(texts)))
             for s, site in enumerate(SITES)},
        )  # fmt: skip

    targets = (target("height 1", "class"), target("height/2 & <b>", "bare"), target("n", "number"))
    return Examples(tuple(texts), targets, SITES, n_texts=80, n_sites=3)


@pytest.fixture(scope="module")
def examples():
    return made()


class Parts(HTMLParser):
    """Names of all elements, and what the data element holds."""

    def __init__(self):
        super().__init__()
        self.tags, self.data, self.inside = [], "", False

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.inside = dict(attrs).get("class") == "ex-data"

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        self.data += data if self.inside else ""


def test_markup_in_words_labels_and_names_stays_text(examples):
    parts = Parts()
    parts.feed(ExamplesView(examples).fragment())
    assert "img" not in parts.tags
    assert parts.tags.count("script") == 1
    data = json.loads(parts.data)
    assert data["targets"][0]["classes"] == list(examples.targets[0].classes)
    assert [each["name"] for each in data["targets"]] == [each.name for each in examples.targets]


def test_the_script_makes_no_markup_of_text():
    """What it writes it writes as text, and it asks nothing of a network."""
    written = script()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                "fetch(", "XMLHttpRequest", "http:", "https:"):  # fmt: skip
        assert way not in written
    assert "url(" not in style()
    assert "@import" not in style()


def test_a_run_keeps_its_examples(run, examples, tmp_path):
    (study,) = run.studies
    kept = replace(run, studies=(replace(study, examples=examples),))
    folder = write_run(kept, tmp_path / "run")
    assert read_run(folder).studies[0].examples == examples
    assert json.loads((folder / "report.json").read_text("utf-8"))["studies"][0]["examples"]
    page = (folder / "report.html").read_text("utf-8")
    assert page.count('class="ex-data"') == 1
    assert page.count("document.querySelectorAll(&#34;") == 0
    assert page.count(script().strip()) == 1


def test_a_run_without_examples_says_nothing_of_them(run, tmp_path):
    page = render_html(run)
    assert "ex-data" not in page.replace(script(), "").replace(style(), "")
    assert script().strip() not in page
    folder = write_run(run, tmp_path / "run")
    assert "examples" not in json.loads((folder / "studies" / "planted.json").read_text("utf-8"))
    assert read_run(folder).studies[0].examples is None


def test_targets_are_called_as_the_page_calls_them(run, examples):
    (study,) = run.studies
    named = replace(study, examples=examples, names={"height 1": "part of speech"})
    page = render_html(replace(run, studies=(named,)))
    assert ">part of speech</option>" in page
    assert ">height 1</option>" not in page


def test_the_baseline_stands_beside(run, examples):
    (study,) = run.studies
    page = render_html(replace(run, studies=(replace(study, examples=examples),)))
    assert "On all 200 test tokens: accuracy 1.000 (0.980 to 1.000); strongest baseline" in page


def test_two_views_stand_in_frames_of_their_own(examples):
    cell = ExamplesView(examples)._repr_html_()
    assert cell.startswith("<iframe ")
    assert 'sandbox="allow-scripts"' in cell
    parts = Parts()
    parts.feed(cell)
    assert parts.tags == ["iframe"]


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_can_be_read_on_every_shade_and_shades_are_in_order():
    """4.5 to 1 is what WCAG asks of text; the order of lightness is seen without any colour."""
    for theme in style().split("prefers-color-scheme: dark"):
        found = dict(re.findall(r"--ex-([st]\d): (#[0-9a-f]{6})", theme))
        grounds = [luminance(found[f"s{i}"]) for i in range(6)]
        for i, ground in enumerate(grounds):
            bright, dim = sorted([ground, luminance(found[f"t{i}"])], reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (theme[:40], i)
        assert grounds in (sorted(grounds), sorted(grounds, reverse=True))


DRIVER = """
const root = document.querySelector("section.ex"), get = (css) => root.querySelector(css);
const log = { errors: window.failed, states: [] };
const tell = (css, name) => get(css).dispatchEvent(new Event(name));
const set = (css, value, name) => { get(css).value = value; tell(css, name); };
const check = (yes) => { get(".ex-wrong").checked = yes; tell(".ex-wrong", "change"); };
const texts = () => [...get(".ex-list").children].map((item) => ({
  n: Number(item.dataset.n), hidden: item.hidden,
  link: item.querySelector(".ex-link").getAttribute("href"),
  words: [...item.querySelectorAll(".ex-word")].map((word) =>
    [word.className, word.textContent, word.nextElementSibling.textContent, word.title]) }));
log.first = texts();
for (const target of [0, 1, 2]) for (const site of [0, 1, 2]) {
  set(".ex-target", target, "change");
  log.start = get(".ex-site").value;
  set(".ex-site", site, "input");
  log.states.push({ target, site, place: get(".ex-place").textContent, texts: texts() });
}
log.noLabels = get(".ex-label").hidden;
set(".ex-target", 0, "change"); set(".ex-site", 1, "input");
get(".ex-more").click();
log.shown = texts().filter((text) => !text.hidden).length;
set(".ex-label", "2", "change");
log.labelled = texts().filter((text) => !text.hidden).map((text) => text.n);
log.options = [...get(".ex-label").options].map((option) => option.textContent);
set(".ex-label", "", "change"); check(true);
log.wrong = texts().filter((text) => !text.hidden).map((text) => text.n);
check(false);
const row = get('[data-n="0"]').querySelectorAll(".ex-word");
row[0].focus();
row[0].dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
log.focused = document.activeElement === row[1];
log.detail = row[1].closest(".ex-text").querySelector(".ex-detail").textContent;
location.hash = "#" + encodeURIComponent("étude/2/1/example-8");
setTimeout(() => {
  const here = get(".ex-here");
  log.there = [get(".ex-target").value, get(".ex-site").value, here.dataset.n, here.hidden];
  log.images = document.querySelectorAll("img").length; log.title = document.title;
  const out = document.createElement("pre"); out.id = "log"; out.textContent = JSON.stringify(log);
  document.body.append(out);
}, 50);
"""


class Log(HTMLParser):
    """Text of the element that the driver writes."""

    def __init__(self):
        super().__init__()
        self.text, self.inside = "", False

    def handle_starttag(self, tag, attrs):
        self.inside = dict(attrs).get("id") == "log"

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        self.text += data if self.inside else ""


@pytest.fixture(scope="module")
def driven(examples, tmp_path_factory):
    """What a browser shows in every state of the view."""
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    folder = tmp_path_factory.mktemp("page")
    cells = {
        (site, target.name): f"étude/{s}/{t}"
        for s, site in enumerate(SITES) for t, target in enumerate(examples.targets)
    }  # fmt: skip
    page = (
        "<!doctype html><meta charset='utf-8'><title>in</title><script>window.failed = [];"
        "addEventListener('error', (event) => failed.push(event.message));</script>"
        f"<style>{style()}</style><body>{ExamplesView(examples).fragment('x', cells)}"
        f"<script>{script()}</script>"
        f"<script>{DRIVER}</script></body>"
    )
    (folder / "page.html").write_text(page, "utf-8")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}",
        "--virtual-time-budget=10000", "--dump-dom", (folder / "page.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = Log()
    found.feed(done.stdout)
    return json.loads(found.text)


def said(examples, target, site):
    """What the page has to show, from Python."""
    shown = []
    for index in examples.order(site, target.name):
        words = []
        for place, word in enumerate(examples.texts[index].words):
            answer = target.answer(site, index, place)
            css = "ex-word" if answer is None else f"ex-word {shade(answer)}"
            words.append([
                css if answer is None or answer.right else f"{css} ex-bad",
                word, "" if answer is None else told(answer), sentence(answer, target),
            ])  # fmt: skip
        shown.append((index, words))
    return shown


def test_a_browser_shows_what_each_probe_said_at_every_site(examples, driven):
    assert driven["errors"] == []
    assert len(driven["states"]) == 9
    for state in driven["states"]:
        target, site = examples.targets[state["target"]], SITES[state["site"]]
        assert state["place"] == site
        assert [(text["n"], text["words"]) for text in state["texts"]] == said(
            examples, target, site
        )


def test_it_starts_where_the_target_is_read_best(examples, driven):
    target = examples.targets[0]
    assert [(t["n"], t["words"]) for t in driven["first"]] == said(examples, target, target.start)
    assert driven["start"] == str(SITES.index(target.start))


def test_without_a_script_the_first_place_is_shown(examples):
    """The same words in the same order, with the same colours and labels."""
    page = ExamplesView(examples).fragment()
    order = [int(n) for n in re.findall(r'data-n="(\d+)"', page)]
    target = examples.targets[0]
    assert order == list(examples.order(target.start, target.name))
    shades = re.findall(r'class="ex-word ?([^"]*)"', page)
    shown = [word for _, words in said(examples, target, target.start) for word in words]
    assert [each.strip() for each in shades] == [
        css.removeprefix("ex-word").strip() for css, *_ in shown
    ]


def test_filters_keep_what_fits(examples, driven):
    target, site = examples.targets[0], SITES[1]
    answers = {
        i: [a for w in range(len(text.words)) if (a := target.answer(site, i, w))]
        for i, text in enumerate(examples.texts)
    }
    assert driven["shown"] == len(examples.texts)
    labelled = [i for i in answers if any(a.true == HOSTILE for a in answers[i])]
    assert sorted(driven["labelled"]) == labelled
    assert sorted(driven["wrong"]) == [i for i in answers if any(not a.right for a in answers[i])]
    assert driven["options"] == ["all labels", *target.classes]
    assert driven["noLabels"]  # numbers have none
    assert 0 < len(driven["wrong"]) < len(answers) or 0 < len(driven["labelled"]) < len(answers)


def test_few_are_shown_until_more_are_asked_for(driven):
    assert sum(not text["hidden"] for text in driven["first"]) == 6


def test_arrows_go_from_word_to_word(examples, driven):
    assert driven["focused"]
    answer = examples.targets[0].answer(SITES[1], 0, 1)
    assert driven["detail"] == "dog0: " + sentence(answer, examples.targets[0])


def test_an_address_leads_to_its_example(driven):
    assert driven["there"] == ["1", "2", "7", False]
    link = next(text["link"] for text in driven["states"][5]["texts"] if text["n"] == 7)
    assert link == "#étude/2/1/example-8"


def test_nothing_hostile_happened(driven):
    assert driven["images"] == 0
    assert driven["title"] == "in"
