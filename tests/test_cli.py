"""The command line: help with examples, JSON, one clear message per mistake, nothing left."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import pytest
import yaml

from linrep.cli import main

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    "demo", "probe", "run", "report", "compare", "check", "grammar", "regions", "construct",
    "train", "sweep", "maxout", "scaling", "schema",
)  # fmt: skip
GRAMMAR = "S -> A B [0.7] | B [0.3]\nA -> 'a' | 'b'\nB -> 'c' A | 'd' 'd'\n"
TREES = (
    "( (S (NP (DT the) (NN dog)) (VP (VBZ barks))) )\n( (S (NP (NNS cats)) (VP (VBP sleep))) )\n"
)


@pytest.fixture
def linrep(capsys):
    """Run a command in this process: (status, standard output, standard error)."""

    def call(*arguments):
        capsys.readouterr()  # what came before the command, a library's bar for one
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return end.value.code, printed.out, printed.err

    return call


@pytest.fixture
def grammar(tmp_path):
    file = tmp_path / "language.cfg"
    file.write_text(GRAMMAR)
    return file


@pytest.fixture
def trees(tmp_path):
    file = tmp_path / "bank.ptb"
    file.write_text(TREES)
    return file


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A run folder, made once by the smallest experiment there is."""
    from linrep.experiments import Experiment, run_experiment
    from linrep.reports import write_run

    study = {
        "name": "tiny",
        "language": {"source": "latin", "order": 2, "depth": 2},
        "model": {"source": "constructed"},
        "sentences": 80,
        "probes": {"positions": "boundary", "C": 10.0, "permutations": 0, "bootstrap": 50},
    }
    settings = Experiment.model_validate({"title": "tiny", "studies": [study]})
    return write_run(run_experiment(settings), tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A small constructed model's folder: words are its tokens."""
    from linrep import Grammar, GrammarTransformer

    folder = tmp_path_factory.mktemp("models") / "made"
    GrammarTransformer.from_grammar(Grammar.from_text(GRAMMAR)).save_pretrained(folder)
    return folder


# -- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(linrep, command):
    status, out, _ = linrep(command, "--help")
    assert status == 0
    assert "Example" in out
    assert f"linrep {command}" in " ".join(out.split())
    assert "--json" in out
    assert "Raises" not in out
    assert all(ord(letter) < 0x2600 for letter in out)  # rich draws :symbols: as a picture


def test_no_arguments_show_help_and_the_version_is_printed(linrep):
    assert "Commands" in "".join(linrep()[1:])
    assert linrep("--version")[:2] == (0, f"linrep {__import__('linrep').__version__}\n")


def test_an_unknown_option_is_a_users_mistake(linrep):
    assert linrep("grammar", "--nonsense")[0] == 2


# -- what works -----------------------------------------------------------------------------------


def test_grammar_counts_samples_and_predicts(linrep, grammar):
    status, out, _ = linrep("grammar", grammar, "--next", "a", "--sample", 3, "--json")
    data = json.loads(out)
    assert status == 0
    assert data["derivations"] == 9
    assert data["next"]["c"] == pytest.approx(0.5)
    assert sum(data["next"].values()) == pytest.approx(1.0)
    assert len(data["sample"]) == 3
    again = json.loads(linrep("grammar", grammar, "--sample", 3, "--json")[1])
    assert again["sample"] == data["sample"]
    assert "after 'a':" in linrep("grammar", grammar, "--next", "a")[1]


def test_regions_are_counted_exactly(linrep):
    assert json.loads(linrep("regions", "tent:6", "--json")[1])["linear regions"] == 64
    assert json.loads(linrep("regions", "zigzag:3:2", "--json")[1])["linear regions"] == 25


def test_construct_writes_a_model_that_computes_the_grammar(linrep, grammar, tmp_path):
    status, out, _ = linrep("construct", grammar, "--out", tmp_path / "m", "--rotation", 1)
    assert status == 0
    assert str(tmp_path / "m") in out
    from linrep import Grammar, GrammarTransformer

    made = GrammarTransformer.from_pretrained(tmp_path / "m")
    exact = Grammar.from_text(GRAMMAR).next_token(["a", "c"])
    # float64 through a handful of layers
    assert made.next_token(["a", "c"]) == pytest.approx(exact, abs=1e-12)


def test_train_then_probe_on_the_grammar(linrep, grammar, tmp_path):
    status, out, _ = linrep("train", "--grammar", grammar, "--out", tmp_path / "t", "--steps", 30,
                            "--sentences", 64, "--width", 16, "--layers", 1, "--heads", 2,
                            "--json")  # fmt: skip
    assert status == 0
    assert json.loads(out)["loss"] > 0
    status, out, _ = linrep("probe", "--model", tmp_path / "t", "--grammar", grammar, "--heights",
                            "1,2", "--sentences", 60, "--permutations", 0, "--out", tmp_path / "r",
                            "--erase", "--steer", "--json")  # fmt: skip
    assert status == 0
    study = json.loads(out)["studies"][0]
    assert {row["arm"] for row in study["erased"]} >= {"none", "subspace", "leace", "variance"}
    assert study["steered"] or any("not steered" in note for note in study["notes"])
    assert {row["ceiling"] is not None for row in study["scores"]["rows"]} == {True}
    verdicts = study["comparison"]["rows"][0]["verdicts"]
    assert "no construction shares this basis" in verdicts["aligned"]["reason"]


def test_what_messages_advise_is_an_option(linrep, refused, grammar, tmp_path):
    from linrep import Grammar, GrammarTransformer

    out = tmp_path / "m"
    message = refused("construct", grammar, "--max-parameters", 10, out=out)
    assert "the limit is 10: use backend='sparse'" in message
    assert linrep("construct", grammar, "--out", out, "--backend", "sparse")[0] == 0
    made, read = GrammarTransformer.from_pretrained(out), Grammar.from_text(GRAMMAR)
    assert made.next_token(["a"]) == pytest.approx(read.next_token(["a"]), abs=1e-12)
    two = tmp_path / "shapes.cfg"
    two.write_text("S -> A 'b' | 'b' A\nA -> 'a' 'a'\n")
    message = refused("construct", two, "--mode", "shapes", "--max-shapes", 1, out=tmp_path / "n")
    assert "or raise max_shapes" in message
    message = refused("construct", grammar, "--head", "log", "--log-error", 2, out=tmp_path / "n")
    assert "log_error lies between 0 and 1; received 2" in message


def test_sentences_beyond_the_context_are_read_as_asked(linrep, refused, tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    words = ["<bos>", "a", "b", "c", "<eos>"]
    size = {"n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 4}
    ids = {"bos_token_id": 0, "eos_token_id": 4}
    config = GPT2Config(vocabulary=words, vocab_size=5, **size, **ids)
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "short")
    (tmp_path / "g.cfg").write_text("S -> X Y X Y\nX -> 'a' | 'b'\nY -> 'b' | 'c'\n")
    command = ["probe", "--model", tmp_path / "short", "--grammar", tmp_path / "g.cfg"]
    command += ["--sentences", 40, "--permutations", 0]
    assert 'pass long_inputs="window"' in refused(*command, out=tmp_path / "r")
    assert "reading.long_inputs" in refused(*command, "--long-inputs", "x", out=tmp_path / "r")
    assert "reading.check.0" in refused(*command, "--check", "x", out=tmp_path / "r")
    status, out, _ = linrep(*command, "--long-inputs", "window", "--check", "reference, batch",
                            "--no-special-tokens", "--out", tmp_path / "r", "--json")  # fmt: skip
    assert status == 0
    found = json.loads(out)
    reading = {"long_inputs": "window", "special_tokens": False, "check": ["reference", "batch"],
               "layers": None}  # fmt: skip
    assert found["settings"]["studies"][0]["reading"] == reading
    manifest = found["made_with"]["studies"]["grammar"]["activations"]
    assert manifest["settings"]["long_inputs"] == "window"
    assert set(manifest["self_check"]) == {"norms", "sees_next", "reference", "batch"}


def test_run_repeats_a_run_from_its_settings(linrep, made, tmp_path):
    status, _, _ = linrep("run", made / "settings.yaml", "--out", tmp_path / "again")
    assert status == 0
    names = sorted(p.relative_to(made) for p in made.rglob("*") if p.is_file())
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (made / name).read_bytes(), name


def test_report_is_written_again_without_the_model(linrep, made, tmp_path):
    status, out, _ = linrep("report", made, "--to", tmp_path / "page.html")
    assert (status, out.strip()) == (0, str(tmp_path / "page.html"))
    assert (tmp_path / "page.html").read_bytes() == (made / "report.html").read_bytes()


def test_compare_lays_two_runs_beside_each_other(linrep, made, tmp_path):
    status, out, _ = linrep("compare", made, made, "--strict", "--json")
    assert status == 0
    assert json.loads(out)["worse"] == 0
    assert "0 worse" in linrep("compare", made, made)[1]


def test_check_exits_1_when_a_requirement_fails(linrep, made):
    assert linrep("check", made)[0] == 0
    assert linrep("check", made, "--require", "accuracy>=0.99@blocks.3.*")[0] == 0
    status, out, _ = linrep("check", made, "--require", "accuracy>=0.99", "--json")
    assert status == 1
    failed = [o for o in json.loads(out)["outcomes"] if not o["passed"]]
    assert {o["site"] for o in failed} == {"blocks.0.hook_resid_pre"}


def test_results_go_to_standard_output_and_nothing_to_standard_error(made):
    done = subprocess.run(
        [sys.executable, "-m", "linrep", "check", made, "--json"], capture_output=True, timeout=120
    )
    assert json.loads(done.stdout)["passed"]
    assert done.stderr == b""


# -- bad input: status 2, one clear message, nothing left -----------------------------------------


@pytest.fixture
def refused(linrep, tmp_path):
    """The message of a mistake; asserts that nothing was written."""

    def call(*arguments, out=None):
        before = sorted(tmp_path.rglob("*"))
        status, printed, message = linrep(*arguments, *([] if out is None else ["--out", out]))
        assert status == 2
        assert printed == ""
        assert message.startswith("linrep: ")
        assert "Traceback" not in message
        assert sorted(tmp_path.rglob("*")) == before
        return message

    return call


def test_a_recursive_grammar(refused, tmp_path):
    file = tmp_path / "loop.cfg"
    file.write_text("S -> 'a' B\nB -> 'b' S | 'c'\n")
    for command in (["grammar", file], ["construct", file, "--out", tmp_path / "m"],
                    ["train", "--grammar", file, "--out", tmp_path / "m"]):  # fmt: skip
        message = refused(*command)
        assert "S -> B -> S" in message
        assert str(file) in message
        assert "linrep grammar FILE --unroll DEPTH --out NEW" in message


def test_the_remedy_for_recursion_works_as_it_is_written(linrep, tmp_path):
    file, new, plain = (tmp_path / name for name in ("loop.cfg", "new.cfg", "plain.cfg"))
    file.write_text("S -> 'a' B\nB -> 'b' S | 'c' |\n")
    status, printed, _ = linrep("grammar", file, "--unroll", 5, "--out", new)
    assert status == 0
    assert "probability cut off: 0.0740741" in printed
    assert linrep("grammar", new, "--sample", 3)[0] == 0
    status, _, message = linrep("grammar", file, "--unroll", 5, "--out", new)
    assert status == 2
    assert "exists already" in message
    file.write_text("S -> 'a' B\nB -> 'c' |\n")
    assert "--without-empty" in linrep("grammar", file)[2]
    assert linrep("grammar", file, "--without-empty", "--out", plain)[0] == 0
    assert "longest sentence: 2" in linrep("grammar", plain)[1]
    assert linrep("grammar", file, "--without-empty", "--unroll", 2)[0] == 2


CHOICES = {
    "one pass": ["--mode", "shapes", "--passes", 1, "--semiring", "boolean", "--max-shapes", 9],
    "beliefs": ["--beliefs", "prefix", "--no-gauge", "--token-scale", 1.5, "--rotation", 3,
                "--inexact", "allow"],
    "head": ["--head", "log", "--log-error", 0.01, "--dtype", "float32", "--position-code", "bias",
             "--merge", "bodies", "--max-parameters", 100_000],
    "sparse": ["--backend", "sparse"],
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_of_the_construction_is_an_option(name, linrep, grammar, tmp_path):
    from linrep.constructions import GrammarTransformer

    given = CHOICES[name]
    status, _, message = linrep("construct", grammar, "--out", tmp_path / "m", *given)
    assert status == 0, message
    made = GrammarTransformer.from_pretrained(tmp_path / "m").settings.to_dict()
    for flag, value in zip(given, [*given[1:], ""], strict=True):
        if str(flag).startswith("--no-"):
            assert made[flag[5:]] is False
        elif str(flag).startswith("--"):
            assert made[flag[2:].replace("-", "_")] == value


def test_no_choice_is_left_out():
    from linrep.constructions.grammar.settings import ConstructionSettings, options
    from linrep.experiments.settings import Constructed

    names = {option.name for option in options()}
    tried = {str(flag)[2:] for given in CHOICES.values() for flag in given if "--" in str(flag)}
    assert {flag.removeprefix("no-").replace("-", "_") for flag in tried} == names
    assert set(Constructed.model_fields) == names | {"source"}
    assert all(option.about.endswith(".") for option in options())
    assert ConstructionSettings().to_dict() == {option.name: option.default for option in options()}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--mode", "x"], "mode is one of 'spans', 'shapes'; received str 'x'"),
        (["--token-scale", "much"], "token_scale is 'auto' or a positive number"),
        (["--passes", 3], "passes is one of 1, 2"),
        (["--beliefs", "prefix", "--mode", "shapes"], "beliefs need mode='spans'"),
    ],
)
def test_a_choice_that_does_not_exist(refused, grammar, tmp_path, given, said):
    assert said in refused("construct", grammar, *given, out=tmp_path / "m")


def test_symbols_that_come_to_nothing_are_noted(linrep, tmp_path):
    file = tmp_path / "found.cfg"
    file.write_text("S -> 'a' | X\nX -> X 'x'\nU -> 'u'\n")
    status, printed, _ = linrep("grammar", file)
    assert status == 0
    assert "X derives no sentence" in printed
    assert "U cannot be reached" in printed


def test_a_treebank_with_unbalanced_brackets(refused, model, tmp_path):
    file = tmp_path / "broken.ptb"
    file.write_text("( (S (NN dog)) )\n( (S (NP (DT the) (NN dog))\n")
    message = refused("probe", "--model", model, "--trees", file, out=tmp_path / "run")
    assert "broken.ptb" in message
    assert "line 2" in message or ":2" in message


def test_a_model_folder_without_a_tokenizer(refused, trees, tmp_path):
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
                        intermediate_size=8, max_position_embeddings=16)  # fmt: skip
    BertForMaskedLM(config).save_pretrained(tmp_path / "bert")
    message = refused("probe", "--model", tmp_path / "bert", "--trees", trees, out=tmp_path / "run")
    assert "tokenizer" in message


