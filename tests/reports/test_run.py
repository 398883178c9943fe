"""Run folders: whole or not at all, rebuilt without a model, equal to the byte."""

import json
import os

import pytest

from linrep.reports import (
    FolderError,
    RecordError,
    ReportError,
    Run,
    fresh_folder,
    read_run,
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
    with pytest.raises(FolderError, match="lacks studies, files, or holds no such thing: give"):
        read_run(out)
    (out / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(FolderError, match="format 99"):
        read_run(out)


def test_reports_are_rebuilt_without_the_model(run, tmp_path):
    out = write_run(run, tmp_path / "run")
    for suffix in ("html", "md", "json"):
        made = report(out, tmp_path / f"again.{suffix}")
        assert made.read_bytes() == (out / f"report.{suffix}").read_bytes()
    with pytest.raises(ReportError, match=r"\.html, \.md or \.json"):
        report(out, tmp_path / "report.pdf")


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
