"""Pages whose truth is known, for ``benchmarks/calibration.py``: each function makes a few of them.

A page is a grid with all its controls, five untrained models, 200 exchanges of labels, and the
verdicts on it. Every function takes the number of its batch, which is its seed, and answers with
one number for each page.
"""

import itertools
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from calibration_alignment import alignment_questions
from calibration_maps import map_questions

BATCH = 5  # pages of one call
GRID = {"permutations": 200, "bootstrap": 0}
LANGUAGES = ("latin", "random hierarchy", "ambiguous")
TREEBANK = "treebank"
ENGLISH = """
S -> NP VP
NP -> "the" N [0.5] | "a" N [0.2] | "the" A N [0.3]
VP -> V NP [0.6] | V [0.2] | V NP PP [0.2]
PP -> "near" NP
N -> "dog" | "cat" | "bird" | "fish" | "fly"
A -> "big" | "small" | "fish"
V -> "sees" | "hears" | "fly"
"""

Question = tuple[str, Callable[..., list[int]], tuple, int | None]


def language(name: str, seed: int, trees: str = "") -> Any:
    import linrep
    from linrep.grammars import Grammar

    if name == TREEBANK:
        return documents(trees, seed)
    if name == "latin":
        return linrep.families.latin(order=3, depth=3).sample(300, seed=seed)
    if name == "random hierarchy":
        family = linrep.families.random_hierarchy(n_symbols=4, n_rules=2, depth=3, seed=seed)
        return family.sample(300, seed=seed)
    return Grammar.from_text(ENGLISH).sample(300, seed=seed)


def documents(trees: str, seed: int) -> Any:
    """Up to a dozen sentences of at most forty words from each of 24 documents."""
    from linrep.corpora import read_treebank

    rng = np.random.default_rng([seed, 11])
    files = sorted(Path(trees).rglob("*.ptb"))
    chosen = sorted(rng.choice(len(files), min(24, len(files)), replace=False))
    corpus = read_treebank([files[index] for index in chosen])
    ids, lengths = np.unique(corpus.sentence_ids, return_counts=True)
    first = np.unique(corpus.sentence_ids, return_index=True)[1]
    document = np.asarray(corpus.document_ids)[first]
    short = lengths <= 40
    kept = [ids[short & (document == each)][:12] for each in np.unique(document)]
    return corpus.select(np.concatenate(kept))


def shape(corpus: Any, kind: str) -> tuple[Any, Any]:
    """An untrained transformer for the words of a corpus, with its tokenizer."""
    import torch
    import transformers as tf
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["<pad>", "<unk>", *sorted(set(corpus.words.tolist()))]
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>"
    )
    torch.manual_seed(0)
    if kind == "decoder":
        sizes = {"n_embd": 64, "n_layer": 3, "n_head": 4, "vocab_size": len(words)}
        config = tf.GPT2Config(**sizes, n_positions=64, bos_token_id=0, eos_token_id=0)
        return tf.GPT2LMHeadModel(config), tokenizer
    sizes = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    more = {"intermediate_size": 256, "vocab_size": len(words), "max_position_embeddings": 64}
    return tf.BertForMaskedLM(tf.BertConfig(**sizes, **more)), tokenizer


@lru_cache(2 * BATCH)  # questions about the same models follow each other
def captured(name: str, kind: str, seed: int, count: int, trees: str = "") -> tuple[Any, list[Any]]:
    import linrep

    corpus = language(name, seed, trees)
    base, tokenizer = shape(corpus, kind)
    models = [
        linrep.capture(
            linrep.random_twin(base, seed=1000 * seed + i), corpus, tokenizer=tokenizer,
            progress=False,
        )
        for i in range(count)
    ]  # fmt: skip
    return corpus, models


def told_heights(corpus: Any) -> list[int]:
    return [h for h in corpus.heights if len(np.unique(corpus.labels(h))) > 1][:3]


def untrained(batch: int, name: str, kind: str, positions: str, trees: str = "") -> list[int]:
    """Highest rung of pages about untrained models: no rung is true."""
    from linrep.experiments.calibration import untrained_pages

    pages: list[int] = []
    for run in range(BATCH * batch, BATCH * (batch + 1)):  # each on sentences of its own
        corpus, models = captured(name, kind, run, 6, trees)
        grid = GRID | {"heights": told_heights(corpus), "positions": positions}
        pages += untrained_pages(models, corpus, 1, 5, grid)
    return pages


