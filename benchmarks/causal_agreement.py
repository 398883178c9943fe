"""Number agreement in a pretrained model, site by site: is the number of the subject used?

    python benchmarks/causal_agreement.py --model FOLDER --blimp FOLDER [--pairs 120] [--blocks 2]

``--model`` is any causal language model with its tokenizer; ``--blimp`` the folder of BLiMP's
files, of which the two regular and irregular paradigms "subject_verb_agreement_1" are read. The
beginnings are divided by their nouns: half to estimate pattern and readout of the number at the
subject's last token, half to exchange them. Printed are the log-odds of the base's verb over the
other form and the effect shares; and what it cost against the passes that are needed at least.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from linrep import (
    Subspace,
    capture,
    interchange,
    load_model,
    minimal_pairs,
    pattern_subspace,
    readout_subspace,
)

PARADIGMS = (
    "regular_plural_subject_verb_agreement_1",
    "irregular_plural_subject_verb_agreement_1",
)
SINGULAR = {"is", "has", "was", "does", "isn't", "hasn't", "wasn't", "doesn't"}
PLURAL = {"are", "have", "were", "do", "aren't", "haven't", "weren't", "don't"}
Spaces = dict[tuple[str, str], Subspace]


def number_of(right: str, wrong: str) -> str | None:
    """Which number the right verb has; None for verbs whose two forms begin alike."""
    if right in SINGULAR and wrong in PLURAL:
        return "singular"
    return "plural" if right in PLURAL and wrong in SINGULAR else None


def read_blimp(folder: Path) -> list[tuple[tuple[str, ...], tuple[str, str], str]]:
    """Beginnings that end with the subject, their two auxiliaries, their number; each once."""
    found = {}
    for name in PARADIGMS:
        for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            prefix = tuple(row.get("one_prefix_prefix", "").split())
            both = row.get("one_prefix_word_good", ""), row.get("one_prefix_word_bad", "")
            number = number_of(*both)
            if prefix and number:
                found[prefix] = (prefix, both, number)
    return list(found.values())


def spaces_of(
    model: Any, rows: list[tuple[tuple[str, ...], tuple[str, str], str]], layers: list[int]
) -> tuple[Spaces, Spaces]:
    """Patterns and readouts at the last word of each beginning."""
    acts = capture(
        model, [list(prefix) for prefix, _, _ in rows], "resid_post", layers, progress=False
    )
    last = np.cumsum([len(prefix) for prefix, _, _ in rows]) - 1
    numbers = np.array([number for _, _, number in rows])
    patterns: Spaces = {}
    readouts: Spaces = {}
    for site in acts.sites:
        states = np.asarray(acts[site])[last]
        patterns[site, "number"] = pattern_subspace(states, numbers)
        readouts[site, "number"] = readout_subspace(states, numbers)
    return patterns, readouts


def floor(model: Any, pairs: Any, sites: list[str], arms: int) -> float:
    """CPU seconds of the passes that are needed, without any edit and any padding.

    Base and source whole, for every site and arm the blocks behind the site, and for each of them
    the unembedding of the one position that is read.
    """
    inner, tokenizer = model.model, model.tokenizer
    texts = [" ".join(words) for words in pairs.base]
    lengths = [len(tokenizer(text)["input_ids"]) for text in texts]
    n = inner.config.num_hidden_layers
    seconds = head = 0.0
    for size in sorted(set(lengths)):
        some = [t for t, m in zip(texts, lengths, strict=True) if m == size]
        ids = torch.tensor([tokenizer(text)["input_ids"] for text in some])
        ids = ids.repeat(max(1, 448 // ids.numel()), 1)
        with torch.inference_mode():
            inner.base_model(ids, use_cache=False)
            begun = time.process_time()
            inner.base_model(ids, use_cache=False)
            middle = time.process_time()
            inner.get_output_embeddings()(torch.zeros(len(ids), inner.config.hidden_size))
            head += (time.process_time() - middle) * len(some) / len(ids)
            seconds += (middle - begun) * len(some) / len(ids)
    behind = sum(n - (int(site.split(".")[1]) + site.endswith("post")) for site in sites)
    return seconds * (2 + arms * behind / n) + head * (2 + arms * len(sites))


def main() -> None:
    """Print the table and the cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--blimp", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--blocks", type=int, default=2, help="every so many blocks")
    asked = parser.parse_args()
    model = load_model(asked.model)
    rows = read_blimp(asked.blimp)
    nouns = sorted({prefix[-1] for prefix, _, _ in rows})
    kept = set(np.random.default_rng(0).permutation(nouns)[: len(nouns) // 2].tolist())
    fit = [row for row in rows if row[0][-1] in kept]
    test = [row for row in rows if row[0][-1] not in kept]
    layers = list(range(0, model.model.config.num_hidden_layers, asked.blocks))
    patterns, readouts = spaces_of(model, fit, layers)
    prefixes, answers, numbers = zip(*test, strict=True)
    pairs = minimal_pairs(prefixes, answers, numbers, n=asked.pairs)
    print(f"{len(fit)} beginnings to estimate, {len(test)} to exchange; {pairs}")
    begun = time.process_time()
    found = interchange(
        model, None, patterns, readouts=readouts, pairs=pairs, draws=asked.draws, twin=False
    )
    spent = time.process_time() - begun
    frame = found.to_frame().set_index("site")
    names = ["log_odds_base", "log_odds_edit", "log_odds_readout", "log_odds_random",
             "log_odds_placebo", "log_odds_drawn", "log_odds_whole", "log_odds_source"]  # fmt: skip
    print(frame[names].round(3).to_string())
    more = ["share", "share_low", "share_high", "share_readout", "share_random", "share_placebo",
            "share_drawn", "share_whole", "completeness", "selectivity", "p"]  # fmt: skip
    print(frame[more].round(3).to_string())
    arms = 3 + 3 * asked.draws
    least = floor(model, pairs, [site for site, _ in patterns], arms)
    print(
        f"{len(pairs)} pairs x {len(patterns)} sites x {arms} arms: {spent:.1f} CPU s, the passes "
        f"needed {least:.1f} CPU s, ratio {spent / least:.2f}"
    )


if __name__ == "__main__":
    main()
