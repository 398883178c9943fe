"""Messages that no other test meets: each careless call, the class of its error, its words."""

import csv
import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
import torch
from torch import nn

import linrep
from linrep import piecewise
from linrep.causal import CausalError, Pairs
from linrep.constructions import MaxoutError, SoftNetwork
from linrep.constructions.errors import require_count
from linrep.constructions.maxout.layout import MaxoutLayout
from linrep.core import (
    DirectionError,
    Directions,
    LinrepError,
    Prediction,
    PredictionError,
    Subspace,
)  # fmt: skip
from linrep.corpora import CorpusError
from linrep.experiments import SettingsError
from linrep.experiments.curves import Scaling
from linrep.experiments.questions.agreement import read_beginnings
from linrep.grammars import GrammarError
from linrep.grammars.processes.known import mess3
from linrep.hooks import Activations, CaptureError, StoreError, from_cache
from linrep.hooks.editing.given import numbers
from linrep.hooks.paths.sites import resolve
from linrep.models.training.log import TrainingLog
from linrep.piecewise import MaxoutNetwork, NetworkError, SliceError
from linrep.probes import ProbeError
from linrep.probes.bases.cross import cross_statistics, side_of
from linrep.probes.examples.coding import read_number
from linrep.probes.examples.values import ExampleText
from linrep.probes.solvers.methods import Method

SITE = "blocks.0.hook_resid_post"
PAIR = {
    "target": "height 1", "base": (("a",),), "source": (("b",),), "base_at": ((0,),),
    "source_at": ((0,),), "before": ("x",), "after": ("y",), "groups": np.array([0]),
    "read": ((0,),), "asked": (("b",),), "asked_read": ((0,),),
}  # fmt: skip
ROWS = np.random.default_rng(0).standard_normal((8, 3))
CLASSES = np.array(["x", "y"] * 4)
ROWS40 = np.random.default_rng(0).standard_normal((40, 3))
CLASSES40 = np.array(["x", "y"] * 20)
NET = piecewise.random_network(2, [3], 2, seed=0)
TARGET = linrep.Target.read("y", ["x", "y"])
PLANE = Subspace(np.eye(3)[:, :2])


def files(folder, **contents):
    """Files of these names, with an underscore for the dot."""
    for name, content in contents.items():
        path = folder / name.replace("_", ".")
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(
            content, "utf-8"
        )


def sequential(*layers):
    return MaxoutNetwork.from_torch(nn.Sequential(nn.Linear(2, 3), *layers).double())


class Template:
    """A tokenizer whose chat template makes what it is told to make."""

    chat_template = "{{ messages }}"

    def __init__(self, made):
        self.made = made

    def apply_chat_template(self, chat, **options):
        if isinstance(self.made, Exception):
            raise self.made
        return self.made


