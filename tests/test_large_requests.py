"""Requests that somebody might make and no machine works off are refused before the work."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from linrep.cli import main
from linrep.core import LinrepError, checked
from linrep.core.limits import MOST_DRAWS, does_not_fit, refuse_large
from linrep.experiments import Experiment
from linrep.experiments.settings import SettingsError, read_settings
from linrep.models import PlainConfig, PlainTransformer
from linrep.models.config import ConfigError
from linrep.probes import ProbeError
from linrep.probes.evidence import intervals, permutation

PROGRAM = Path(__file__).with_name("careless_calls.py")
LARGE = (10**9, 2**40, 10**15, 2**63 - 1)


def test_large_numbers_are_answered_or_refused_by_every_public_function():
    """In a process of its own, which gets four gigabytes more; twenty seconds a call."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, PROGRAM, "large"],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "'raw': 0" in done.stdout.strip().splitlines()[-1]


@checked(LinrepError, most={"draws": 10})
def take(draws: int = 1, size: int = 1, error: type[Exception] | None = None) -> int:
    if error is not None:
        raise error("too few rows")
    return len(np.empty((size, draws)))


def test_what_is_too_large_is_told_once_with_the_number_and_the_remedy():
    assert take(10, 3) == 3
    with pytest.raises(LinrepError, match="received int 11: at most 10 are worked off; take fewer"):
        take(11)
    with pytest.raises(LinrepError, match=r"take with size=100000000000000 does not fit in .* \(Un"
                       r"able to allocate .*\): ask for less"):  # fmt: skip
        take(size=10**14)
    with pytest.raises(LinrepError, match="take with size=9223372036854775807 does not fit"):
        take(size=2**63 - 1, draws=2)
    for other in (ValueError, RuntimeError, OverflowError):  # no matter of memory
        with pytest.raises(other, match="too few rows"):
            take(error=other)
    assert does_not_fit(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not does_not_fit(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_memory_that_is_not_known_refuses_nothing():
    refuse_large(LinrepError, 2**90, None, "a table", "take less")
    refuse_large(LinrepError, 2**30, 2**30, "a table", "take less")
    with pytest.raises(LinrepError, match="a table needs 2 GiB; this machine has 1 GiB; take less"):
        refuse_large(LinrepError, 2**31, 2**30, "a table", "take less")


@pytest.mark.parametrize(
    "sizes",
    [{"num_hidden_layers": 10**9}, {"hidden_size": 2**40}, {"vocab_size": 10**15},
     {"max_position_embeddings": 2**40}, {"intermediate_size": 10**12},
     {"num_attention_heads": 10**10},
     {"attention_bias_table": True, "max_position_embeddings": 10**7}],
)  # fmt: skip
def test_a_transformer_larger_than_the_memory_is_refused_before_it_is_made(sizes):
    with pytest.raises(ConfigError, match=r"needs .* GiB; this machine has .* GiB; ask for fewer"):
        PlainTransformer(PlainConfig(**sizes))


def test_resamples_and_permutations_that_fit_no_memory_are_refused(monkeypatch):
    rng, tokens = np.random.default_rng(0), np.arange(8)
    for module in (intervals, permutation):
        monkeypatch.setattr(module, "available_memory", lambda: 2**20)
    with pytest.raises(ProbeError, match="100000 resamples of 500 groups needs"):
        intervals.bootstrap_weights(500, 100_000, rng)
    assert intervals.bootstrap_weights(5, 100, rng).shape == (100, 5)
    with pytest.raises(ProbeError, match="1000000 permutations of 8 test tokens needs"):
        permutation.LabelNull.draw(tokens % 2, tokens // 2, tokens % 2, 10**6, rng)
    ragged = np.repeat(np.arange(4), [1, 2, 3, 2])
    with pytest.raises(ProbeError, match="1000000 permutations"):
        permutation.LabelNull.draw(tokens % 2, ragged, tokens, 10**6, rng)
    permutation.LabelNull.draw(tokens % 2, tokens // 2, tokens % 2, 10, rng)


STUDY = {
    "name": "a", "sentences": 40, "seed": 1,
    "model": {"source": "constructed", "rotation": None},
    "language": {"source": "latin", "order": 2, "depth": 2},
    "probes": {"permutations": 0, "bootstrap": 0, "twins": 1},
}  # fmt: skip


@pytest.mark.parametrize("name", ["permutations", "bootstrap", "twins"])
@pytest.mark.parametrize("value", LARGE)
def test_settings_with_more_draws_than_data_can_use_are_refused(name, value, tmp_path):
    study = {**STUDY, "probes": {**STUDY["probes"], name: value}}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump({"title": "t", "studies": [study]}))
    with pytest.raises(SettingsError, match=rf"less than or equal to .*; received {value}"):
        read_settings(tmp_path / "s.yaml")
    assert Experiment.model_validate({"title": "t", "studies": [STUDY]}).studies[0].seed == 1
    allowed = {**STUDY["probes"], "bootstrap": MOST_DRAWS}
    Experiment.model_validate({"title": "t", "studies": [{**STUDY, "probes": allowed}]})


@pytest.mark.parametrize("value", LARGE[1::2])
@pytest.mark.parametrize(
    "words",
    ["train --steps", "train --sentences", "train --layers", "train --width", "train --heads",
     "grammar g.cfg --sample", "probe --model m --grammar g.cfg --permutations"],
)  # fmt: skip
def test_commands_refuse_what_no_machine_works_off(words, value, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("g.cfg").write_text("S -> A A\nA -> 'a' | 'b'\n")
    needed = ["--grammar", "g.cfg"] if "train" in words else []
    more = [] if "grammar g" in words and "probe" not in words else ["--out", "made"]
    with pytest.raises(SystemExit) as end:
        main([*words.split(), str(value), *needed, *more])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert said.startswith("linrep: "), said
    assert len(said.splitlines()) == 1
    assert f"{value:,}" in said or str(value) in said
    assert not Path("made").exists()


def test_a_budget_that_is_never_used_up_costs_nothing(capsys):
    with pytest.raises(SystemExit) as end:
        main(["regions", "tent:3", "--budget", str(2**63 - 1)])
    assert end.value.code == 0
    assert "8" in capsys.readouterr().out
