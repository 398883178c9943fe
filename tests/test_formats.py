"""Formats of files: what was written stays readable, and what a newer linrep wrote is named.

``tests/formats`` holds one folder of each format as it was written. They are never written anew: a
format that changes gets a folder and a number of its own, and the older ones are still read.
"""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from linrep.hooks import Activations, StoreError, capture
from linrep.hooks.store import manifest as store_manifest, store_manifest as store_schema
from linrep.models import PlainConfig, PlainTransformer, TrainingError, initialise
from linrep.models.training import folder as training_folder
from linrep.reports import FolderError, read_run, run_files, write_run

ROOT = Path(__file__).resolve().parents[1]
KEPT = Path(__file__).with_name("formats")
POST = "blocks.0.hook_resid_post"
CORPUS = [["a", "b", "a"], ["b"], ["c", "a"]]


def copied(name, tmp_path, **changes):
    """A kept folder with other entries in its manifest."""
    folder = tmp_path / name
    shutil.copytree(KEPT / name, folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | changes), "utf-8")
    return folder


# ---------------------------------------------------------------- what was written is read


def test_a_run_of_format_1_says_what_it_said(tmp_path):
    run = read_run(KEPT / "run_1")
    (study,) = run.studies
    assert (run.title, run.settings["seed"], study.checks[0].value) == (
        "A planted staircase", 0, 2e-16,
    )  # fmt: skip
    cell = ("blocks.2.hook_resid_post", "height 2")
    rows = {(row["site"], row["target"]): row for row in study.scores.rows}
    assert (rows[cell]["accuracy"], rows[cell]["n_groups"]) == (1.0, 40)
    found = {(row.site, row.target): row for row in study.comparison.rows}
    assert found[cell].verdicts.aligned.state == "yes"
    assert found["blocks.0.hook_resid_pre", "height 2"].verdicts.decodable.state == "no"
    assert study.subspaces["learned"][cell].basis.shape == (40, 2)
    assert study.subspaces["predicted"][cell].basis.shape == (40, 3)
    write_run(run, tmp_path / "again")  # its format is the one that is written: the same bytes
    for name in json.loads((KEPT / "run_1/manifest.json").read_text("utf-8"))["files"]:
        assert (tmp_path / "again" / name).read_bytes() == (KEPT / "run_1" / name).read_bytes()


def test_a_store_of_format_1_holds_what_it_held():
    acts = Activations.open(KEPT / "store_1", CORPUS, verify=True)
    assert (acts.n_tokens, len(acts.sites), acts.complete) == (6, 2, True)
    first = [0.6177559494972229, 0.28917059302330017, 0.11908145993947983, -0.5864643454551697]
    assert np.asarray(acts[POST])[0].tolist() == first  # float32 as it was written
    assert np.asarray(acts[POST]).std() > 0.1


def test_there_is_a_folder_of_every_format_that_is_read():
    number = store_manifest.FORMAT.rpartition(" ")[2]
    assert {path.name for path in KEPT.iterdir()} == {f"run_{run_files.FORMAT}", f"store_{number}"}


# ---------------------------------------------------------------- another version is named

NEWER = r"a newer linrep wrote it: install a newer one \(pip install --upgrade linrep\)"
OLDER = "an older linrep wrote it: read it with that one"


@pytest.mark.parametrize(("number", "told"), [(2, NEWER), (10**6, NEWER), (0, OLDER)])
def test_a_run_of_another_version_is_refused_with_the_remedy(number, told, tmp_path):
    folder = copied("run_1", tmp_path, format=number)
    with pytest.raises(FolderError, match=f"format {number}; this linrep reads format 1: {told}"):
        read_run(folder)


@pytest.mark.parametrize("said", ["2", None, [1], 1.5])
def test_a_run_whose_version_is_no_number_is_none_of_ours(said, tmp_path):
    folder = copied("run_1", tmp_path, format=said)
    with pytest.raises(FolderError, match="this linrep reads format 1: give a folder that linrep"):
        read_run(folder)


