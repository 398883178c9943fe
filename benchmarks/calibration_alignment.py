"""Pages about the third rung, whose truth is known; see ``calibration.py``.

Does a learned pattern lie where theory says? Predictions are random, or hold a part of the state,
or are about a state that goes along with another one.
"""

import itertools
from collections.abc import Callable, Iterator

import numpy as np

BATCH = 5  # pages of one call

Question = tuple[str, Callable[..., list[int]], tuple, int | None]


def alignment(batch: int, written: bool) -> list[int]:
    """Whether random predictions at sixteen cells are called aligned, or refuted, at any."""
    import linrep
    from linrep.core import Prediction, Subspace
    from linrep.probes import probe

    pages = []
    for run in range(BATCH):
        rng = np.random.default_rng([batch, run, 7])
        corpus = linrep.families.latin(order=3, depth=2).sample(
            120, seed=int(rng.integers(1 << 31))
        )
        codes = [np.unique(corpus.labels(h), return_inverse=True)[1] for h in (1, 2)]
        mix = rng.standard_normal((32, 32)) * np.linspace(2, 0.1, 32)
        sites, claims = {}, []
        for layer in range(8):
            site = f"blocks.{layer}.hook_resid_post"
            frames = np.linalg.qr(rng.standard_normal((32, 6)))[0].T
            stream = rng.standard_normal((corpus.n_tokens, 32)) @ mix
            sites[site] = (stream + frames[codes[0]] + frames[3 + codes[1]]).astype(np.float32)
            for height in (1, 2):
                basis = Subspace(np.linalg.qr(rng.standard_normal((32, 2)))[0])
                claims.append(
                    Prediction(site, f"height {height}", basis, written, "all", 2, None, "?", "?")
                )
        acts = linrep.Activations.from_arrays(sites, corpus)
        found = probe(acts, corpus, heights=[1, 2], controls=(), permutations=0, bootstrap=0)
        rows = linrep.compare(found, claims, seed=run).rows
        called = [
            row.subspaces.beyond_null and (not written or row.subspaces.overlap >= 0.9)
            for row in rows if row.subspaces
        ]  # fmt: skip
        pages.append(int(any(called)))
    return pages


def overlapping(batch: int, share: float) -> list[int]:
    """Rung 3 where a share of the squared length of the state lies in the predicted subspace."""
    import linrep
    from linrep.core import Prediction, Subspace
    from linrep.probes import probe

    pages = []
    for run in range(BATCH):
        rng = np.random.default_rng([batch, run, 9])
        corpus = linrep.families.latin(order=3, depth=2).sample(
            200, seed=int(rng.integers(1 << 31))
        )
        codes = np.unique(corpus.labels(1), return_inverse=True)[1]
        turn = np.linalg.qr(rng.standard_normal((32, 32)))[0].T
        wheel = np.array([[1.0, 0.0], [-0.5, 0.75**0.5], [-0.5, -(0.75**0.5)]])
        plane = np.sqrt(share) * turn[:2] + np.sqrt(1 - share) * turn[2:4]
        stream = rng.standard_normal((corpus.n_tokens, 32)) + 3 * wheel[codes] @ plane
        site = "blocks.0.hook_resid_post"
        acts = linrep.Activations.from_arrays({site: stream.astype(np.float32)}, corpus)
        found = probe(acts, corpus, heights=[1], controls=(), permutations=0, bootstrap=0)
        claim = Prediction(site, "height 1", Subspace(turn[:2].T), True, "all", 2, None, "?", "?")
        (row,) = linrep.compare(found, [claim], seed=run).rows
        pages.append(int(row.verdicts.aligned.state == "yes"))
    return pages


