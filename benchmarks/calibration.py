"""How often the instrument says something false, and how often it finds what is there.

    python benchmarks/calibration.py                       # 200 runs of everything, two processes
    python benchmarks/calibration.py --runs 20 --only untrained --workers 4

Each run is a page: a grid with all its controls, five untrained models and 200 exchanges of labels,
and the verdicts on it. Counted are pages with any cell above the rung that is true, planted states
that are found, and intervals that hold the accuracy on as many new sentences as one likes.
Bars: false pages at most 5 % (95 % interval up to 8 %), coverage 93 to 97 %.
"""

import argparse
import itertools
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np

Question = tuple[str, Callable[..., list[int]], tuple, int | None]
MEANS = (0.6, 0.9, 0.98)
BATCH = 5  # runs per job
LANGUAGES = ("latin", "random hierarchy", "ambiguous")
ENGLISH = """
S -> NP VP
NP -> "the" N [0.5] | "a" N [0.2] | "the" A N [0.3]
VP -> V NP [0.6] | V [0.2] | V NP PP [0.2]
PP -> "near" NP
N -> "dog" | "cat" | "bird" | "fish" | "fly"
A -> "big" | "small" | "fish"
V -> "sees" | "hears" | "fly"
"""


def language(name: str, seed: int) -> Any:
    import linrep
    from linrep.grammars import Grammar

    if name == "latin":
        return linrep.families.latin(order=3, depth=3).sample(300, seed=seed)
    if name == "random hierarchy":
        family = linrep.families.random_hierarchy(n_symbols=4, n_rules=2, depth=3, seed=seed)
        return family.sample(300, seed=seed)
    return Grammar.from_text(ENGLISH).sample(300, seed=seed)


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


GRID = {"permutations": 200, "bootstrap": 0}


def captured(name: str, kind: str, seed: int, count: int) -> tuple[Any, list[Any]]:
    import linrep

    corpus = language(name, seed)
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


def untrained(batch: int, name: str, kind: str, positions: str) -> list[int]:
    """Highest rung of pages about untrained models: no rung is true."""
    from linrep.experiments.calibration import untrained_pages

    pages: list[int] = []
    for run in range(BATCH * batch, BATCH * (batch + 1)):  # each on sentences of its own
        corpus, models = captured(name, kind, run, 6)
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


def planted(batch: int, strength: float, n: int) -> list[int]:
    """Highest rung of pages about a state that the blocks write with some strength."""
    import linrep
    from linrep.probes import probe

    pages = []
    for run in range(BATCH):
        rng = np.random.default_rng([batch, run, n])
        corpus = linrep.families.latin(order=3, depth=3).sample(n, seed=int(rng.integers(1 << 31)))
        codes = np.unique(corpus.labels(2), return_inverse=True)[1]
        base = rng.standard_normal((6, corpus.n_tokens, 64))
        sites = ("blocks.0.hook_resid_pre", "blocks.0.hook_resid_post")
        frame = np.linalg.qr(rng.standard_normal((64, 3)))[0].T
        models = [dict.fromkeys(sites, each.astype(np.float32)) for each in base]
        models[0] = models[0] | {sites[1]: (base[0] + strength * frame[codes]).astype(np.float32)}
        acts, *twins = (linrep.Activations.from_arrays(each, corpus) for each in models)
        found = probe(acts, corpus, heights=[2], random_weights=twins, seed=run, **GRID)
        verdicts = linrep.compare(found).verdicts
        pages.append(max(each.rung for each in verdicts.values()))
    return pages


def coverage(batch: int, mean: float, groups: int, ragged: bool) -> list[int]:
    """Whether the interval of an accuracy holds it (0), lies above it (1) or below (2)."""
    from linrep.probes.evidence.intervals import accuracy_interval, bootstrap_weights

    told = []
    for run in range(BATCH * 20):
        rng = np.random.default_rng([batch, run, groups])
        tokens = rng.integers(1, 40, groups) if ragged else np.full(groups, 12)
        own = rng.beta(8 * mean, 8 * (1 - mean), groups)
        right = rng.binomial(tokens, own).astype(float)
        weights = bootstrap_weights(groups, 1000, rng)
        low, high = accuracy_interval(right, tokens.astype(float), weights)
        told.append(1 if low > mean else 2 if high < mean else 0)
    return told


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


def questions() -> Iterator[Question]:
    """Name of each question, the function, its arguments, and how its answers are read."""
    from linrep.experiments.calibration import DECOYS, NEXT

    for name in LANGUAGES:
        for kind in ("encoder", "decoder"):
            for positions in ("boundary", "all"):
                yield (
                    f"untrained {kind}, {name}, {positions}",
                    untrained,
                    (name, kind, positions),
                    0,
                )
    for name, (rung, _) in DECOYS.items():
        for kind in ("encoder", "decoder"):
            if kind == "encoder" or name != NEXT:
                yield f"decoy, {kind}: {name}", decoy, (name, kind), rung
    for written in (True, False):
        word = "aligned" if written else "refuted"
        yield f"alignment, random predictions at 16 cells {word}", alignment, (written,), 0
    for strength, n in itertools.product((0.0, 0.2, 0.4, 0.8, 1.6), (150, 600)):
        yield f"planted, strength {strength}, {n} sentences", planted, (strength, n), None
    for mean, groups, form in itertools.product(
        (0.6, 0.9, 0.98), (8, 30, 200), ("equal", "ragged")
    ):
        label = f"coverage, accuracy {mean}, {groups} {form} groups"
        yield label, coverage, (mean, groups, form == "ragged"), None


def line(name: str, rung: int | None, answers: list[int]) -> str:
    from scipy.stats import beta

    n = len(answers)
    if name.startswith("coverage"):
        above, below = (answers.count(side) / n for side in (1, 2))
        return f"| {name} | {n} | {1 - above - below:.3f} | {above:.3f} above, {below:.3f} below |"
    bar = 0 if rung is None else rung
    hits = sum(answer > bar for answer in answers)
    low = beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0
    return f"| {name} | {n} | {hits / n:.3f} | {low:.3f} to {high:.3f} |"


def job(task: tuple[Callable[..., list[int]], tuple, int]) -> list[int]:
    function, arguments, batch = task
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    return function(batch, *arguments)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=200, help="pages of each kind")
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--only", default="", help="questions whose name begins so")
    asked = options.parse_args()
    chosen = [each for each in questions() if each[0].startswith(asked.only)]
    batches = range(max(asked.runs // BATCH, 1))
    print("| what | runs | share | 95 % interval |\n|---|---|---|---|")
    with ProcessPoolExecutor(asked.workers, mp_context=get_context("spawn")) as pool:
        waiting = [
            (name, rung, [pool.submit(job, (function, arguments, b)) for b in batches])
            for name, function, arguments, rung in chosen
        ]
        for name, rung, futures in waiting:
            answers = [answer for future in futures for answer in future.result()]
            print(line(name, rung, answers), flush=True)


if __name__ == "__main__":
    main()
