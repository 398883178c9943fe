"""A recursive grammar, unrolled to growing depth: sizes, heights found, and a model of fixed depth.

The grammar is sums modulo 2 in postfix notation: an operand, or two sums and the sign. A sign ends
a span, whose class follows from the two before it; so each level of depth is one more step to be
computed. What follows a span depends on its class, as pairs of unlike probabilities see to. Tree
shapes grow doubly exponentially in the depth, layers of the construction linearly.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field

from ...core import checked, progress
from ...grammars import Grammar, belief_targets, unroll
from ...hooks import capture
from ...models import batch_ids, random_twin, train
from ...probes import probe
from ...reports import Check, Comparison, DrawnLine, Picture, Run, Scores, Study, refuse_occupied
from ...reports.values import Json, plain
from ..curves import compiled
from ..manifest import versions
from ..pipeline import run_study
from ..scores import scores_of
from ..settings import Constructed, GrammarText, Probes, StudySettings
from ..settings_base import Settings, SettingsError
from .answered import Answered, written

__all__ = ["SUMS", "RecursionSettings", "recursion"]

SUMS = """\
S -> A B '+' [0.25] | B A '+' [0.25] | A A '+' [0.05] | B B '+' [0.45]
A -> A B '+' [0.25] | B A '+' [0.25] | 'a' [0.5]
B -> A A '+' [0.05] | B B '+' [0.45] | 'b' [0.5]
"""
INSIDE = "inside height "  # weights of the symbols that can end at a token: what the theory writes
QUESTION = (
    "A grammar that calls itself has no bound on its depth; cut at a depth, it is one of those "
    "that the theorem is about (arXiv:2606.17522). How large are the constructed models as the "
    "depth grows, are all heights found in them, and which does a trained model of fixed depth "
    "hold?"
)


class RecursionSettings(Settings):
    """Sizes of the experiment.

    Args:
        text: of the grammar.
        depths: whose constructed models are counted.
        probed: depths whose constructed models are probed at every height.
        trained: depths for which a model is trained.
        shape: fields of :class:`linrep.PlainConfig` for the trained models.
        steps: of training.
        training: sentences that are trained on.
        sentences: that are probed.
        twins: untrained models beside each.
        permutations: of the null.
        bootstrap: resamples of intervals.
        seed: of everything random.
    """

    text: str = SUMS
    depths: tuple[int, ...] = (2, 3, 4, 5, 6)
    probed: tuple[int, ...] = (2, 3, 4)
    trained: tuple[int, ...] = (3, 4, 5)
    shape: Mapping[str, Any] = {"num_hidden_layers": 2}
    steps: int = Field(default=1200, ge=1)
    training: int = Field(default=8192, ge=1)
    sentences: int = Field(default=1000, ge=20)
    twins: int = Field(default=3, ge=0, le=20)
    permutations: int = Field(default=100, ge=0)
    bootstrap: int = Field(default=500, ge=0)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)


TINY: Mapping[str, Any] = {
    "depths": (2, 3), "probed": (3,), "trained": (3,), "steps": 20, "training": 200,
    "sentences": 150, "twins": 1, "permutations": 19, "bootstrap": 50,
    "shape": {"num_hidden_layers": 1, "hidden_size": 16},
}  # fmt: skip


@checked(SettingsError)
def recursion(
    settings: RecursionSettings | None = None,
    *,
    tiny: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Answered:
    """Unroll a recursive grammar to growing depth; a few minutes.

    Args:
        settings: sizes; the other arguments but ``out`` then say nothing.
        tiny: seconds instead.
        seed: of everything random.
        out: a folder for the run and its page.

    Returns:
        One row for each depth: sizes beside the theorem's, heights found, beliefs of the trained.

    Raises:
        LinrepError: the folder holds something, or the grammar is at fault.
    """
    if out is not None:
        refuse_occupied(out)
    how = settings or RecursionSettings(**(TINY if tiny else {}), seed=seed)
    every = sorted({*how.depths, *how.probed, *how.trained})
    grammars = {depth: unroll(how.text, depth) for depth in every}
    rows: dict[int, dict[str, Json]] = {
        depth: {
            "depth": depth, "lost mass": float(grammar.lost_mass),
            "longest": max(grammar.lengths), "shapes": grammar.n_shapes,
        }
        for depth, grammar in grammars.items()
    }  # fmt: skip
    studies = [_sizes(how, grammars, rows)]
    studies += [_constructed(how, depth, grammars[depth], rows[depth]) for depth in how.probed]
    for depth in progress(how.trained, "training"):
        studies.append(_trained(how, depth, grammars[depth], rows[depth]))
    run = Run(
        "Recursion, unrolled", QUESTION,
        {"experiment": "recursion", **{k: plain(v) for k, v in how.model_dump().items()}},
        versions(), tuple(studies),
    )  # fmt: skip
    shown = tuple({**row, "shapes": f"{row['shapes']:.4g}"} for row in rows.values())
    return written(Answered("recursion", shown, run), out)


def _sizes(
    how: RecursionSettings, grammars: Mapping[int, Grammar], rows: Mapping[int, dict[str, Json]]
) -> Study:
    """Layers and neurons counted in the weights, beside the theorem's formulas."""
    broken, counted = 0, {}
    for depth in how.depths:
        found = compiled(grammars[depth]).accounting().rows
        broken += sum(not row.holds for row in found)
        by_name = {row.name.strip(): row for row in found}
        counted[depth] = {name: by_name[name].measured for name in ("layers", "neurons", "width")}
        rows[depth] |= {
            name: f"{by_name[name].measured} = {by_name[name].predicted}"
            for name in ("layers", "neurons")
        }
    x = tuple(map(float, how.depths))
    lines = tuple(
        DrawnLine(name, x, tuple(float(counted[depth][name]) for depth in how.depths))
        for name in ("layers", "neurons", "width")
    )
    shapes = DrawnLine("tree shapes c", x, tuple(float(grammars[d].n_shapes) for d in how.depths))
    steps = np.diff([counted[depth]["layers"] for depth in how.depths])
    checks = (
        Check("sizes that break the theorem's formulas", float(broken), "<=", 0.0,
              "every size counted in the weights is that of its formula"),
        Check("layers per level, most less least", float(np.ptp(steps / np.diff(how.depths))), "<=",
              0.0, "layers grow linearly with the depth"),
    )  # fmt: skip
    facts: dict[str, Json] = {
        f"depth {depth}": ", ".join(f"{name} {size}" for name, size in sizes.items())
        for depth, sizes in counted.items()
    }
    return _study(
        "sizes", "Sizes of constructed models against the depth.",
        facts,
        Scores(()), Comparison(()), checks,
        (Picture("Sizes against the depth.", "depth", "number", "y", (*lines, shapes)),),
    )  # fmt: skip