def test_a_model_that_needs_its_own_code(refused, trees, tmp_path):
    import transformers as tf

    size = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2,
            "num_attention_heads": 2}  # fmt: skip
    size["auto_map"] = {"AutoModelForCausalLM": "own.Model"}
    made = tf.LlamaForCausalLM(tf.LlamaConfig(**size))
    made.config.architectures = ["Own"]
    made.save_pretrained(tmp_path / "model")
    file = tmp_path / "model" / "config.json"
    file.write_text(file.read_text().replace("LlamaForCausalLM", "Own"))
    message = refused(
        "probe", "--model", tmp_path / "model", "--trees", trees, out=tmp_path / "run"
    )
    assert "trust_remote_code=True" in message


@pytest.mark.parametrize(
    "content",
    [None, {"notes.txt": "hello"}, {"config.json": "{"},
     {"config.json": '{"model_type": "linrep-nonsense"}'}],
)  # fmt: skip
def test_a_folder_that_is_not_a_model(refused, trees, tmp_path, content):
    folder = tmp_path / "not-a-model"
    if content is not None:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    message = refused("probe", "--model", folder, "--trees", trees, out=tmp_path / "run")
    assert "not-a-model" in message


@pytest.mark.parametrize("command", ["demo", "probe", "run"])
def test_a_folder_that_already_holds_a_run(linrep, made, model, trees, tmp_path, command):
    out = tmp_path / "run"
    shutil.copytree(made, out)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    arguments = {
        "demo": ["demo"],
        "probe": ["probe", "--model", model, "--trees", trees],
        "run": ["run", made / "settings.yaml"],
    }[command]
    status, _, message = linrep(*arguments, "--out", out)
    assert status == 2
    assert "already holds a run" in message
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before