def test_a_run_of_a_newer_version_is_never_replaced(tmp_path):
    folder = copied("run_1", tmp_path, format=2)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(FolderError, match=f"is not replaced, .*{NEWER}.*name another folder"):
        write_run(read_run(KEPT / "run_1"), folder, overwrite=True)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_field_that_is_not_known_is_refused_by_name(tmp_path):
    """A run is read whole or not at all; of a format's own number, nothing is passed over."""
    folder = copied("run_1", tmp_path, colour="red")
    with pytest.raises(FolderError, match="colour: Extra inputs are not permitted"):
        read_run(folder)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("linrep activations 2", f"{NEWER}, or capture again, into another folder"),
        ("linrep activations 0", OLDER),
        ("activations 1", "it was written by something else"),
        (2, "it was written by something else"),
    ],
)
def test_a_store_of_another_version_is_refused_with_the_remedy(said, told, tmp_path):
    folder = copied("store_1", tmp_path, format=said)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(StoreError, match=told):
        Activations.open(folder)
    config = PlainConfig(vocabulary=["<bos>", "a", "b", "c", "<eos>"], hidden_size=4)
    with pytest.raises(StoreError, match=told):
        capture(initialise(PlainTransformer(config), seed=0), CORPUS, store=folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("said", "told"),
    [(2, f"format 2; this linrep reads format 1: {NEWER}"), ("1", "holds no training")],
)
def test_a_training_of_another_version_is_not_gone_on_with(said, told, tmp_path):
    note = {"format": said, "settings": {}, "finished": False}
    (tmp_path / "training.json").write_text(json.dumps(note), "utf-8")
    with pytest.raises(TrainingError, match=told):
        training_folder.TrainingFolder(tmp_path, {}, 1, 1).look(resume=True)


def test_a_training_of_this_version_is_gone_on_with(tmp_path):
    note = {"format": training_folder.FORMAT, "settings": {}, "finished": False}
    (tmp_path / "training.json").write_text(json.dumps(note), "utf-8")
    assert training_folder.TrainingFolder(tmp_path, {}, 1, 1).look(resume=True) is None


# ---------------------------------------------------------------- the page names every field


def page():
    path = ROOT / "docs/formats.md"
    if not path.is_file():
        pytest.skip("no checkout")
    return path.read_text("utf-8")


def fields(schema):
    """Names of a schema's fields, those of what it holds included."""
    text = json.dumps(schema.model_json_schema(by_alias=False))
    data = json.loads(text)
    parts = [data, *data.get("$defs", {}).values()]
    return {name for part in parts for name in part.get("properties", {})}


@pytest.mark.parametrize(
    "schema", [run_files.ManifestFile, run_files.StudyFile, store_schema._StoreManifest]
)
def test_the_page_names_every_field_of_every_file(schema):
    told = set(re.findall(r"`([\w ]+)`", page()))
    wanted = fields(schema)
    assert len(wanted) > 5
    assert wanted <= told, sorted(wanted - told)


def test_the_page_names_every_file():
    told = page()
    names = [run_files.MARK, *run_files.DATA, *run_files.REPORTS, run_files.study_file("NAME")]
    for name in [*names, training_folder.NOTE, training_folder.STATE, "shard-00000.safetensors"]:
        assert f"`{name}`" in told, name
    for form in (str(run_files.FORMAT), store_manifest.FORMAT, str(training_folder.FORMAT)):
        assert f"`{form}`" in told, form


def test_kept_folders_are_as_they_were_written():
    """The digest of each kept folder; a new one is added, none is changed."""
    whole = hashlib.sha256()
    for path in sorted(KEPT.rglob("*")):
        if path.is_file():
            whole.update(path.relative_to(KEPT).as_posix().encode() + path.read_bytes())
    assert whole.hexdigest() == DIGEST


DIGEST = "487bb270fb76ea17f0390e1f89806075e78d1b48c9b7c54d1840c17431049a49"
