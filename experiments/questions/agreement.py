"""Is the number of the subject used? "The key" is, "the keys" are, in a pretrained model."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, final

import numpy as np
from pydantic import Field

from ...causal import InterchangeResult, interchange, minimal_pairs
from ...core import as_path, checked
from ...corpora import Corpus
from ...hooks import capture
from ...models import load, random_twin
from ...probes import probe
from ...reports import DrawnLine, Picture, Run, Study, compare, refuse_occupied
from ...reports.values import Json, plain, site_label
from ..manifest import versions
from ..scores import scores_of
from ..settings_base import Settings, SettingsError
from .answered import Answered, written
from .belief import plain_settings

__all__ = ["AgreementSettings", "agreement"]

QUESTION = (
    "Does the model use a linear direction for the number of the subject when it chooses between "
    "is and are? The direction is learned from half of the nouns; the state of the subject's last "
    "token is exchanged, inside it alone, between beginnings of the other half."
)
SINGULAR = {"is", "has", "was", "does", "isn't", "hasn't", "wasn't", "doesn't"}
PLURAL = {"are", "have", "were", "do", "aren't", "haven't", "weren't", "don't"}
NUMBER = "number"


class AgreementSettings(Settings):
    """Sizes of the experiment.

    Args:
        files: of minimal pairs, below the data's folder (as BLiMP has them).
        pairs: that are exchanged, half of them of other numbers.
        every: so many blocks lie between two that are looked at.
        draws: random subspaces of each kind.
        permutations: of the grid.
        twins: untrained models beside the probes.
        seed: of everything random.
    """

    files: tuple[str, ...] = (
        "regular_plural_subject_verb_agreement_1.jsonl",
        "irregular_plural_subject_verb_agreement_1.jsonl",
    )
    pairs: Annotated[int, Field(ge=8)] = 120
    every: Annotated[int, Field(ge=1)] = 3
    draws: Annotated[int, Field(ge=2)] = 4
    permutations: Annotated[int, Field(ge=0)] = 99
    twins: Annotated[int, Field(ge=1)] = 3
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0


TINY: Mapping[str, Any] = {"pairs": 8, "every": 100, "draws": 2, "permutations": 9}


@final
class Beginning(NamedTuple):
    """A beginning that ends with the subject, the right and the wrong verb, and the number."""

    words: tuple[str, ...]
    answers: tuple[str, str]
    number: str


@checked(SettingsError)
def agreement(
    settings: AgreementSettings | None = None,
    *,
    model: str | Path,
    data: str | Path,
    tiny: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Answered:
    """Exchange the number of subjects in a pretrained model; four minutes for SmolLM2-135M.

    Args:
        settings: sizes and files; ``tiny`` and ``seed`` then say nothing.
        model: folder of a causal model, or its hub id in the local cache.
        data: folder of the minimal pairs.
        tiny: a few pairs at one block.
        seed: of everything random.
        out: a folder for the run and its page.

    Returns:
        One row for each place in the stream, with effect shares of the pattern and its rivals.

    Raises:
        SettingsError: the files hold no beginnings with both verbs.
        LinrepError: the folder holds something.
    """
    if out is not None:
        refuse_occupied(out)
    how = settings or AgreementSettings(**(TINY if tiny else {}), seed=seed)
    rows = read_beginnings([as_path(data) / name for name in how.files])
    nouns = sorted({row.words[-1] for row in rows})
    order = np.random.default_rng(how.seed).permutation(len(nouns))
    if len(nouns) < 2:
        raise SettingsError(
            f"the beginnings end with one noun, {nouns[0]!r}: the pattern is learned from half of "
            "the nouns and exchanged in the others; give more"
        )
    learned = {nouns[i] for i in order[: len(nouns) // 2]}
    fit = [row for row in rows if row.words[-1] in learned]
    test = [row for row in rows if row.words[-1] not in learned]
    corpus = _corpus(fit)
    prefixes, answers, numbers = zip(*test, strict=True)
    pairs = minimal_pairs(prefixes, answers, numbers, target=NUMBER, n=how.pairs, seed=how.seed)
    loaded = load(str(model))
    layers = list(range(0, int(loaded.model.config.num_hidden_layers), how.every))
    read: dict[str, Any] = {"layers": layers, "tokenizer": loaded.tokenizer, "progress": False}
    acts = capture(loaded.model, corpus, **read)
    twins = [
        capture(random_twin(loaded.model, seed=how.seed + i), corpus, **read)
        for i in range(how.twins)
    ]
    results = probe(
        acts, corpus, targets=[NUMBER], random_weights=twins, permutations=how.permutations,
        seed=how.seed,
    )  # fmt: skip
    found = interchange(
        loaded.model, None, results.patterns, pairs=pairs, readouts=results.readouts,
        draws=how.draws, tokenizer=loaded.tokenizer, seed=how.seed,
    )  # fmt: skip
    told = [_row(found, site) for site, _ in found.cells]
    study = Study(
        "agreement", QUESTION,
        {
            "model": loaded.name, "beginnings that the pattern is learned from": len(fit),
            "beginnings that are exchanged": len(test), "pairs": str(pairs),
        },
        scores_of(results), compare(results, exchanges=found, seed=how.seed),
        notes=found.notes, pictures=(_picture(told),), piece="subject",
        examples=results.examples,
    )  # fmt: skip
    told_of = {"experiment": "agreement", "model": str(model), **plain_settings(how)}
    run = Run("Number agreement", QUESTION, told_of, versions(), (study,))
    return written(Answered("agreement", tuple(told), run), out)


def read_beginnings(files: Sequence[Path]) -> list[Beginning]:
    """Beginnings of two words or more, each once.

    A first word alone is left out: models write a huge state at the first token of a text, which
    tells nothing of its number.

    Args:
        files: one JSON object in each line, as BLiMP's ``one_prefix`` method has them.

    Raises:
        SettingsError: they cannot be read, or hold no such beginnings of both numbers.
    """
    found: dict[tuple[str, ...], Beginning] = {}
    for file in files:
        try:
            lines = file.read_text("utf-8").splitlines()
            records = [json.loads(line) for line in lines if line.strip()]
        except (OSError, ValueError) as error:
            raise SettingsError(f"cannot read minimal pairs from {file}: {error}") from None
        for record in records:
            if not isinstance(record, dict):
                raise SettingsError(
                    f"{file}: each line is an object of JSON; one is {record!r:.60}"
                )
            words = tuple(str(record.get("one_prefix_prefix", "")).split())
            right, wrong = (str(record.get(f"one_prefix_word_{x}", "")) for x in ("good", "bad"))
            number = _number(right, wrong)
            if len(words) > 1 and number:
                found[words] = Beginning(words, (right, wrong), number)
    if len({row.number for row in found.values()}) < 2:
        raise SettingsError(
            f"{', '.join(map(str, files))} hold no beginnings of both numbers: lines with "
            "one_prefix_prefix, one_prefix_word_good and one_prefix_word_bad are expected"
        )
    return list(found.values())


def _number(right: str, wrong: str) -> str:
    if right in SINGULAR and wrong in PLURAL:
        return "singular"
    return "plural" if right in PLURAL and wrong in SINGULAR else ""


def _corpus(rows: Sequence[Beginning]) -> Corpus:
    """The subject's last word in each beginning; beginnings of one noun stay together."""
    texts = [" ".join(row.words) for row in rows]
    spans = [
        (i, len(text) - len(row.words[-1]), len(text))
        for i, (text, row) in enumerate(zip(texts, rows, strict=True))
    ]
    return Corpus.from_texts(
        texts, spans=spans, targets={NUMBER: [row.number for row in rows]},
        groups=[row.words[-1] for row in rows],
    )  # fmt: skip


def _row(found: InterchangeResult, site: str) -> Mapping[str, Json]:
    cell = found.cells[site, NUMBER]
    return {
        "after": site_label(site), "pattern": plain(cell.share),
        "interval": plain((cell.share_low, cell.share_high)),
        "readout": plain(cell.share_readout), "random": plain(cell.share_random),
        "placebo": plain(cell.share_placebo), "drawn": plain(cell.share_drawn),
        "untrained": plain(cell.share_twin), "whole state": plain(cell.share_whole),
        "p": plain(cell.p),
    }  # fmt: skip


def _picture(rows: Sequence[Mapping[str, Json]]) -> Picture:
    names = ("pattern", "readout", "random", "placebo", "drawn", "whole state")
    lines = []
    for name in names:
        points = [(i, row[name]) for i, row in enumerate(rows) if row[name] is not None]
        x, y = (tuple(float(str(point[side])) for point in points) for side in (0, 1))
        lines.append(DrawnLine(name, x, y, dotted=name != "pattern"))
    return Picture(
        "Effect shares of the exchange: 0 is no effect, 1 what the other beginning itself does.",
        "place in the stream", "effect share", "none", tuple(lines),
    )  # fmt: skip