def decoy(batch: int, name: str, kind: str) -> list[int]:
    """Highest rung of pages about made-up labels, on a model that holds more of the words."""
    from linrep.experiments.calibration import DECOYS, decoy_pages

    pages: list[int] = []
    for run in range(BATCH * batch, BATCH * (batch + 1)):
        corpus, (acts, *twins) = captured("ambiguous", kind, run, 6)
        pages += decoy_pages(acts, twins, corpus, DECOYS[name][1], 1, run, GRID)
    return pages


def planted_grid(batch: int, run: int, strength: float, n: int, classes: int) -> Any:
    """A state that one block writes into noise of 64 dimensions, with some strength.

    Two classes stand on either side of zero; of three or more each has a direction of its own.
    Three are the symbols of a grammar above the words; two or four are drawn for each token.
    """
    import linrep
    from linrep.probes import probe

    rng = np.random.default_rng([batch, run, n])
    corpus = linrep.families.latin(order=3, depth=3).sample(n, seed=int(rng.integers(1 << 31)))
    state = corpus.labels(2) if classes == 3 else rng.integers(0, classes, corpus.n_tokens)
    codes = np.unique(state, return_inverse=True)[1]
    base = rng.standard_normal((6, corpus.n_tokens, 64))
    sites = ("blocks.0.hook_resid_pre", "blocks.0.hook_resid_post")
    frame = np.linalg.qr(rng.standard_normal((64, classes)))[0].T
    written = np.stack([-frame[0], frame[0]]) if classes == 2 else frame
    models = [dict.fromkeys(sites, each.astype(np.float32)) for each in base]
    models[0] = models[0] | {sites[1]: (base[0] + strength * written[codes]).astype(np.float32)}
    acts, *twins = (linrep.Activations.from_arrays(each, corpus) for each in models)
    return probe(
        acts, corpus, heights=(), targets={"state": codes.astype(str)}, random_weights=twins,
        seed=run, permutations=200, bootstrap=1000,
    )  # fmt: skip


def planted(batch: int, strength: float, n: int, classes: int) -> list[int]:
    """Highest rung of pages about a state that is there."""
    import linrep

    pages = []
    for run in range(BATCH):
        verdicts = linrep.compare(planted_grid(batch, run, strength, n, classes)).verdicts
        pages.append(max(each.rung for each in verdicts.values()))
    return pages


def planted_before(batch: int, strength: float, n: int, classes: int) -> list[int]:
    """The same pages by the simpler rule that untrained models break.

    The interval lies above each baseline, and the false discovery rate is at most 0.05.
    """
    pages = []
    for run in range(BATCH):
        frame = planted_grid(batch, run, strength, n, classes).to_frame()
        rivals = ["chance", "previous_word", "word_identity", "embedding", "random_weights"]
        low = np.array([interval[0] for interval in frame["interval"]])
        above = low > frame[rivals].max(axis=1)
        pages.append(int((above & (frame["q"] <= 0.05)).any()))
    return pages


def coverage(batch: int, mean: float, groups: int, ragged: bool) -> list[int]:
    """Whether the interval of an accuracy holds it (0), lies above it (1) or below (2)."""
    from linrep.probes.evidence.intervals import accuracy_interval, bootstrap_weights

    told = []
    rng = np.random.default_rng([batch, groups, int(1000 * mean), ragged])
    weights = bootstrap_weights(groups, 1000, rng)  # other resamples in each batch
    for _ in range(BATCH * 20):
        right, tokens = answers(rng, mean, groups, ragged)
        low, high = accuracy_interval(right, tokens, weights)
        told.append(1 if low > mean else 2 if high < mean else 0)
    return told


def answers(rng: Any, mean: float, groups: int, ragged: bool) -> tuple[np.ndarray, np.ndarray]:
    """Right and scored tokens of groups that have an accuracy of their own."""
    tokens = rng.integers(1, 40, groups) if ragged else np.full(groups, 12)
    own = rng.beta(8 * mean, 8 * (1 - mean), groups)
    return rng.binomial(tokens, own).astype(float), tokens.astype(float)


