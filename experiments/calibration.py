"""What the instrument would say where nothing, or only the surface, is to be found.

Each run is a page of its own: a probe grid with all its controls and the verdicts on it. What is
counted is pages with at least one cell above the rung that is true.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from ..core import progress
from ..grammars import Corpus
from ..hooks import Activations, capture
from ..models import random_twin
from ..probes import probe
from ..probes.inputs.reading import sees_next
from ..reports import compare
from .heights import heights_of
from .languages import make_corpus
from .settings import SettingsError, StudySettings
from .subjects import make_subject

__all__ = ["DECOYS", "FalseClaims", "calibrate", "decoy_pages", "untrained_pages"]

LEVEL = 0.05
UPPER = 0.08  # the 95 % interval of the rate may reach this far
Answer = Literal["ok", "too few pages to tell", "too many"]


@final
@dataclass(frozen=True)
class FalseClaims:
    """How many pages said more than is true.

    >>> for false, runs in ((1, 200), (0, 12), (9, 40)):
    ...     print(FalseClaims("noise", 0, runs, false))
    ok: noise: 1 of 200 pages above rung 0: 0.005 [0.000 to 0.028]
    too few pages to tell: noise: 0 of 12 pages above rung 0: 0.000 [0.000 to 0.265]
    too many: noise: 9 of 40 pages above rung 0: 0.225 [0.108 to 0.385]

    Args:
        what: what was probed.
        true_rung: the highest rung that is true there.
        runs: pages.
        false: pages with a cell above that rung.
    """

    what: str
    true_rung: int
    runs: int
    false: int

    @property
    def rate(self) -> float:
        """Share of the pages that said more than is true."""
        return self.false / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate: Clopper and Pearson (1934), exact for independent pages.

        Pages of one model and corpus share sentences and untrained models, so that theirs is
        somewhat too narrow.
        """
        from scipy.stats import binomtest

        found = binomtest(self.false, self.runs).proportion_ci(0.95, method="exact")
        return float(found.low), float(found.high)

    @property
    def answer(self) -> Answer:
        """Whether the rate is low enough, too high, or cannot be told from so few pages."""
        low, high = self.interval
        if self.rate <= LEVEL and high <= UPPER:
            return "ok"
        return "too many" if low > LEVEL else "too few pages to tell"

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.answer}: {self.what}: {self.false} of {self.runs} pages above rung "
            f"{self.true_rung}: {self.rate:.3f} [{low:.3f} to {high:.3f}]"
        )


def calibrate(settings: StudySettings, *, runs: int = 40) -> tuple[FalseClaims, ...]:
    """The false claims of one study's own model and language.

    Args:
        settings: of the study; its model is the shape of the untrained ones.
        runs: pages of each kind.

    Returns:
        Untrained models first, then labels that carry nothing or the surface only, on the model
        itself.

    Raises:
        SettingsError: fewer untrained models than a page needs, or no pages.
    """
    if runs < 1:
        raise SettingsError(f"runs is a positive whole number; received {runs}")
    corpus = make_corpus(settings.language, settings.sentences, settings.seed)
    heights, chosen = heights_of(settings, corpus)
    if not heights:
        raise SettingsError(chosen[0])
    subject = make_subject(settings.model, corpus)
    asked = settings.probes
    grid = {
        "heights": heights, "positions": asked.positions, "method": asked.method, "C": asked.C,
        "groups": None if asked.groups == "auto" else asked.groups, "tolerance": asked.tolerance,
        "permutations": asked.permutations, "bootstrap": 0, "controls": asked.controls,
        "examples": 0,
    }  # fmt: skip

    def read(model: Any) -> Activations:
        return capture(
            model, corpus, sites=settings.sites, tokenizer=subject.tokenizer, progress=False
        )

    def untrained(seed: int) -> Activations:
        return read(random_twin(subject.model, seed=seed))

    seeds = range(settings.seed, settings.seed + asked.twins + runs)
    models = [untrained(seed) for seed in progress(seeds, "untrained models", unit="model")]
    acts, twins = read(subject.model), models[: asked.twins]
    found = [
        _count("untrained models", 0, untrained_pages(models, corpus, runs, asked.twins, grid))
    ]
    grid |= {"positions": "all", "heights": None}
    for name, (rung, make) in DECOYS.items():
        if name == NEXT and not sees_next(acts.manifest):
            continue  # a causal model that predicts the next word knows more than the surface
        pages = decoy_pages(acts, twins, corpus, make, runs, settings.seed, grid)
        found.append(_count(name, rung, progress(pages, name, total=runs, unit="page")))
    return tuple(found)


def _count(what: str, rung: int, pages: Any) -> FalseClaims:
    highest = list(pages)
    return FalseClaims(what, rung, len(highest), sum(page > rung for page in highest))


