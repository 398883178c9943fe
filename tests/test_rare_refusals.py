"""Refusals that few will meet: odd calls, files that cannot be read, packages that are missing."""

import dataclasses
import errno
import os
import re
import signal
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as tf

import linrep
from linrep import constructions, piecewise
from linrep.causal import CausalError, Pairs
from linrep.constructions import ConstructionError, GrammarTransformer, MaxoutError
from linrep.constructions.grammar.backends.position_codes import position_scheme
from linrep.constructions.grammar.program.coordinates import Coordinate, Registry
from linrep.constructions.grammar.program.program import Lookup
from linrep.core import DirectionError, Directions, EngineError, LinrepError, Subspace, make_engine
from linrep.core.engines import Processes
from linrep.corpora import CorpusError
from linrep.experiments import SettingsError, StudySettings, SweepSettings, run_sweep
from linrep.experiments.data import read_data
from linrep.experiments.questions.agreement import agreement
from linrep.experiments.questions.answered import Answered
from linrep.experiments.settings import Constructed, DataFile, Trained
from linrep.experiments.subjects import make_subject
from linrep.experiments.transferring import corpora_of, set_names
from linrep.grammars import Grammar, GrammarError, LanguageError, families
from linrep.grammars.next_tokens import next_tokens
from linrep.hooks import Activations
from linrep.models import LoadError
from linrep.models.tokenizers import tokenizer_of
from linrep.piecewise import NetworkError
from linrep.probes import (
    Eraser,
    ProbeError,
    SoftProbe,
    measure_invariants,
    number_patterns,
)  # fmt: skip
from linrep.reports import Comparison, FolderError, Run, Scores, Study, read_run
from linrep.reports.browser import BrowserError, printed

SITE, LATER = "blocks.0.hook_resid_post", "blocks.1.hook_resid_post"
ROWS = np.random.default_rng(0).standard_normal((40, 3))
CLASSES = np.array(["x", "y"] * 20)
NET = piecewise.random_network(2, [3], 2, seed=0)
AB = Grammar.from_text("S -> A A\nA -> 'a' | 'b'")
FAINT = Grammar.from_text(
    "S -> 'b' [1.0] | A A [1e-200]\nA -> 'a' [1e-200] | 'c' 'c' [1.0]"
)  # fmt: skip
TEXTS = linrep.Corpus.from_texts(["a", "b"])
LATIN = families.latin(order=3, depth=2).sample(60, seed=0)
STREAM = np.random.default_rng(0).standard_normal((LATIN.n_tokens, 4))
LOADED = {"source": "loaded", "path": "model"}
TABLE = DataFile(paths="a.csv", targets=("y",))


class Given(dict):
    """Arrays by site as activations, whatever their shapes."""

    corpus, manifest = None, {}

    @property
    def sites(self):
        """Names of the sites."""
        return tuple(self)

    @property
    def kept(self):
        """Every row of the first site."""
        return np.ones(len(next(iter(self.values()))), dtype=bool)


def labelled(values, rows=ROWS):
    """Activations of texts whose target ``truth`` has these values."""
    texts = [f"text {i}" for i in range(len(values))]
    corpus = linrep.Corpus.from_texts(texts, targets={"truth": values})
    return Activations.from_arrays({SITE: rows[: len(values)]}, corpus)


