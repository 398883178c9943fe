"""Whatever stands behind an option, a command answers, or says once what is wrong and does nothing.

Commands and options are read from the program, so that a new one is tried without being listed.
"""

import random
import shutil

import pytest
import typer

from linrep import GrammarTransformer
from linrep.cli import app, main

VALUES = (
    "", " ", "text", "-1", "0", "1.5", "nan", "inf", "-inf", "1e400", "1" + "0" * 30, "True",
    "None", "[]", "{", "@x", "=", "title=", "studies=3", "studies.0.seed=x", "a=[1", "a: b: c",
    "no/such/file", ".", "..", "/", "/dev/null", "folder", "empty.txt", "bytes.bin",
    "~nouser-at-all", "x" * 5000, "a/" * 3000, "a\0b", "a\ud800b", "a\nb", "\x1b[31m", "*", "[",
    "processes:0", "processes:x", "processes:-1", "ray://", "accuracy>=", ">=1",
    "accuracy>=nan@*/*", "1,2,x", "1,,2", "tent:0", "tent:x", "tent:" + "9" * 30, "zigzag:1",
    "zigzag:0:0", "é", "日本語",
)  # fmt: skip
EACH = 3  # values tried of each option


class Works(BaseException):
    """A command goes to work."""


def commands():
    group = typer.main.get_command(app)
    return dict(sorted(group.commands.items()))


def tries():
    """(command, option, value): a slice of all, the same in every run."""
    rng = random.Random(0)
    for name, command in commands().items():
        for param in command.params:
            if not getattr(param, "is_flag", False):
                for value in rng.sample(VALUES, EACH):
                    yield name, param.name, value


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with one good file of each kind; heavy work is cut off where it begins."""
    for module, name in (
        ("linrep.experiments.pipeline", "capture"),
        ("linrep.experiments.maxout.page", "run"),
        ("linrep.experiments.scaling", "run"),
        ("linrep.experiments.questions.table", "answer"),
        ("linrep.models", "train"),
        ("linrep.experiments.sweep", "train"),
    ):

        def begin(*_, **__):
            raise Works

        monkeypatch.setattr(f"{module}.{name}", begin)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "language.cfg").write_text("S -> A A\nA -> 'a' | 'b'\n")
    (tmp_path / "bank.ptb").write_text("( (S (NP (N a)) (VP (V b))) )\n" * 4)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/note.txt").write_text("mine")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "bytes.bin").write_bytes(bytes(range(256)))
    return tmp_path


@pytest.fixture(scope="session")
def run_and_model(tmp_path_factory):
    """A small run's folder and a small model's."""
    from linrep.experiments import Experiment, run_experiment
    from linrep.grammars import Grammar
    from linrep.reports import write_run

    study = {
        "name": "tiny", "sentences": 40, "model": {"source": "constructed"},
        "language": {"source": "latin", "order": 2, "depth": 2},
        "probes": {"C": 1.0, "permutations": 0, "bootstrap": 0, "controls": [], "twins": 1},
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("careless")
    settings = Experiment.model_validate({"title": "tiny", "studies": [study]})
    write_run(run_experiment(settings), folder / "run")
    made = GrammarTransformer.from_grammar(Grammar.from_text("S -> A A\nA -> 'a' | 'b'"))
    made.save_pretrained(folder / "model")
    return folder


# What each command needs, by the name of the option or argument.
NEEDED = {
    "file": "language.cfg", "grammar": "language.cfg", "net": "tent:3", "run": "run",
    "before": "run", "after": "run", "settings": "run/settings.yaml", "model": "model",
    "out": "made", "to": "page.html", "name": "belief",
}  # fmt: skip


def line(command, changed, value):
    """The command line: what is needed, and one option changed."""
    words, arguments = [command.name], []
    for param in command.params:
        given = value if param.name == changed else None
        if given is None and (param.required or param.name == "out"):
            given = NEEDED[param.name]
        if given is None and command.name == "probe" and (param.name, changed) == ("grammar", None):
            given = NEEDED["grammar"]
        if given is None:
            continue
        if param.param_type_name == "argument":
            arguments.append(given)
        else:
            words.append(f"{max(param.opts, key=len)}={given}")
    return [*words, "--", *arguments]


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def restore(place, before, after):
    """Remove what an answer has made, and say which files it changed."""
    for path in sorted(set(after) - set(before), reverse=True):
        target = place / path
        target.rmdir() if target.is_dir() else target.unlink()
    changed = [path for path, text in before.items() if after.get(path) != text]
    for path in changed:
        (place / path).write_bytes(before[path])
    return [path for path in changed if path != "run/report.html"]  # written again where it is


def refuse_or_answer(words, place, capsys, before):
    """What is wrong with a command's reaction, if something is."""
    try:
        main(words)
    except Works:
        capsys.readouterr()
        return ""
    except SystemExit as end:
        status = end.code
    except BaseException as error:
        return f"{type(error).__name__}: {error!s:.200}"
    printed, after = capsys.readouterr(), contents(place)
    if changed := restore(place, before, after):
        return f"changed {changed}"
    if status == 2 and not (printed.err.strip() and not printed.out and after == before):
        return f"status 2, {printed.out!r:.100}, {printed.err!r:.200}"
    if status not in (0, 1, 2) or "Traceback" in printed.err or "\x1b[31m" in printed.err:
        return f"status {status}, {printed.err!r:.300}"
    return ""


def test_a_careless_value_is_answered_or_refused_in_one_message(place, run_and_model, capsys):
    known = commands()
    for part in ("run", "model"):
        shutil.copytree(run_and_model / part, place / part)
    before = contents(place)
    wrong = []
    for name, option, value in tries():
        words = line(known[name], option, value)
        if name == "probe" and option != "trees":
            words.insert(1, "--trees=bank.ptb" if option != "grammar" else "--heights=1")
        if found := refuse_or_answer(words, place, capsys, before):
            wrong.append(f"{words!r:.200}: {found}")
    assert not wrong, "\n".join(wrong)


def test_an_error_of_pythons_own_would_be_seen(place, capsys, monkeypatch):
    def broken(*_):
        raise KeyError("x")

    words = ["grammar", "--", "language.cfg"]
    assert refuse_or_answer(words, place, capsys, contents(place)) == ""
    monkeypatch.setattr("linrep.grammars.Grammar.from_file", broken)
    assert "KeyError" in refuse_or_answer(words, place, capsys, contents(place))


def test_every_command_is_tried():
    assert {name for name, _, _ in tries()} == set(commands())
    assert len(list(tries())) > 150