def test_a_glob_that_matches_nothing(refused, model, tmp_path):
    message = refused("probe", "--model", model, "--trees", tmp_path / "*.none", out=tmp_path / "r")
    assert "*.none" in message


def test_more_classes_than_examples(refused, model, tmp_path):
    file = tmp_path / "many.ptb"
    lines = [f"( (S (X{i} a) (Y{i} {word}) (Z{i} b)) )" for i, word in enumerate("abcd")]
    file.write_text("\n".join(lines) + "\n")
    message = refused("probe", "--model", model, "--trees", file, "--heights", "1",
                      out=tmp_path / "run")  # fmt: skip
    assert "class" in message


def test_other_mistakes(refused, model, trees, grammar, made, tmp_path):
    assert "one of the two" in refused("probe", "--model", model, out=tmp_path / "r")
    assert "height 9" in refused("probe", "--model", model, "--grammar", grammar, "--heights", "9",
                                 out=tmp_path / "r")  # fmt: skip
    assert "dog" in refused("probe", "--model", model, "--trees", trees, out=tmp_path / "r")
    assert "'x'" in refused("grammar", grammar, "--next", "x")
    assert "no sentence" in refused("grammar", grammar, "--next", "c c")
    assert "no-such" in refused("grammar", tmp_path / "no-such.cfg")
    assert "holds no run" in refused("report", tmp_path)
    assert "matches no cell" in refused("check", made, "--require", "accuracy>=1@blocks.99.*")
    assert "cannot read" in refused("run", tmp_path / "none.yaml", out=tmp_path / "r")
    assert "no network" in refused("regions", "no-such.npz")


