"""Full disks: said before the work where it can be known, and in one sentence where not."""

import errno
import os
import resource
import shutil
from collections import namedtuple

import pytest

from linrep.core import DiskError, refuse_full, writing
from linrep.grammars import Grammar
from linrep.reports import fresh_folder, refuse_occupied

Usage = namedtuple("Usage", "total used free")
GRAMMAR = "S -> A B\nA -> 'a' | 'b'\nB -> 'c' | 'd'"


@pytest.fixture
def left(monkeypatch):
    """Says of any disk how much is left."""

    def say(free, total=10**12):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(total, total - free, free))

    return say


@pytest.fixture
def small_files():
    """The system refuses to make any file larger than 64 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_room_is_looked_for_where_the_folder_will_be(left, tmp_path):
    left(free=5 * 10**6)
    refuse_full(tmp_path / "not" / "there", 5 * 10**6, "it")
    with pytest.raises(DiskError, match=r"it needs 6\.0 MB, and the disk of .* has 5\.0 MB left"):
        refuse_full(tmp_path / "not" / "there", 6 * 10**6, "it")
    left(free=0, total=0)  # a file system that does not tell
    refuse_full(tmp_path, 10**9, "it")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_refused_before_the_work(left, tmp_path):
    assert refuse_occupied(tmp_path / "run")
    left(free=1000)
    with pytest.raises(DiskError, match="1000 bytes left; nothing was written: make room"):
        refuse_occupied(tmp_path / "run")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_disk_that_fills_up_is_named_and_nothing_is_left(tmp_path, number):
    def fills():
        with fresh_folder(tmp_path / "run") as folder:
            (folder / "half").write_text("written")
            raise OSError(number, os.strerror(number))

    with pytest.raises(DiskError, match=f"run cannot be written in .*{os.strerror(number)}.*room"):
        fills()
    assert not list(tmp_path.iterdir())


def test_other_errors_are_left_to_others(tmp_path):
    def misses():
        with fresh_folder(tmp_path / "run"):
            (tmp_path / "nothing").read_text()

    with pytest.raises(FileNotFoundError):
        misses()
    with pytest.raises(KeyError), writing("it", tmp_path, ValueError):
        raise KeyError
    with (
        pytest.raises(DiskError, match="it cannot be written in .*odd"),
        writing("it", tmp_path, ValueError),
    ):
        raise ValueError("odd")


def test_models_that_find_no_room_are_refused_in_one_sentence(tmp_path, small_files):
    from linrep.models import PlainConfig, PlainTransformer, initialise

    model = initialise(PlainTransformer(PlainConfig(vocabulary=["a"], hidden_size=64)), seed=0)
    with pytest.raises(DiskError, match="the model cannot be written in .*File too large.*room"):
        model.save_pretrained(tmp_path / "model")


def test_models_look_for_room_first(left, tmp_path):
    from linrep.constructions import GrammarTransformer

    made = GrammarTransformer.from_grammar(Grammar.from_text(GRAMMAR))
    left(free=100)
    with pytest.raises(DiskError, match="the model needs .* and the disk of .* has 100 bytes"):
        made.save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_training_looks_for_room_before_its_first_step(left, tmp_path, capsys, monkeypatch):
    from linrep.cli import main
    from linrep.models.training.loop import Loop

    monkeypatch.setattr(Loop, "run", lambda *_: pytest.fail("it was trained"))
    (tmp_path / "g.cfg").write_text(GRAMMAR)
    left(free=2 * 10**6)
    command = ["train", "--grammar", str(tmp_path / "g.cfg"), "--out", str(tmp_path / "m")]
    with pytest.raises(SystemExit) as end:
        main([*command, "--width", "256"])
    assert end.value.code == 2
    assert "the trained model needs 50.3 MB, and the disk of" in capsys.readouterr().err
