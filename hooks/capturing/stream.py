"""Statistics during the forward pass: every activation is used once and forgotten."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Unpack, final

from ...core import Engine, checked, running
from ...core.options import settled
from ..errors import CaptureError
from ..inputs.corpus import as_corpus, inputs_of, word_count
from ..reading.prepared import left_alone, prepare
from ..reading.settings import CaptureSettings, Reading, ReadingOptions
from ..selfcheck.checks import self_check
from ..store.manifest import describe
from .groups import Make, grouped, portable
from .summing import StreamWork, in_order, stream_in_worker
from .work import referred_if, token_bar, work_of

__all__ = ["Streamed", "stream"]

PIECE = 65536  # words that are summed before their totals are added to the others'


@final
@dataclass(frozen=True, eq=False)
class Streamed:
    """What a stream left behind.

    Args:
        totals: per site and target, what was accumulated; targets that are defined at the same
            words share one object, which knows them all by name.
        manifest: as of a capture.
    """

    totals: Mapping[tuple[str, str], Any]
    manifest: Mapping[str, Any]

    def __getitem__(self, key: tuple[str, str]) -> Any:
        if key not in self.totals:
            raise CaptureError(f"nothing was accumulated for {key}: there are {list(self.totals)}")
        return self.totals[key]


@checked(CaptureError)
def stream(
    model: Any,
    corpus: Any,
    make: Make,
    targets: Mapping[str, Any],
    sites: str | Sequence[str] = "resid_post",
    layers: str | Sequence[int] = "all",
    *,
    engine: str | Engine = "local",
    progress: bool = True,
    reading: Reading | None = None,
    **options: Unpack[ReadingOptions],
) -> Streamed:
    """Accumulate statistics of activations and targets in one pass; no activation is kept.

    Memory does not depend on the number of words: per site at most 4096 words wait to be summed.
    The corpus is worked off in pieces of ``shard_words``, whose totals merge by ``+`` in order,
    so every engine adds the same numbers in the same order.

    Args:
        model: as in :func:`linrep.capture`.
        corpus: likewise.
        make: ``Statistics.from_arrays``, or anything of its kind (importable, for engines with
            workers). Labels are read once for all sites where its class has ``with_labels``.
            ``Statistics`` add up the activations of a model on a GPU there: 4096 words of one
            site at a time, whose ``d_model x d_model`` sums come back and are added here.
        targets: per name labels ``[token]``; words labelled ``""`` are left out of that target.
        sites: as in :func:`linrep.capture`.
        layers: likewise.
        engine: likewise.
        progress: likewise.
        reading: how the model reads, as :func:`linrep.capture` takes it.
        **options: its fields by name; they replace those of ``reading``:
        word_token: as in :func:`linrep.capture`.
        dtype: of no consequence, for nothing is kept: ``make`` gets float32, of a float64 model
            float64.
        batch_size: as in :func:`linrep.capture`.
        device: likewise.
        tokenizer: likewise.
        long_inputs: likewise.
        special_tokens: likewise.
        path: likewise.
        check: likewise.
        shard_words: words per piece; ``"auto"``: 65536.
        arithmetic: as in :func:`linrep.capture`.

    Raises:
        CaptureError: labels do not fit the corpus, or the request does not fit the model.

    >>> from linrep.models import PlainConfig, PlainTransformer, initialise
    >>> model = initialise(PlainTransformer(PlainConfig(vocabulary=["<bos>", "a", "b"])), seed=0)
    >>> import numpy as np
    >>> count = lambda X, y: np.array([len(X)])
    >>> done = stream(model, [["a", "b"], ["b"]], count, {"word": ["a", "b", ""]})
    >>> int(done["blocks.1.hook_resid_post", "word"][0])
    2
    """
    corpus = as_corpus(corpus)
    how = settled("stream", "reading", Reading, reading, options, CaptureError)
    if how.shard_words == "auto":
        how = replace(how, shard_words=PIECE)
    settings = how.of(corpus, sites, layers)
    with left_alone(model):
        return _streamed(model, corpus, make, targets, settings, how, engine, progress)


def _streamed(
    model: Any,
    corpus: Any,
    make: Make,
    targets: Mapping[str, Any],
    settings: CaptureSettings,
    how: Reading,
    engine: str | Engine,
    progress: bool,
) -> Streamed:
    given, groups = inputs_of(corpus), grouped(targets, word_count(corpus))  # before the model
    subject = prepare(model, settings, how.tokenizer)
    encoding = subject.encode(given, settings)
    manifest = describe(subject, corpus, encoding, settings)
    alone = settings.batch_size == 1
    manifest["self_check"] = self_check(subject, encoding, how.check, alone=alone)
    works = work_of(encoding, subject, settings)
    with (
        running(engine) as runner,
        referred_if(runner.workers, model, subject) as reference,
        token_bar(encoding.n_tokens, progress) as done,
    ):
        jobs = [
            StreamWork(
                replace(work, model=reference),
                portable(make),
                tuple(g.part(work.begin, work.end) for g in groups),
            )
            for work in works
        ]
        here: Callable[[StreamWork], Any] = lambda job: job.run(subject.path, done)  # noqa: E731
        run = stream_in_worker if runner.workers else here
        totals = in_order(runner.map(run, jobs))
    shared = {
        (site, name): total
        for (site, index), total in totals.items()
        for name in groups[index].labels
    }
    return Streamed(MappingProxyType(shared), manifest)
