"""A training that was interrupted goes on where it stood, and ends with the same bytes."""

import json

import pytest
import torch

from linrep import Grammar, load_model
from linrep.models import TrainingError, train
from linrep.models.training import folder as folders, state as states, steps_done
from linrep.models.training.loop import Loop

GRAMMAR = Grammar.from_text("S -> A B [0.7] | B [0.3]\nA -> 'a' | 'b'\nB -> 'b' 'c' | 'c'")
HOW = {
    "steps": 12, "sentences": 64, "batch_size": 8, "hidden_size": 16, "num_hidden_layers": 1,
    "num_attention_heads": 2, "measure_every": 4, "heldout": 16, "checkpoints": (0, 5, 12),
    "learning_rate": 1e-2,
}  # fmt: skip


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight") / "t"
    return train(GRAMMAR, folder=folder, **HOW), contents(folder)


@pytest.fixture
def stops(monkeypatch):
    """Interrupts a training inside the step that is named, with states as often as asked for."""

    def at(step, seconds=0.0, late=True):
        whole = Loop._step

        def cut(self):
            if self.step == step:
                if late:
                    whole(self)  # weights are changed already when it comes
                else:
                    self.batches.draw()  # the order has moved on
                raise KeyboardInterrupt
            return whole(self)

        with monkeypatch.context() as patch:
            patch.setattr(Loop, "_step", cut)
            patch.setattr(folders, "SECONDS", seconds)
            patch.setattr(folders, "SHARE", 1e9)
            yield

    return at


def interrupted(stops, folder, step, seconds=0.0, late=True, **more):
    for _ in stops(step, seconds, late):
        with pytest.raises(KeyboardInterrupt):
            train(GRAMMAR, folder=folder, **{**HOW, **more})


@pytest.mark.parametrize("step", [0, 3, 5, 11])
def test_interrupted_and_resumed_is_straight_through(stops, straight, tmp_path, step):
    interrupted(stops, tmp_path / "t", step)
    with pytest.raises(Exception, match=r"config\.json"):
        load_model(tmp_path / "t")  # it is no model before it is finished
    again = train(GRAMMAR, folder=tmp_path / "t", resume=True, **HOW)
    assert contents(tmp_path / "t") == straight[1]
    assert again.losses == straight[0].losses
    assert again.log == straight[0].log