def untrained_pages(
    models: Sequence[Activations],
    corpus: Corpus,
    runs: int,
    twins: int,
    grid: Mapping[str, Any],
) -> Iterator[int]:
    """Highest rung of pages on which one untrained model is probed beside others.

    Args:
        models: activations of untrained models; each page takes other ones for its model, and
            the next ``twins`` for its baseline.
        corpus: their corpus.
        runs: pages.
        twins: untrained models beside each.
        grid: settings of the probes.

    Raises:
        SettingsError: there are fewer models than a page needs.
    """
    if len(models) <= twins:
        raise SettingsError(f"{twins + 1} untrained models are needed; there are {len(models)}")
    for run in range(runs):
        ring = [models[(run + i) % len(models)] for i in range(twins + 1)]
        yield _highest(probe(ring[0], corpus, random_weights=ring[1:], seed=run, **grid))


def decoy_pages(
    acts: Activations,
    twins: Sequence[Activations],
    corpus: Corpus,
    make: "Decoy",
    runs: int,
    seed: int,
    grid: Mapping[str, Any],
) -> Iterator[int]:
    """Highest rung of pages on which a model is probed for labels that are made up.

    Args:
        acts: the model's activations.
        twins: of untrained models.
        corpus: tokens.
        make: the labels, anew for each page.
        runs: pages.
        seed: of the labels.
        grid: settings of the probes.
    """
    for run in range(runs):
        labels = make(corpus, np.random.default_rng([seed, run]))
        yield _highest(
            probe(acts, corpus, targets={"made up": labels}, random_weights=twins, seed=run, **grid)
        )


def _highest(results: Any) -> int:
    return max(verdicts.rung for verdicts in compare(results).verdicts.values())


Decoy = Callable[[Corpus, np.random.Generator], np.ndarray]


def _coins(keys: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of two labels for each key."""
    _, place = np.unique(keys, return_inverse=True)
    labels: np.ndarray = np.array(["heads", "tails"])[rng.integers(0, 2, place.max() + 1)][place]
    return labels


def _groups(corpus: Corpus, rng: np.random.Generator) -> np.ndarray:
    documents = corpus.document_ids
    return _coins(corpus.sentence_ids if documents is None else documents, rng)


def _shuffled(corpus: Corpus, rng: np.random.Generator) -> np.ndarray:
    """Labels of the lowest height with several, in another order."""
    height = next(h for h in corpus.heights if len(np.unique(corpus.labels(h))) > 1)
    return rng.permutation(corpus.labels(height))


def _neighbour(step: int) -> Decoy:
    def coins(corpus: Corpus, rng: np.random.Generator) -> np.ndarray:
        """By the word before (-1) or after (1); the edge of a sentence is a word of its own."""
        words = np.asarray(corpus.words).astype(object)
        beside = np.roll(words, -step)
        beside[np.roll(corpus.sentence_ids, -step) != corpus.sentence_ids] = ""
        return _coins(beside.astype(str), rng)

    return coins


def _majority(corpus: Corpus, rng: np.random.Generator) -> np.ndarray:
    """The commonest label of each word, at the lowest height with several labels."""
    height = next(h for h in corpus.heights if len(np.unique(corpus.labels(h))) > 1)
    _, words = np.unique(corpus.words, return_inverse=True)
    names, codes = np.unique(corpus.labels(height), return_inverse=True)
    table = np.zeros((words.max() + 1, len(names)))
    np.add.at(table, (words, codes), 1.0)
    table += rng.uniform(0, 0.5, table.shape)  # ties fall at random
    commonest: np.ndarray = names[table.argmax(axis=1)][words]
    return commonest


def _numbers(keys: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A number, from a normal law, for each key."""
    _, place = np.unique(keys, return_inverse=True)
    numbers: np.ndarray = rng.standard_normal(place.max() + 1)[place]
    return numbers


def _number_of_group(corpus: Corpus, rng: np.random.Generator) -> np.ndarray:
    documents = corpus.document_ids
    return _numbers(corpus.sentence_ids if documents is None else documents, rng)


NEXT = "a coin per word after"
DECOYS: Mapping[str, tuple[int, Decoy]] = {
    "labels shuffled over all tokens": (0, _shuffled),
    "a coin per group (document or sentence)": (0, _groups),
    "a coin per position": (1, lambda corpus, rng: _coins(corpus.positions, rng)),
    "a coin per word type": (1, lambda corpus, rng: _coins(corpus.words, rng)),
    "a coin per word before": (1, _neighbour(-1)),
    NEXT: (1, _neighbour(1)),
    "the commonest label of the word": (1, _majority),
    "a number per token": (0, lambda corpus, rng: rng.standard_normal(corpus.n_tokens)),
    "a number per group (document or sentence)": (0, _number_of_group),
    "a number per position": (1, lambda corpus, rng: _numbers(corpus.positions, rng)),
    "a number per word type": (1, lambda corpus, rng: _numbers(corpus.words, rng)),
}
"""Made-up labels and numbers, and the highest rung that is true of them."""