CHAT = [[{"role": "user", "content": "hello"}]]
CALLS = {
    "directions of no site": (
        lambda: Directions({}, "y"), DirectionError, "directions are one vector for each",
    ),
    "a direction of length 0": (
        lambda: Directions({SITE: np.zeros(3)}, "y"), DirectionError, "it says no direction",
    ),
    "a direction with another operation": (
        lambda: Directions({SITE: np.ones(3)}, "y", operation="push"), DirectionError,
        "operation is one of 'add'",
    ),
    "a direction of three axes": (
        lambda: Directions({SITE: np.ones((1, 1, 1))}, "y"),
        DirectionError,
        "of numbers was expected",
    ),
    "a direction of another site": (
        lambda: Directions({SITE: np.ones(3)}, "y").subspace("blocks.1.hook_resid_post"),
        DirectionError,
        "no vector at site 'blocks.1.hook_resid_post': ask for one of",
    ),
    "a rank above the subspace's": (
        lambda: Prediction(SITE, "a", PLANE, True, "all", rank=3), PredictionError,
        "rank is a whole number from 0 to the 2 dimensions of the subspace; received 3",
    ),
    "an exact exchange of a state that is not used": (
        lambda: Prediction(SITE, "a", PLANE, True, "all", rank=1, exact=True, used=False),
        PredictionError, "leave one of them out",
    ),
    "an accuracy above 1": (
        lambda: Prediction(SITE, "a", PLANE, True, "all", rank=1, accuracy=1.5), PredictionError,
        "accuracy lies in 0..1; received 1.5",
    ),
    "subspaces of two spaces": (
        lambda: PLANE.overlap(Subspace(np.eye(2))), LinrepError, "d_model is 3 here and 2 there",
    ),
    "a template that fails": (
        lambda: linrep.from_messages(CHAT, Template(ValueError("no roles"))), CorpusError,
        "the chat template fails on chat 0, with roles ['user']: ValueError: no roles",
    ),
    "a template that says nothing": (
        lambda: linrep.from_messages(CHAT, Template("")), CorpusError,
        "the chat template makes an empty text of chat 0",
    ),
    "a text that is none": (
        lambda: linrep.Corpus.from_texts(["a", None]), CorpusError, "every text is a str",
    ),
    "repetitions that end before they begin": (
        lambda: linrep.grammars.from_lark('start: "a"~3..2'), GrammarError,
        "asks for more repetitions than it allows",
    ),
    "a regular expression": (
        lambda: linrep.grammars.from_lark("start: /a+/"), GrammarError,
        "regular expressions have no place in the bounded subset",
    ),
    "a symbol of lark that is not defined": (
        lambda: linrep.grammars.from_lark('start: "a" other'), GrammarError,
        "other is used but not defined",
    ),
    "an empty right-hand side": (
        lambda: linrep.Grammar.from_text("S -> 'a' |"), GrammarError,
        "has an empty right-hand side (epsilon); remove it with",
    ),
    "an infinite end": (
        lambda: sequential(nn.Hardtanh(0.0, float("inf"))), NetworkError,
        "has an infinite end; use a ReLU",
    ),
    "complex weights": (
        lambda: MaxoutNetwork.from_torch(nn.Sequential(nn.Linear(2, 3, dtype=torch.complex64))),
        NetworkError, "complex weights make no piecewise linear function",
    ),
    "slopes that do not fit": (
        lambda: sequential(nn.PReLU(2)), NetworkError, "has 2 slopes and receives 3",
    ),
    "padding": (
        lambda: sequential(nn.MaxPool1d(2, padding=1)), NetworkError,
        "only pooling without padding",
    ),
    "points that do not ascend": (
        lambda: MaxoutNetwork.from_cpwl([0, 1, 1], [0, 1, 2]), NetworkError,
        "x must increase strictly; sort the points",
    ),
    "a plane of parallel vectors": (
        lambda: piecewise.Plane([0, 0], [1, 0], [2, 0]), SliceError, "they span no plane",
    ),
    "a layout of something else": (
        lambda: MaxoutLayout.from_json({"ranks": 1}),
        MaxoutError, "these fields are no layout",
    ),
    "arrays of another kind": (
        lambda: piecewise.networks.storage.read_arrays({"version": np.array(["x"])}), NetworkError,
        "no maxout network in these arrays",
    ),
    "masks that are none": (
        lambda: linrep.probes.Split(*[np.zeros(3)] * 3), ProbeError, "are masks [token]",
    ),
    "p-values above 1": (
        lambda: linrep.probes.benjamini_hochberg([0.5, 2.0]), ProbeError,
        "p-values lie in 0..1; received 2",
    ),
    "ids that cannot be sorted": (
        lambda: linrep.probes.split_by_group(np.array([1, "a", None], dtype=object)), ProbeError,
        "groups are ids that can be sorted",
    ),
    "labels that are infinite": (
        lambda: linrep.probes.LinearProbe().fit(np.eye(4), [0.0, 1.0, np.inf, 1.0]),
        LinrepError,
        "infin",
    ),
    "a tensor without numbers": (
        lambda: numbers("the mean", torch.zeros(2, device="meta")),
        CaptureError,
        "the mean is a tensor of the meta device or sparse: give its numbers",
    ),
    "no sites": (lambda: resolve([], "all", 2), CaptureError, "no sites asked for"),
    "no layers": (lambda: resolve("resid_post", [], 2), CaptureError, "no layers asked for"),
    "layers in words": (
        lambda: resolve("resid_post", "both", 2), CaptureError,
        'layers is "all" or a list of block indices',
    ),
    "half a layer": (
        lambda: resolve("resid_post", [True], 2), CaptureError,
        "layers are block indices, whole numbers",
    ),
    "a cache without names": (
        lambda: from_cache.__wrapped__(3, [[True]]), CaptureError,
        "a cache is what run_with_cache returns",
    ),
    "pairs without what they ask for": (
        lambda: Pairs(**PAIR), CausalError, "two answers to compare; received neither",
    ),
    "pairs with too much": (
        lambda: Pairs(**PAIR, answers=(("x", "y"),), expected=(np.ones((1, 1)),), choices=("x",)),
        CausalError, "two answers to compare; received both",
    ),
    "an overlap with a subspace of another size": (
        lambda: linrep.probes.overlap_null(k=1, m=1, d=3, fixed=PLANE), ProbeError,
        "give m=2 and d=3",
    ),
    "an overlap of no dimensions": (
        lambda: linrep.probes.overlap_null(k=0, m=1, d=3), ProbeError, "lie in 1..d",
    ),
    "a sweep of too many trainings": (
        lambda: linrep.experiments.SweepSettings(
            language={"source": "latin", "order": 2, "depth": 1}, seeds=tuple(range(10_001))
        ),
        SettingsError, "a sweep has at most 10,000 trainings",
    ),
    "activations without a site": (
        lambda: Activations({}, np.ones(2, bool), {}), CaptureError, "at least one site",
    ),
    "places of other chats": (
        lambda: linrep.from_messages(CHAT, Template("x"), places=["1", "2"]),
        LinrepError,
        "1 chats; received 2",
    ),
    "targets of one name": (
        lambda: linrep.Corpus.from_texts(["a", "b"], targets=[TARGET, TARGET]),
        CorpusError,
        "targets have different names",
    ),
    "a target without a name": (
        lambda: linrep.Corpus.from_texts(["a", "b"], targets={"": ["x", "y"]}),
        CorpusError,
        "targets have names, text that is not empty",
    ),
    "spans of unlike lengths": (
        lambda: linrep.Corpus.from_texts(["a"], spans=[(0, 0), (0, 0, 1)]),
        CorpusError,
        "received",
    ),
    "beliefs without a grammar": (
        lambda: linrep.grammars.belief_targets(linrep.Corpus.from_texts(["a", "b"])),
        LinrepError,
        "this corpus has no grammar",
    ),
    "too many terminals": (
        lambda: linrep.families.random_grammar(n_terminals=300_000, seed=0),
        LinrepError,
        "n_terminals is at most 200,000",
    ),
    "rules of lark that stop": (
        lambda: linrep.grammars.from_lark('start: ("a"'),
        GrammarError,
        "line 1",
    ),
    "a place of a process below 0": (
        lambda: mess3().conditional_entropies(0),
        LinrepError,
        "length is a positive number of places; received 0",
    ),
    "a sample of a process below 0": (
        lambda: mess3().sample(-1),
        LinrepError,
        "a sample has 0 or more sentences",
    ),
    "an example without words": (
        lambda: ExampleText((), 0, "random"), ProbeError, "an example has words",
    ),
    "a rate beyond all bounds": (
        lambda: linrep.probes.MLPProbe(learning_rate=1e7).fit(ROWS, CLASSES),
        ProbeError,
        "learning_rate is at most 1e6",
    ),
    "a decay beyond all bounds": (
        lambda: linrep.probes.MLPProbe(weight_decay=1e7).fit(ROWS, CLASSES),
        ProbeError,
        "weight_decay is at most 1e6",
    ),
    "no rank to try": (
        lambda: linrep.probes.rank_curve(ROWS, CLASSES, np.arange(8), ranks=[]),
        ProbeError,
        "no rank to try",
    ),
    "soft targets whose squares overflow": (
        lambda: linrep.probes.SoftProbe().fit(ROWS, 1e300 * ROWS), ProbeError,
        "targets are so large that their squares overflow: divide them",
    ),
    "numbers of an answer": (
        lambda: read_number("much"), ValueError, "no answer of a probe of numbers: 'much'",
    ),
    "a target named as another": (
        lambda: linrep.probes.pattern_subspace(ROWS, CLASSES, target="a", others={"a": CLASSES}),
        ProbeError,
        "call one of them otherwise",
    ),
    "statistics without that target": (
        lambda: linrep.probes.Statistics.from_arrays(ROWS, {"a": CLASSES}).block("b"),
        ProbeError,
        "name a target of ['a']; received 'b'",
    ),
    "a penalty below 0": (
        lambda: Method("logistic", penalties=(-1.0,)), ProbeError, "C is positive and finite",
    ),
    "a tolerance of 0": (
        lambda: Method("logistic", tolerance=0.0), ProbeError, "tolerance is positive and finite",
    ),
    "rows that overflow": (
        lambda: linrep.probe(1e300 * ROWS40, CLASSES40, bootstrap=0, permutations=0), ProbeError,
        "their sums overflow, divide them",
    ),
    "joint patterns without a grammar": (
        lambda: linrep.probe(ROWS40, CLASSES40, patterns="joint"), ProbeError,
        "takes the states of a grammar apart",
    ),
    "classes that are too rare": (
        lambda: linrep.probe(ROWS40, CLASSES40, min_count=1000), ProbeError,
        "no class occurs in 1000 training",
    ),
    "a ceiling above 1": (
        lambda: linrep.probe(ROWS40, CLASSES40, ceilings={"target": np.full(40, 2.0)}), ProbeError,
        "a ceiling is a probability, 0..1; received 2 to 2",
    ),
    "too many draws": (
        lambda: linrep.probe(ROWS40, CLASSES40, permutations=10**7), ProbeError,
        "permutations is at most 1,000,000",
    ),
    "a mix of stops": (
        lambda: side_of(np.full((4, 2), np.nan), [np.arange(4)]), ProbeError,
        "a stream holds NaN, infinite or overly large values",
    ),
    "streams of unlike length": (
        lambda: cross_statistics(ROWS, ROWS[:4], np.zeros(8, dtype=int)), ProbeError,
        "two streams read the same rows; received 8 and 4 rows",
    ),
    "a curve that is not there": (
        lambda: Scaling(curves=(), settings={}).curve("depth", "spans"),
        LinrepError,
        "no curve 'spans' of the sweep 'depth': there are none",
    ),
    "pairs of nothing": (
        lambda: linrep.minimal_pairs([], [], []),
        CausalError,
        "pairs are made from beginnings of two kinds; received none",
    ),
    "positions of other beginnings": (
        lambda: linrep.minimal_pairs([["a"], ["b"]], [("x", "y")] * 2, ["1", "2"], at=[0]),
        CausalError,
        "at has one position per beginning; received 1",
    ),
    "positions that do not answer to each other": (
        lambda: Pairs(**PAIR | {"source_at": ((),), "answers": (("x", "y"),)}),
        CausalError,
        "give as many of both, at least one, the base's ascending",
    ),
    "outputs that do not answer to each other": (
        lambda: Pairs(**PAIR | {"asked_read": ((),), "answers": (("x", "y"),)}),
        CausalError,
        "of the counterfactual: give as many of both, at least one",
    ),
    "a pair beyond the last": (
        lambda: Pairs(**PAIR, answers=(("x", "y"),)).select([3]),
        CausalError,
        "indices of pairs lie in 0..0; received 3",
    ),
    "a log of something else": (
        lambda: TrainingLog.from_dict({}),
        LinrepError,
        "a log of a training is what TrainingLog.to_dict gives; received",
    ),
    "too many draws of a construction": (
        lambda: require_count("n", 10**7),
        LinrepError,
        "n is at most 1,000,000; received 10000000: take fewer at once",
    ),
    "an inverse temperature below 0": (
        lambda: SoftNetwork(NET, (-1.0,)),
        MaxoutError,
        "inverse temperatures are positive and finite",
    ),
    "a layer beyond the last": (
        lambda: SoftNetwork(NET, (1.0,)).resume(np.zeros((1, 2)), 5),
        MaxoutError,
        "layers are 0..1; received 5",
    ),
    "two errors at once": (
        lambda: linrep.MaxoutTransformer.from_network(
            NET, (-1, 1), eps=0.1, inverse_temperature=2.0
        ),
        MaxoutError,
        "give eps or inverse_temperature, not both",
    ),
    "folds that are no numbers": (
        lambda: cross_statistics(ROWS, ROWS, np.zeros(3, dtype=int)), ProbeError,
        "folds are one whole number per row, [8]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_it_is_refused_in_words(call):
    careless, error, words = CALLS[call]
    with pytest.raises(error, match=re.escape(words)):
        careless()


READ = {
    "a packed file that is cut": (
        "a_jsonl_gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00", lambda p: linrep.corpora.read_spans(p),
        "is damaged, or not packed as its name says",
    ),
    "a file packed by a library that is missing": (
        "a_jsonl_zst", b"x", lambda p: linrep.corpora.read_spans(p),
        "install the package zstandard",
    ),
    "text in another encoding": (
        "a_csv", "text,y\nñ,1\n".encode("latin-1"),
        lambda p: linrep.read_table(p, targets=["y"]), "is no UTF-8",
    ),
    "a treebank of no word": (
        "a_conllu", "# only a comment\n\n", linrep.read_conllu, "no word in 1 CoNLL-U file(s)",
    ),
    "a grammar in JSON that is none": (
        "a_json", '{"idx": [[1], [2]], "all": [[{"id": 7, "children": []}], []]}',
        linrep.Grammar.from_file, "level 0 of 'all': ",
    ),
    "a number of too many digits": (
        "a_json", "[" + "1" * 5000 + "]", linrep.Grammar.from_file, "a number has too many digits",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", READ)
def test_a_file_is_refused_in_words(what, tmp_path, monkeypatch):
    name, content, read, words = READ[what]
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    files(tmp_path, **{name: content})
    with pytest.raises(LinrepError, match=re.escape(words)):
        read(tmp_path / name.replace("_", "."))


def test_rows_that_are_not_there():
    acts = Activations.from_arrays({SITE: np.eye(4)})
    corpus = linrep.Corpus.from_texts(["a", "b"], targets={"y": ["one", "two"]})
    with pytest.raises(LinrepError, match="rows"):
        linrep.probe(acts, corpus)


def test_rows_of_several_shards_are_not_joined_in_place(acts):
    rows = acts[acts.sites[0]]
    with pytest.raises(ValueError, match="cannot be joined without a copy: leave copy=False out"):
        rows.__array__(copy=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_small_model):
    """A model, and a store of two shards."""
    here = tmp_path_factory.mktemp("refused")
    write_small_model(here / "model", ["a", "b"])
    linrep.capture(here / "model", ["a b", "b a"], store=here / "store", shard_words=1)
    return here


@pytest.fixture
def acts(folder):
    return Activations.open(folder / "store")


def change_sites(kept):
    kept["sites"].append(kept["sites"][0])


def change_files(kept):
    kept["shards"][1]["file"] = kept["shards"][0]["file"]


def change_checksum(kept):
    del kept["shards"][0]["sha256"]


def change_sums(kept):
    kept["shards"][0]["sums"].popitem()


def change_words(kept):
    kept["words"]["cut"].append(99)


def change_total(kept):
    kept["words"]["total"] += 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_sites, "a site is named twice"),
        (change_files, "two shards have one file"),
        (change_checksum, "has one of its two checksums"),
        (change_sums, "has checksums of other sites"),
        (change_words, "a word without an activation lies beyond the last word"),
        (change_total, "shards end at word"),
    ],
)
def test_a_store_that_contradicts_itself_is_refused(change, words, folder, tmp_path):
    shutil.copytree(folder / "store", tmp_path / "store")
    file = tmp_path / "store/manifest.json"
    kept = json.loads(file.read_text("utf-8"))
    change(kept)
    file.write_text(json.dumps(kept), "utf-8")
    with pytest.raises(StoreError, match=words):
        Activations.open(tmp_path / "store")


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "cannot be read"), ("[]", "is not of format"), ('{"format": 2}', "format")],
)
def test_a_manifest_of_something_else_is_refused(text, words, tmp_path):
    (tmp_path / "manifest.json").write_text(text, "utf-8")
    with pytest.raises(StoreError, match=words):
        Activations.open(tmp_path)


