"""Every engine gives the same answers; workers that die cost only their job."""

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from linrep.core import EngineError, Shared, make_engine, running
from linrep.core.engines import ENDS, Processes, Serial, _unheard

ENGINES = [Serial, lambda: Processes(2)]


@dataclass(frozen=True)
class Sum:
    array: Shared
    factor: int


def add_up(job):
    return float(job.array.get().sum()) * job.factor


@pytest.mark.parametrize("make", ENGINES, ids=["serial", "processes"])
def test_jobs_are_done_once_each_with_shared_arrays(make):
    with running(make()) as engine:
        arrays = [engine.share(lambda i=i: np.full((3, 2), i, dtype=np.float32)) for i in range(5)]
        jobs = [Sum(array, 10) for array in arrays]
        found = sorted(engine.map(add_up, jobs))
        assert found == [(i, 60.0 * i) for i in range(5)]
        engine.close()


def test_arrays_are_made_only_when_a_local_job_asks():
    made = []
    with running("local") as engine:
        jobs = [engine.share(lambda i=i: made.append(i) or np.zeros(1)) for i in range(3)]
        for index, _ in engine.map(lambda job: job.get(), jobs):
            assert made == list(range(index + 1))


def test_shared_files_go_with_the_engine():
    engine = Processes(1)
    shared = engine.share(lambda: np.arange(4))
    assert shared.file.exists()
    np.testing.assert_array_equal(shared.get(), np.arange(4))
    assert not shared.get().flags.writeable
    engine.close()
    assert not shared.file.exists()


def test_an_engine_of_the_callers_is_left_running():
    engine = Processes(1)
    shared = engine.share(lambda: np.arange(4))
    with running(engine) as same:
        assert same is engine
    assert shared.file.exists()
    engine.close()


def test_unknown_engines_are_refused():
    with pytest.raises(EngineError, match="unknown engine 'gpu'"):
        make_engine("gpu")
    with pytest.raises(EngineError, match="at least one process"):
        make_engine("processes:0")


def test_a_killed_process_costs_only_its_job():
    seen = []
    for index, _ in Processes(2).map(time.sleep, [0.2] * 6):
        seen.append(index)
        if len(seen) == 2:
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
    assert sorted(seen) == list(range(6))


def test_an_error_in_a_job_reaches_the_caller():
    with pytest.raises(ValueError, match="math domain"):
        list(Processes(1).map(math.sqrt, [-1.0]))


SLOW = """
import os, sys, time
from linrep.core import make_engine
def job(_):
    os.write(1, b"begun\\n")  # in one piece: two processes write
    time.sleep(600)
{guard}
    list(make_engine("processes:2").map(job, [0, 1]))
"""


def workers_of(pid):
    """Processes that this one began."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children]


def gone(pids, seconds=30):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "killed"])
def test_workers_end_with_who_began_them(tmp_path, number):
    script = tmp_path / "slow.py"
    script.write_text(SLOW.format(guard="if __name__ == '__main__':"))
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        assert [process.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
        workers = workers_of(process.pid)
        assert len(workers) >= 2
        # As a terminal does: all of the group hear a Ctrl-C.
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        _, message = process.communicate(timeout=60)
    assert gone(workers)
    assert message.count("Traceback") <= 1  # that of the script itself, which does not catch it


@pytest.mark.parametrize("number", ENDS)
def test_a_signal_while_workers_are_begun_is_handled_afterwards(number):
    """A worker that is half begun would read a broken pipe, and say so."""
    heard = []
    before = {each: signal.signal(each, lambda *_: heard.append("handled")) for each in ENDS}
    try:
        with _unheard():
            os.kill(os.getpid(), number)
            time.sleep(0)
            heard.append("begun")
        assert heard == ["begun", "handled"]
        os.kill(os.getpid(), number)
        assert heard == ["begun", "handled", "handled"]
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_signals_that_are_ignored_stay_so_while_workers_are_begun():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _unheard():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_script_without_its_guard_is_told_at_the_first_death(tmp_path):
    script = tmp_path / "bare.py"
    script.write_text(SLOW.format(guard="if True:"))
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 1
    assert "no worker came to life" in done.stderr
    assert "if __name__ == '__main__':" in done.stderr


@pytest.mark.parametrize("name", ["ray://", "ray:// ", "ray:///x", "processes:", "text", ""])
def test_addresses_without_a_host_are_refused_at_once(name):
    with pytest.raises(EngineError, match="unknown engine"):
        make_engine(name)
