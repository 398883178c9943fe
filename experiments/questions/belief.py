"""Belief states in the residual stream of transformers trained on hidden Markov processes.

Shai et al. (arXiv 2405.15943) find the exact posterior of a process's hidden state as a linear
image of the stream. Here the same through this toolkit's grid: sentences held out, an interval, a
permutation null, untrained twins, what the last words alone tell; and beside the supervised
subspace the one of as many principal components, which is what a look without labels would find.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field

from ...core import Subspace, checked
from ...core.decompositions import eigh, rank
from ...grammars import Corpus, HiddenMarkov, families
from ...hooks import Activations, capture
from ...models import batch_ids, random_twin, train
from ...probes import ProbeResults, probe
from ...reports import Check, DrawnLine, Picture, Run, Study, compare, refuse_occupied
from ...reports.values import Json, plain, site_label
from ..manifest import versions
from ..scores import scores_of
from ..settings_base import Settings, SettingsError
from .answered import Answered, written

__all__ = ["BeliefSettings", "belief"]

ALL = "all sites"
BELIEF = "belief"
QUESTION = (
    "A transformer that predicts a hidden Markov process has to keep what can be known of the "
    "hidden state: the belief, an exact posterior. Is it a linear image of the residual stream "
    "(arXiv:2405.15943), and would principal components have found it?"
)


class BeliefSettings(Settings):
    """Sizes of the experiment.

    Args:
        steps: of training, per process by name: ``mess3`` and ``rrxor``, or one of them.
        training: sentences that are trained on.
        sequences: sentences that are probed; principal components come from as many others.
        length: tokens of a probed sentence; training sentences have one more, to be predicted.
        learning_rate: peak rate.
        shape: fields of :class:`linrep.PlainConfig` for the model.
        twins: untrained models beside it.
        permutations: of the null.
        bootstrap: resamples of the interval.
        seed: of everything random.
    """

    steps: Mapping[str, int] = {"mess3": 1000, "rrxor": 3000}
    training: int = Field(default=20_000, ge=1)
    sequences: int = Field(default=2000, ge=20)
    length: int = Field(default=10, ge=2, le=64)
    learning_rate: float = 3e-3
    shape: Mapping[str, Any] = {}
    twins: int = Field(default=3, ge=0, le=20)
    permutations: int = Field(default=200, ge=0)
    bootstrap: int = Field(default=1000, ge=0)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)


TINY: Mapping[str, Any] = {
    "steps": {"mess3": 30, "rrxor": 30}, "training": 200, "sequences": 60, "length": 6,
    "shape": {"hidden_size": 16, "num_hidden_layers": 2},
    "twins": 1, "permutations": 19, "bootstrap": 50,
}  # fmt: skip


@checked(SettingsError)
def belief(
    settings: BeliefSettings | None = None,
    *,
    tiny: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Answered:
    """Train on Mess3 and RRXOR, and look for the belief in the stream; some four minutes.

    Args:
        settings: sizes; the other arguments but ``out`` then say nothing.
        tiny: seconds instead, with models that have learned little.
        seed: of everything random.
        out: a folder for the run and its page.

    Returns:
        One row for each process and place, with the R2 of the belief on held-out sentences.

    Raises:
        SettingsError: a process of another name.
        LinrepError: the folder holds something.
    """
    if out is not None:
        refuse_occupied(out)
    how = settings or BeliefSettings(**(TINY if tiny else {}), seed=seed)
    known = {"mess3": families.mess3, "rrxor": families.rrxor}
    if unknown := sorted(set(how.steps) - set(known)):
        raise SettingsError(f"steps names mess3 and rrxor; received {unknown[0]!r}")
    studies, rows = [], []
    for name in how.steps:
        study, found = _process(name, known[name](length=how.length + 1), how)
        studies.append(study)
        rows += found
    run = Run(
        "Belief states", QUESTION, {"experiment": "belief", **plain_settings(how)}, versions(),
        tuple(studies),
    )  # fmt: skip
    return written(Answered("belief", tuple(rows), run), out)


def plain_settings(settings: Settings) -> dict[str, Json]:
    """Settings as a run keeps them."""
    return {str(key): plain(value) for key, value in settings.model_dump().items()}


def _process(
    name: str, process: HiddenMarkov, how: BeliefSettings
) -> tuple[Study, list[Mapping[str, Json]]]:
    """One process: a trained model, its grid, the principal components beside it."""
    trained = train(
        process, sentences=how.training, steps=how.steps[name], learning_rate=how.learning_rate,
        seed=how.seed, **how.shape,
    )  # fmt: skip
    model = trained.model
    # Sentences that the training did not draw; others for the components, which know no labels.
    corpus, others = (
        process.sample(how.sequences, seed=how.seed + i, length=how.length) for i in (1, 2)
    )
    acts = _stream(model, corpus)
    spare = _stream(model, others)
    twins = [_stream(random_twin(model, seed=how.seed + i), corpus) for i in range(how.twins)]
    k = rank(np.cov(corpus.targets[BELIEF].values.T), 1e-9)
    last = list(acts)[-2]
    components = {site: _components(spare[site], k) for site in (last, ALL)}
    label = f"{k} principal components"
    projected = {f"{site}, {label}": acts[site] @ components[site].basis for site in components}
    results = probe(
        Activations.from_arrays(acts | projected, corpus), corpus, targets=[BELIEF],
        random_weights=[Activations.from_arrays(twin, corpus) for twin in twins] or None,
        permutations=how.permutations, bootstrap=how.bootstrap, seed=how.seed,
    )  # fmt: skip
    excess = _excess(model, process, others)
    floor = process.conditional_entropies(how.length + 1)
    facts: dict[str, object] = {
        "process": name, "training steps": how.steps[name],
        "distance from the exact distribution, nats a token (KL)": round(float(excess.mean()), 5),
        "at the last place": round(float(excess[-1]), 5),
        "entropy of a token given those before it, first and last place":
            f"{floor[0]:.4f}, {floor[-1]:.4f}",
        "bounds of the entropy rate": "{:.4f}, {:.4f}".format(*process.entropy_rate(how.length)),
        "dimensions of the beliefs": k,
    }  # fmt: skip
    rows = [_row(name, results, site, float(excess.mean())) for site in (*acts, *projected)]
    for site, of_site in components.items():
        pattern = results.patterns.get((site, BELIEF))
        centred = acts[site] - acts[site].mean(axis=0)
        shares = {f"variance of the stream in the {label}": _share(centred, of_site)}
        if pattern is not None and pattern.dim:
            shares["variance of the stream in the pattern of the belief"] = _share(centred, pattern)
            shares[f"overlap of that pattern with the {label}"] = pattern.overlap(of_site)
        facts |= {f"{site_label(site)}: {what}": round(x, 4) for what, x in shares.items()}
    study = Study(
        name, f"The beliefs of {name}, {how.sequences} held-out sequences of {how.length} tokens.",
        {key: plain(value) for key, value in facts.items()}, scores_of(results),
        compare(results, seed=how.seed), checks=_checks(name, results, how, last, label),
        pictures=(_picture(results, list(acts), label, twins),), examples=results.examples,
    )  # fmt: skip
    return study, rows


def _stream(model: Any, corpus: Corpus) -> dict[str, np.ndarray]:
    """The stream at every token: at each site, and at all of them side by side."""
    acts = capture(model, corpus, progress=False)
    found = {site: np.asarray(acts[site], dtype=np.float64) for site in acts.sites}
    return found | {ALL: np.concatenate(list(found.values()), axis=1)}


def _components(stream: Float[np.ndarray, "token d_model"], k: int) -> Subspace:
    """The directions of the largest variance."""
    centred = stream - stream.mean(axis=0)
    directions = eigh(centred.T @ centred)[1][:, ::-1]
    return Subspace(directions[:, :k])


def _share(centred: Float[np.ndarray, "token d_model"], subspace: Subspace) -> float:
    """Share of the variance that lies in a subspace."""
    return float(np.square(centred @ subspace.basis).sum() / np.square(centred).sum())


def _excess(model: Any, process: HiddenMarkov, corpus: Corpus) -> Float[np.ndarray, " read"]:
    """Per number of tokens read, the mean divergence of the model from the exact distribution."""
    words = list(model.config.vocabulary)
    ids, _ = batch_ids(corpus.sentences, words)
    columns = [words.index(word) for word in process.terminals]
    with torch.no_grad():
        said = torch.log_softmax(model(ids).logits.double(), dim=-1)[..., columns].numpy()
    exact = np.stack(
        [process.next_token_probabilities(sentence)[:, :-1] for sentence in corpus.sentences]
    )
    terms = exact * (np.log(np.where(exact > 0, exact, 1.0)) - said)
    found: np.ndarray = terms.sum(axis=-1).mean(axis=0)
    return found


def _row(process: str, results: ProbeResults, site: str, excess: float) -> Mapping[str, Json]:
    score = results.score(site, BELIEF)
    columns = (
        ("R2", score.r2), ("interval", score.interval), ("untrained", score.random_weights),
        ("last three words", score.n_gram), ("position", score.position), ("p", score.p_family),
    )  # fmt: skip
    return {
        "process": process, "KL": round(excess, 5), "place": site_label(site),
        **{name: plain(np.round(value, 4)) for name, value in columns},
    }  # fmt: skip


def _checks(
    name: str, results: ProbeResults, how: BeliefSettings, last: str, label: str
) -> tuple[Check, ...]:
    """What the literature leads one to expect, of models that were trained as long as here."""
    if dict(how.steps) != BeliefSettings().steps:
        return ()
    found = {
        site: results.score(site, BELIEF).r2 for site in (last, ALL, f"{ALL}, {label}")
    }  # fmt: skip
    if name == "mess3":
        return (
            Check(
                "R2 after the last block", found[last], ">=", 0.95,
                "the belief is a linear image of the stream",
            ),
        )  # fmt: skip
    return (
        Check(
            "R2 at all sites together", found[ALL], ">=", 0.8,
            "the belief is spread over the layers, and linear in all of them together",
        ),
        Check(
            "R2 of the principal components less that of the stream",
            found[f"{ALL}, {label}"] - found[ALL], "<=", -0.2,
            "the directions of the largest variance are not those of the belief",
        ),
    )  # fmt: skip


def _picture(
    results: ProbeResults, sites: Sequence[str], label: str, twins: Sequence[object]
) -> Picture:
    """R2 along the stream; the last place is all sites together."""
    place = tuple(float(i) for i in range(len(sites)))
    scores = [results.score(site, BELIEF) for site in sites]
    drawn = {"the stream": [score.r2 for score in scores]}
    if twins:
        drawn["untrained, the best"] = [score.random_weights for score in scores]
    lines = [DrawnLine(name, place, tuple(map(float, values))) for name, values in drawn.items()]
    few = {site: results.score(f"{site}, {label}", BELIEF).r2 for site in sites[-2:]}
    lines.append(DrawnLine(label, place[-2:], tuple(map(float, few.values()))))
    words = scores[0].n_gram
    lines.append(
        DrawnLine("the last three words", place, (float(words),) * len(place), dotted=True)
    )
    return Picture(
        "R2 of the belief on held-out sequences; 0 is the embedding, the last place all together.",
        "blocks read", "R2", "none", tuple(lines),
    )  # fmt: skip
