"""Run folders: whole or not at all, rebuilt without a model, equal to the byte."""

import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from linrep import LinrepError
from linrep.reports import (
    FolderError,
    RecordError,
    ReportError,
    Requirement,
    Run,
    check_run,
    fresh_folder,
    read_run,
    refuse_occupied,
    report,
    write_run,
)


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o002])
def test_subspaces_get_the_mode_that_the_system_gives(run, tmp_path, mask):
    before = os.umask(mask)
    try:
        out = write_run(run, tmp_path / "run")
    finally:
        os.umask(before)
    for name in ("settings.yaml", "subspaces.safetensors"):
        assert (out / name).stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_run_read_back_writes_the_same_bytes(run, tmp_path):
    write_run(run, tmp_path / "one")
    write_run(read_run(tmp_path / "one"), tmp_path / "two")
    first, second = files(tmp_path / "one"), files(tmp_path / "two")
    assert first == second
    reports = {"report.html", "report.md", "report.json"}
    data = {"settings.yaml", "scores.csv", "studies/planted.json", "subspaces.safetensors"}
    assert set(first) == {"manifest.json"} | data | reports


def test_everything_survives_the_folder(run, tmp_path):
    again = read_run(write_run(run, tmp_path / "run"))
    study, before = again.study("planted"), run.study("planted")
    assert again.settings == run.settings
    assert study.comparison == before.comparison
    assert study.scores == before.scores
    assert study.checks == before.checks
    cell = ("blocks.1.hook_resid_post", "height 2")
    for side in ("learned", "predicted"):
        assert (study.subspaces[side][cell].basis == before.subspaces[side][cell].basis).all()


def test_an_occupied_folder_is_refused_and_left_alone(run, tmp_path):
    out = write_run(run, tmp_path / "run")
    before = files(out)
    with pytest.raises(FolderError, match="already holds a run"):
        write_run(run, out)
    assert files(out) == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(FolderError, match="is not empty"):
            write_run(run, tmp_path / "other", overwrite=overwrite)
    assert (tmp_path / "other" / "thesis.tex").read_text() == "years of work"


def test_overwriting_replaces_the_run(run, make, tmp_path):
    out = write_run(make(seed=1), tmp_path / "run")
    write_run(run, out, overwrite=True)
    assert read_run(out).settings == run.settings
    assert os.listdir(tmp_path) == ["run"]


def die_half_way(out, error):
    with fresh_folder(out, overwrite=True) as folder:
        (folder / "half").write_text("written")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_half_written_is_left(tmp_path, error):
    with pytest.raises(error):
        die_half_way(tmp_path / "deep" / "down" / "run", error)
    assert not os.listdir(tmp_path)


def test_a_failed_overwrite_keeps_the_old_run(run, tmp_path):
    out = write_run(run, tmp_path / "run")
    before = files(out)
    with pytest.raises(KeyboardInterrupt):
        die_half_way(out, KeyboardInterrupt)
    assert files(out) == before
    assert os.listdir(tmp_path) == ["run"]


def test_a_file_or_a_closed_folder_is_refused(run, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FolderError, match="is a file"):
        write_run(run, tmp_path / "file")
    with pytest.raises(FolderError, match="cannot be made"):
        write_run(run, tmp_path / "file" / "below")


def test_damage_is_found(run, tmp_path):
    out = write_run(run, tmp_path / "run")
    study = out / "studies" / "planted.json"
    study.write_text(study.read_text().replace("1.0", "0.9", 1))
    with pytest.raises(FolderError, match="checksum"):
        read_run(out)
    study.unlink()
    with pytest.raises(FolderError, match="lacks its file"):
        read_run(out)