FEW = labelled(["a", "b"] + [None] * 38)
ONE = labelled(["a"] * 40)
RUN = Run("t", "why", {}, {}, (Study("one", "", {}, Scores(()), Comparison(())),))
CALLS = {
    "a name that the constructions lack": (
        lambda: constructions.nothing, AttributeError, "has no attribute 'nothing'"),
    "a size that is not counted": (
        lambda: GrammarTransformer.from_grammar(AB).accounting()["x"], KeyError,
        "no size is called 'x': ask for one of",
    ),
    "a head of segments with a circular code": (
        lambda: position_scheme("circular", n_max=8).query(Lookup((0,))), TypeError,
        "read a fixed number of tokens back or ahead; received a Lookup",
    ),
    "a coordinate that is not registered": (
        lambda: Registry().index(Coordinate("beta", "S", length=2)), ConstructionError,
        "has no coordinate 'beta S length=2' among its 0: register it",
    ),
    "pieces too large for the weights": (
        lambda: linrep.MaxoutTransformer.from_network(
            NET, (-1e38, 1e38), eps=1e37, dtype=torch.float32
        ),
        MaxoutError, "too much for torch.float32; take a smaller box or a wider dtype",
    ),
    "a bracket of lark that was never opened": (
        lambda: linrep.grammars.from_lark('start: "a" )'), GrammarError,
        r"start: '\)' stands where a string, a name",
    ),
    "next tokens of no grammar": (
        lambda: next_tokens(object(), [["a"]]), LanguageError,
        "a object gives no exact probabilities of the next token: give a Grammar",
    ),
    "a length whose probability vanishes": (
        lambda: FAINT.sample(3, length=2), LanguageError,
        "no sentence of 2 tokens can be sampled: the language has none, or their probability",
    ),
    "heights of labelled texts": (
        lambda: StudySettings(name="x", language=TABLE, model=LOADED, probes={"heights": [1]}),
        SettingsError, "heights are those of trees, and labelled texts have none",
    ),
    "boundaries of labelled texts": (
        lambda: StudySettings(
            name="x", language=TABLE, model=LOADED, probes={"positions": "boundary"}
        ),
        SettingsError, "boundaries are those of trees, and labelled texts have none",
    ),
    "a construction of texts": (
        lambda: make_subject(Constructed(), TEXTS), SettingsError,
        "a constructed model needs a grammar, and this language has none: give",
    ),
    "a training on texts": (
        lambda: make_subject(Trained(), TEXTS), SettingsError,
        "a model is trained on sentences of a grammar, and this language has none: give",
    ),
    "a file that is named twice": (
        lambda: set_names(DataFile(paths="a.csv", targets=("y",), transfer=("a.csv",))),
        SettingsError, "name one file twice",
    ),
    "the picture of a run without pictures": (
        lambda: Answered("t", (), RUN).plot(), SettingsError, "the run of 't' has no pictures"),
    "maps of activations without sentences": (
        lambda: linrep.linear_maps(*[Activations.from_arrays({SITE: ROWS})] * 2), ProbeError,
        "these activations know no corpus: give the sentences",
    ),
    "maps of a stream of three axes": (
        lambda: linrep.linear_maps(
            Given({SITE: STREAM[:, None]}), Given({SITE: STREAM}), LATIN
        ),
        ProbeError, r"are a matrix \[token, d_model\]; received an array of shape \(\d+, 1, 4\)",
    ),
    "numbers far apart in size": (
        lambda: SoftProbe().fit(1e-300 * ROWS, 1e100 * ROWS), ProbeError,
        "weights are not finite: features or targets are too large or too small",
    ),
    "features that are almost zero": (
        lambda: Eraser.fit(1e-320 * ROWS, CLASSES), ProbeError,
        "features are too large or too small for float64: scale them",
    ),
    "the pattern of a number in words": (
        lambda: number_patterns(ROWS, {"a": CLASSES}), ProbeError,
        r"target 'a' is \[token\] or \[token, column\] finite numbers; received <U1",
    ),
    "sites of unlike lengths": (
        lambda: linrep.probe(Given({SITE: ROWS, LATER: ROWS[:20]}), CLASSES), ProbeError,
        "have 20 rows; 40 were expected, one for each token that is kept",
    ),
    "a height under its own name": (
        lambda: linrep.probe(
            Activations.from_arrays({SITE: STREAM}, LATIN), LATIN, heights=[1],
            targets={"height 1": list(LATIN.labels(1))},
        ),
        ProbeError, "target 'height 1' is given twice, as a height and by name",
    ),
    "a set of one class to learn": (
        lambda: linrep.transfer(ONE, ONE, target="truth"), ProbeError,
        "target 'truth' has one class, 'a', in the training rows of a set",
    ),
    "a set with almost no value": (
        lambda: linrep.transfer(FEW, FEW, target="truth"), ProbeError,
        "set 'A' has 2 rows to train and 0 to test, at least one of each is needed",
    ),
    "kinds of beliefs that are none": (
        lambda: linrep.grammars.belief_targets(LATIN, kinds=["guess"]), LanguageError,
        "kinds of beliefs are prefix, boundary, next; received 'guess'",
    ),
    "no file of columns": (
        lambda: linrep.corpora.read_columns([]), CorpusError,
        r"no file of columns was given: name at least one, or '\*.txt'",
    ),
    "fewer than no points": (
        lambda: piecewise.Box([0, 0], [1, 1]).sample(-1, 0), LinrepError,
        r"the number of points, n, lies in 0\.\.",
    ),
    "a readout that is infinite": (
        lambda: dataclasses.replace(NET, readout=np.full((1, 3), np.inf)), NetworkError,
        "the readout holds NaN or infinite entries: give finite numbers",
    ),
    "a readout in words": (
        lambda: dataclasses.replace(NET, readout=[["a", "b", "c"]]), NetworkError,
        "the readout's entries are not numbers in rows of equal length; received",
    ),
    "a layer in words": (
        lambda: dataclasses.replace(NET, weights=(["a"],)), NetworkError,
        "are not numbers in rows of equal length; received",
    ),
    "a site that was not captured": (
        lambda: Activations.from_arrays({SITE: ROWS})[LATER], LinrepError,
        f"no site '{LATER}' was captured: ask for one of {SITE}",
    ),
    "a target that was not counted": (
        lambda: linrep.probes.Statistics.from_arrays(ROWS, ROWS[:, :1]).counts(), ProbeError,
        "holds numbers, so it has no classes to count",
    ),
    "columns of pairs that differ": (
        lambda: Pairs(
            "t", (("a",),), (), ((0,),), ((0,),), ("x",), ("y",), np.array([0]), ((0,),),
            (("b",),), ((0,),), answers=(("x", "y"),),
        ),
        CausalError, "base has 1, and others have another number: {'source': 0}",
    ),
    "sentences of other rows": (
        lambda: linrep.probes.PositionsProbe().fit(ROWS, CLASSES, np.zeros(3, dtype=int)),
        ProbeError, r"40 rows and sentence ids of shape \(3,\); give one id for each row",
    ),
    "an exchange of nothing": (
        lambda: linrep.interchange(linrep.load_model, None, {}), CausalError,
        "no subspace is given, so there is nothing to exchange",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CALLS)
def test_it_is_refused_in_words(what):
    call, error, words = CALLS[what]
    with pytest.raises(error, match=words):
        call()


READ = {
    "columns without a word": (
        "a.txt", "\n\n-DOCSTART- X\n", linrep.corpora.read_columns, "no word in any line"),
    "a word without a form": (
        "a.conllu", "1\t\tx\tNOUN\t_\t_\t0\troot\t_\t_\n\n", linrep.read_conllu,
        "word 1 has an empty second column; expected the word itself",
    ),
    "spans with two targets": (
        "a.jsonl", '{"text": "a b", "spans": [{"span1": [0, 1], "label": "x"}]}\n',
        lambda path: read_data(DataFile(paths=str(path), targets=("a", "b"))),
        "spans have one value each; received targets",
    ),
    "a file where a folder belongs": (
        "sweep", "",
        lambda path: run_sweep(
            SweepSettings(language={"source": "latin", "order": 2, "depth": 1}), path
        ),
        "is a file; a folder was expected: name another path",
    ),
    "one noun to learn from and to exchange": (
        "blimp.jsonl",
        '{"one_prefix_prefix": "the sheep", "one_prefix_word_good": "is", '
        '"one_prefix_word_bad": "are"}\n'
        '{"one_prefix_prefix": "these sheep", "one_prefix_word_good": "are", '
        '"one_prefix_word_bad": "is"}\n',
        lambda path: agreement(
            linrep.experiments.questions.agreement.AgreementSettings(files=[path.name]),
            model="model", data=path.parent,
        ),
        "the beginnings end with one noun, 'sheep'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", READ)
def test_a_file_is_refused_in_words(what, tmp_path):
    name, text, read, words = READ[what]
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(LinrepError, match=words):
        read(tmp_path / name)


def test_probes_carry_over_between_files_of_one_kind(tmp_path):
    (tmp_path / "b.csv").write_text("text,y\na,1\nb,2\n")
    (tmp_path / "c.jsonl").write_text('{"text": "a b", "spans": []}\n')
    language = DataFile(
        paths=str(tmp_path / "b.csv"), targets=("y",), transfer=(str(tmp_path / "c.jsonl"),)
    )
    with pytest.raises(SettingsError, match=r"is of another kind .*\(spans, table\)"):
        corpora_of(StudySettings(name="x", language=language, model=LOADED))


DIRECTIONS = Directions({SITE: np.ones(3)}, "y")
MISSING = {
    "control vectors without gguf": (
        "gguf", lambda folder: linrep.write_directions(DIRECTIONS, folder / "a.gguf"),
        DirectionError, "which is not installed: pip install gguf",
    ),
    "a model in GGUF without gguf": (
        "gguf", lambda folder: linrep.load_model(folder / "a.gguf"), LoadError,
        "read by the package gguf, which is not installed: pip install gguf",
    ),
    "a table in Parquet without pyarrow": (
        "pyarrow", lambda folder: linrep.read_table(folder / "a.parquet", targets=["y"]),
        CorpusError, "pip install pyarrow, or save the table as .csv or .jsonl",
    ),
    "a cluster without Ray": (
        "ray", lambda _: make_engine("ray"), EngineError, 'engine="ray" needs Ray: pip install'),
}  # fmt: skip


@pytest.mark.parametrize("what", MISSING)
def test_a_missing_package_is_named(what, tmp_path, monkeypatch):
    package, call, error, words = MISSING[what]
    for name in ("a.gguf", "a.parquet"):
        (tmp_path / name).write_bytes(b"PAR1")
    for name in (package, *(n for n in sys.modules if n.startswith(f"{package}."))):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(error, match=re.escape(words)):
        call(tmp_path)


@pytest.fixture
def unreadable(monkeypatch):
    """A function after which reading files of a name fails, as a broken disk does."""

    def broken(method, name):
        kept = getattr(Path, method)

        def read(path, *args, **kwargs):
            if path.name == name:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return kept(path, *args, **kwargs)

        monkeypatch.setattr(Path, method, read)

    return broken


def test_a_file_that_cannot_be_read_is_named(tmp_path, unreadable):
    file = linrep.write_directions(DIRECTIONS, tmp_path / "a.safetensors")
    linrep.write_run(RUN, tmp_path / "are")
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text('{"model_type": "gpt2"}')
    unreadable("read_bytes", "a.safetensors")
    with pytest.raises(DirectionError, match=r"cannot read .*a\.safetensors: Input/output error"):
        linrep.read_directions(file)
    unreadable("read_bytes", "manifest.json")
    with pytest.raises(FolderError, match=r"cannot read .*manifest\.json: Input/output error"):
        read_run(tmp_path / "are")
    unreadable("read_text", "config.json")
    with pytest.raises(LoadError, match=r"config\.json' cannot be read \(Input/output error\)"):
        linrep.load_model(tmp_path / "model")


def test_a_configuration_holds_no_nan(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2", "initializer_range": NaN}')
    with pytest.raises(LoadError, match=r"is not JSON \(it holds NaN, which is no setting\)"):
        linrep.load_model(tmp_path)
    with pytest.raises(LoadError, match="has no tokenizer files: give a folder that has them"):
        tokenizer_of(str(tmp_path))


def test_a_model_beyond_the_memory_is_said(tmp_path, monkeypatch, write_small_model):
    def full(*args, **kwargs):
        raise MemoryError

    write_small_model(tmp_path, ["a"])
    monkeypatch.setattr(tf.GPT2LMHeadModel, "from_pretrained", full)
    with pytest.raises(LoadError, match="it does not fit into memory; choose a smaller model"):
        linrep.load_model(tmp_path)


def test_a_browser_that_does_not_start_is_said(tmp_path, monkeypatch):
    browser = tmp_path / "chromium"
    browser.write_bytes(b"\x7fELF, but no program")
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrowserError, match="cannot be started: .*: write the page as .html"):
        printed("<p>a</p>", "pdf")


def killed(_):
    """A job that the system ends, as it does for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_keep_dying_are_told():
    engine = Processes(1, retries=1)
    with pytest.raises(EngineError, match="workers died 2 times, 1 jobs are left"):
        list(engine.map(killed, [0]))
    engine.close()


class Dead(Exception):
    """What Ray raises of a worker or of itself."""


class Broken(Dead):
    """What Ray raises of itself."""


def cluster(**what):
    """A package like Ray, with these functions."""
    task = types.SimpleNamespace(remote=lambda job: job)
    errors = types.SimpleNamespace(
        RayTaskError=type("Task", (Dead,), {}), WorkerCrashedError=type("Crash", (Dead,), {}),
        RayError=Dead,
    )  # fmt: skip
    made = {
        "is_initialized": lambda: True,
        "remote": lambda fn: types.SimpleNamespace(options=lambda **_: task),
        "wait": lambda pending, num_returns: (pending[:1], pending[1:]),
        "cancel": lambda *args, **kwargs: None,
        "exceptions": errors,
    }
    return types.SimpleNamespace(**made | what)


def raising(error):
    def call(*args, **kwargs):
        raise error

    return call


def test_a_cluster_that_is_not_there_is_told(monkeypatch):
    lost = {"is_initialized": lambda: False, "init": raising(ConnectionError("timed out\nmore"))}
    monkeypatch.setitem(sys.modules, "ray", cluster(**lost))
    with pytest.raises(EngineError, match=r"no Ray cluster at 'ray://here:1': timed out\. Is the"):
        make_engine("ray://here:1")


def test_a_cluster_that_breaks_down_is_told(monkeypatch):
    ray = cluster()
    monkeypatch.setitem(sys.modules, "ray", ray)
    ray.get = raising(ray.exceptions.WorkerCrashedError("killed"))
    with pytest.raises(EngineError, match="a worker died 4 times on the same job"):
        list(make_engine("ray").map(abs, [1]))
    ray.get = raising(Dead("no head node\nmore"))
    with pytest.raises(EngineError, match=r"the Ray cluster broke down \(no head node\)"):
        list(make_engine("ray").map(abs, [1]))


def test_maps_lead_to_a_site_that_was_probed():
    acts = Activations.from_arrays({SITE: STREAM, LATER: STREAM + 1.0}, LATIN)
    results = linrep.probe(
        Activations.from_arrays({SITE: STREAM}, LATIN), LATIN, heights=[1],
        positions="boundary", permutations=0, bootstrap=0,
    )  # fmt: skip
    maps = linrep.linear_maps(
        acts, acts, LATIN, sites=[LATER], shuffles=2, rows=~results.learned_from
    )
    plane = Subspace(np.eye(4)[:, :2])
    claim = linrep.core.Prediction(LATER, "height 1", plane, True, "boundary", 2, 1.0, "P1", "here")
    with pytest.raises(LinrepError, match="no map leads to a site that was probed"):
        linrep.compare(results, [claim], through=maps, draws=10)


def test_invariants_are_of_heights_with_two_labels():
    acts = Activations.from_arrays({SITE: STREAM}, LATIN)
    how = {"positions": "boundary", "permutations": 0, "bootstrap": 0}
    results = linrep.probe(acts, LATIN, heights=[2], **how)  # the whole sentence, always S
    with pytest.raises(ProbeError, match="at heights with two labels or more; these results have"):
        measure_invariants(results, acts, LATIN)