def test_settings_with_an_unknown_name(refused, made, tmp_path):
    data = yaml.safe_load((made / "settings.yaml").read_text())
    data["studies"][0]["sentence"] = 9
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(data))
    message = refused("run", tmp_path / "bad.yaml", out=tmp_path / "r")
    assert "studies.0.sentence" in message


@pytest.mark.parametrize("theorem", ["maxout", "scaling"])
def test_theorems_make_runs_that_the_other_commands_read(linrep, grammar, tmp_path, theorem):
    out, more = tmp_path / "deep" / theorem, tmp_path / "again.md"
    own = ["--grammar", grammar] if theorem == "scaling" else []
    status, printed, _ = linrep(theorem, "--tiny", "--out", out, *own)
    assert status == 0
    line = {
        "maxout": "ok: largest error as a share of the signed bound",
        "scaling": "ok: two passes: layers per level",
    }
    assert line[theorem] in printed
    assert {file.name for file in out.iterdir()} == {
        "manifest.json", "settings.yaml", "scores.csv", "studies", "subspaces.safetensors",
        "report.html", "report.md", "report.json",
    }  # fmt: skip
    assert linrep("check", out)[0] == 0
    if theorem == "maxout":  # the cells of its probes are held to requirements like any other
        stairs = "@blocks.2.hook_resid_mid/layer 3 unit 0"
        assert linrep("check", out, "--require", f"accuracy>=0.97{stairs}")[0] == 0
        assert linrep("check", out, "--require", f"random_weights>=1.01{stairs}")[0] == 1
    assert linrep("compare", out, out)[0] == 0
    assert linrep("report", out, "--to", more)[0] == 0
    page = more.read_text("utf-8")
    shown = {"maxout": ["## staircase"], "scaling": ["## grammar 1", str(grammar)]}
    assert all(text in page for text in shown[theorem])
    status, printed, message = linrep(theorem, "--tiny", "--out", out)
    assert (status, printed) == (2, "")
    assert "already holds a run" in message


