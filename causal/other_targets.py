"""Probes of a corpus's other targets, so that an exchange can be held to leaving them alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core import height_target
from ..corpora.corpus import Corpus
from ..hooks.inputs.batching import collate, usual
from ..hooks.reading.prepared import PreparedModel
from ..hooks.reading.settings import CaptureSettings
from ..probes import DiscriminantProbe
from ..probes.evidence.splits import split_by_group
from .kept import Watch
from .pairs import Pairs
from .placing import positions_of
from .running import Runner

__all__ = ["probes_of", "watch_of"]

SENTENCES = 400  # that probes are fitted and judged on
READ = 0.5  # part of the way from chance to 1 from which on a target is decoded
LEAST = 20  # labelled words, held out


def probes_of(
    subject: PreparedModel, corpus: Corpus, sites: Sequence[str], seed: int
) -> dict[tuple[str, str], Any]:
    """(site, target) -> a linear discriminant, where it reads the target on held-out sentences.

    It is fitted on unedited states at the ends of spans. Where it comes less than half of the way
    from the share of the most frequent label to 1 there is nothing that an edit could disturb.

    Args:
        subject: the model.
        corpus: with labels.
        sites: where to read.
        seed: of the choice and the split of sentences.
    """
    if len(corpus.sentences) < LEAST:
        return {}
    chosen = np.sort(np.random.default_rng(seed).permutation(len(corpus.sentences))[:SENTENCES])
    some = corpus.select(chosen)
    states = _states(subject, some, sites)
    train = split_by_group(some.sentence_ids, seed=seed).train
    found = {}
    for height in some.heights:
        labels = np.where(some.boundary(height), some.labels(height), "")
        fit, test = train & (labels != ""), ~train & (labels != "")
        names, counts = np.unique(labels[test], return_counts=True)
        if len(np.unique(labels[fit])) < 2 or len(names) < 2 or counts.sum() < LEAST:
            continue
        chance = counts.max() / counts.sum()
        for site in sites:
            probe = DiscriminantProbe().fit(states[site][fit], labels[fit])
            right = float((probe.predict(states[site][test]) == labels[test]).mean())
            if right - chance >= READ * (1 - chance):
                found[site, height_target(height)] = probe
    return found


def watch_of(corpus: Corpus, pairs: Pairs, probes: Mapping[tuple[str, str], Any]) -> Watch | None:
    """What to look at in pairs made of a corpus; ``None`` if no other target is decoded.

    Args:
        corpus: which the bases are sentences of; ``pairs.groups`` says which.
        pairs: of one height.
        probes: of all heights.
    """
    own = pairs.target
    others = {name for _, name in probes if name != own}
    if not others:
        return None
    height = next(h for h in corpus.heights if height_target(h) == own)
    begins = corpus.offsets[np.asarray(pairs.groups)]
    labels, always = {}, {}
    for other in corpus.heights:
        name = height_target(other)
        if name not in others:
            continue
        given = np.where(corpus.boundary(other), corpus.labels(other), "").astype(str)
        labels[name] = tuple(
            given[begin + at[-1] : begin + len(words)]
            for begin, at, words in zip(begins, pairs.base_at, pairs.base, strict=True)
        )
        always[name] = ~pairs.moved | (other < height)
    kept = {cell: probe for cell, probe in probes.items() if cell[1] in labels}
    return Watch(kept, labels, always)


def _states(subject: PreparedModel, corpus: Corpus, sites: Sequence[str]) -> dict[str, np.ndarray]:
    """``[word, d_model]`` at the last token of every word."""
    runner = Runner(subject, resume=False)
    lines = subject.encode(corpus.sentences, CaptureSettings.of()).lines
    found = {site: np.zeros((corpus.n_tokens, subject.d_model)) for site in sites}
    lengths = [len(line) for line in lines]
    for batch in usual(lengths, subject.d_model, accelerator=False):
        some = [lines[i] for i in batch]
        places = [np.asarray(line.stop, dtype=np.int64) - 1 for line in some]
        rows, at = positions_of(places)
        streams, _ = runner.states(collate(some, runner.wiring.pad_id), sites, rows[:1], at[:1])
        words = np.concatenate([np.arange(corpus.offsets[i], corpus.offsets[i + 1]) for i in batch])
        for site, stream in streams.items():
            found[site][words] = stream[rows.to(stream.device), at.to(stream.device)].double().cpu()
    return found
