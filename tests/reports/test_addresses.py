"""An address leads to its row, and opens what is folded around it; sites in words."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given, strategies as st

from linrep.reports.addresses import Addresses, slug
from linrep.reports.html import render_html
from linrep.reports.merged_notes import merged
from linrep.reports.values import place

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NAMES = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=3).map(tuple)


@given(st.lists(NAMES, max_size=12))
def test_different_things_have_different_addresses_and_each_keeps_its_own(things):
    made = Addresses()
    first = [made.of(*thing) for thing in things]
    assert first == [made.of(*thing) for thing in things]
    assert len(set(first)) == len(set(things))
    assert not any(re.search(r'[\s"<>&#%]', address) for address in first)


@given(st.text())
def test_a_part_of_an_address_is_never_empty(name):
    assert slug(name)
    assert "/" not in slug(name)


@given(st.lists(st.sampled_from(["a: 1 of 2", "b: 3 of 2", "b: other", "all", "c 1"]), max_size=8))
def test_merging_loses_no_note_and_no_target(notes):
    told = merged(notes, ["a", "b"])
    assert len(told) == len(set(told))
    assert merged(told, []) == told
    for note in notes:
        words = re.sub(r"\d", "", note.split(": ")[-1]).split()
        assert any(all(word in one for word in words) for one in told)
        if ": " in note:
            assert any(note[0] in one.split(":")[0] for one in told)


def test_a_site_in_words():
    assert place("blocks.11.hook_resid_post", 12) == "after block 11 of 0–11"
    assert place("blocks.0.hook_resid_post", 1) == "after block 0 of 0–0"
    assert place("blocks.0.hook_resid_pre", 12) == "at the embedding"
    assert place("all sites") == "at all sites"


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_an_address_opens_the_folds_around_it(run, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(render_html(run), encoding="utf-8")
    row = run.studies[0].scores.rows[-1]
    name = "/".join((run.studies[0].name, slug(row["site"]), slug(row["target"])))
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=10000", "--dump-dom",
    ]  # fmt: skip
    shown = {}
    for address in ("", f"#{name}"):
        where = page.as_uri() + address
        done = subprocess.run([*command, where], capture_output=True, text=True, timeout=120)
        shown[address] = done.stdout[done.stdout.rindex("<main>") :]
    fold = f'<details id="{run.studies[0].name}/numbers-table"'
    assert f"{fold}>" in shown[""]
    assert f'{fold} open="">' in shown[f"#{name}"]
    assert f'<tr id="{name}" class="arrived"' in shown[f"#{name}"]
    tables = shown[""].count("<table")
    assert tables >= 3
    assert shown[""].count(">copy as CSV</button>") == tables
