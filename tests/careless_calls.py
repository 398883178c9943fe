"""Every public callable, called with one argument that a careless user might give.

The callables are read from the packages; valid arguments come from tables by name of the
argument. What comes back must be an answer or a LinrepError.
"""

import contextlib
import functools
import importlib
import inspect
import itertools
import os
import random
import re
import resource
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Unpack, get_args, get_origin, get_type_hints

import numpy as np
import torch

import linrep
from linrep.core import LinrepError, Prediction, Subspace

PACKAGES = (
    "core",
    "corpora",
    "grammars",
    "piecewise",
    "models",
    "constructions",
    "probes",
    "hooks",
    "causal",
    "reports",
    "experiments",
)
SECONDS = 20  # a call that takes longer hangs

EXCLUDED = {
    "Engine": "a protocol: nothing to construct",
    "Shared": "a protocol: nothing to construct",
    "checked": "a decorator",
    "transfer": "takes any number of data sets; tests/probes/test_transfer.py has wrong ones",
    "Transfer.verdict": "of what transfer returns",
    "Transfer.at": "of what transfer returns",
    "belief": "trains models; tests/experiments/test_questions.py has wrong arguments",
    "piecewise": "likewise",
    "recursion": "likewise",
    "trained": "likewise",
    "trained_languages": "likewise",
    "seeds": "likewise",
    "agreement": "reads a pretrained model; tests/experiments/test_pretrained_questions.py",
    "places": "likewise",
    "pretrained": "likewise",
    "truth": "likewise",
    "AnyNetwork": "a type alias",
    "Kind": "a type alias",
    "Positions": "a type alias",
    "TargetKind": "a type alias",
    "PlaneRegions.counted": "regions_in_plane checks its arguments first",
    "PlainTransformer.from_pretrained": "transformers' own method",
    "PlainTransformer.save_pretrained": "transformers' own method",
    "PlainTransformer.generate": "transformers' own method",
    "PlainTransformer.prepare_inputs_for_generation": "called by transformers",
    "PlainTransformer.forward": "PyTorch's seam: tensors on their way through the network",
}
"""What is not called, and why."""


def careless() -> dict[str, Any]:
    """Values that no function asks for, by a name to show."""
    ragged: list[Any] = [[1.0], [1.0, 2.0]]
    return {
        "None": None,
        "''": "",
        "'text'": "text",
        "-1": -1,
        "0": 0,
        "1.5": 1.5,
        "'2'": "2",
        "nan": float("nan"),
        "inf": float("inf"),
        "-inf": float("-inf"),
        "10**30": 10**30,
        "1e160": 1e160,
        "True": True,
        "[]": [],
        "{}": {},
        "()": (),
        "set()": set(),
        "object()": object(),
        "bytes": b"bytes",
        "complex": 1j,
        "ragged": ragged,
        "[None]": [None],
        "['a', 1]": ["a", 1],
        "[[]]": [[]],
        "{3: 'a'}": {3: "a"},
        "{'a': None}": {"a": None},
        "[nan]": [float("nan")],
        "lambda": lambda *_: None,
        "int": int,
        "generator": lambda: iter([1]),
        "range": range(3),
        "slice": slice(0, 2),
        "tensor": torch.ones(3, 2),
        "tensor grad": torch.ones(3, 2, requires_grad=True),
        "tensor bfloat16": torch.ones(3, 2, dtype=torch.bfloat16),
        "tensor bool": torch.ones(3, dtype=torch.bool),
        "tensor int64": torch.ones(3).long(),
        "tensor complex": torch.ones(3, dtype=torch.complex64),
        "tensor 0-d": torch.tensor(1.0),
        "tensor meta": torch.ones(3, 2, device="meta"),
        "tensor sparse": torch.eye(3).to_sparse(),
        "array 1-d": np.ones(7),
        "array 2-d": np.ones((7, 2)),
        "array 3-d": np.ones((2, 3, 2)),
        "array 0-d": np.array(3),
        "array empty": np.ones((0, 4)),
        "array nan": np.full((7, 2), np.nan),
        "array huge": np.full((7, 2), 1e300),
        "array text": np.array(["a", "b"]),
        "array objects": np.array([None, 1], dtype=object),
        "array int8": np.ones((7, 2), np.int8),
        "array bool": np.ones(7, dtype=bool),
        "array dates": np.array(["2020-01-01"], "M8[D]"),
        "missing path": "no/such/file",
        "folder": ".",
        "Path": Path("no/such"),
        "long": "x" * 5000,
        "~nouser": "~nouser/x",
        "nul": "a\0b",
        "surrogate": "a\ud800",
        "newline": "a\nb",
        "/dev/null": "/dev/null",
        "Fraction": Fraction(1, 3),
        "np.int64": np.int64(-3),
        "nested": [[[[1]]]],
        "deep": functools.reduce(lambda inner, _: [inner], range(500), []),
    }


VALUES = careless()
LARGE = {"10**9": 10**9, "2**40": 2**40, "10**15": 10**15, "2**63 - 1": 2**63 - 1}
"""Whole numbers that somebody might ask for, and that no machine works off."""
AT_ONCE = 4 * 2**30  # bytes that a call with one of them may take
OWN_WORK = {("stream", "make"), ("freudenthal", "f"), ("mcshane", "f"), ("edit", "changes")}
"""Functions that the user brings: what goes wrong inside them is the user's to see as it is."""


# ------------------------------------------------------------------ valid arguments


@functools.cache
def grammar() -> Any:
    return linrep.families.latin(order=2, depth=2)


@functools.cache
def corpus() -> Any:
    return grammar().sample(12, seed=0)


@functools.cache
def pairs() -> Any:
    return linrep.interchange_pairs(grammar().sample(60, seed=0), 1, 24)


@functools.cache
def net() -> Any:
    return linrep.MaxoutNetwork.random(2, [3], 2, 1, seed=0)


@functools.cache
def box() -> Any:
    from linrep.piecewise import Box

    return Box([-1.0, -1.0], [1.0, 1.0])


@functools.cache
def built() -> Any:
    return linrep.GrammarTransformer.from_grammar(grammar())


@functools.cache
def plain_model() -> Any:
    from linrep.models import PlainConfig, PlainTransformer, initialise, word_ids

    words = word_ids(list(grammar().terminals))
    model = PlainTransformer(PlainConfig(vocab_size=len(words), vocabulary=words))
    return initialise(model, seed=0)


@functools.cache
def maxout() -> Any:
    return linrep.MaxoutTransformer.from_network(net(), box(), 0.1)


@functools.cache
def acts() -> Any:
    rng = np.random.default_rng(0)
    n = corpus().n_tokens
    return linrep.Activations.from_arrays(
        {f"blocks.{i}.hook_resid_post": rng.standard_normal((n, 6)) for i in range(2)}, corpus()
    )


