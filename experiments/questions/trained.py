"""A trained transformer beside the theory's construction of the same grammar.

Three questions on one page: does the trained model show what theory says of any model of the
grammar; when in training does each state appear; and which heights fail where the model has fewer
blocks than the theorem's construction.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from pydantic import Field

from ...core import checked, height_target, progress
from ...grammars import Corpus, Grammar
from ...hooks import capture
from ...models import load, train
from ...models.training.exactness import hold_out
from ...probes import ProbeResults, probe
from ...reports import DrawnLine, Picture, Run, Study, refuse_occupied
from ...reports.values import Json, site_label
from ..languages import make_grammar
from ..manifest import versions
from ..pipeline import run_study
from ..settings import (
    Causal,
    Constructed,
    HierarchyFamily,
    Language,
    Probes,
    StudySettings,
    Trained,
)
from ..settings_base import Settings, SettingsError
from ..subjects import options_of
from .answered import Answered, written
from .belief import plain_settings
from .tiny import TINY_PROBES, TINY_TRAINING

__all__ = ["TrainedSettings", "trained"]

QUESTION = (
    "Theory constructs a transformer that writes every state of a grammar where it is told to. "
    "Does a transformer of the same kind, trained on sentences alone, write them too? Its basis is "
    "its own, so the construction's subspaces are carried over by a linear map, and numbers are "
    "compared that do not depend on the basis."
)
STEPS = (0, 25, 50, 100, 200, 400, 800)
HELD_OUT = 256  # sentences on which the divergence is measured
OTHER_SEED = 1  # of the sentences probed, which training has not drawn


class TrainedSettings(Settings):
    """Sizes of the experiment.

    Args:
        language: a grammar.
        training: of the model; its blocks are the most that are tried.
        blocks: smaller numbers of blocks that are tried.
        steps: after how many steps states are looked for.
        sentences: that are probed.
        pairs: of an exchange, per height.
        probes: how the grid is made.
        seed: of everything random.
    """

    language: Language = HierarchyFamily(n_symbols=4, n_rules=2, arity=2, depth=3)
    training: Trained = Trained(steps=800)
    blocks: tuple[Annotated[int, Field(ge=1)], ...] = (1, 2)
    steps: tuple[Annotated[int, Field(ge=0)], ...] = STEPS
    sentences: Annotated[int, Field(ge=20)] = 1500
    probes: Probes = Probes(positions="boundary", beliefs=True, causal=Causal(pairs=300, draws=12))
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0


TINY: Mapping[str, Any] = {
    "training": TINY_TRAINING.model_copy(update={"steps": 20}),
    "blocks": (1,), "steps": (0, 20), "sentences": 150,
    "probes": TINY_PROBES,
}  # fmt: skip


@checked(SettingsError)
def trained(
    settings: TrainedSettings | None = None,
    *,
    tiny: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Answered:
    """Train on a grammar and lay the model beside the theory; some five minutes.

    Args:
        settings: sizes; ``tiny`` and ``seed`` then say nothing.
        tiny: seconds instead, with models that have learned little.
        seed: of everything random.
        out: a folder for the run and its page.

    Returns:
        One row for each model and height: how far it is from its language, and how well the state
        is read.

    Raises:
        SettingsError: the language is no grammar.
        LinrepError: the folder holds something.
    """
    if out is not None:
        refuse_occupied(out)
    how = settings or TrainedSettings(**(TINY if tiny else {}), seed=seed)
    if make_grammar(how.language) is None:
        raise SettingsError("a model is trained on sentences of a grammar; this language has none")
    study, _ = run_study(
        StudySettings(
            name="trained", question=QUESTION, language=how.language, theory=Constructed(),
            model=how.training.model_copy(update={"seed": how.seed}), sentences=how.sentences,
            probes=how.probes, seed=how.seed,
        )
    )  # fmt: skip
    rows = [*_along(how), *_smaller(how)]
    pictures = (_steps_picture(rows), _blocks_picture(rows))
    study = replace(study, pictures=(*study.pictures, *filter(None, pictures)))
    run = Run(
        "A trained model beside the theory", QUESTION,
        {"experiment": "trained", **plain_settings(how)}, versions(), (study,),
    )  # fmt: skip
    return written(Answered("trained", (*_found(study), *rows), run), out)


def _along(how: TrainedSettings) -> Iterator[Mapping[str, Json]]:
    """States along one training; step 0 is the untrained model."""
    grammar, corpus = _language(how)
    with TemporaryDirectory() as place:
        steps = [step for step in how.steps if step <= how.training.steps]
        made = train(
            grammar, folder=Path(place) / "model", checkpoints=steps,
            **options_of(how.training, seed=how.seed),
        )  # fmt: skip
        words = list(made.model.config.vocabulary)
        held, _ = hold_out(grammar, HELD_OUT, how.seed, words)
        for step in progress(steps, "checkpoints", unit="checkpoint"):
            folder = Path(place) / "model" / "checkpoints" / f"step-{step}"
            if folder.exists():
                model = load(folder).model
                kl = None if held is None else held.kl(model)
                yield from _states(f"step {step}", model, corpus, kl, how)


def _language(how: TrainedSettings) -> tuple[Grammar, Corpus]:
    """The grammar, and the sentences that are probed."""
    grammar = make_grammar(how.language)
    assert grammar is not None  # noqa: S101 - trained looks first
    return grammar, grammar.sample(how.sentences, seed=how.seed + OTHER_SEED)


def _smaller(how: TrainedSettings) -> Iterator[Mapping[str, Json]]:
    """The states of models with fewer blocks."""
    grammar, corpus = _language(how)
    for blocks in progress(how.blocks, "smaller models", unit="model"):
        made = train(
            grammar, **options_of(how.training, seed=how.seed) | {"num_hidden_layers": blocks}
        )
        yield from _states(
            f"{blocks} block{'s' * (blocks > 1)}", made.model, corpus, made.log.kl, how
        )


def _states(
    name: str, model: Any, corpus: Corpus, kl: float | None, how: TrainedSettings
) -> list[Mapping[str, Json]]:
    """How well each height is read at the last tokens of spans, where it is read best."""
    acts = capture(model, corpus, progress=False)
    heights = [h for h in corpus.heights if len(set(corpus.labels(h).tolist()) - {""}) > 1]
    results = probe(
        acts, corpus, heights=heights, positions="boundary", controls=(), permutations=0,
        bootstrap=how.probes.bootstrap, jackknife=0, C=10.0, seed=how.seed,
    )  # fmt: skip
    return [_row(name, kl, results, height) for height in heights]


def _row(name: str, kl: float | None, results: ProbeResults, height: int) -> Mapping[str, Json]:
    target = height_target(height)
    score = results.score(results.best_site(target), target)
    return {
        "model": name, "KL": None if kl is None else round(kl, 5), "state": target,
        "read best after": site_label(score.site), "accuracy": round(score.accuracy, 4),
        "interval": [round(end, 4) for end in score.interval], "chance": round(score.chance, 4),
    }  # fmt: skip


def _found(study: Study) -> list[Mapping[str, Json]]:
    """The rows of the model itself, from the grid with all its controls."""
    scores = study.scores.to_frame()
    rows: list[Mapping[str, Json]] = []
    for target in dict.fromkeys(scores["target"]):
        best = scores[scores["target"] == target].sort_values("validation", kind="stable").iloc[-1]
        verdicts = study.comparison.verdicts[best["site"], target]
        value = best["r2"] if best["kind"] == "number" else best["accuracy"]
        rows.append(
            {
                "model": "trained", "state": target, "read best after": site_label(best["site"]),
                "accuracy": round(float(value), 4), "interval": best["interval"],
                "chance": round(float(best["chance"]), 4), "verdict": verdicts.short,
            }
        )  # fmt: skip
    return rows


def _steps_picture(rows: Sequence[Mapping[str, Json]]) -> Picture | None:
    lines = _lines(rows, "step ")
    if not lines:
        return None
    return Picture(
        "States along training: accuracy at the last tokens of spans, where it is best. Step 0 is "
        "the untrained model.",
        "step", "accuracy", "none", lines,
    )  # fmt: skip


def _blocks_picture(rows: Sequence[Mapping[str, Json]]) -> Picture | None:
    lines = _lines(rows, " block")
    if not lines:
        return None
    return Picture(
        "States of models with fewer blocks: accuracy at the last tokens of spans.",
        "blocks", "accuracy", "none", lines,
    )  # fmt: skip


def _lines(rows: Sequence[Mapping[str, Json]], word: str) -> tuple[DrawnLine, ...]:
    """One line for each state, over the number that stands in the names of the models."""
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        name = str(row["model"])
        if word in name:
            x = float(name.replace(word, "").removesuffix("s"))
            points.setdefault(str(row["state"]), []).append((x, float(str(row["accuracy"]))))
    return tuple(
        DrawnLine(state, tuple(x for x, _ in line), tuple(y for _, y in line))
        for state, line in points.items()
    )