def _constructed(
    how: RecursionSettings, depth: int, grammar: Grammar, row: dict[str, Json]
) -> Study:
    """The constructed model through the ordinary pipeline."""
    study, _ = run_study(
        StudySettings(
            name=f"constructed, depth {depth}",
            question="Are the values of all heights found where the construction writes them?",
            language=GrammarText(text=str(grammar)), model=Constructed(), seed=how.seed,
            sentences=how.sentences,
            probes=Probes(
                positions="boundary", C=10.0, permutations=how.permutations,
                bootstrap=how.bootstrap, twins=how.twins, charts=True, attention=False,
            ),
        )
    )  # fmt: skip
    kept: dict[str, list[bool]] = {}  # is the value of a height as predicted wherever it is written
    for each in study.comparison.rows:
        if each.subspaces is not None and each.subspaces.written and each.target.startswith(INSIDE):
            height = each.target.removeprefix(INSIDE)
            kept.setdefault(height, []).append(bool(each.subspaces.as_predicted))
    found = [height for height, cells in kept.items() if all(cells)]
    row["heights as predicted"] = f"{', '.join(found) or 'none'} of {', '.join(kept) or 'none'}"
    return study


def _trained(how: RecursionSettings, depth: int, grammar: Grammar, row: dict[str, Json]) -> Study:
    """A trained model of fixed depth: the R2 of each height's belief at its best site."""
    model = train(
        grammar, sentences=how.training, steps=how.steps, seed=how.seed, **how.shape
    ).model  # fmt: skip
    corpus = grammar.sample(how.sentences, seed=how.seed + 1)
    acts = capture(model, corpus, progress=False)
    twins = [
        capture(random_twin(model, seed=how.seed + i), corpus, progress=False)
        for i in range(how.twins)
    ]
    targets = belief_targets(corpus, kinds=("boundary",))
    results = probe(
        acts, corpus, targets=targets, random_weights=twins or None,
        permutations=how.permutations, bootstrap=how.bootstrap, seed=how.seed,
    )  # fmt: skip
    best = [
        max((results.score(site, target.name) for site in acts.sites), key=lambda s: s.validation)
        for target in targets
    ]
    excess = _excess(model, grammar, corpus)
    row["KL"] = excess
    row["R2 of beliefs by height"] = _listed([score.r2 for score in best])
    row["untrained"] = _listed([score.random_weights for score in best])
    row["last three words"] = _listed([score.n_gram for score in best])
    heights = tuple(float(target.name.rsplit(" ", 1)[1]) for target in targets)
    lines = {
        "trained": [score.r2 for score in best],
        "untrained, the best": [score.random_weights for score in best],
        "the last three words": [score.n_gram for score in best],
    }
    picture = Picture(
        "R2 of the belief of each height, at the site that is best on validation sentences.",
        "height", "R2", "none",
        tuple(
            DrawnLine(name, heights, tuple(map(float, values)))
            for name, values in lines.items() if np.isfinite(values).all()
        ),
    )  # fmt: skip
    facts: dict[str, Json] = {
        "blocks": model.config.num_hidden_layers, "training steps": how.steps,
        "distance from the exact distribution, nats a token (KL)": round(excess, 5),
    }  # fmt: skip
    return _study(
        f"trained, depth {depth}", "Which heights does a trained model of fixed depth hold?", facts,
        scores_of(results), Comparison(()), (), (picture,),
    )  # fmt: skip


def _excess(model: Any, grammar: Grammar, corpus: Any) -> float:
    """Mean divergence of the model from the exact next-token distribution, nats a token."""
    words = list(model.config.vocabulary)
    columns = [*(words.index(word) for word in grammar.terminals), len(words) - 1]
    total, tokens = 0.0, 0
    for sentence in dict.fromkeys(corpus.sentences[:200]):
        with torch.no_grad():
            logits = model(batch_ids([sentence], words)[0]).logits[0]
        said = torch.log_softmax(logits.double(), dim=-1)[:, columns].numpy()
        exact = grammar.next_token_probabilities(sentence)
        total += float((exact * (np.log(np.where(exact > 0, exact, 1.0)) - said)).sum())
        tokens += len(exact)
    return total / tokens


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def _study(
    name: str,
    about: str,
    facts: Mapping[str, Json],
    scores: Scores,
    comparison: Comparison,
    checks: Sequence[Check],
    pictures: tuple[Picture, ...],
) -> Study:
    return Study(name, about, facts, scores, comparison, checks=tuple(checks), pictures=pictures)