@functools.cache
def captured() -> Any:
    return linrep.capture(plain_model(), corpus(), progress=False)


def matrix() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((24, 4)) + labels()[:, None]


def labels() -> np.ndarray:
    return np.arange(24) % 2


def groups() -> np.ndarray:
    return np.arange(24) // 3


@functools.cache
def statistics() -> Any:
    return linrep.Statistics.from_arrays(matrix(), labels())


@functools.cache
def results() -> Any:
    return linrep.probe(acts(), corpus(), heights=[1], permutations=3, bootstrap=10, controls=())


@functools.cache
def _at_ends() -> Any:
    how = {"permutations": 0, "bootstrap": 0, "controls": ()}
    return linrep.probe(acts(), corpus(), heights=[1], positions="boundary", **how)


@functools.cache
def maps() -> Any:
    rows = np.ones(corpus().n_tokens, dtype=bool)
    return linrep.linear_maps(acts(), acts(), corpus(), rows=rows, shuffles=0)


@functools.cache
def comparison() -> Any:
    return linrep.compare(results(), draws=5)


def classes() -> Any:
    """Two classes, each recognised."""
    tables = (((1.0, 0.0), (-1.0, 0.0)), ((0.0, 0.0), (0.0, 0.0)))
    return linrep.reports.Classes("t", "s", ("a", "b"), ((1, 0), (0, 1)), *tables)


@functools.cache
def study() -> Any:
    from linrep.reports import Study

    frame = results().to_frame()
    rows = tuple({str(k): v for k, v in row.items()} for row in frame.to_dict("records"))
    scores = linrep.Scores(tuple({k: _plain(v) for k, v in row.items()} for row in rows))
    return Study("planted", "", {"tokens": 3}, scores, comparison())


def _plain(value: Any) -> Any:
    from linrep.reports.values import plain

    return plain(value)


@functools.cache
def run() -> Any:
    return linrep.Run("title", "question", {}, {}, (study(),))


@functools.cache
def run_folder() -> str:
    return str(linrep.write_run(run(), tempfile.mkdtemp() + "/run"))


@functools.cache
def settings() -> Any:
    from linrep.experiments import Experiment

    return Experiment.model_validate(
        {
            "title": "t",
            "studies": [
                {
                    "name": "a",
                    "sentences": 20,
                    "model": {"source": "constructed"},
                    "language": {"source": "latin", "order": 2, "depth": 2},
                    "probes": {"permutations": 0, "bootstrap": 0, "controls": []},
                }
            ],
        }
    )


def fresh(name: str = "out") -> str:
    """A path where nothing stands yet."""
    return tempfile.mkdtemp(dir=".") + "/" + name


def written(name: str, text: str) -> str:
    path = Path(tempfile.mkdtemp(dir=".")) / name
    path.write_text(text)
    return str(path)


