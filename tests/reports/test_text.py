"""Text that no file can hold is refused where it enters, with its place."""

import json
from dataclasses import replace

import numpy as np
import pytest

from linrep.core import Subspace
from linrep.grammars import families
from linrep.hooks import Activations
from linrep.probes import ProbeError, probe
from linrep.reports import FolderError, RecordError, Run, read_run, write_run
from linrep.reports.run_files import digest

HALF = "a\ud800"  # half of a surrogate pair, as broken JSON and broken decoding give it


@pytest.mark.parametrize(
    "change",
    [{"question": HALF}, {"facts": {HALF: 1}}, {"facts": {"a": [HALF]}}, {"notes": (HALF,)},
     {"subspaces": {"learned": {(HALF, "b"): Subspace(np.eye(2))}}}],
    ids=["question", "fact's name", "fact", "note", "subspace"],
)  # fmt: skip
def test_a_study_holds_text_that_files_can_hold(run, change):
    with pytest.raises(RecordError, match=r"holds text that no file can hold.*received .*ud800"):
        replace(run.studies[0], **change)


@pytest.mark.parametrize("place", ["site", "target", "more"])
def test_so_do_its_rows(run, place):
    study = run.studies[0]
    rows = ({**study.scores.rows[0], place: HALF}, *study.scores.rows[1:])
    with pytest.raises(RecordError, match="no file can hold"):
        replace(study, scores=replace(study.scores, rows=rows))
    if place != "more":
        compared = (replace(study.comparison.rows[0], **{place: HALF}), *study.comparison.rows[1:])
        with pytest.raises(RecordError, match="no file can hold"):
            replace(study, comparison=replace(study.comparison, rows=compared))


def test_so_does_a_run_and_whole_characters_beyond_16_bits_are_kept(run, tmp_path):
    for change in ({"title": HALF}, {"settings": {"a": HALF}}, {"manifest": {HALF: 1}}):
        with pytest.raises(RecordError, match="the run holds text that no file can hold"):
            replace(run, **change)
    deep = []
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(RecordError, match="too deep"):
        replace(run, settings={"a": deep})
    kept = Run("\U0001f642", "é日", {"a": "\u2028"}, {}, run.studies)
    assert read_run(write_run(kept, tmp_path / "run")).title == "\U0001f642"


def test_a_damaged_run_folder_is_refused_by_name(run, tmp_path):
    folder = write_run(run, tmp_path / "run")
    name = f"studies/{run.studies[0].name}.json"
    study = json.loads((folder / name).read_text("utf-8"))
    study["comparison"]["rows"][0]["target"] = HALF
    (folder / name).write_text(json.dumps(study), "utf-8")  # written as an escape
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"][name] = digest((folder / name).read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(FolderError, match="no file can hold"):
        read_run(folder)


def test_probes_refuse_names_that_no_table_can_hold():
    corpus = families.latin(order=2, depth=2).sample(40, seed=0)
    rows = np.random.default_rng(0).standard_normal((corpus.n_tokens, 4))
    labels = np.arange(corpus.n_tokens) % 2
    few = {"permutations": 0, "bootstrap": 0, "controls": ()}
    for site, target in (("a", HALF), (HALF, "a")):
        acts = Activations.from_arrays({site: rows}, corpus)
        with pytest.raises(ProbeError, match="names"):
            probe(acts, corpus, heights=[], targets={target: labels}, **few)