def test_other_folders_are_no_runs(run, tmp_path):
    with pytest.raises(FolderError, match="holds no run"):
        read_run(tmp_path)
    out = write_run(run, tmp_path / "run")
    (out / "manifest.json").write_text("{")
    with pytest.raises(FolderError, match="is not JSON .*: give a folder that linrep demo"):
        read_run(out)
    for text in ("{}", "[1]", "3"):
        (out / "manifest.json").write_text(text)
        with pytest.raises(FolderError, match="not the manifest of a run") as caught:
            read_run(out)
        assert "a JSON object with format, title, question, studies" in str(caught.value)
        assert f"received {text}: give a folder that linrep demo, probe or" in str(caught.value)
    manifest = {"format": 1, "title": "t", "question": "q", "studies": 3, "made_with": {}}
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(FolderError, match="studies: Input should be a valid list; received 3: "):
        read_run(out)
    (out / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(FolderError, match="format 99"):
        read_run(out)


def test_reports_are_rebuilt_without_the_model(run, tmp_path):
    out = write_run(run, tmp_path / "run")
    for suffix in ("html", "md", "json"):
        made = report(out, tmp_path / f"again.{suffix}")
        assert made.read_bytes() == (out / f"report.{suffix}").read_bytes()
    with pytest.raises(ReportError, match=r"\.html, \.md, \.json, \.pdf or \.png"):
        report(out, tmp_path / "report.docx")


def test_a_report_in_a_place_that_is_taken_is_refused_with_a_remedy(run, tmp_path):
    (tmp_path / "taken.html").mkdir()
    with pytest.raises(ReportError, match=r"is a folder .*: name another path, such as .*\.html"):
        report(run, tmp_path / "taken.html")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ReportError, match="file is a file .*: name another path"):
        report(run, tmp_path / "file" / "deep" / "page.md")
    assert sorted(os.listdir(tmp_path)) == ["file", "taken.html"]
    assert (tmp_path / "file").read_text() == "mine"


def test_studies_have_different_names_that_make_files(run):
    with pytest.raises(RecordError, match="different names"):
        Run("t", "q", {}, {}, (run.studies[0], run.studies[0]))
    with pytest.raises(RecordError, match="no study is called 'x'"):
        run.study("x")


def mutated(data, rng):
    """Bytes with one fault: flipped, cut, doubled, or a JSON value changed for another kind."""
    text = bytearray(data)
    at = int(rng.integers(0, len(text)))
    kind = rng.integers(0, 5)
    if kind == 0:
        text[at] = int(rng.integers(0, 256))
    elif kind == 1:
        del text[at:]
    elif kind == 2:
        del text[at : at + int(rng.integers(1, 40))]
    elif kind == 3:
        text[at:at] = text[at : at + int(rng.integers(1, 40))]
    else:
        words = [b"null", b"1e999", b'"x"', b"[]", b"{}", b"-1", b"NaN", b"[" * 20_000, b"9" * 5000]
        places = [m.span() for m in re.finditer(rb"[-0-9.e]+|null|true|\[\]", bytes(text))]
        start, end = places[int(rng.integers(0, len(places)))] if places else (at, at)
        text[start:end] = words[int(rng.integers(0, len(words)))]
    return bytes(text)


def renewed(folder, name, data):
    """The file with these bytes, and its checksum in the manifest."""
    (folder / name).write_bytes(data)
    if name != "manifest.json":
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"][name] = hashlib.sha256(data).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))


def test_damaged_runs_are_refused_or_read_but_never_break(run, tmp_path):
    """Whatever a file holds, reading, checking and reporting give an answer or a LinrepError."""
    out = write_run(run, tmp_path / "run")
    whole = {name: data for name, data in files(out).items() if "report" not in name}
    rng = np.random.default_rng(0)
    refused = 0
    for turn in range(160):
        name = list(whole)[int(rng.integers(0, len(whole)))]
        renewed(out, name, mutated(whole[name], rng))
        try:
            again = read_run(out)
            check_run(again, (Requirement.from_text("accuracy>=0"),))
            for suffix in ("md", "json", "html") if turn % 8 == 0 else ("md", "json"):
                report(again, tmp_path / f"page.{suffix}")
        except LinrepError:
            refused += 1
        for other, data in whole.items():
            (out / other).write_bytes(data)
    assert refused > 60  # many mutations make something else of a file


