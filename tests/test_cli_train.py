"""``linrep train``: families by name, checkpoints, stopping, interruptions and going on."""

import json
import signal

import pytest

from linrep.cli import main
from linrep.models.training.loop import Loop

SMALL = ["--steps", 12, "--sentences", 64, "--width", 8, "--layers", 1, "--heads", 2,
         "--batch", 8]  # fmt: skip


@pytest.fixture
def linrep(capsys):
    def call(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return end.value.code, printed.out, printed.err

    return call


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_family_is_learned_and_probed_by_its_name(linrep, tmp_path):
    out = tmp_path / "m"
    status, printed, _ = linrep("train", "--grammar", "random_hierarchy:3:2:2:2", "--out", out,
                                "--architecture", "gpt2", "--measure-every", 5, "--json",
                                *SMALL)  # fmt: skip
    told = json.loads(printed)
    assert status == 0
    assert told["steps"] == 12
    assert told["kl"] > 0
    assert told["entropy"] > 0
    assert [row["step"] for row in told["log"]["rows"]] == [5, 10, 12]
    more = ["--heights", "1", "--sentences", 60, "--permutations", 0, "--causal", "no", "--json"]
    status, printed, _ = linrep("probe", "--model", out, "--grammar", "random_hierarchy:3:2:2:2",
                                "--out", tmp_path / "r", *more)  # fmt: skip
    assert status == 0
    assert json.loads(printed)["studies"][0]["scores"]["rows"]


def test_the_message_says_what_was_reached(linrep, tmp_path):
    words = ["train", "--grammar", "latin:2:1", *SMALL]
    _, said, _ = linrep(*words, "--out", tmp_path / "a", "--until", 5)
    assert "KL of 5: reached in 12 steps" in said
    assert "entropy floor: 0.4621 nats per token" in said  # 2 ln 2 / 3
    assert "held-out sentences" in said
    _, said, _ = linrep(*words, "--out", tmp_path / "b", "--until", 1e-9)
    assert "KL of 1e-09: not reached in 12 steps" in said
    _, said, _ = linrep(*words, "--out", tmp_path / "c", "--until", 5, "--measure-every", 3)
    assert "reached in 3 steps" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_says_how_to_go_on_and_the_end_is_the_same(linrep, tmp_path, monkeypatch, number):
    words = ["train", "--grammar", "latin:2:2", "--checkpoints", 5, *SMALL, "--out"]
    assert linrep(*words, tmp_path / "straight")[0] == 0
    step = Loop._step

    def struck(self):
        if self.step == 7:
            signal.raise_signal(number)
        return step(self)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_step", struck)
        status, out, said = linrep(*words, tmp_path / "m")
    assert (status, out) == (128 + number, "")
    assert "training stands at step 7 of 12; to go on, repeat the command with --resume" in said
    status, _, said = linrep(*words, tmp_path / "m")
    assert status == 2
    assert "go on with --resume" in said
    status, _, said = linrep(*words, tmp_path / "m", "--resume", "--learning-rate", 0.5)
    assert status == 2
    assert "learning_rate was 0.001 and is 0.5" in said
    first = linrep(*words, tmp_path / "m", "--resume")
    assert first[0] == 0
    assert contents(tmp_path / "m") == contents(tmp_path / "straight")
    assert linrep(*words, tmp_path / "m", "--resume")[1] == first[1]  # it is finished: read
    kept = sorted(path.name for path in (tmp_path / "m/checkpoints").iterdir())
    assert kept == ["step-10", "step-5"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--grammar", "latin:3"], "is no family"),
        (["--grammar", "latin:3:2:two"], "is no family"),
        (["--grammar", "random_hierarchy:4:2:2"], "is no family"),
        (["--grammar", "random_hierarchy:2:3:2:3"], "bodies"),
        (["--grammar", "latin:2:2", "--checkpoints", "a"], "--checkpoints is a whole number"),
        (["--grammar", "latin:2:2", "--checkpoints", ""], "--checkpoints is a whole number"),
        (["--grammar", "latin:2:2", "--checkpoints", "5,99"], "steps in 0..12"),
        (["--grammar", "latin:2:2", "--architecture", "bert"], "'plain', 'gpt2', 'llama'"),
        (["--grammar", "latin:2:2", "--until", "0.1", "--measure-every", "0"], "until needs"),
        (["--grammar", "latin:2:2", "--heads", "10000000000"], "10000000000"),
    ],
)
def test_mistakes_are_one_message_and_leave_nothing(linrep, tmp_path, words, said):
    status, out, message = linrep("train", *SMALL, *words, "--out", tmp_path / "m")
    assert (status, out) == (2, "")
    assert said in message
    assert len(message.splitlines()) == 1
    assert not (tmp_path / "m").exists()


def test_steps_of_checkpoints(linrep, tmp_path):
    words = ["train", "--grammar", "latin:2:2", *SMALL]
    assert linrep(*words, "--checkpoints", "0,7,", "--out", tmp_path / "m")[0] == 0
    kept = sorted(path.name for path in (tmp_path / "m/checkpoints").iterdir())
    assert kept == ["step-0", "step-7"]
