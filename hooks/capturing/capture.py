"""From a model and a corpus to activations, in one call."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as Folder
from typing import Any, Unpack, final

import numpy as np

from ...core import Engine, checked, running
from ...core.options import settled
from ..errors import CaptureError
from ..inputs.alignment import Encoding
from ..inputs.corpus import as_corpus, inputs_of
from ..paths.path import Path
from ..reading.prepared import PreparedModel, left_alone, prepare
from ..reading.settings import CaptureSettings, Dtype, Reading, ReadingOptions
from ..selfcheck.checks import self_check
from ..store.activations import Activations
from ..store.manifest import describe
from ..store.rows import Rows
from ..store.store import Store, refuse_foreign
from .work import Work, referred_if, token_bar, work_of, write_in_worker

__all__ = ["capture"]


@checked(CaptureError)
def capture(
    model: Any,
    corpus: Any,
    sites: str | Sequence[str] = "resid_post",
    layers: str | Sequence[int] = "all",
    *,
    store: str | Folder | None = None,
    engine: str | Engine = "local",
    progress: bool = True,
    reading: Reading | None = None,
    **options: Unpack[ReadingOptions],
) -> Activations:
    """Activations of a model's residual stream at every word of a corpus.

    Guarantee: ``acts[site]`` has one row per word (or span) of the corpus, in order; BOS, special
    and padding tokens have none. Before anything is kept, a self-check on a few sentences compares
    batched with single, left- with right-padded, captured with recomputed activations and edits
    with their effect. Nothing is captured that fails it.

    Args:
        model: a constructed model, a ``PreTrainedModel``, a TransformerLens bridge, a folder or a
            hub id. An instance is left as it was.
        corpus: a corpus (of words or of running texts), a list of texts, or a list of lists of
            words. Running texts are tokenised as they are written.
        sites: kinds (``resid_post``, ``resid_pre``, ``resid_mid``, ...) or full names.
        layers: ``"all"`` (with ``resid_post``: the embedding too) or block indices.
        store: a folder to write to as shards; a capture that was stopped is resumed there.
        engine: ``"local"``, ``"processes:N"``, ``"ray"`` (a cluster that runs, else one on this
            machine), ``"ray://host:port"``, or an engine that is shared with other calls.
        progress: show tokens per second and time left on a terminal.
        reading: how the model reads, as one object that other calls share.
        **options: its fields by name; they replace those of ``reading``:
        word_token: ``last``, ``first`` or ``mean`` of a word's (or span's) tokens; by default as
            the corpus says (``at``), else the last.
        dtype: of the activations kept.
        batch_size: lines per batch, or ``"auto"``: by tokens; 1 reads without padding.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
        tokenizer: for an instance that is given without one.
        long_inputs: ``refuse``, ``window`` or ``cut`` sentences beyond the model's context.
        special_tokens: let the tokenizer add its BOS, ``[CLS]``, ``[SEP]``; by default unless the
            corpus' texts hold them already, as rendered chats do.
        path: ``modules`` (plain forward hooks), ``bridge`` (TransformerLens) or ``auto``.
        check: run the self-check; or the names of the checks to run.
        shard_words: words per shard of a store; ``"auto"``: about 256 MiB.
        arithmetic: how layers compute: ``auto`` takes the faster of equal functions (large float32
            products by oneDNN on processors of AMD with AVX-512, the tanh form of GELU in one
            pass; values differ by rounding), ``model`` what the model's own code calls.

    Returns:
        Activations: in memory, or memory-mapped from ``store``.

    Raises:
        CaptureError: the request does not fit the model (see its subclasses).

    >>> from linrep.models import PlainConfig, PlainTransformer, initialise
    >>> config = PlainConfig(vocabulary=["<bos>", "a", "b", "<eos>"])
    >>> model = initialise(PlainTransformer(config), seed=0)
    >>> acts = capture(model, [["a", "b"], ["b"]])
    >>> acts.sites[0], acts[acts.sites[0]].shape
    ('blocks.0.hook_resid_pre', (3, 16))
    """
    corpus = as_corpus(corpus)
    how = settled("capture", "reading", Reading, reading, options, CaptureError)
    with left_alone(model):
        return _captured(model, corpus, how.of(corpus, sites, layers), how, store, engine, progress)


def _captured(
    model: Any,
    corpus: Any,
    settings: CaptureSettings,
    how: Reading,
    store: str | Folder | None,
    engine: str | Engine,
    progress: bool,
) -> Activations:
    given = inputs_of(corpus)  # before the model: a slip of the pen costs no minutes
    if store is not None:
        refuse_foreign(Folder(store))
    with running(engine) as runner:
        subject = prepare(model, settings, how.tokenizer)
        encoding = subject.encode(given, settings)
        manifest = describe(subject, corpus, encoding, settings)
        task = _Task(model, corpus, subject, encoding, settings, manifest, how.check, progress)
        if store is not None:
            task.into_store(Folder(store), runner)
            return Activations.open(Folder(store), corpus)
        if not runner.workers:
            return task.into_memory()
        with tempfile.TemporaryDirectory(prefix="linrep-capture-") as folder:
            task.into_store(Folder(folder), runner)
            return replace(
                in_memory(Activations.open(Folder(folder), corpus)), manifest=task.manifest
            )


@final
@dataclass(frozen=True, eq=False)
class _Task:
    """A capture with everything it needs at hand."""

    model: Any
    corpus: Any
    subject: PreparedModel
    encoding: Encoding
    settings: CaptureSettings
    manifest: dict[str, Any]
    check: bool | Sequence[str]
    progress: bool

    def into_memory(self) -> Activations:
        """All words as one piece of work."""
        self._checked()
        work = self._everything()
        with token_bar(self.encoding.n_tokens, self.progress) as done:
            arrays = work.arrays(self.subject.path, done)
        numbers = {site: _numbers(array, self.settings.dtype) for site, array in arrays.items()}
        return Activations(numbers, kept_of(self.encoding), self.manifest, self.corpus)

    def into_store(self, folder: Folder, engine: Engine) -> None:
        """The shards that are missing."""
        works = work_of(self.encoding, self.subject, self.settings)
        bounds = [*(work.begin for work in works), works[-1].end]
        store = Store(folder, self.manifest, bounds, self._checked)
        try:
            todo = store.todo()
            if not todo:
                return
            with referred_if(engine.workers, self.model, self.subject) as reference:
                jobs = [replace(works[i], file=store.file(i), model=reference) for i in todo]
                self._run(jobs, todo, store, engine)
        finally:
            store.close()

    def _run(self, jobs: list[Work], todo: list[int], store: Store, engine: Engine) -> None:
        total = sum(len(line) for job in jobs for line in job.lines)
        with token_bar(total, self.progress) as done:
            run = write_in_worker if engine.workers else _here(self.subject.path, done)
            for index, record in engine.map(run, jobs):
                store.finish(todo[index], record)
                if engine.workers:
                    done(sum(len(line) for line in jobs[index].lines))

    def _checked(self) -> dict[str, Any]:
        self.manifest["self_check"] = self_check(
            self.subject, self.encoding, self.check, alone=self.settings.batch_size == 1
        )
        found: dict[str, Any] = self.manifest["self_check"]
        return found

    def _everything(self) -> Work:
        return Work(
            0,
            self.encoding.n_words,
            self.encoding.lines,
            self.subject.sites,
            self.subject.d_model,
            self.settings,
        )


def _here(path: Path, done: Callable[[int], None]) -> Callable[[Work], dict[str, Any]]:
    return lambda work: work.write(path, done)


def kept_of(encoding: Encoding) -> np.ndarray:
    """``[token]`` True where a word has an activation."""
    kept = np.ones(encoding.n_words, dtype=bool)
    kept[encoding.vanished] = False
    kept[encoding.cut] = False
    return kept


def in_memory(acts: Activations) -> Activations:
    """A copy that needs no files."""
    arrays = {site: np.array(acts[site]) for site in acts.sites}
    return Activations(arrays, acts.kept, acts.manifest, acts.corpus)


def _numbers(array: np.ndarray, dtype: Dtype) -> np.ndarray | Rows:
    if dtype in ("float32", "float64"):
        return array
    return Rows(
        [lambda: array], [0, len(array)], array.shape[1], np.dtype("float32"), dtype == "bfloat16"
    )