def companions(batch: int, inside: bool) -> list[int]:
    """Whether a state that is not written, but goes with one that is, is called found.

    The other one is a target of the same grid, or is not known to it.
    """
    import linrep
    from linrep.core import Prediction, Subspace
    from linrep.probes import probe

    pages = []
    for run in range(BATCH):
        rng = np.random.default_rng([batch, run, 13])
        corpus = linrep.families.latin(order=3, depth=2).sample(
            200, seed=int(rng.integers(1 << 31))
        )
        written = rng.integers(0, 3, corpus.n_tokens)
        other = rng.integers(0, 3, corpus.n_tokens)
        beside = np.where(rng.random(corpus.n_tokens) < 0.5, written, other)
        frame = np.linalg.qr(rng.standard_normal((32, 3)))[0].T
        stream = rng.standard_normal((corpus.n_tokens, 32)) + 2 * frame[written]
        site = "blocks.0.hook_resid_post"
        acts = linrep.Activations.from_arrays({site: stream.astype(np.float32)}, corpus)
        targets = {"beside": beside.astype(str)}
        targets |= {"written": written.astype(str)} if inside else {}
        found = probe(
            acts, corpus, heights=(), targets=targets, controls=(), permutations=0, bootstrap=0
        )
        plane = Subspace((frame - frame.mean(axis=0)).T[:, :2])
        claim = Prediction(site, "beside", plane, False, "all", 2, None, "?", "?")
        rows = linrep.compare(found, [claim], seed=run).rows
        pages.append(int(any(r.subspaces and r.subspaces.beyond_null for r in rows)))
    return pages


def exchanged(batch: int, per: str, aim: str) -> list[int]:
    """Whether a pattern refitted to exchanged labels exceeds every null.

    Sentences exchange the labels at their positions. Streams have directions of unlike size, and a
    part that is the same for a whole sentence. The prediction is a random plane, or the plane in
    which most of the stream lies.
    """
    import linrep
    from linrep.core import Prediction, Subspace
    from linrep.probes import probe

    told = []
    site = "blocks.0.hook_resid_post"
    for run in range(BATCH):
        rng = np.random.default_rng([batch, run, 19])
        sentences, length, d = 120, 8, 32
        size = np.linspace(2, 0.1, d)
        shared = np.repeat(rng.standard_normal((sentences, d)), length, axis=0)
        stream = (shared + rng.standard_normal(shared.shape)) * size
        shape = (sentences, length if per == "token" else 1)
        labels = np.broadcast_to(rng.integers(0, 3, shape), (sentences, length))
        corpus = linrep.families.latin(order=3, depth=3).sample(
            sentences, seed=int(rng.integers(1 << 31))
        )
        acts = linrep.Activations.from_arrays({site: stream}, corpus)
        exchanged = labels[rng.permutation(sentences)].ravel()
        found = probe(acts, targets={"label": exchanged.astype(str)}, controls=(), bootstrap=0)
        plane = (
            np.linalg.qr(rng.standard_normal((d, 2)))[0] if aim == "random" else np.eye(d)[:, :2]
        )
        claim = Prediction(site, "label", Subspace(plane), False, "all", 2, None, "?", "?")
        (row,) = linrep.compare(found, [claim], seed=run).rows
        told.append(int(row.subspaces is not None and row.subspaces.beyond_null))
    return told


def alignment_questions() -> Iterator[Question]:
    """Name of each question, the function, its arguments, and how its answers are read."""
    yield "alignment, random predictions at 16 cells aligned", alignment, (True,), 0
    yield "alignment, random predictions at 16 cells refuted", alignment, (False,), 0
    for share in (0.5, 0.8):
        yield f"alignment, overlap {share} called aligned", overlapping, (share,), 0
    yield "alignment, a state beside a written one refuted", companions, (True,), 0
    for per, aim in itertools.product(("token", "sentence"), ("random", "largest")):
        label = f"exchanged labels per {per}, {aim} plane, beyond every null"
        yield label, exchanged, (per, aim), 0
    yield "limits, a state beside one outside the grid refuted", companions, (False,), 0
    yield "planted, overlap 1.0 called aligned", overlapping, (1.0,), 0
