"""Planted data: activations that hold known states in known directions."""

from types import SimpleNamespace

import numpy as np
import pytest


class Arrays(dict):
    """Activations as a plain mapping."""

    def __init__(self, sites, n):
        super().__init__(sites)
        self.kept = np.ones(n, dtype=bool)
        self.manifest = {"model": "planted"}

    @property
    def sites(self):
        return tuple(self)


def make_corpus(n_sentences, lengths, classes, rng, words=12):
    sizes = rng.choice(lengths, size=n_sentences)
    ids = np.repeat(np.arange(n_sentences), sizes)
    labels = {h: rng.integers(0, k, len(ids)) for h, k in classes.items()}
    return SimpleNamespace(
        sentence_ids=ids,
        n_tokens=len(ids),
        positions=np.concatenate([np.arange(size) for size in sizes]),
        words=np.array([f"w{i}" for i in rng.integers(0, words, len(ids))]),
        heights=tuple(classes),
        codes=labels,
        labels=lambda h: np.array([f"N{h}.{code}" for code in labels[h]]),
        boundary=lambda h: np.ones(len(ids), dtype=bool),
    )


@pytest.fixture
def planted():
    """``make(signal=...)``: two sites, height labels planted orthogonally with that strength."""

    def make(signal, *, n_sentences=300, d=24, classes=None, seed=0, dtype=np.float32):
        rng = np.random.default_rng(seed)
        classes = classes or {1: 4, 2: 3}
        corpus = make_corpus(n_sentences, (4, 6, 8), classes, rng)
        frame = np.linalg.qr(rng.standard_normal((d, d)))[0]
        sites, truth, used = {}, {}, 0
        noise = np.sqrt(1.0 / np.arange(1, d + 1))
        base = rng.standard_normal((corpus.n_tokens, d)) * noise
        for name, strength in zip(("blocks.0.hook_resid_pre", "late"), signal, strict=True):
            sites[name] = (base + 0.1 * rng.standard_normal(base.shape)).astype(dtype)
            used = 0
            for height, k in classes.items():
                basis = frame[:, used : used + k - 1]
                corners = np.linalg.qr(np.eye(k) - 1 / k)[0][:, : k - 1]
                sites[name] += (strength * corners[corpus.codes[height]] @ basis.T).astype(dtype)
                truth[f"height {height}"] = basis
                used += k - 1
        return Arrays(sites, corpus.n_tokens), corpus, truth

    return make