def _chatting() -> Any:
    """A tokenizer that renders chats."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<unk>": 0, "hello": 1}, unk_token="<unk>"))
    made = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    made.chat_template = "{% for m in messages %}{{ m.content }} {% endfor %}"
    return made


def _directions() -> Any:
    return linrep.Directions({SITE: np.arange(1.0, 5.0)}, "truth")


@functools.cache
def _sweep_settings() -> Any:
    tiny = {"depths": (1,), "widths": (8,), "heads": 2, "sentences": 8, "steps": 2, "heldout": 4}
    language = {"source": "latin", "order": 2, "depth": 1}
    return linrep.SweepSettings(language=language, **tiny)


@functools.cache
def _means() -> Any:
    how = {"permutations": 0, "bootstrap": 0, "controls": ()}
    return linrep.probe(acts(), corpus(), heights=[1], method="means", **how)


def _row() -> Any:
    return comparison().rows[0]


def _prediction() -> Any:
    return Prediction(
        "blocks.0.hook_resid_post", "height 1", Subspace(np.eye(6)[:, :1]), True, "all", 1
    )


def _linear_tree() -> Any:
    return linrep.Tree("S", ("a", "b"))


SITE = "blocks.0.hook_resid_post"

BY_NAME: dict[str, Callable[[], Any]] = {
    "acts": acts,
    "box": box,
    "comparison": comparison,
    "config": lambda: plain_model().config,
    "corpus": corpus,
    "grammar": grammar,
    "groups": groups,
    "model": plain_model,
    "net": net,
    "results": results,
    "run": run,
    "scores": lambda: study().scores,
    "settings": settings,
    "statistics": statistics,
    "study": study,
    "subspace": lambda: Subspace(np.eye(4)[:, :2]),
    "tree": _linear_tree,
    "trees": lambda: [_linear_tree()],
    "language": grammar,
    "X": matrix,
    "y": labels,
    "x": lambda: np.zeros((3, 2)),
    "path": fresh,
    "folder": fresh,
    "seed": lambda: 1,
    "depth": lambda: 2,
    "height": lambda: 1,
    "target": lambda: "height 1",
    "site": lambda: SITE,
    "first": lambda: SITE,
    "second": lambda: "blocks.1.hook_resid_post",
    "sites": lambda: "resid_post",
    "layers": lambda: "all",
    "progress": lambda: False,
    "text": lambda: "S -> 'a' 'b'",
    "start": lambda: "S",
    "n": lambda: 5,
    "n_inputs": lambda: 2,
    "widths": lambda: [2],
    "rank": lambda: 2,
    "ranks": lambda: [2],
    "weight": lambda: np.eye(2),
    "bias": lambda: np.zeros(2),
    "where": box,
    "cells": lambda: 2,
    "unit": lambda: 0,
    "layer": lambda: 1,
    "t": maxout,
    "source": lambda: np.zeros((1, 2)),
    "piece": lambda: 1,
    "lam": lambda: [3.0],
    "tau": lambda: 0.9,
    "eps": lambda: 0.1,
    "points": lambda: np.zeros((4, 2)),
    "engine": lambda: "local",
    "device": lambda: "cpu",
    "name": lambda: "local",
    "title": lambda: "title",
    "question": lambda: "why",
    "tol": lambda: 1e-9,
    "budget": lambda: 10**4,
    "copies": lambda: 2,
    "n_lines": lambda: 3,
    "n_hyperplanes": lambda: 3,
    "sentences": lambda: [["a0", "a1", "a0", "a1"]],
    "sentence": lambda: ["a0", "a1", "a0", "a1"],
    "prefix": lambda: ["a0"],
    "symbols": lambda: ("a", "S"),
    "f": lambda: lambda p: p[:, 0],
    "curvature": lambda: 1.0,
    "lipschitz": lambda: 1.0,
    "a": lambda: [0.0, 0.0],
    "b": lambda: [1.0, 1.0],
    "c": lambda: [0.0, 1.0],
    "lo": lambda: [-1.0, -1.0],
    "hi": lambda: [1.0, 1.0],
    "rows": lambda: (),
    "changes": lambda: (),
    "verdicts": lambda: _row().verdicts,
    "requirements": lambda: (linrep.Requirement.from_text("accuracy>=0.5"),),
    "before": run,
    "after": run,
    "written": lambda: True,
    "overlap": lambda: 0.5,
    "label": lambda: "S",
    "lhs": lambda: "S",
    "kind": lambda: "pattern",
    "word": lambda: "a",
    "state": lambda: "no",
    "reason": lambda: "none",
    "value": lambda: 0.5,
    "limit": lambda: 0.5,
    "sign": lambda: ">=",
    "column": lambda: "accuracy",
    "relation": lambda: ">=",
    "meaning": lambda: "m",
    "draws": lambda: 20,
    "metric": lambda: "euclidean",
    "accuracy": lambda: 0.5,
    "floor": lambda: 0.1,
    "ids": None,
    "cell": lambda: 0,
    "coordinate": lambda: linrep.constructions.Coordinate("bias"),
    "dtype": lambda: torch.float64,
    "statement": lambda: "s",
    "regions": lambda: linrep.regions_in_plane(net(), box()),
    "soft": lambda: linrep.constructions.SoftNetwork(net(), (3.0,)),
    "sentence_ids": groups,
}

BY_PLACE: dict[str, Callable[[], Any]] = {
    "DrawnLine.x": lambda: (0.0, 1.0),
    "DrawnLine.y": lambda: (0.0, 1.0),
    "Polygon.x": lambda: (0.0, 1.0),
    "Polygon.y": lambda: (0.0, 1.0),
    "Corpus.from_texts.texts": lambda: ["Oslo is in Norway.", "Oslo is in Chad."],
    "linear_maps.reference": acts,
    "linear_maps.rows": lambda: np.ones(corpus().n_tokens, dtype=bool),
    "BaseMaps.rows": lambda: maps().rows,
    "BaseMaps.fits": lambda: maps().fits,
    "BaseMaps.twin_patterns": dict,
    "BaseMaps.used": lambda: maps().used,
    "BaseMaps.carry.what": lambda: Subspace(np.eye(6)[:, :1]),
    "Moved.train": lambda: "a",
    "Moved.test": lambda: "b",
    "Transfer.rows": lambda: (),
    "Transfer.names": lambda: ("a", "b"),
    "Transfer.cosines": lambda: {},
    "Prediction.target": lambda: "height 1",
    "Prediction.positions": lambda: "all",
    "Prediction.rank": lambda: 1,
    "Directions.vectors": lambda: {SITE: np.ones(4)},
    "write_directions.directions": _directions,
    "write_directions.path": lambda: fresh("truth.safetensors"),
    "read_directions.path": lambda: linrep.write_directions(
        _directions(), fresh("truth.safetensors")
    ),
    "directions_of.results": lambda: _means(),
    "Subspace.basis": lambda: np.eye(4)[:, :2],
    "Subspace.angles.other": lambda: Subspace(np.eye(4)[:, :1]),
    "Subspace.overlap.other": lambda: Subspace(np.eye(4)[:, :1]),
    "Subspace.contains.other": lambda: Subspace(np.eye(4)[:, :1]),
    "Subspace.project.x": lambda: np.ones((3, 4)),
    "as_path.given": lambda: "a/b",
    "progress.items": lambda: [1, 2],
    "progress.total": lambda: 2,
    "progress.unit": lambda: "it",
    "examples.text.name": lambda: "dyck",
    "from_lark.text": lambda: 'start: "a" "b"',
    "from_lark.start": lambda: "start",
    "from_nltk.grammar": lambda: linrep.to_nltk(grammar()),
    "induce.treebank": lambda: [_linear_tree()] * 2,
    "induce.depth": lambda: 1,
    "read_table.table": lambda: written("t.csv", "text,kind\nOslo is,a\nRome was,b\n"),
    "read_columns.paths": lambda: written("c.txt", "Oslo B-LOC\nis O\n\nRome B-LOC\n"),
    "read_conllu.paths": lambda: written(
        "c.conllu",
        "1\tOslo\tOslo\tPROPN\t_\t_\t2\tnsubj\t_\t_\n2\tis\tbe\tVERB\t_\t_\t0\troot\t_\t_\n\n",
    ),
    "read_pairs.paths": lambda: written(
        "p.jsonl", '{"sentence_good": "He is.", "sentence_bad": "He are."}\n'
    ),
    "read_spans.paths": lambda: written(
        "s.jsonl",
        '{"text": "Oslo is", "spans": [{"start": 0, "end": 4, "label": "city"},'
        ' {"start": 5, "end": 7, "label": "verb"}]}\n',
    ),
    "from_messages.chats": lambda: [[{"role": "user", "content": "hello"}]],
    "read_chats.tokenizer": _chatting,
    "read_chats.paths": lambda: written(
        "c.jsonl",
        "".join(
            f'{{"messages": [{{"role": "user", "content": "hello"}}], "kind": "{kind}"}}\n'
            for kind in "abab"
        ),
    ),
    "read_chats.targets": lambda: ["kind"],
    "from_messages.tokenizer": _chatting,
    "read_treebank.paths": lambda: written("a.mrg", "(S (A a) (B b))"),
    "read_treebank.source": lambda: "here",
    "corpus_of_trees.source": lambda: "here",
    "corpus_of_trees.documents": lambda: ["d"],
    "unroll.grammar": lambda: "S -> S 'a' | 'a'",
    "Grammar.from_file.path": lambda: written("a.cfg", "S -> 'a' 'b'"),
    "Grammar.from_rules.rules": lambda: [("S", ["'a'"], None)],
    "Grammar.rules": lambda: grammar().rules,
    "Rule.rhs": lambda: ("a",),
    "Rule.weight": lambda: Fraction(1),
    "Rule.terminal": lambda: (True,),
    "Tree.children": lambda: ("a", "b"),
    "Problem.line": lambda: 1,
    "Problem.column": lambda: 1,
    "Posterior.labels": lambda: ("a", "b"),
    "Posterior.probabilities": lambda: np.full((3, 2), 0.5),
    "Corpus.word_ids": lambda: corpus().word_ids,
    "Corpus.vocabulary": lambda: corpus().vocabulary,
    "Corpus.offsets": lambda: corpus().offsets,
    "Corpus.layers": lambda: corpus().layers,
    "Corpus.source": lambda: "here",
    "Corpus.select.sentences": lambda: [0, 1],
    "latin.order": lambda: 2,
    "straight_pieces.t": lambda: [0.0, 0.5, 1.0],
    "straight_pieces.values": lambda: np.array([[0.0], [1.0], [0.0]]),
    "pattern_runs.codes": lambda: np.array([[0, 1], [1, 1]]),
    "Answered.rows": lambda: ({"a": 1},),
    "HiddenMarkov.transitions": lambda: [[[0.5, 0.2], [0.1, 0.4]], [[0.1, 0.2], [0.3, 0.2]]],
    "HiddenMarkov.terminals": lambda: ("a0", "a1"),
    "HiddenMarkov.states": lambda: ("x", "y"),
    "HiddenMarkov.length": lambda: 4,
    "HiddenMarkov.start": lambda: [0.5, 0.5],
    "families.random_hierarchy.n_symbols": lambda: 4,
    "MaxoutNetwork.weights": lambda: [np.zeros((3, 2, 2))],
    "MaxoutNetwork.biases": lambda: [np.zeros((3, 2))],
    "MaxoutNetwork.readout": lambda: np.ones((1, 3)),
    "as_network.given": lambda: net(),
    "read_yaml.text": lambda: "a: 1",
    "read_yaml.where": lambda: "a file",
    "MaxoutNetwork.exact.x": lambda: [0.0, 1.0],
    "MaxoutNetwork.from_arrays.arrays": lambda: net().to_arrays(),
    "MaxoutNetwork.load.path": lambda: _saved_net(),
    "MaxoutNetwork.save.path": lambda: fresh("net.npz"),
    "MaxoutNetwork.from_torch.module": lambda: torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1)
    ),
    "MaxoutNetwork.from_cpwl.x": lambda: [0.0, 1.0],
    "MaxoutNetwork.from_cpwl.y": lambda: [0.0, 1.0],
    "from_cpwl.x": lambda: [0.0, 1.0],
    "from_cpwl.y": lambda: [0.0, 1.0],
    "groups": lambda: [([[1.0, 0.0]], [0.0])],
    "MaxoutNetwork.from_max_min.groups": lambda: [([[1.0, 0.0]], [0.0])],
    "from_max_min.groups": lambda: [([[1.0, 0.0]], [0.0])],
    "from_difference.a": lambda: ([[1.0, 0.0]], [0.0]),
    "from_difference.b": lambda: ([[0.0, 1.0]], [0.0]),
    "MaxoutLayer.weight": lambda: np.zeros((3, 2, 2)),
    "MaxoutLayer.bias": lambda: np.zeros((3, 2)),
    "MaxoutLayer.ranks": lambda: np.array([2, 2, 2]),
    "Approximation.network": net,
    "Approximation.error_bound": lambda: 0.1,
    "Approximation.nodes": lambda: np.zeros((2, 2)),
    "Plane.origin": lambda: [0.0, 0.0],
    "Plane.u": lambda: [1.0, 0.0],
    "Plane.v": lambda: [0.0, 1.0],
    "Plane.points.st": lambda: np.zeros((3, 2)),
    "leaky_layer.slope": lambda: 0.1,
    "pool_layer.size": lambda: 2,
    "tent.depth": lambda: 2,
    "maxout_bound.ranks": lambda: 2,
    "lines_bound.multiplicities": lambda: (2,),
    "upper_bound.dim": lambda: 2,
    "pool_layer.weight": lambda: np.eye(4),
    "pool_layer.bias": lambda: np.zeros(4),
    "as_box.box": lambda: ([-1, -1], [1, 1]),
    "estimate_cells.tol": lambda: 1e-9,
    "load.source": plain_model,
    "train.sentences": lambda: 8,
    "load_model.source": plain_model,
    "train.steps": lambda: 2,
    "train.batch_size": lambda: 4,
    "train.training": lambda: None,
    "train.resume": lambda: False,
    "train.hidden_size": lambda: 8,
    "train.num_hidden_layers": lambda: 1,
    "Training.sentences": lambda: 8,
    "Training.steps": lambda: 2,
    "LogRow.step": lambda: 1,
    "LogRow.loss": lambda: 0.5,
    "LogRow.kl": lambda: 0.1,
    "TrainingLog.rows": lambda: (),
    "TrainingLog.from_dict.given": lambda: {"rows": []},
    "TrainedModel.log": lambda: linrep.TrainingLog(()),
    "batch_ids.vocabulary": lambda: ["<bos>", "<eos>", "a0", "a1"],
    "probabilities.scores": lambda: torch.ones(2, 3),
    "ScoresToLogits.eos_token_id": lambda: 1,
    "TrainedModel.losses": lambda: (1.0,),
    "TrainedModel.settings": dict,
    "LoadedModel.vocabulary": lambda: None,
    "LoadedModel.tokenizer": lambda: None,
    "initialise.model": plain_model,
    "word_ids.terminals": lambda: ["a", "b"],
    "GrammarTransformer.generate.n": lambda: 2,
    "GrammarTransformer.ceilings.sites": lambda: [SITE],
    "GrammarTransformer.ceilings.heights": lambda: [1],
    "GrammarTransformer.ceilings.boundary": lambda: True,
    "GrammarTransformer.from_pretrained.folder": lambda: _saved_built(),
    "GrammarTransformer.from_grammar.dtype": lambda: "float64",
    "GrammarTransformer.settings": lambda: built().settings,
    "GrammarTransformer.program": lambda: built().program,
    "GrammarTransformer.engine": lambda: built()._engine,
    "MaxoutTransformer.from_pretrained.folder": lambda: _saved_maxout(),
    "MaxoutTransformer.model": lambda: maxout().model,
    "MaxoutTransformer.layout": lambda: maxout().layout,
    "MaxoutTransformer.activations.sites": lambda: [SITE],
    "Settings.dtype": lambda: "float64",
    "Settings.mode": lambda: "spans",
    "MaxoutLayout.n_outputs": lambda: 1,
    "MaxoutLayout.widths": lambda: (3,),
    "MaxoutLayout.ranks": lambda: ((2, 2, 2),),
    "MaxoutLayout.causal": lambda: False,
    "MaxoutLayout.of.causal": lambda: False,
    "MaxoutLayout.p.token": lambda: 0,
    "MaxoutLayout.from_json.fields": lambda: maxout().layout.to_json(),
    "Accounting.rows": lambda: built().accounting().rows,
    "Guarantee.holds": lambda: True,
    "Guarantee.noise": lambda: 0.1,
    "Guarantee.smallest": lambda: 0.1,
    "Guarantee.error": lambda: 0.1,
    "PieceReadout.weight": lambda: np.eye(2),
    "Registry.select.kind": lambda: "bias",
    "Coordinate.kind": lambda: "bias",
    "SoftNetwork.lam": lambda: (3.0,),
    "SoftNetwork.resume.h": lambda: np.zeros((1, 3)),
    "SoftNetwork.jacobian.x": lambda: np.zeros((1, 2)),
    "gap_constant.rank": lambda: 2,
    "confident_bracket.lam": lambda: 3.0,
    "choose_piece.x": lambda: np.zeros((1, 2)),
    "interchange.x": lambda: np.zeros((1, 2)),
    "soft_interchange.x": lambda: np.zeros((1, 2)),
    "PointCorpus.x": lambda: np.zeros((3, 2)),
    "Eraser.left": lambda: np.ones((4, 1)),
    "Eraser.right": lambda: np.ones((1, 4)),
    "Eraser.mean": lambda: np.zeros(4),
    "Eraser.emptied": lambda: np.zeros(4, dtype=bool),
    "Statistics.classes": lambda: statistics().classes,
    **{
        f"Statistics.{name}": functools.partial(lambda name: getattr(statistics(), name), name)
        for name in ("n", "mean_x", "mean_z", "scatter_xx", "scatter_xz", "scatter_zz")
    },
    **{f"{name}.classes": lambda: classes() for name in ("confusion_figure", "turning_figure")},
    "turning_figure.learned": lambda: Subspace(np.eye(4)[:, :2]),
    "turning_figure.predicted": lambda: Subspace(np.eye(4)[:, 1:3]),
    "Classes.names": lambda: ("a", "b"),
    "Classes.counts": lambda: ((1, 0), (0, 1)),
    "Classes.learned": lambda: ((1.0, 0.0), (-1.0, 0.0)),
    "Classes.predicted": lambda: ((0.0, 0.0), (0.0, 0.0)),
    "OverlapNull.draws": lambda: np.linspace(0, 1, 5),
    "benjamini_hochberg.p": lambda: [0.1, 0.2],
    "overlap_null.k": lambda: 1,
    "overlap_null.m": lambda: 2,
    "overlap_null.d": lambda: 4,
    "paired_test.first": labels,
    "paired_test.second": labels,
    "paired_test.groups": groups,
    "rank_curve.groups": groups,
    "split_by_group.groups": groups,
    "MLPProbe.fit.groups": groups,
    "MLPProbe.hidden": lambda: 4,
    "MLPProbe.epochs": lambda: 1,
    "PositionsProbe.epochs": lambda: 1,
    "pattern_subspace.target": lambda: None,
    "readout_subspace.target": lambda: None,
    "Eraser.fit.y": labels,
    "pattern_subspace.y": labels,
    "readout_subspace.y": labels,
    "Statistics.update.y": labels,
    "gather_statistics.y": labels,
    "Split.train": lambda: np.arange(6) < 2,
    "Split.validation": lambda: np.arange(6) == 3,
    "Split.test": lambda: np.arange(6) > 3,
    "Invariant.state": lambda: "not tested",
    "Invariants.rows": lambda: (linrep.core.judged("a", "b", "c", predicted=1.0, measured=1.0),),
    "judged.interval": lambda: (0.5, 1.5),
    "judged.nulls": lambda: (0.0, 0.1, 0.2),
    "measure_invariants.results": _at_ends,
    "pattern_subspace.rank": lambda: 1,
    "readout_subspace.rank": lambda: 1,
    "Statistics.block.target": lambda: "target",
    "Statistics.counts.target": lambda: "target",
    "Statistics.class_means.target": lambda: "target",
    "Statistics.within.target": lambda: "target",
    "ExampleNode.label": lambda: "S",
    "ExampleNode.start": lambda: 0,
    "ExampleNode.stop": lambda: 2,
    "ExampleNode.row": lambda: 1,
    "ExampleText.words": lambda: ("a", "b"),
    "ExampleText.chosen": lambda: "random",
    "ExampleText.gaps": lambda: ("", " ", ""),
    "ExampleText.nodes": lambda: (linrep.probes.ExampleNode("S", 0, 2, 1),),
    "ExampleText.cut": lambda: 0,
    "ExampleTarget.name": lambda: "height 1",
    "ExampleTarget.kind": lambda: "class",
    "ExampleTarget.classes": lambda: ("x", "y"),
    "ExampleTarget.start": lambda: SITE,
    "ExampleTarget.truth": lambda: ("0 -",),
    "ExampleTarget.answers": lambda: {SITE: ("98 -",)},
    "ExampleTarget.answer.text": lambda: 0,
    "ExampleTarget.answer.word": lambda: 0,
    "Examples.texts": lambda: examples().texts,
    "Examples.targets": lambda: examples().targets,
    "Examples.sites": lambda: (SITE,),
    "Examples.n_texts": lambda: 9,
    "Examples.n_sites": lambda: 1,
    "Examples.target.name": lambda: "height 1",
    "Examples.named.names": lambda: {"height 1": "part of speech"},
    "ExamplesView.examples": lambda: examples(),
    "ExamplesView.about": lambda: {(SITE, "height 1"): "well"},
    "ExamplesView.labels": lambda: {SITE: "block 0"},
    "ExamplesView.fragment.name": lambda: "examples",
    "ExamplesView.fragment.addresses": lambda: {(SITE, "height 1"): "a/b"},
    "rank_curve.ranks": lambda: [1],
    "probe.permutations": lambda: 3,
    "probe.bootstrap": lambda: 10,
    "probe.controls": lambda: (),
    "probe.heights": lambda: [1],
    "probe.groups": lambda: None,
    "Activations.open.folder": lambda: _saved_acts(),
    "Activations.arrays": lambda: {SITE: np.ones((corpus().n_tokens, 3))},
    "Activations.kept": lambda: np.ones(corpus().n_tokens, dtype=bool),
    "Activations.from_arrays.arrays": lambda: {SITE: np.ones((corpus().n_tokens, 3))},
    "at_positions.acts": captured,
    "at_positions.sentences": lambda: [0, 1],
    "from_cache.cache": lambda: {SITE: torch.ones(2, 3, 4)},
    "from_cache.corpus": lambda: None,
    "from_cache.keep": lambda: np.ones((2, 3), dtype=bool),
    "from_hidden_states.states": lambda: [torch.ones(2, 3, 4)] * 2,
    "from_hidden_states.keep": lambda: np.ones((2, 3), dtype=bool),
    "from_hidden_states.corpus": lambda: None,
    "from_hidden_states.last": lambda: "stream",
    "edit.changes": lambda: {SITE: lambda x: x},
    "erase.what": lambda: {
        SITE: linrep.Eraser.fit(
            np.random.default_rng(0).standard_normal((40, 16)), np.arange(40) % 2
        )
    },
    "swap.what": lambda: {SITE: Subspace(np.eye(16)[:, :2])},
    "swap.source": lambda: {SITE: np.ones((1, 4, 16))},
    "steer.directions": lambda: {SITE: np.ones(16)},
    "steer.norm": lambda: 1.0,
    "steer.strength": lambda: 1.0,
    "edit.where": lambda: None,
    "erase.where": lambda: None,
    "swap.where": lambda: None,
    "steer.where": lambda: None,
    "stream.make": lambda: linrep.Statistics.from_arrays,
    "stream.targets": lambda: {"height 1": corpus().labels(1)},
    "capture.store": lambda: None,
    "Streamed.totals": dict,
    "Streamed.manifest": dict,
    "Placed.ids": lambda: torch.ones(1, 2).long(),
    "Placed.attention_mask": lambda: torch.ones(1, 2).long(),
    "Placed.where": lambda: torch.ones(1, 2).bool(),
    "Placed.states": dict,
    "Comparison.rows": lambda: comparison().rows,
    "Requirement.from_text.text": lambda: "accuracy>=0.5",
    "read_run.path": run_folder,
    "Run.settings": dict,
    "Run.manifest": dict,
    "Run.studies": lambda: (study(),),
    "Run.study.name": lambda: "planted",
    "RunDifference.settings": dict,
    "Study.facts": dict,
    "RunDifference.only_before": lambda: (),
    "RunDifference.only_after": lambda: (),
    "compare.predictions": lambda: [_prediction()],
    "report.path": lambda: fresh("a.html"),
    "report_difference.path": lambda: fresh("a.html"),
    "read_settings.path": lambda: written("s.yaml", _yaml()),
    "read_settings.overrides": lambda: ("title=x",),
    "demo_settings.seed": lambda: 0,
    "probe_settings.model": lambda: "model",
    "probe_settings.trees": lambda: "trees.mrg",
    "probe_settings.grammar": lambda: None,
    "probe_settings.sentences": lambda: 20,
    "probe_settings.permutations": lambda: 3,
    "probe_settings.causal": lambda: "auto",
    "run_sweep.settings": _sweep_settings,
    "read_sweep.path": lambda: written("s.yaml", "language: {source: latin}"),
    "read_sweep.overrides": lambda: (),
    "SweepSettings.language": lambda: _sweep_settings().language,
    "SweepTable.rows": lambda: (),
    **{
        f"SweepRow.{name}": functools.partial(lambda value: value, value)
        for name, value in {
            "architecture": "plain",
            "depth": 1,
            "width": 8,
            "steps": 2,
            "loss": 0.5,
            "kl": 0.1,
            "floor": 0.1,
            "seconds": 1.0,
        }.items()
    },
    "run_study.settings": lambda: settings().studies[0],
    "StudySettings.language": lambda: settings().studies[0].language,
    "StudySettings.model": lambda: settings().studies[0].model,
    "Experiment.studies": lambda: settings().studies,
    "StudySettings.name": lambda: "a",
    "OneLanguage.language": lambda: settings().studies[0].language,
    "UnaryRule.lhs": lambda: 1,
    "BinaryRule.lhs": lambda: 1,
    "UnaryRule.child": lambda: 0,
    "BinaryRule.left": lambda: 0,
    "BinaryRule.right": lambda: 0,
    "UnaryRule.weight": lambda: Fraction(1),
    "BinaryRule.weight": lambda: Fraction(1),
    "BinaryGrammar.lengths_up_to.most": lambda: 4,
    "Check.value": lambda: 0.5,
    "Score.target": lambda: "height 1",
    "Change.study": lambda: "planted",
    "Outcome.study": lambda: "planted",
    "Requirement.site": lambda: "*",
    "Outcome.requirement": lambda: "accuracy>=0.5",
    "Outcome.passed": lambda: True,
    "Requirement.target": lambda: "*",
    "Registry.add.coordinate": lambda: linrep.constructions.Coordinate("new"),
    "Box.require.x": lambda: np.zeros((1, 2)),
    "Row.verdicts": lambda: _row().verdicts,
    "Verdicts.decodable": lambda: _verdict(),
    "Verdicts.selective": lambda: _verdict(),
    "Verdicts.aligned": lambda: _verdict(),
    "Verdicts.causal": lambda: _verdict(),
    "SegmentRegions.breakpoints": lambda: (Fraction(0),),
    "HeldOut.classes": lambda: ("a", "b"),
    "Direction.toward": lambda: "true",
    "Direction.away": lambda: "false",
    "Direction.start": lambda: np.zeros(4),
    "Direction.vector": lambda: np.ones(4),
    "HeldOutNumbers.rows": lambda: np.arange(4),
    "HeldOutNumbers.predicted": lambda: np.ones((4, 1)),
    "HeldOutNumbers.true": lambda: np.ones((4, 1)),
    "HeldOutNumbers.credit": lambda: np.ones(4),
    "HeldOutNumbers.groups": lambda: np.arange(4),
    "HeldOutNumbers.columns": lambda: ("y",),
    "Target.name": lambda: "it",
    "Target.values": lambda: np.array(["a", "b"]),
    "Target.kind": lambda: "class",
    "Target.read.name": lambda: "it",
    "Target.read.values": lambda: [1.0, 2.0],
    "Target.take.rows": lambda: [0],
    "number_patterns.targets": lambda: {"y": matrix()[:, 0]},
    "write_run.path": lambda: fresh("run"),
    "fresh_folder.path": lambda: fresh("run"),
    "refuse_occupied.path": lambda: fresh("run"),
    "CellEstimate.cells": lambda: 2.0,
    "CellEstimate.standard_error": lambda: 0.1,
    "CellEstimate.share": lambda: 0.1,
    "make_engine.name": lambda: "local",
    "interchange.subspaces": lambda: {(SITE, "height 1"): Subspace(np.eye(16)[:, :2])},
    "interchange.n": lambda: 6,
    "interchange.draws": lambda: 2,
    "interchange.bootstrap": lambda: 5,
    "interchange_pairs.corpus": lambda: grammar().sample(40),
    "interchange_pairs.n": lambda: 6,
    "align.pairs": lambda: pairs(),
    "align.epochs": lambda: 1,
    "minimal_pairs.prefixes": lambda: [["the", "key"], ["keys"]],
    "minimal_pairs.answers": lambda: [["is", "are"], ["are", "is"]],
    "minimal_pairs.labels": lambda: ["one", "many"],
    **{
        f"pairs_of.{name}": functools.partial(lambda value: value, value)
        for name, value in {
            "base": [["a0"] * 4],
            "source": [["a1"] * 4],
            "base_at": [[0, 1]],
            "source_at": [[0, 1]],
            "before": ["1_0"],
            "after": ["1_1"],
        }.items()
    },
    **{
        f"Pairs.{name}": functools.partial(lambda name: getattr(pairs(), name), name)
        for name in (
            "base",
            "source",
            "base_at",
            "source_at",
            "before",
            "after",
            "groups",
            "read",
            "asked",
            "asked_read",
            "expected",
            "choices",
        )
    },
    "Pairs.select.pairs": lambda: [0, 1],
    "InterchangeResult.rows": lambda: (),
    "InterchangeResult.isolation": lambda: (),
    "InterchangeResult.cost": dict,
    "ErasureResult.rows": lambda: (),
    "ErasureRow.decodability": dict,
    "DoseResponse.doses": lambda: (),
    "erasure_effects.corpus": lambda: grammar().sample(24),
    "erasure_effects.subspace": lambda: Subspace(np.eye(16)[:, :2]),
    "erasure_effects.targets": lambda: {"height 1": grammar().sample(24).labels(1)},
    "dose_response.model": lambda: linrep.random_twin(plain_model(), seed=1),
    "dose_response.direction": lambda: np.ones(16),
    "dose_response.prefixes": lambda: [["a0"], ["a1"]],
    "dose_response.answers": lambda: [["a0", "a1"]] * 2,
    "dose_response.neutral": lambda: [["a0", "a1", "a0"]],
    "InterchangeResult.pairs": dict,
}


def examples() -> Any:
    """Two words of one held-out text."""
    made = linrep.probes
    target = made.ExampleTarget("height 1", "class", ("x", "y"), SITE, ("0 -",), {SITE: ("98 -",)})
    return made.Examples((made.ExampleText(("a", "b"), 0, "random"),), (target,), (SITE,), 9, 1)


OWNERS: dict[str, Callable[[], Any]] = {
    "ExampleTarget": lambda: examples().targets[0],
    "Examples": examples,
    "ExamplesView": lambda: linrep.probes.ExamplesView(examples()),
    "BaseMaps": maps,
    "Transfer": lambda: linrep.Transfer("truth", (), ("a", "b"), {}),
    "Subspace": lambda: Subspace(np.eye(4)[:, :2]),
    "BinaryGrammar": lambda: linrep.level_and_binarise(grammar()),
    "Corpus": corpus,
    "Rule": lambda: grammar().rules[0],
    "Tree": _linear_tree,
    "Box": box,
    "MaxoutLayer": lambda: net().layers[0],
    "MaxoutNetwork": net,
    "Plane": lambda: linrep.Plane([0.0, 0.0], [1.0, 0.0], [0.0, 1.0]),
    "PlaneRegions": lambda: linrep.regions_in_plane(net(), box()),
    "PlainTransformer": plain_model,
    "GrammarTransformer": built,
    "MaxoutTransformer": maxout,
    "MaxoutLayout": lambda: maxout().layout,
    "PointCorpus": lambda: linrep.constructions.PointCorpus(np.zeros((3, 2))),
    "Registry": lambda: _registry(),
    "SoftNetwork": lambda: linrep.constructions.SoftNetwork(net(), (3.0,)),
    "Statistics": lambda: linrep.Statistics.from_arrays(matrix(), labels()),
    "ProbeResults": results,
    "OverlapNull": lambda: linrep.overlap_null(1, 2, 4, n=5),
    "Score": lambda: results().scores[0],
    "Run": run,
    "Requirement": lambda: linrep.Requirement.from_text("accuracy>=0.5"),
    "DifferenceOfMeans": lambda: linrep.DifferenceOfMeans().fit(matrix(), labels()),
    "DiscriminantProbe": lambda: linrep.DiscriminantProbe().fit(matrix(), labels()),
    "LinearProbe": lambda: linrep.LinearProbe().fit(matrix(), labels()),
    "MLPProbe": lambda: linrep.MLPProbe(4, epochs=1).fit(matrix(), labels()),
    "NeighbourProbe": lambda: linrep.NeighbourProbe(3).fit(matrix(), labels()),
    "PositionsProbe": lambda: linrep.PositionsProbe(1, epochs=1).fit(matrix(), labels(), groups()),
    "RankLimitedProbe": lambda: linrep.RankLimitedProbe(1).fit(matrix(), labels()),
    "RidgeProbe": lambda: linrep.RidgeProbe().fit(matrix(), labels()),
    "SoftProbe": lambda: linrep.SoftProbe().fit(matrix(), _soft()),
    "Direction": lambda: linrep.Direction("b", "a", np.zeros(4), np.ones(4)),
    "Target": lambda: linrep.Target.read("it", [1.0, 2.0]),
    "Coordinate": lambda: linrep.constructions.Coordinate("bias"),
    "Pairs": lambda: pairs(),
    "BinaryRule": lambda: linrep.level_and_binarise(grammar()).binary[0],
}
ESTIMATORS = {name for name in OWNERS if name.endswith("Probe")} | {"DifferenceOfMeans"}


def _verdict() -> Any:
    return linrep.Verdict("no", "none")


def _soft() -> np.ndarray:
    return np.stack([labels(), 1 - labels()], axis=1).astype(float)


def _registry() -> Any:
    registry = linrep.constructions.Registry()
    registry.add(linrep.constructions.Coordinate("bias"))
    return registry


def _yaml() -> str:
    import yaml

    return str(yaml.safe_dump(settings().dump()))


@functools.cache
def _saved_net() -> str:
    path = tempfile.mkdtemp() + "/net.npz"
    net().save(path)
    return path


@functools.cache
def _saved_built() -> str:
    path = tempfile.mkdtemp() + "/model"
    built().save_pretrained(path)
    return path


@functools.cache
def _saved_maxout() -> str:
    path = tempfile.mkdtemp() + "/model"
    maxout().save_pretrained(path)
    return path


@functools.cache
def _saved_acts() -> str:
    path = tempfile.mkdtemp() + "/store"
    linrep.capture(plain_model(), corpus(), store=path, progress=False)
    return path


# ------------------------------------------------------------------ calls


@dataclass(frozen=True)
class Target:
    """Something public that can be called, and what it is called with."""

    name: str
    call: Callable[..., Any]
    arguments: dict[str, Callable[[], Any]]
    asks: tuple[str, ...]  # arguments replaced, one at a time
    hints: dict[str, str] = field(default_factory=dict)  # their annotations


def targets() -> Iterator[Target]:
    """All of them, read from the packages."""
    seen: dict[int, Any] = {}  # the things themselves, lest another one gets the number of one gone
    for package in PACKAGES:
        module = importlib.import_module(f"linrep.{package}")
        for name in module.__all__:
            thing = getattr(module, name)
            if id(thing) in seen or name in EXCLUDED:
                continue
            seen[id(thing)] = thing
            if inspect.ismodule(thing):
                for inner in thing.__all__:
                    if callable(getattr(thing, inner)):
                        yield _target(f"{name}.{inner}", getattr(thing, inner))
            elif inspect.isclass(thing):
                if not issubclass(thing, Exception):
                    yield from _of_class(name, thing)
            elif callable(thing):
                yield _target(name, thing)


def _of_class(name: str, kind: type) -> Iterator[Target]:
    yield _constructor(name, kind)
    for key, value in vars(kind).items():
        if key.startswith("_") or f"{name}.{key}" in EXCLUDED or key.startswith("model_"):
            continue
        if isinstance(value, classmethod | staticmethod):
            yield _target(f"{name}.{key}", getattr(kind, key))
        elif inspect.isfunction(value) and name in OWNERS:
            found = _target(f"{name}.{key}", value)
            if found.asks != ("self",):
                yield _method(name, key, found)


def _constructor(name: str, kind: type) -> Target:
    found = _target(name, kind)
    if name not in ESTIMATORS:
        return found

    def used(**settings: Any) -> Any:  # scikit-learn's convention: fit looks at the settings
        made = kind(**settings)
        y = _soft() if name == "SoftProbe" else labels()
        return (
            made.fit(matrix(), y, groups()) if name == "PositionsProbe" else made.fit(matrix(), y)
        )

    return replace(found, call=used)


def _method(name: str, key: str, found: Target) -> Target:
    def called(**arguments: Any) -> Any:
        return getattr(OWNERS[name](), key)(**arguments)

    arguments = {k: v for k, v in found.arguments.items() if k != "self"}
    if name == "SoftProbe" and "y" in arguments:
        arguments["y"] = _soft
    asks = tuple(k for k in found.asks if k != "self")
    return Target(found.name, called, arguments, asks, found.hints)


def _target(name: str, thing: Callable[..., Any]) -> Target:
    arguments, asks, hints = {}, [], {}
    for key, parameter in inspect.signature(thing).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD and get_origin(parameter.annotation) is Unpack:
            options = get_args(parameter.annotation)[0]
            for option, hint in get_type_hints(options).items():  # keywords that are typed there
                asks.append(option)
                hints[option] = str(hint)
                if place := BY_PLACE.get(f"{name}.{option}"):
                    arguments[option] = place
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        asks.append(key)
        hints[key] = str(parameter.annotation)
        place = BY_PLACE.get(f"{name}.{key}")
        required = parameter.default is parameter.empty
        if place or (required and key != "self"):
            arguments[key] = place or BY_NAME.get(key) or _by_annotation(parameter.annotation)
    return Target(name, thing, arguments, tuple(asks), hints)


def _by_annotation(hint: Any) -> Callable[[], Any]:
    """A plain example of a kind; a new function of plain arguments needs no table."""
    text = re.sub(r"[a-z_.]*\.", "", str(getattr(hint, "__name__", hint)))
    plain: dict[str, Any] = {
        "int": 1,
        "float": 0.5,
        "str": "text",
        "bool": True,
        "Mapping": {},
        "dict": {},
        "tuple": (),
        "Sequence": [],
        "Iterable": [],
        "list": [],
    }
    found = next((plain[key] for key in plain if text.startswith(key)), None)
    if hasattr(hint, "dims"):
        found = np.ones((2,) * len(hint.dims), bool if "Bool" in str(hint) else int)
    return lambda: found


# ------------------------------------------------------------------ outcomes


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise TimeoutError(f"over {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome(target: Target, key: str | None = None, value: Any = None) -> str | Exception:
    """What a call with one careless argument gives: answer, refused, or the raw error."""
    try:
        arguments = {name: make() for name, make in target.arguments.items()}
        if key is not None:
            arguments[key] = value
        with warnings.catch_warnings(), _alarm():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", RuntimeWarning)
            answer = target.call(**arguments)
            if hasattr(answer, "__enter__") and hasattr(answer, "gen"):
                with answer:
                    pass
            elif inspect.isgenerator(answer):
                list(itertools.islice(answer, 10))
    except LinrepError as error:
        return error if str(error) == "" else "refused"
    except Exception as error:
        return error
    return "answer"


def attempts(
    seed: int | None = None, each: int | None = None, only: str = ""
) -> Iterator[tuple[Target, str, str, Any]]:
    """Every target with every argument and value; or ``each`` of a target's, drawn at random."""
    rng = random.Random(seed)
    for target in targets():
        pairs = [
            (key, shown)
            for key, shown in itertools.product(target.asks, VALUES)
            if not (callable(VALUES[shown]) and (target.name, key) in OWN_WORK)
        ]
        chosen = rng.sample(pairs, min(each, len(pairs))) if each else pairs
        for key, shown in chosen if re.search(only, target.name) else ():
            yield target, key, shown, VALUES[shown]() if shown == "generator" else VALUES[shown]