def test_an_engine_that_is_not(refused, tmp_path):
    assert "unknown engine 'dask'" in refused("demo", "--engine", "dask", out=tmp_path / "r")


# -- interruption ---------------------------------------------------------------------------------


def importing(pid):
    """PyTorch is being loaded."""
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()


def working(pid):
    """A worker, beside what tracks shared memory, has been begun."""
    return len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()) >= 2


def await_moment(process, moment):
    ends = time.monotonic() + 600  # only ever waited for in full where the moment never comes
    while process.poll() is None and not moment(process.pid):
        assert time.monotonic() < ends
        time.sleep(0.02)


ENDS = {
    signal.SIGINT: "interrupted", signal.SIGTERM: "ended by SIGTERM",
    signal.SIGHUP: "ended, the terminal closed (SIGHUP)",
}  # fmt: skip


SMALL = """\
title: small
studies:
- name: one
  language: {source: latin, order: 2, depth: 2}
  model: {source: constructed}
  sentences: 100
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
@pytest.mark.parametrize(
    ("number", "moment", "engine"),
    [(number, importing, "local") for number in ENDS] + [(signal.SIGTERM, working, "processes:2")],
    ids=["INT", "TERM", "HUP", "TERM while workers work"],
)
def test_signals_end_a_command_cleanly(tmp_path, number, moment, engine):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    settings = scratch / "settings.yaml"
    settings.write_text(SMALL)
    command = [sys.executable, "-m", "linrep", "run", settings, "--out", tmp_path / "deep" / "run"]
    command += ["--engine", engine]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        try:
            await_moment(process, moment)
            process.send_signal(number)
            out, message = process.communicate(timeout=600)
        finally:
            process.kill()  # one that has ended takes no harm
    assert process.returncode == 128 + number
    assert message.decode() == f"linrep: {ENDS[number]}; nothing half-written is left\n"
    assert out == b""
    assert [file.name for file in tmp_path.iterdir()] == ["scratch"]
    assert not list(scratch.glob("*linrep*"))  # PyTorch keeps a folder of its own


def test_a_hangup_that_is_ignored_ends_nothing(tmp_path):
    """``nohup linrep ...``."""
    script = (
        "import signal, os; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from linrep.cli import app, main\n"
        "@app.command()\n"
        "def held(): os.kill(os.getpid(), signal.SIGHUP); print('done')\n"
        "main(['held'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_a_ctrl_c_while_python_imports_leaves_no_traceback(tmp_path):
    (tmp_path / "typer.py").write_text("import signal; signal.raise_signal(signal.SIGINT)")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(
        [sys.executable, "-c", "from linrep.entry import main; main()"],
        capture_output=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGINT
    assert done.stderr == b""


def test_ctrl_c_inside_executed_text_is_clean(tmp_path):
    """Imports execute text for every dataclass; CPython then wants to die of the signal itself."""
    (tmp_path / "held.py").write_text(
        "from linrep import cli\n"
        "@cli.app.command()\n"
        "def held(): exec('import signal; signal.raise_signal(signal.SIGINT)')\n"
        "cli.main(['held'])\n"
    )
    command = [sys.executable, "-m", "held"]  # as ``python -m linrep``
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr == "linrep: interrupted; nothing half-written is left\n"


def test_a_shallow_grammar_is_probed_at_the_heights_it_has(linrep, grammar, tmp_path):
    model = tmp_path / "model"
    assert linrep("construct", grammar, "--out", model)[0] == 0
    status, out, _ = linrep(
        "probe", "--model", model, "--grammar", grammar, "--out", tmp_path / "run",
        "--sentences", 200, "--permutations", 0, "--json",
    )  # fmt: skip
    assert status == 0
    rows = json.loads(out)["studies"][0]["scores"]["rows"]
    assert {r["target"] for r in rows if r["kind"] == "class"} == {"height 1", "height 2"}


def test_an_inverted_box_is_a_users_mistake(linrep):
    status, _, err = linrep("regions", "tent:3", "--low", 2, "--high", 1)
    assert status == 2
    assert "--low must lie below --high" in err


def test_a_place_that_the_system_refuses_is_one_message(linrep, grammar, tmp_path, monkeypatch):
    status, out, err = linrep("construct", grammar, "--out", "/proc/nothing/model")
    assert (status, out) == (2, "")
    assert err.startswith("linrep: /proc/nothing/model cannot be made")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "somewhere")

    monkeypatch.setattr("linrep.grammars.Grammar.from_file", refuse)
    status, out, err = linrep("construct", grammar, "--out", tmp_path / "model")
    assert (status, out) == (2, "")
    assert err.startswith("linrep: the system refuses")
    assert err.count("\n") == 1


def unboxed(message):
    """A usage error without the frame that is drawn around it."""
    return " ".join(message.replace("│", " ").split())


def test_a_rotation_that_is_no_seed_is_a_users_mistake(linrep, grammar, tmp_path):
    status, out, err = linrep("construct", grammar, "--out", tmp_path / "m", "--rotation", -1)
    assert (status, out) == (2, "")
    assert "rotation is the seed of the rotated basis" in unboxed(err)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("command", ["demo", "train", "probe", "maxout", "grammar"])
@pytest.mark.parametrize("seed", [-1, 2**32, 99999999999999999999999])
def test_a_seed_out_of_range_is_a_users_mistake(linrep, grammar, tmp_path, command, seed):
    needed = {
        "demo": [],
        "train": ["--grammar", grammar],
        "probe": ["--model", "m", "--grammar", grammar],
        "maxout": [],
        "grammar": [grammar],
    }[command]
    place = [] if command == "grammar" else ["--out", tmp_path / "r"]
    status, out, err = linrep(command, *needed, *place, "--seed", seed)
    assert (status, out) == (2, "")
    assert "Invalid value for '--seed'" in unboxed(err)
    assert ("4294967295" if seed > 0 else "0") in unboxed(err)
    assert not (tmp_path / "r").exists()


def test_shallow_trees_are_probed_at_the_heights_they_have(linrep, refused, model, tmp_path):
    file = tmp_path / "shallow.ptb"
    lines = [f"(S (B (C {p}) (A {q})) (E (A {r})))" for p, q, r in product("abc", repeat=3)]
    lines += [f"(T (B (D {p}) (D {q})))" for p, q in product("abcd", repeat=2)]
    file.write_text("\n".join(lines) + "\n")
    arguments = ["probe", "--model", model, "--trees", file, "--permutations", 0]
    message = refused(*arguments, "--heights", "1,4", out=tmp_path / "r")
    assert "no labels at height 4" in message
    status, out, _ = linrep(*arguments, "--out", tmp_path / "run", "--json")
    assert status == 0
    study = json.loads(out)["studies"][0]
    assert {row["target"] for row in study["scores"]["rows"] if row["kind"] == "class"} == {
        "height 1", "height 2", "height 3",
    }  # fmt: skip
    assert "Heights probed: 1, 2, 3" in study["notes"][0]


def test_folders_and_broken_manifests_are_named_with_a_remedy(refused, model, made, tmp_path):
    assert "a settings file was expected" in refused("run", made, out=tmp_path / "r")
    message = refused("probe", "--model", model, "--trees", tmp_path, out=tmp_path / "r")
    assert "give a glob such as" in message
    assert "and the targets height 1, " in refused("check", made, "--require", "q>=0/height 9")
    (tmp_path / "taken.html").mkdir()
    message = refused("report", made, "--to", tmp_path / "taken.html")
    assert "name another path" in message
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{}")
    message = refused("check", tmp_path / "broken")
    assert "was expected; received {}: give a folder that linrep" in message


def test_a_reader_who_has_seen_enough_changes_no_status(made):
    command = f"{sys.executable} -m linrep check {made} --require 'accuracy>=0' | head -0"
    script = f"set -o pipefail; {command}; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "0"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("word", "status"), [("no-such-run", 2), ("--no-such-option", 2), ("--help", 0)]
)
def test_what_nobody_reads_has_its_status(word, status):
    read, write = os.pipe()
    os.close(read)
    arguments = [sys.executable, "-m", "linrep", "check", word]
    done = subprocess.run(arguments, stdout=write, stderr=write, check=False)
    os.close(write)
    assert done.returncode == status


@pytest.mark.parametrize("flag", ["", "--json"])
def test_a_locale_without_a_character_prints_its_code(tmp_path, flag):
    file = tmp_path / "accents.cfg"
    file.write_text("S -> 'caf\u00e9'", encoding="utf-8")
    arguments = [sys.executable, "-m", "linrep", "grammar", str(file), "--sample", "1"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run(
        arguments + ([flag] if flag else []), capture_output=True, env=environment, check=False
    )
    assert done.returncode == 0
    assert b"caf\\xe9" in done.stdout


def test_control_characters_never_reach_the_terminal(linrep, refused, tmp_path):
    file = tmp_path / "codes.cfg"
    file.write_text("S -> 'a\x1b[31mb'")
    _, out, _ = linrep("grammar", file, "--sample", "1")
    assert "\x1b" not in out
    assert "a\\x1b[31mb" in out
    assert "\x1b" not in refused("check", tmp_path / "no\x1bne")


def test_paths_of_nobody_and_absurd_models_are_refused(refused, grammar, tmp_path):
    assert "write the whole path" in refused("check", "~nobody-of-this-name/x")
    assert "too long" in refused("check", tmp_path / ("x/" * 3000))
    for size in (("--width", 1_000_000), ("--layers", 100_000_000)):
        message = refused("train", "--grammar", grammar, *size, out=tmp_path / "t")
        assert "choose fewer layers or a smaller width" in message
