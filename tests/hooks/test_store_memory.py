"""Rows of a store are read a block at a time, and what was read is let go."""

import mmap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from linrep.hooks import Activations
from linrep.hooks.store.manifest import FORMAT
from linrep.hooks.store.rows import Rows
from linrep.hooks.store.shardfile import write_shard
from linrep.hooks.store.store import Store

SITE, WIDTH, SHARD, SHARDS = "blocks.0.hook_resid_post", 512, 4096, 6
MIB = SHARD * WIDTH * 4 // 2**20  # of a shard


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("stores") / "store"
    rows = SHARD * SHARDS
    identity = {
        "format": FORMAT, "sites": [SITE], "model": {"d_model": WIDTH},
        "settings": {"dtype": "float32"}, "corpus": {"fingerprint": "", "words": rows},
        "words": {"total": rows, "vanished": [], "cut": []},
    }  # fmt: skip
    bounds = range(0, rows + 1, SHARD)
    store = Store(out, identity, bounds, dict)
    for i, begin in enumerate(bounds[:-1]):
        block = np.arange(begin, begin + SHARD, dtype=np.float32)[:, None] + np.zeros(WIDTH)
        written = {SITE: block.astype(np.float32)}
        store.finish(i, write_shard(store.file(i), written, WIDTH, "float32"))
    store.close()
    return out


def mapped():
    """MiB of files that this process holds."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssFile:")[1].split()[0]) / 1024


def test_rows_are_read_in_any_order_and_again(folder):
    rows = Activations.open(folder)[SITE]
    index = np.random.default_rng(0).permutation(len(rows))[:900]
    for _ in range(2):
        assert (rows.read(index)[:, 3] == index).all()
    np.testing.assert_array_equal(rows.read(index), rows[index])
    assert rows.read(index[:0]).shape == (0, WIDTH)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["f2", "f4", "f8", "bf16"]), st.lists(st.integers(1, 40), max_size=4),
    st.integers(1, 60), st.booleans(), st.integers(0, 2**31),
)  # fmt: skip
def test_rows_of_several_shards_are_those_of_one_array(kind, cuts, asked, in_order, seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(-100, 100, (41, 3)).astype(np.float32)  # exact in every kind
    bounds = [0, *sorted(cuts), 41]
    bits = (X.view(np.uint32) >> 16).astype(np.uint16)
    kept = bits if kind == "bf16" else X.astype(kind)
    parts = [lambda a=a, b=b: kept[a:b] for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
    dtype = np.dtype(kind if kind in ("f4", "f8") else "f4")
    rows = Rows(parts, bounds, 3, dtype, bfloat16=kind == "bf16")
    index = rng.integers(0, 41, asked)
    index = np.sort(index) if in_order else index
    found = rows.read(index)
    np.testing.assert_array_equal(found, X[index])
    assert found.dtype == dtype
    found += 1  # a copy of its own
    np.testing.assert_array_equal(rows.read(index), X[index])
    for beyond in ([-1, 40], [0, 41]):
        with pytest.raises(IndexError, match="rows are numbered 0 to 40"):
            rows.read(np.array(beyond))


@pytest.mark.skipif(
    not hasattr(mmap, "MADV_DONTNEED") or not Path("/proc/self/status").exists(),
    reason="this system does not tell what a process has mapped",
)
def test_what_was_read_is_let_go_and_what_was_indexed_stays(folder):
    held = {}
    for name in ("read", "__getitem__"):
        rows = Activations.open(folder)[SITE]
        take, before = getattr(rows, name), mapped()
        for start in range(0, len(rows), 1024):
            take(np.arange(start, start + 1024))
        held[name] = mapped() - before
    assert held["read"] < 2 * MIB  # a shard, and what else the process maps meanwhile
    assert held["__getitem__"] > (SHARDS - 1) * MIB
