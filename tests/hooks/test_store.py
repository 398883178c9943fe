"""The store: the same bytes whatever happens, and nothing read that was not written."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from safetensors import safe_open

from linrep.hooks import Activations, CaptureError, StoreError, capture
from linrep.models import PlainConfig, PlainTransformer, initialise
from linrep.probes import ProbeError, probe

CORPUS = [["a", "b", "a"], ["b"], ["c", "a"], ["b", "b", "b", "c"], ["a"]]


def make(seed=0, **options):
    config = PlainConfig(vocabulary=["<bos>", "a", "b", "c", "<eos>"], hidden_size=8, **options)
    return initialise(PlainTransformer(config), seed=seed)


@pytest.fixture(scope="module")
def model():
    return make()


def files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_store_equals_memory_bit_for_bit(dtype, model, tmp_path):
    memory = capture(model, CORPUS, dtype=dtype)
    stored = capture(model, CORPUS, dtype=dtype, store=tmp_path / "s")  # one shard: same batches
    assert stored.complete
    for site in memory.sites:
        np.testing.assert_array_equal(np.asarray(stored[site]), np.asarray(memory[site]))
    kind = np.float64 if dtype == "float64" else np.float32
    assert stored[memory.sites[0]].dtype == kind


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_safetensors_reads_the_shards(dtype, model, tmp_path):
    acts = capture(model, CORPUS, dtype=dtype, store=tmp_path / "s", shard_words=4)
    shards = acts.manifest["shards"]
    assert len(shards) > 2
    for site in acts.sites:
        parts = []
        for shard in shards:
            with safe_open(tmp_path / "s" / shard["file"], framework="pt") as file:
                parts.append(file.get_tensor(site))
        assert parts[0].dtype == getattr(torch, dtype)
        np.testing.assert_array_equal(torch.cat(parts).float().numpy(), np.asarray(acts[site]))


def test_rows_index_like_an_array(model, tmp_path):
    acts = capture(model, CORPUS, store=tmp_path / "s", shard_words=3)
    lazy = acts[acts.sites[-1]]
    whole = np.asarray(lazy)
    n = len(whole)
    mask = np.arange(n) % 3 == 0
    for key in (
        slice(2, 7), slice(None, None, 2), slice(5, 2), 4, -1, mask, np.array([9, 0, 9]),
        np.arange(0), (slice(1, 4), 2), (mask, slice(0, 3)), (3, slice(1, 2)),
    ):  # fmt: skip
        np.testing.assert_array_equal(lazy[key], whole[key], err_msg=str(key))
    with pytest.raises(IndexError, match="rows are numbered"):
        lazy[n]
    with pytest.raises(IndexError, match="mask"):
        lazy[mask[1:]]


def test_stopped_capture_resumes_to_the_same_bytes(model, tmp_path, monkeypatch):
    whole = tmp_path / "whole"
    capture(model, CORPUS, store=whole, shard_words=3)
    replace, count = os.replace, []

    def stop_at_third(source, target):
        count.append(target)
        if len(count) == 4:
            raise KeyboardInterrupt
        replace(source, target)

    broken = tmp_path / "broken"
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stop_at_third)
        with pytest.raises(KeyboardInterrupt):
            capture(model, CORPUS, store=broken, shard_words=3)
    half = Activations.open(broken, CORPUS)
    assert not half.complete
    with pytest.raises(ProbeError, match="shards of these activations are missing"):
        probe(half, CORPUS, targets={"word": [word for line in CORPUS for word in line]})
    assert 0 < half.kept.sum() < len(half)
    known = np.flatnonzero(half.kept)
    full = Activations.open(whole)
    np.testing.assert_array_equal(half[half.sites[0]][known], full[half.sites[0]][known])
    with pytest.raises(StoreError, match="repeat the same capture call"):
        np.asarray(half[half.sites[0]])
    capture(model, CORPUS, store=broken, shard_words=3)
    assert files(broken) == files(whole)


def test_complete_store_is_not_captured_again(model, tmp_path, monkeypatch):
    capture(model, CORPUS, store=tmp_path / "s")
    before = {f: f.stat().st_mtime_ns for f in (tmp_path / "s").iterdir()}

    def never(*_, **__):
        raise AssertionError("the model ran")

    monkeypatch.setattr(PlainTransformer, "forward", never)
    capture(model, CORPUS, store=tmp_path / "s")
    assert before == {f: f.stat().st_mtime_ns for f in (tmp_path / "s").iterdir()}


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("model.fingerprint", {"model": make(seed=1)}),
        ("model.fingerprint", {"model": make(overflow_position=True)}),
        ("corpus.fingerprint", {"corpus": [*CORPUS[:-1], ["b"]]}),
        ("settings.word_token", {"word_token": "first"}),
        ("settings.dtype", {"dtype": "float16"}),
        ("settings.layers", {"layers": [0]}),
        ("settings.batch_size", {"batch_size": 2}),
        ("settings.shard_words", {"shard_words": 2}),
    ],
)
def test_a_changed_request_is_refused_and_nothing_is_touched(what, change, model, tmp_path):
    capture(model, CORPUS, store=tmp_path / "s")
    before = files(tmp_path / "s")
    asked = {"model": model, "corpus": CORPUS, **change}
    with pytest.raises(StoreError, match=what):
        capture(**asked, store=tmp_path / "s")
    assert files(tmp_path / "s") == before


def test_a_folder_of_something_else_is_refused(model, tmp_path):
    (tmp_path / "thesis.tex").write_text("42")
    with pytest.raises(StoreError, match="choose an empty folder"):
        capture(model, CORPUS, store=tmp_path)
    assert files(tmp_path) == {"thesis.tex": b"42"}
    with pytest.raises(StoreError, match="no store of activations"):
        Activations.open(tmp_path)


def test_another_corpus_is_refused_on_opening(model, tmp_path):
    capture(model, CORPUS, store=tmp_path / "s")
    with pytest.raises(StoreError, match="another corpus"):
        Activations.open(tmp_path / "s", [["a"]])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_flipped_bit_is_found_and_the_shard_named(data, model, tmp_path):
    folder = tmp_path / "s"
    capture(model, CORPUS, store=folder, shard_words=4, check=False)
    shard = data.draw(st.sampled_from(sorted(folder.glob("*.safetensors"))))
    whole = shard.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    raw = bytearray(whole)
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    shard.write_bytes(raw)
    try:
        with pytest.raises(StoreError, match=shard.name):
            read_all(Activations.open(folder))
        with pytest.raises(StoreError, match=shard.name):
            Activations.open(folder, verify=True)
    finally:
        shard.write_bytes(whole)
    read_all(Activations.open(folder, verify=True))


def read_all(acts):
    for site in acts.sites:
        np.asarray(acts[site])


@pytest.mark.parametrize("cut", [1, 100, 10**9])
def test_a_truncated_shard_is_named(cut, model, tmp_path):
    folder = tmp_path / "s"
    capture(model, CORPUS, store=folder, shard_words=4)
    shard = sorted(folder.glob("*.safetensors"))[1]
    raw = shard.read_bytes()
    shard.write_bytes(raw[: max(0, len(raw) - cut)])
    with pytest.raises(StoreError, match=f"{shard.name} has .* bytes"):
        Activations.open(folder)
    shard.unlink()
    with pytest.raises(StoreError, match=f"{shard.name} is missing"):
        Activations.open(folder)
    capture(model, CORPUS, store=folder, shard_words=4)  # the remedy the message names
    assert shard.read_bytes() == raw


def test_a_full_disk_is_said_and_loses_nothing(model, tmp_path, monkeypatch):
    whole, folder = tmp_path / "whole", tmp_path / "s"
    capture(model, CORPUS, store=whole, shard_words=4)
    fsync, count = os.fsync, []

    def full(handle):
        count.append(handle)
        if len(count) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left on device.*make room"):
            capture(model, CORPUS, store=folder, shard_words=4)
    assert not list(folder.glob(".*"))
    assert Activations.open(folder).kept.any()
    capture(model, CORPUS, store=folder, shard_words=4)
    assert files(folder) == files(whole)


def test_two_writers_do_not_meet(model, tmp_path):
    from linrep.hooks.store.store import Store

    folder = tmp_path / "s"
    capture(model, CORPUS, store=folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    holding = Store(folder, manifest, [0, 11], dict)
    with pytest.raises(StoreError, match="another process"):
        capture(model, CORPUS, store=folder)
    holding.close()
    capture(model, CORPUS, store=folder)


def test_float16_overflow_is_an_error_and_bfloat16_is_not(model, tmp_path):
    loud = make(seed=0)
    with torch.no_grad():
        loud.layers[1].mlp.down_proj.bias.fill_(1e5)
    with pytest.raises(CaptureError, match=r"blocks\.1\.hook_resid_post.*bfloat16"):
        capture(loud, CORPUS, dtype="float16", store=tmp_path / "s")
    wide = np.asarray(capture(loud, CORPUS)["blocks.1.hook_resid_post"])
    short = np.asarray(capture(loud, CORPUS, dtype="bfloat16")["blocks.1.hook_resid_post"])
    np.testing.assert_allclose(short, wide, rtol=2**-8)  # bfloat16 keeps 8 bits
    with torch.no_grad():
        loud.layers[1].mlp.down_proj.bias.fill_(float("inf"))
    with pytest.raises(CaptureError, match="NaN or infinite"):
        capture(loud, CORPUS, check=False)


def test_what_a_refusal_advises_works_in_the_same_folder(model, tmp_path):
    loud = make(seed=0)
    with torch.no_grad():
        loud.layers[1].mlp.down_proj.bias.fill_(1e5)
    with pytest.raises(CaptureError, match="bfloat16"):
        capture(loud, CORPUS, dtype="float16", store=tmp_path / "s")
    assert capture(loud, CORPUS, dtype="bfloat16", store=tmp_path / "s").complete
    with pytest.raises(StoreError, match="activations of something else"):  # it is filled now
        capture(loud, CORPUS, dtype="float32", store=tmp_path / "s")


def test_a_folder_of_other_things_keeps_all_of_them(model, tmp_path):
    names = [".notes.tmp", ".shard-x.safetensors.1.tmp", "thesis.tex"]
    for name in names:
        (tmp_path / name).write_text("years of work")
    for corpus in (CORPUS, "no corpus"):
        with pytest.raises(CaptureError):
            capture(model, corpus, store=tmp_path)
    assert sorted(files(tmp_path)) == sorted(names)
    (tmp_path / "thesis.tex").unlink()
    with pytest.raises(
        StoreError, match=r"holds other files and no manifest\.json, such as \.notes"
    ):
        capture(model, CORPUS, store=tmp_path)
    assert len(files(tmp_path)) == 2


def test_what_a_killed_process_left_is_swept(model, tmp_path):
    (tmp_path / ".manifest.json.123.tmp").write_text("half")
    (tmp_path / ".shard-00000.safetensors.123.tmp").write_text("half")
    capture(model, CORPUS, store=tmp_path)
    assert sorted(files(tmp_path)) == ["manifest.json", "shard-00000.safetensors"]


def edited(folder, change):
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", ["../victim.txt", "/etc/victim", "sub/shard-0.safetensors", ""])
def test_no_shard_lies_outside_its_store(name, model, tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("years of work")
    folder = tmp_path / "s"
    capture(model, CORPUS, store=folder, shard_words=4)

    def change(manifest):
        manifest["shards"][0] = {"file": name, "begin": 0, "end": manifest["shards"][0]["end"]}

    edited(folder, change)
    with pytest.raises(StoreError, match="is damaged: shards.0.file"):
        capture(model, CORPUS, store=folder, shard_words=4)
    with pytest.raises(StoreError, match="is damaged: shards.0.file"):
        Activations.open(folder)
    assert victim.read_text() == "years of work"


@pytest.mark.parametrize("at", [0, 1, -1])
def test_a_shard_that_is_left_out_of_the_manifest_is_missed(at, model, tmp_path):
    capture(model, CORPUS, store=tmp_path, shard_words=4)
    edited(tmp_path, lambda manifest: manifest["shards"].pop(at))
    with pytest.raises(StoreError, match="a shard is missing|shards end at word"):
        Activations.open(tmp_path)


def test_edited_manifests_open_or_are_refused(model, tmp_path):
    capture(model, CORPUS, store=tmp_path, shard_words=4)
    whole = (tmp_path / "manifest.json").read_bytes()
    rng = np.random.default_rng(0)
    words = [b"null", b"-1", b"[]", b"{}", b'"x"', b"1e999", b"NaN", b"9" * 5000, b"[" * 20_000]
    refused = 0
    for _ in range(300):
        text = bytearray(whole)
        at = int(rng.integers(0, len(text)))
        if rng.random() < 0.4:
            text[at] = int(rng.integers(0, 256))
        elif rng.random() < 0.3:
            del text[at : at + int(rng.integers(1, 60))]
        else:
            spans = [m.span() for m in re.finditer(rb'[0-9]+|"[^"]*"|\[\]', bytes(text))]
            start, end = spans[int(rng.integers(0, len(spans)))]
            text[start:end] = words[int(rng.integers(0, len(words)))]
        (tmp_path / "manifest.json").write_bytes(bytes(text))
        try:
            acts = Activations.open(tmp_path, verify=True)
            for site in acts.sites:
                np.asarray(acts[site])
        except CaptureError:
            refused += 1
    assert refused > 100  # many mutations make something else of it


def test_kills_leave_stores_of_the_same_bytes(tmp_path):
    """Fifty of them: ``python benchmarks/store.py --kills 50``."""
    script = Path(__file__).with_name("kill_store.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), "12", "7"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["kills"] == 12
    assert told["partial"] >= 3  # the kills did fall between shards, not only before or after


def test_a_manifest_that_speaks_of_more_words_than_memory_holds_is_refused(model, tmp_path):
    capture(model, CORPUS, store=tmp_path, shard_words=4)

    def grown(manifest):
        manifest["corpus"]["words"] = manifest["words"]["total"] = 2**40
        manifest["shards"][-1] = {**manifest["shards"][-1], "end": 2**40}
        for shard in manifest["shards"]:
            shard.pop("sha256")
            shard.pop("sums")

    edited(tmp_path, grown)
    with pytest.raises(StoreError, match=r"corpus\.words: .*less than or equal to 2147483648"):
        Activations.open(tmp_path)
