"""More careless calls, each with the class of its error and its words."""

import dataclasses

import numpy as np
import pytest

import linrep
from linrep import piecewise
from linrep.causal import CausalError
from linrep.constructions import MaxoutError, MaxoutTransformer, confident_bracket
from linrep.corpora import CorpusError
from linrep.grammars import LanguageError, families
from linrep.grammars.processes.known import mess3
from linrep.models import ConfigError, PlainConfig
from linrep.piecewise import SliceError
from linrep.probes import ProbeError
from linrep.probes.examples.values import ExampleNode, ExampleText
from linrep.probes.grid.entrance import GivenRows
from linrep.probes.inputs.blocks import Blocks
from linrep.probes.solvers.closed_form import lda_weights
from linrep.probes.solvers.moments import Moments
from linrep.probes.solvers.rotation import Rotation

NET = piecewise.random_network(2, [3], 2, seed=0)
TEXTS = linrep.Corpus.from_texts(["a b", "c"])


LATIN = families.latin(3, 3, start="one")


def maxout():
    return MaxoutTransformer.from_network(NET, (-1, 1), eps=0.1)


CALLS = {
    "an MLP of no kind": (lambda: PlainConfig(mlp="none"), ConfigError, "mlp is one of"),
    "a readout of no kind": (
        lambda: PlainConfig(readout="none"), ConfigError, "readout is one of"),
    "a model without width": (
        lambda: PlainConfig(hidden_size=0), ConfigError, "hidden_size is at least 1; received 0"),
    "a cell that is not there": (
        lambda: piecewise.regions_in_plane(NET, (-1, 1)).polygon(10**6), SliceError,
        "cells are 0..",
    ),
    "a temperature below zero": (
        lambda: confident_bracket(NET, np.zeros((1, 2)), -1.0, 0.01), MaxoutError,
        "an inverse temperature is positive",
    ),
    "fewer texts than sentences": (
        lambda: dataclasses.replace(TEXTS, texts=("a b",)), CorpusError,
        "there are 1 texts and 2 spans",
    ),
    "groups of other rows": (
        lambda: dataclasses.replace(TEXTS, groups=np.array([1])), CorpusError,
        "groups are one value for each of the 2 rows",
    ),
    "labels at a height of rows without a corpus": (
        lambda: GivenRows(np.arange(3)).labels(1), ProbeError, "have no labels at height 1"),
    "spans of rows without a corpus": (
        lambda: GivenRows(np.arange(3)).boundary(1), ProbeError, "have no spans of height 1"),
    "moments of no rows": (
        lambda: Moments.of(Blocks(np.ones((0, 2)))), ProbeError, "there are no training rows"),
    "sentences of a process that differ in length": (
        lambda: mess3().corpus([("A",), ("A", "B")]), LanguageError,
        "have one length of 1 token or more",
    ),
    "no pair": (
        lambda: linrep.interchange_pairs(LATIN.sample(20, seed=0), 1, n=0), CausalError,
        "at least one pair is asked for",
    ),
    "a shrinkage beyond 1": (
        lambda: lda_weights([], [], Rotation.fit(np.eye(4)), 2.0), ProbeError,
        "shrinkage lies in 0..1",
    ),
    "an example whose tree is longer than its words": (
        lambda: ExampleText(("a",), 0, "random", ("", ""), (ExampleNode("S", 0, 2, 1),)),
        ProbeError, "a node ends behind the 1 words",
    ),
    "a length beyond what is worked out": (
        lambda: mess3().conditional_entropies(2000), LanguageError,
        "length is 0..1000 tokens here",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_the_message_says_what_is_wrong(name):
    call, error, words = CALLS[name]
    with pytest.raises(error, match=words):
        call()
