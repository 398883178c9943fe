"""The page as PDF and as a picture: by an installed browser, refused where there is none."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from linrep.reports import report, report_difference
from linrep.reports.browser import BROWSERS, BrowserError, find_browser, printed

HERE = any(shutil.which(name) for name in BROWSERS)
needs_browser = pytest.mark.skipif(not HERE, reason="no browser is installed")
PAGE = "<!doctype html><html><body><details><summary>a</summary>b</details>{}</body></html>"


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A folder of its own for temporary files, to see what is left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def stub(tmp_path, monkeypatch, script):
    """A browser that does what the script says, alone on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    file = folder / "chromium"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr("linrep.reports.browser.BROWSERS", ("chromium",))
    return folder


def size_of(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


@needs_browser
def test_a_page_is_printed_whole_and_nothing_is_left(room):
    assert printed(PAGE.format(""), "pdf").startswith(b"%PDF-")
    width, height = size_of(printed(PAGE.format("<div style='height:3000px'></div>"), "png"))
    assert width == 1200
    assert 3000 <= height < 3200
    assert list(room.iterdir()) == []


@needs_browser
def test_a_picture_that_cannot_be_drawn_is_refused(room):
    with pytest.raises(BrowserError, match=r"pixels tall.*take \.pdf"):
        printed(PAGE.format("<div style='height:40000px'></div>"), "png")
    assert list(room.iterdir()) == []


@needs_browser
def test_the_report_of_a_run_as_pdf(run, tmp_path):
    made = report(run, tmp_path / "page.pdf")
    assert made.read_bytes().startswith(b"%PDF-")
    assert os.listdir(tmp_path) == ["page.pdf"]


def test_without_a_browser_it_is_refused_before_any_work(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for kind in ("pdf", "png"):
        with pytest.raises(BrowserError, match=r"none is installed: .*install Chromium, or write"):
            report(tmp_path / "no-run-at-all", tmp_path / f"page.{kind}")
    assert not list(tmp_path.iterdir())
    with pytest.raises(BrowserError):
        find_browser()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 0", "has written no pdf"),
        ("echo it broke >&2; exit 3", r"failed \(status 3\): it broke"),
        ("exit 4", "it said nothing"),
    ],
)
def test_a_browser_that_fails_is_told_and_nothing_is_left(
    room, tmp_path, monkeypatch, script, message
):
    stub(tmp_path, monkeypatch, script)
    with pytest.raises(BrowserError, match=message):
        printed(PAGE, "pdf")
    assert list(room.iterdir()) == []


def test_a_browser_that_hangs_is_ended(room, tmp_path, monkeypatch):
    stub(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr("linrep.reports.browser.SECONDS", 0.2)
    with pytest.raises(BrowserError, match="did not finish"):
        printed(PAGE, "pdf")
    assert list(room.iterdir()) == []


def test_the_browser_gets_no_network_no_shell_and_the_page_unfolded(tmp_path, monkeypatch, room):
    told = tmp_path / "told"
    folder = stub(
        tmp_path, monkeypatch,
        f'for a in "$@"; do echo "$a" >> {told}; done\n'
        f'for a in "$@"; do case "$a" in --print-to-pdf=*) echo x > "${{a#*=}}";; '
        f'file://*) cp "${{a#file://}}" {told}.html;; esac; done',
    )  # fmt: skip
    assert printed(PAGE.format("; touch hacked $(id)"), "pdf") == b"x\n"
    words = told.read_text().splitlines()
    assert "--host-resolver-rules=MAP * ~NOTFOUND" in words
    assert words[-1].startswith("file://")
    assert "<details open>" in Path(f"{told}.html").read_text()
    assert sorted(os.listdir(folder)) == ["chromium"]


@needs_browser
def test_the_page_of_two_runs_opens_without_a_word_from_the_browser(run, make, tmp_path):
    page = report_difference(run, make(found=False), tmp_path / "d.html").read_text("utf-8")
    assert printed(page, "pdf").startswith(b"%PDF-")