def test_files_outside_the_folder_are_never_read(run, tmp_path):
    out = write_run(run, tmp_path / "run")
    (tmp_path / "secret.json").write_text("{}")
    for change in (
        {"studies": ["../secret"]},
        {"studies": ["/etc/passwd"]},
        {"files": {"../x": ""}},
    ):
        manifest = json.loads((out / "manifest.json").read_text()) | change
        (out / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(FolderError, match=r"manifest\.json"):
            read_run(out)
        write_run(run, tmp_path / "again", overwrite=True)
        (out / "manifest.json").write_bytes((tmp_path / "again" / "manifest.json").read_bytes())


@pytest.mark.parametrize("stranger", ["notes.md", "studies/mine.json", "empty/../deep/x.txt"])
def test_overwriting_touches_nothing_but_a_runs_own_files(run, tmp_path, stranger):
    out = write_run(run, tmp_path / "run")
    place = (out / stranger).resolve()
    place.parent.mkdir(exist_ok=True)
    place.write_text("years of work")
    before = files(out)
    with pytest.raises(FolderError, match=f"not the run's: .*{place.name}"):
        write_run(run, out, overwrite=True)
    assert files(out) == before


@pytest.mark.parametrize("manifest", ["{}", '{"name": "app"}', '{"format": 1}', "no JSON"])
def test_manifests_of_other_programs_make_no_run(run, tmp_path, manifest):
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "manifest.json").write_text(manifest)
    (folder / "index.html").write_text("a page")
    before = files(folder)
    with pytest.raises(FolderError, match="not known to be a run"):
        write_run(run, folder, overwrite=True)
    assert files(folder) == before


@pytest.mark.parametrize("name", ["manifest.json", "link.json"])
def test_a_report_never_replaces_what_a_run_is_read_from(run, tmp_path, name):
    out = write_run(run, tmp_path / "run")
    (tmp_path / "link.json").symlink_to(out / "manifest.json")
    before = files(out)
    target = tmp_path / name if name.startswith("link") else out / name
    for source in (out, run):
        with pytest.raises(ReportError, match=r"is a file of the run .*report\.json"):
            report(source, target)  # the message names another
    with pytest.raises(ReportError, match="is a file of the run"):
        report(out, out / "studies" / "planted.json")
    assert files(out) == before
    assert report(out, out / "report.json").is_file()


def test_destinations_are_looked_at_before_the_work(run, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    for name in ("link", "dangling"):
        with pytest.raises(FolderError, match="is a symbolic link to .*name the folder itself"):
            refuse_occupied(tmp_path / name)
    for length in (300, 245):
        with pytest.raises(LinrepError, match="too long|choose a shorter one"):
            refuse_occupied(tmp_path / ("x" * length))
    with pytest.raises(LinrepError, match="write the whole path"):
        refuse_occupied("~nobody-of-this-name/x")
    with pytest.raises(LinrepError, match="no file can be called"):
        refuse_occupied("a\0b")
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(FolderError, match=r"the folder you stand in.*such as .*run"):
        refuse_occupied(".")
    assert write_run(run, "inside").is_dir()


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(ReportError, match="of a run or of its folder; received dict"):
        report({}, tmp_path / "x.html")
    with pytest.raises(FolderError, match="a run is written; received dict"):
        write_run({}, tmp_path / "x")


def test_settings_that_fill_any_memory_are_refused_at_once(run, tmp_path):
    out = write_run(run, tmp_path / "run")
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]"
        for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    ]
    for text, message in (("\n".join(lines), "uses an alias"), ("a: " + "[" * 5000, "nested more")):
        renewed(out, "settings.yaml", text.encode())
        with pytest.raises(FolderError, match=f"settings.yaml .*{message}"):
            read_run(out)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no file system of processes here")
def test_a_place_where_no_folder_can_be_made_is_found_before_the_work(tmp_path):
    """Rights say that root may write to /proc; nobody can."""
    with pytest.raises(FolderError, match="cannot be made"):
        refuse_occupied("/proc/x/y")
    assert refuse_occupied(tmp_path / "new") == tmp_path / "new"
    assert list(tmp_path.iterdir()) == []
