"""A sweep: every point once, the same on every engine, and gone on with where it stood."""

import json
import pickle

import pytest
import torch
import yaml

from linrep.cli import main
from linrep.experiments import SettingsError, SweepSettings, read_sweep, run_sweep, sweep as module

TINY = {
    "language": {"source": "latin", "order": 2, "depth": 1},
    "depths": (1, 2), "widths": (8,), "seeds": (0, 1), "heads": 2, "sentences": 32, "steps": 4,
    "batch_size": 8, "heldout": 8, "measure_every": 2, "checkpoints": (2,),
}  # fmt: skip


def contents(folder):
    """All files but those that hold times."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent != folder
    }


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep") / "s"
    return run_sweep(SweepSettings(**TINY), folder), folder


def test_every_point_is_a_row_and_a_model(swept):
    table, folder = swept
    frame = table.to_frame()
    assert frame["name"].tolist() == [
        "plain-d1-w8-s0", "plain-d1-w8-s1", "plain-d2-w8-s0", "plain-d2-w8-s1",
    ]  # fmt: skip
    assert frame["steps"].tolist() == [4] * 4
    assert (frame[["kl", "loss", "floor", "seconds"]] > 0).all(axis=None)
    assert frame["kl"].nunique() == 4
    for name in frame["name"]:
        assert (folder / name / "checkpoints/step-2/config.json").is_file()
        assert (folder / name / "model.safetensors").is_file()
    told = json.loads((folder / "sweep.json").read_text())
    assert [row["kl"] for row in told["rows"]] == frame["kl"].tolist()


def test_what_is_finished_is_not_done_again_and_a_larger_grid_is(swept, monkeypatch):
    table, folder = swept
    trained = []
    train = module.train

    def seen(*given, **options):
        trained.append((options["num_hidden_layers"], options["seed"]))
        return train(*given, **options)

    monkeypatch.setattr(module, "train", seen)
    assert run_sweep(SweepSettings(**TINY), folder) == table
    assert trained == []
    larger = run_sweep(SweepSettings(**{**TINY, "seeds": (0, 1, 2), "depths": (1,)}), folder)
    assert trained == [(1, 2)]
    assert larger.rows[:2] == table.rows[:2]


def test_other_settings_are_refused_by_name(swept):
    with pytest.raises(SettingsError, match="learning_rate was 0.001 and is 0.1"):
        run_sweep(SweepSettings(**{**TINY, "learning_rate": 0.1}), swept[1])


def test_an_interrupted_sweep_goes_on(swept, tmp_path, monkeypatch):
    from linrep.models.training.loop import Loop

    step, count = Loop._step, []

    def cut(self):
        count.append(1)
        if len(count) == 7:  # in the second training
            raise KeyboardInterrupt
        return step(self)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_step", cut)
        with pytest.raises(KeyboardInterrupt):
            run_sweep(SweepSettings(**TINY), tmp_path / "s")
    again = run_sweep(SweepSettings(**TINY), tmp_path / "s")
    assert [row.kl for row in again.rows] == [row.kl for row in swept[0].rows]
    whole = contents(swept[1])
    assert contents(tmp_path / "s") == {name: whole[name] for name in contents(tmp_path / "s")}


def test_a_job_travels_and_computes_on_one_thread(swept, tmp_path, monkeypatch):
    """What workers get is pickled; one thread gives the same bytes wherever there are more."""
    seen, train = [], module.train

    def watched(*given, **options):
        seen.append(torch.get_num_threads())
        return train(*given, **options)

    monkeypatch.setattr(module, "train", watched)
    settings = SweepSettings(**TINY)
    jobs = [module._Job(settings, point, tmp_path) for point in settings.points[:1]]
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        row = module._trained(pickle.loads(pickle.dumps(jobs[0])))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1]
    assert row.kl == swept[0].rows[0].kl
    whole = contents(swept[1])
    assert contents(tmp_path) == {name: whole[name] for name in contents(tmp_path)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"widths": (9,)}, "multiples of the 2 heads"),
        ({"seeds": (1, 1)}, "seeds are different"),
        ({"depths": ()}, "depths"),
        ({"checkpoints": (9,)}, r"steps in 0\.\.4"),
        ({"seeds": tuple(range(6000)), "depths": (1, 2)}, "at most 10,000"),
        ({"language": {"source": "treebank", "paths": "x"}}, "language"),
        ({"depth": (1,)}, "depth"),
    ],
)
def test_impossible_grids_are_refused(change, said):
    with pytest.raises(SettingsError, match=said):
        SweepSettings(**{**TINY, **change})


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SettingsError, match="holds no sweep"):
        run_sweep(SweepSettings(**TINY), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_command_reads_yaml_and_prints_the_table(swept, tmp_path, capsys):
    file = tmp_path / "sweep.yaml"
    settings = {key: list(v) if isinstance(v, tuple) else v for key, v in TINY.items()}
    file.write_text(yaml.safe_dump(settings))
    assert read_sweep(file, ("seeds=[5]",)).seeds == (5,)
    words = ["sweep", str(file), "--out", str(swept[1]), "--set", "depths=[1]"]
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    assert "plain-d1-w8-s1" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        main([*words, "--json"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["kl"] for row in rows] == [row.kl for row in swept[0].rows[:2]]
