"""The command that counts regions: files and families, and what is neither."""

import json

import numpy as np
import pytest

from linrep.cli import main
from linrep.constructions import MaxoutTransformer
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


def test_a_folder_of_a_saved_transformer_is_counted(tmp_path, capsys):
    net = random_network(2, [3, 2], 3, seed=0)
    MaxoutTransformer.from_network(net, (-1, 1)).save_pretrained(tmp_path / "made")
    assert run(str(tmp_path / "made"), "--low", "-1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["activation cells"] == regions_in_plane(net, (-1, 1)).n_cells
    (tmp_path / "empty").mkdir()
    assert run(str(tmp_path / "empty")) == 2
    assert "no maxout transformer in" in capsys.readouterr().err


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


def test_too_many_cells_are_refused_with_an_option_of_the_command(tmp_path, capsys):
    assert run("tent:7", "--budget", "100") == 2
    message = capsys.readouterr().err
    assert "128 cells on [0, 1], above the budget of 100; bring --low and --high closer" in message
    assert "budget=" not in message
    assert run("tent:7", "--budget", "128") == 0
    assert run("tent:7", "--budget", "100", "--high", "0.5") == 0
    assert run("tent:7", "--budget", "60", "--high", "0.5") == 2
    message = capsys.readouterr().err
    assert "more cells in layer 7 of 7 than the budget of 60; shorten the segment" in message
    random_network(2, [9, 9], 3, seed=0).save(tmp_path / "net.npz")
    assert run(str(tmp_path / "net.npz"), "--budget", "3") == 2
    message = capsys.readouterr().err
    assert "above the budget of 3; shrink the window or raise the budget" in message


@pytest.mark.parametrize(
    ("source", "laps"),
    [("tent:40", 2**40), ("zigzag:900:2", 1799**2), ("tent:500", "more than 10^150")],
)
def test_a_family_of_too_many_pieces_is_not_counted(source, laps, capsys):
    assert run(source) == 2  # at once; counting would take minutes
    assert f"{laps} cells on [0, 1], above the budget of 100000" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["tent:501", "zigzag:3:99999999", "zigzag:99999999:1"])
def test_a_family_beyond_counting_is_refused_before_it_is_built(source, capsys):
    assert run(source) == 2
    assert "is at most" in capsys.readouterr().err


def test_a_file_may_be_called_as_a_family(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random_network(1, [3], seed=0).save(tmp_path / "zigzag:x.npz")
    assert run("zigzag:x.npz", "--json") == 0
    assert json.loads(capsys.readouterr().out)["widths"] == [3]
