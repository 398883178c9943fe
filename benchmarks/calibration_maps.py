"""Pages about linear maps from a constructed model, whose truth is known; see ``calibration.py``.

A map leads from a constructed model to an untrained one, to one that was trained on another grammar
of the same words, or to the same construction in another basis. Only in the last a state lies where
theory says.
"""

import itertools
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

import numpy as np

BATCH = 5  # pages of one call
SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
LANGUAGES = ("latin", "random hierarchy")

Question = tuple[str, Callable[..., list[int]], tuple, int | None]


def grammar(name: str, seed: int) -> Any:
    from linrep import families

    if name == "latin":
        return families.latin(order=3, depth=3)
    return families.random_hierarchy(n_symbols=4, n_rules=3, depth=3, seed=seed)


@cache
def constructed(name: str, seed: int, rotation: int | None = None) -> Any:
    import linrep

    return linrep.GrammarTransformer.from_grammar(grammar(name, seed), rotation=rotation)


@cache
def trained(seed: int) -> Any:
    """A model of another grammar with the same words."""
    import linrep

    other = grammar("random hierarchy", 1000 + seed)
    return linrep.train(other, sentences=4000, steps=400, learning_rate=3e-3, **SHAPE).model


def untrained(language: Any, seed: int) -> Any:
    from linrep.models import PlainConfig, PlainTransformer, initialise

    words = ("<bos>", *language.terminals, "<eos>")
    model = PlainTransformer(PlainConfig(vocabulary=words, mlp="gelu", **SHAPE))
    return initialise(model, seed)


@lru_cache(BATCH)  # the questions about one page follow each other
def page(kind: str, name: str, run: int) -> Any:
    import linrep
    from linrep.experiments.map_calibration import mapped_page

    language = grammar(name, run)
    corpus = language.sample(300, seed=run)
    built = constructed(name, run)
    if kind == "other grammar":
        model = trained(run // BATCH)
    elif kind == "other basis":
        model = constructed(name, run, rotation=run + 1).model
    else:
        model = untrained(language, 7 * run)

    random = [linrep.random_twin(model, seed=1000 * run + i) for i in range(5)]

    def read(sentences: Any) -> tuple[Any, list[Any], Any, Any]:
        acts, theirs, *twins = (
            linrep.capture(each, sentences, progress=False)
            for each in (model, built.model, *random)
        )
        return acts, twins, theirs, sentences

    heights = [h for h in corpus.heights if len(np.unique(corpus.labels(h))) > 1][:2]
    acts, twins, theirs, _ = read(corpus)
    if kind != "other basis":
        return mapped_page(acts, twins, theirs, built.predictions, corpus, heights, seed=run)
    others = read(language.sample(300, seed=5000 + run))
    return mapped_page(
        acts, twins, theirs, built.predictions, corpus, heights, patterns="joint",
        maps_from=others, seed=run,
    )  # fmt: skip


def mapped(batch: int, kind: str, name: str, asked: str) -> list[int]:
    """Whether pages say what is asked, of models of one kind."""
    runs = range(BATCH * batch, BATCH * (batch + 1))
    return [int(getattr(page(kind, name, run), asked)) for run in runs]


ASKED = {
    "beyond": "an overlap beyond every null",
    "aligned": "aligned",
    "r2": "R2 above other untrained models",
}


def map_questions() -> Iterator[Question]:
    """Name of each question, the function, its arguments, and how its answers are read."""
    for name, asked in itertools.product(LANGUAGES, ("beyond", "r2")):
        yield (
            f"map, untrained decoder, {name}, {ASKED[asked]}",
            mapped,
            ("untrained", name, asked),
            0,
        )
    for asked in ("beyond", "aligned"):
        label = f"map, trained on another random hierarchy, {ASKED[asked]}"
        yield label, mapped, ("other grammar", "random hierarchy", asked), 0
    for name in LANGUAGES:
        label = f"basis, the same construction in another one, {name}, {ASKED['aligned']}"
        yield label, mapped, ("other basis", name, "aligned"), 0