def large_attempts(only: str = "") -> Iterator[tuple[Target, str, str, Any]]:
    """Every whole number that a target asks for, alone or in a list, put to each large one."""
    for target in targets():
        for key in target.asks if re.search(only, target.name) else ():
            if not re.search(r"\bint\b", target.hints[key]):
                continue
            many = re.search(r"(Sequence|tuple|list|Iterable)\[int", target.hints[key])
            for shown, value in LARGE.items():
                yield target, key, shown, [value] if many else value


def _within(size: int) -> None:
    """From here on this process gets so many bytes more, and no machine is filled up."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + size, resource.RLIM_INFINITY))


def _line(error: str | Exception) -> str:
    try:
        return ascii(str(error).split("\n")[0])[:150]
    except Exception:  # an error that quotes an object whose text fails
        return "?"


def main(
    seed: int | None = None, each: int | None = None, only: str = "", *, large: bool = False
) -> int:
    """Call them all and print what came back; the number of raw errors."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    counts = {"answer": 0, "refused": 0, "raw": 0}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        tempfile.tempdir = folder
        for target in targets():
            if re.search(only, target.name) and (found := outcome(target)) != "answer":
                counts["raw"] += 1
                print(f"NO VALID CALL {target.name}: {type(found).__name__}: {found}", flush=True)
        if large:
            _within(AT_ONCE)
        tried = large_attempts(only) if large else attempts(seed, each, only)
        for target, key, shown, value in tried:
            found = outcome(target, key, value)
            if isinstance(found, str):
                counts[found] += 1
                continue
            counts["raw"] += 1
            text = _line(found)
            print(f"{target.name}({key}={shown}): {type(found).__name__}: {text}", flush=True)
    print(counts)
    return counts["raw"]


if __name__ == "__main__":
    # What the tests take: large numbers, or so many values tried of each callable.
    if sys.argv[1] == "large":
        sys.exit(main(large=True) > 0)
    sys.exit(main(0, int(sys.argv[1]), *sys.argv[2:3]) > 0)
