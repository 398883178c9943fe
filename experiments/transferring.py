"""What probes of one file do on others: the files, their activations, all pairs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..corpora import Corpus, CorpusError
from ..hooks import Activations
from ..models import random_twin
from ..probes import ProbeError, Transfer, transfer
from .data import kind_of, read_data
from .languages import make_corpus
from .settings import DataFile, SettingsError, StudySettings

__all__ = ["corpora_of", "set_names", "transfers_of"]


def set_names(language: DataFile) -> list[str]:
    """What the data sets are called: by their files, the first one's in front.

    Raises:
        SettingsError: two have one name.

    >>> set_names(DataFile(paths="a/cities.csv", targets=("label",), transfer=("b/facts.csv",)))
    ['cities', 'facts']
    """
    paths = [language.paths, *language.transfer]
    names = [Path(path).stem.replace("*", "all") for path in paths]
    if len(set(names)) < len(names):
        names = [str(Path(path).with_suffix("")) for path in paths]
    if len(set(names)) < len(names):
        raise SettingsError(
            f"--data and --transfer name one file twice; received {paths}: give each once"
        )
    return names


def corpora_of(
    settings: StudySettings,
) -> tuple[Corpus, Mapping[str, Corpus], tuple[str, ...]]:
    """The corpus of a study, others on which its probes are scored, by name, and notes on them.

    A group's column that one of the others lacks is left out there; a target has the kind that it
    has in the first.

    Args:
        settings: of the study.

    Raises:
        SettingsError: a file is of another kind than the first.
        CorpusError: a file cannot be read.
    """
    language, model = settings.language, getattr(settings.model, "path", None)
    corpus = make_corpus(language, settings.sentences, settings.seed, model=model)
    if not (isinstance(language, DataFile) and language.transfer):
        return corpus, {}, ()
    found: dict[str, Corpus] = {}
    notes = []
    kinds = dict(language.kinds) | {name: one.kind for name, one in corpus.targets.items()}
    for name, path in zip(set_names(language)[1:], language.transfer, strict=True):
        one = language.model_copy(update={"paths": path, "transfer": (), "kinds": kinds})
        if kind_of(one) != kind_of(language):
            raise SettingsError(
                f"--transfer {path} is of another kind than --data {language.paths} "
                f"({kind_of(one)}, {kind_of(language)}): probes carry over between files of one "
                "kind, so give files of that of --data"
            )
        try:
            found[name] = read_data(one, model=model, seed=settings.seed)
        except CorpusError as error:
            if one.group is None or f"has no column {one.group!r}" not in str(error):
                raise
            found[name] = read_data(
                one.model_copy(update={"group": None}), model=model, seed=settings.seed
            )
            notes.append(f"{name} has no column {one.group!r}: each of its texts is its own group")
    return corpus, found, tuple(notes)


def transfers_of(
    settings: StudySettings,
    model: Any,
    read: Any,
    acts: Activations,
    twin: Activations,
    others: Mapping[str, Corpus],
) -> tuple[tuple[Transfer, ...], tuple[str, ...]]:
    """All pairs of the data sets, for each target, and what could not be tested.

    Args:
        settings: of the study.
        model: under study.
        read: captures a model's stream on a corpus.
        acts: of the first corpus.
        twin: of a random-weight twin on the first corpus.
        others: corpora by name.
    """
    language = settings.language
    if not isinstance(language, DataFile) or not others:
        return (), ()
    first = set_names(language)[0]
    sets = {first: acts} | {name: read(model, corpus) for name, corpus in others.items()}
    untrained = random_twin(model, seed=settings.seed)
    twins = {first: twin} | {name: read(untrained, corpus) for name, corpus in others.items()}
    found, notes = [], []
    for target in _targets(acts):
        try:
            found.append(
                transfer(
                    sets, target=target, random_weights=twins, seed=settings.seed,
                    bootstrap=settings.probes.bootstrap,
                )
            )  # fmt: skip
        except ProbeError as error:
            notes.append(f"{target}: whether it carries over was not tested: {error}")
    return tuple(found), tuple(notes)


def _targets(acts: Activations) -> Sequence[str]:
    return list(acts.corpus.targets) if acts.corpus is not None else []