def test_a_store_needs_a_folder(folder, tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    for place, words in (
        (tmp_path / "file", "a folder was expected: choose another path"),
        (tmp_path / "file/below", "cannot be made|folder"),
    ):
        with pytest.raises(LinrepError, match=words):
            linrep.capture(folder / "model", ["a b"], store=place)


@pytest.mark.parametrize(
    ("labels", "words"),
    [([[1], [1, 2]], "is no array"), (3, "has one label per word; received int 3")],
)
def test_labels_of_a_stream_are_one_for_each_word(labels, words, folder):
    with pytest.raises(CaptureError, match=words):
        linrep.hooks.stream(
            folder / "model", ["a b"], linrep.probes.Statistics.from_arrays, {"y": labels}
        )


def test_what_was_not_accumulated_is_named(folder):
    made = linrep.hooks.stream(
        folder / "model", ["a b", "b a"], linrep.probes.Statistics.from_arrays,
        {"y": ["1", "2"]}, layers=[0],
    )  # fmt: skip
    with pytest.raises(CaptureError, match="nothing was accumulated for"):
        made["blocks.9.hook_resid_post", "y"]


def test_an_edit_has_the_width_of_the_stream(folder):
    loaded = linrep.load_model(folder / "model").model
    wide = Subspace(np.eye(3)[:, :1])
    said = "give a subspace of this model at this site"
    with pytest.raises(CaptureError, match=said), linrep.erase(loaded, {SITE: wide}):
        loaded(torch.tensor([[1]]))
    said = "give a direction of this model at this site"
    with (
        pytest.raises(CaptureError, match=said),
        linrep.steer(loaded, {SITE: np.ones(3)}, strength=1.0, norm=1.0),
    ):
        loaded(torch.tensor([[1]]))


@pytest.mark.parametrize(
    ("lines", "words"),
    [("[1]", "each line is an object of JSON"), ("{", "cannot read minimal pairs from"),
     ('{"a": 1}', "hold no beginnings of both numbers")],
)  # fmt: skip
def test_beginnings_are_read_or_refused(lines, words, tmp_path):
    (tmp_path / "pairs.jsonl").write_text(lines, "utf-8")
    with pytest.raises(SettingsError, match=words):
        read_beginnings([tmp_path / "pairs.jsonl"])


def test_a_table_has_no_field_without_end(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("text,y\n" + "a" * 200 + ",1\n", "utf-8")
    kept = csv.field_size_limit(100)
    try:
        with pytest.raises(CorpusError, match="no table: "):
            linrep.read_table(tmp_path / "a.csv", targets=["y"])
    finally:
        csv.field_size_limit(kept)


def test_texts_and_spans_come_together():
    corpus = linrep.Corpus.from_texts(["a"])
    with pytest.raises(CorpusError, match="texts and spans come together"):
        dataclasses.replace(corpus, texts=None)