def test_a_ctrl_c_between_updates_loses_nothing(stops, straight, tmp_path):
    interrupted(stops, tmp_path / "t", 6, seconds=1e6, late=False)
    assert steps_done(tmp_path / "t") == 6
    train(GRAMMAR, folder=tmp_path / "t", resume=True, **HOW)
    assert contents(tmp_path / "t") == straight[1]
    assert steps_done(tmp_path / "t") is None


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_so_is_every_architecture(stops, tmp_path, architecture):
    train(GRAMMAR, folder=tmp_path / "a", architecture=architecture, **HOW)
    interrupted(stops, tmp_path / "b", 7, architecture=architecture)
    train(GRAMMAR, folder=tmp_path / "b", architecture=architecture, resume=True, **HOW)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_twice_interrupted_and_without_any_state(stops, straight, tmp_path):
    interrupted(stops, tmp_path / "t", 4, seconds=1e6)  # killed before the first state
    assert not (tmp_path / "t/state.safetensors").exists()
    for step in (6, 9):
        interrupted(stops, tmp_path / "t", step, resume=True)
    train(GRAMMAR, folder=tmp_path / "t", resume=True, **HOW)
    assert contents(tmp_path / "t") == straight[1]


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_kill_while_something_is_written_leaves_what_can_be_resumed(
    straight, tmp_path, monkeypatch, nth
):
    """Killed between a temporary file and its name: nothing in the folder is torn."""
    calls = []

    def killed(module):
        rename = module.os.replace

        def replace(old, new):
            calls.append(new)
            if len(calls) == nth:
                raise KeyboardInterrupt
            rename(old, new)

        return replace

    with monkeypatch.context() as patch:
        patch.setattr(folders, "SECONDS", 0.0)
        patch.setattr(folders, "SHARE", 1e9)
        replace = killed(folders)
        patch.setattr(states.os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            train(GRAMMAR, folder=tmp_path / "t", **HOW)
    train(GRAMMAR, folder=tmp_path / "t", resume=True, **HOW)
    assert contents(tmp_path / "t") == straight[1]


@pytest.mark.parametrize("damage", ["short", "empty", "text", "other"])
def test_a_torn_state_is_refused(stops, tmp_path, damage):
    interrupted(stops, tmp_path / "t", 6)
    file = tmp_path / "t/state.safetensors"
    whole = file.read_bytes()
    if damage == "other":
        interrupted(stops, tmp_path / "u", 6, hidden_size=8)
        whole = (tmp_path / "u/state.safetensors").read_bytes()
    file.write_bytes({"short": whole[:-100], "empty": b"", "text": b"{}" * 50}.get(damage, whole))
    with pytest.raises(TrainingError, match="no whole state of this training.*begin again"):
        train(GRAMMAR, folder=tmp_path / "t", resume=True, **HOW)


def test_other_settings_are_refused_by_name(stops, tmp_path):
    interrupted(stops, tmp_path / "t", 6)
    with pytest.raises(TrainingError, match=r"learning_rate was 0\.01 and is 0\.02"):
        train(GRAMMAR, folder=tmp_path / "t", resume=True, **{**HOW, "learning_rate": 0.02})
    other = Grammar.from_text("S -> A B [0.6] | B [0.4]\nA -> 'a' | 'b'\nB -> 'b' 'c' | 'c'")
    with pytest.raises(
        TrainingError, match="settings: the sentences to learn from are others: give"
    ):
        train(other, folder=tmp_path / "t", resume=True, **HOW)
    with pytest.raises(TrainingError, match="resume=True"):
        train(GRAMMAR, folder=tmp_path / "t", **HOW)


def test_a_finished_training_is_read(straight, tmp_path):
    for _ in range(2):
        again = train(GRAMMAR, folder=tmp_path / "t", resume=True, **HOW)
    assert contents(tmp_path / "t") == straight[1]
    assert again.losses == straight[0].losses
    assert again.log == straight[0].log
    assert again.settings == straight[0].settings
    for mine, theirs in zip(again.model.parameters(), straight[0].model.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    with pytest.raises(TrainingError, match="holds a training already.*name another"):
        train(GRAMMAR, folder=tmp_path / "t", **HOW)


def test_what_is_no_training_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(TrainingError, match="holds no training"):
        train(GRAMMAR, folder=tmp_path, resume=True, **HOW)
    with pytest.raises(TrainingError, match="is a file"):
        train(GRAMMAR, folder=tmp_path / "mine.txt", **HOW)
    assert contents(tmp_path) == {"mine.txt": b"mine"}


def test_checkpoints_are_models_on_the_way(tmp_path):
    train(GRAMMAR, folder=tmp_path / "t", **HOW)
    found = [load_model(tmp_path / f"t/checkpoints/step-{n}") for n in (0, 5, 12)]
    assert {one.vocabulary for one in found} == {("<bos>", "a", "b", "c", "<eos>")}
    heads = [one.model.head.weight for one in found]
    assert not torch.equal(heads[0], heads[1])
    assert torch.equal(heads[2], load_model(tmp_path / "t").model.head.weight)
    fresh = train(GRAMMAR, **{**HOW, "checkpoints": (), "steps": 1, "learning_rate": 0.0})
    assert torch.equal(heads[0], fresh.model.head.weight)
    noted = json.loads((tmp_path / "t/checkpoints/step-5/config.json").read_text())["linrep"]
    assert noted["training"]["step"] == 5


def test_checkpoints_need_a_folder_and_steps_that_come():
    with pytest.raises(TrainingError, match="need a folder"):
        train(GRAMMAR, **HOW)
    for wrong in (13, -1, (3, 13)):
        with pytest.raises(TrainingError, match=r"0\.\.12"):
            train(GRAMMAR, **{**HOW, "checkpoints": wrong})