def best_site(batch: int, sites: int) -> list[int]:
    """The interval at the site that is best on validation: holds its accuracy, above, below."""
    from linrep.probes.evidence.intervals import accuracy_interval, bootstrap_weights
    from linrep.reports.values import best_row

    told = []
    for run in range(BATCH * 20):
        rng = np.random.default_rng([batch, run, sites, 3])
        rows = []
        for mean in rng.uniform(0.55, 0.6, sites):
            right, tokens = answers(rng, mean, 20, True)
            rows.append({"mean": mean, "validation": right.sum() / tokens.sum()})
        mean = float(best_row(rows)["mean"])
        right, tokens = answers(rng, mean, 40, True)
        low, high = accuracy_interval(right, tokens, bootstrap_weights(40, 1000, rng))
        told.append(1 if low > mean else 2 if high < mean else 0)
    return told


def splits(batch: int, groups: int, pooled: bool, strength: float) -> list[int]:
    """Whether few groups tell: of one split, 60 % learned from, or of two halves pooled.

    With strength 0 the label is a coin per group, and groups have a direction of their own.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from linrep.probes.evidence.rivals import beats

    told = []
    for run in range(BATCH * 4):
        rng = np.random.default_rng([batch, run, groups, 17])
        ids = np.repeat(np.arange(groups), 30)
        y = (
            rng.integers(0, 2, len(ids))
            if strength
            else rng.permutation(np.arange(groups) % 2)[ids]
        )
        X = rng.standard_normal((len(ids), 32)) + rng.standard_normal((groups, 32))[ids]
        X[:, 0] += strength * (2 * y - 1)
        order = rng.permutation(groups)
        half = groups // 2
        tests = [order[:half], order[half:]] if pooled else [order[: max(int(0.4 * groups), 6)]]
        sums = np.zeros(0)
        for test in tests:
            held = np.isin(ids, test)
            fit = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
            seen = np.unique(y[~held])
            said = fit.fit(X[~held], y[~held]).predict(X[held]) if len(seen) > 1 else seen[0]
            right = said == y[held]
            over = right - max(y[held].mean(), 1 - y[held].mean())
            sums = np.append(sums, [over[ids[held] == each].sum() for each in test])
        told.append(int(beats(sums[:, None], seed=run, draws=499)[0] <= 0.05))
    return told


def questions(trees: str) -> Iterator[Question]:
    """Name of each question, the function, its arguments, and how its answers are read."""
    from linrep.experiments.calibration import DECOYS, NEXT

    for name in (*LANGUAGES, *([TREEBANK] if trees else [])):
        for kind, positions in itertools.product(("encoder", "decoder"), ("boundary", "all")):
            where = (trees,) if name == TREEBANK else ()
            label = f"untrained {kind}, {name}, {positions}"
            yield label, untrained, (name, kind, positions, *where), 0
    for name, (rung, _) in DECOYS.items():
        for kind in ("encoder", "decoder"):
            if kind == "encoder" or name != NEXT:
                yield f"decoy, {kind}: {name}", decoy, (name, kind), rung
    yield from alignment_questions()
    yield from map_questions()
    for classes, strength, n in PLANTED:
        label = f"{classes} classes, strength {strength}, {n} sentences"
        yield f"planted, {label}", planted, (strength, n, classes), 0
    for classes, strength in itertools.product((2, 3), (0.4, 0.8)):
        label = f"{classes} classes, strength {strength}, 150 sentences"
        yield f"before, {label}", planted_before, (strength, 150, classes), 0
    for groups, strength, pooled in itertools.product((12, 16, 24), (0.0, 0.25), (False, True)):
        label = "two halves pooled" if pooled else "one split"
        told = f"strength {strength}" if strength else "a coin per group"
        yield f"splits, {groups} groups, {told}, {label}", splits, (groups, pooled, strength), 0
    for mean, groups, form in itertools.product(
        (0.6, 0.9, 0.98), (8, 30, 200), ("equal", "ragged")
    ):
        label = f"coverage, accuracy {mean}, {groups} {form} groups"
        yield label, coverage, (mean, groups, form == "ragged"), None
    for sites in (13, 25):
        yield f"coverage, best of {sites} sites", best_site, (sites,), None


PLANTED = (
    *itertools.product((3,), (0.0, 0.1, 0.2, 0.4, 0.8, 1.0), (150,)),
    *itertools.product((2,), (0.1, 0.2, 0.4, 0.8), (150,)),
    *itertools.product((4,), (0.4, 0.8), (150,)),
    *itertools.product((3,), (0.4, 0.8), (40,)),
    *itertools.product((3,), (0.1, 0.2, 0.4), (600,)),
    *itertools.product((3,), (0.1, 0.2), (2500,)),
)
"""Classes (less one: the rank), strength beside the noise, sentences of eight words."""
