"""The command that counts regions: files and families, and what is neither."""

import json

import numpy as np
import pytest

from linrep.cli import main
from linrep.piecewise import random_network, regions_in_plane


def run(*arguments):
    """The exit status of the program."""
    with pytest.raises(SystemExit) as left:
        main(["regions", *arguments])
    return left.value.code or 0


def test_a_saved_network_of_two_inputs_is_counted(tmp_path, capsys):
    net = random_network(2, [5, 4], 3, seed=0)
    net.save(tmp_path / "net.npz")
    assert run(str(tmp_path / "net.npz"), "--low", "-1", "--high", "1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    counts = regions_in_plane(net, (-1, 1)).counts
    assert [found[name] for name in ("activation cells", "linear regions", "affine maps")] == [
        *counts
    ]


@pytest.mark.parametrize("source", ["tent:²", "tent:x", "tent", "zigzag:2", "tent:1:2", "none.npz"])
def test_what_is_no_network_is_refused(source, capsys):
    assert run(source) == 2
    assert f"no network '{source}'" in capsys.readouterr().err


def test_files_that_hold_no_network_are_refused(tmp_path, capsys):
    np.save(tmp_path / "array.npy", np.ones(3))
    (tmp_path / "empty.npz").write_bytes(b"")
    random_network(3, [2], seed=0).save(tmp_path / "three.npz")
    for name, message in (
        ("array.npy", "one array"),
        ("empty.npz", "not a saved maxout network"),
        ("three.npz", "3 inputs"),
    ):
        assert run(str(tmp_path / name)) == 2
        assert message in capsys.readouterr().err
