"""Settings of an experiment: frozen, closed, written to YAML beside every result."""

import os
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import Field, model_validator

from ..core import checked
from ..core.limits import MOST_DRAWS
from .model_settings import Constructed, Loaded, Model, Trained
from .settings_base import Seed, Settings, SettingsError, problems
from .settings_file import read_file

__all__ = [
    "Causal",
    "Constructed",
    "DataFile",
    "Experiment",
    "GrammarFile",
    "GrammarText",
    "HierarchyFamily",
    "Language",
    "LatinFamily",
    "Loaded",
    "Model",
    "Probes",
    "ReadingSettings",
    "SettingsError",
    "StudySettings",
    "Trained",
    "Treebank",
    "problems",
    "read_settings",
]


class LatinFamily(Settings):
    """``families.latin``: every symbol's parent is a Latin square of its children."""

    source: Literal["latin"] = "latin"
    order: Annotated[int, Field(ge=2)] = 3
    depth: Annotated[int, Field(ge=1)] = 3
    start: Literal["every", "one"] = "every"  # classes of the start symbol


class HierarchyFamily(Settings):
    """``families.random_hierarchy``: one shape, few rules per symbol."""

    source: Literal["random_hierarchy"] = "random_hierarchy"
    n_symbols: Annotated[int, Field(ge=1)] = 4
    n_rules: Annotated[int, Field(ge=1)] = 2
    arity: Annotated[int, Field(ge=1)] = 2
    depth: Annotated[int, Field(ge=1)] = 3
    seed: Seed = 0


class GrammarFile(Settings):
    """A grammar in a file, text or JSON."""

    source: Literal["grammar_file"] = "grammar_file"
    path: str


class GrammarText(Settings):
    """A grammar written into the settings."""

    source: Literal["grammar_text"] = "grammar_text"
    text: str


class Treebank(Settings):
    """Penn-bracket files; the sentences are those of the files, nothing is sampled."""

    source: Literal["treebank"] = "treebank"
    paths: str
    unary: Literal["keep", "collapse"] = "keep"


class DataFile(Settings):
    """Labelled texts in files: tables, CoNLL-U, columns, spans, pairs, chats."""

    source: Literal["data"] = "data"
    paths: str
    targets: tuple[str, ...] = ()  # minimal pairs have one, "good"
    text: str = "text"  # column of a table, key of chats; of pairs two keys, comma between
    span: str | tuple[str, str] | None = None  # column of the piece read, or of its two ends
    group: str | None = None  # column of what is never divided
    at: Literal["last", "first", "mean"] = "last"  # token that stands for what is read
    kinds: dict[str, Literal["class", "number"]] = {}  # of targets whose values do not tell
    answer: bool = False  # chats end with the mark behind which the model answers
    most: Annotated[int, Field(ge=2)] | None = None  # texts, drawn by the seed; None: all
    transfer: tuple[str, ...] = ()  # other files of the kind, on which the probes are scored


Language: TypeAlias = Annotated[
    LatinFamily | HierarchyFamily | GrammarFile | GrammarText | Treebank | DataFile,
    Field(discriminator="source"),
]


Control: TypeAlias = Literal[
    "shuffled", "control_task", "position", "previous_word", "word_identity", "surface",
    "embedding", "random_weights",
]  # fmt: skip
Draws: TypeAlias = Annotated[int, Field(ge=0, le=MOST_DRAWS)]
Name: TypeAlias = Annotated[
    str,
    Field(pattern=r"^[^./\\|\x00][^/\\|\x00]*$", max_length=200, description="of a file"),
]


Strength: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]  # in mean norms of the stream


class Causal(Settings):
    """Exchanges of states, where the language gives the exact counterfactual."""

    run: Literal["auto", "yes", "no"] = "auto"  # auto: where the answer is exact, and small models
    pairs: Annotated[int, Field(ge=4, le=100_000)] = 60  # per height; half have other labels
    draws: Annotated[int, Field(ge=2, le=1000)] = 8  # random subspaces of each kind
    protocol: Literal["last token", "whole span"] = "last token"
    das: Annotated[int, Field(ge=0, le=10_000)] = 0  # epochs of a search at each site; 0: none
    erase: bool = False  # take each state out where it is first read, and look further on
    steer: bool = False  # push the stream from one symbol towards another, in doses
    strengths: Annotated[tuple[Strength, ...], Field(min_length=1, max_length=50)] = (
        -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0,
    )  # fmt: skip


class Probes(Settings):
    """What is asked of the residual stream, and with which controls."""

    heights: tuple[int, ...] | None = None  # None: with two labels or more; of trees, 1 to 4
    positions: Literal["all", "boundary"] = "all"
    groups: Literal["auto", "document", "sentence"] = "auto"  # never divided between parts
    method: Literal["logistic", "lda", "ridge", "means"] = "logistic"
    C: float | tuple[float, ...] | None = None  # None: a path, chosen on validation
    controls: tuple[Control, ...] = get_args(Control)
    tolerance: Annotated[float, Field(gt=0)] = 1e-4  # of the logistic objective, relative
    twins: Annotated[int, Field(ge=1, le=1000)] = 5  # random-weight models; the best counts
    permutations: Draws = 200
    codelength: bool = False
    bootstrap: Draws = 1000
    examples: Annotated[int, Field(ge=0, le=200)] = 24  # held-out texts kept for the page; 0: none
    charts: bool = True  # of a constructed model: inside, context and belief values beside labels
    beliefs: bool = False  # a grammar's exact posteriors beside labels, for any model
    attention: bool = True  # how far patterns depend on positions alone: one row of the page
    causal: Causal = Causal()


class ReadingSettings(Settings):
    """How sentences are read by the model, where the defaults of ``linrep.capture`` do not do."""

    long_inputs: Literal["refuse", "window", "cut"] = "refuse"  # beyond the model's context
    special_tokens: bool = True  # that the tokenizer adds by itself
    layers: tuple[int, ...] | None = None  # None: all; the embedding is always read
    check: tuple[
        Literal["special", "arithmetic", "reference", "kernel", "batch", "padding", "edit"], ...
    ] = (
        "special", "arithmetic", "reference", "kernel", "batch", "padding", "edit",
    )  # fmt: skip


class StudySettings(Settings):
    """One language, one model, one grid of probes."""

    name: Name
    question: str = ""
    language: Language
    model: Model
    sentences: Annotated[int, Field(ge=2)] = 1000  # sampled from a grammar; a treebank gives all
    sites: Literal["resid_post", "resid_mid"] = "resid_post"
    reading: ReadingSettings = ReadingSettings()
    probes: Probes = Probes()
    theory: Constructed | None = None  # a construction beside a model of another basis
    seed: Seed = 0

    @model_validator(mode="after")
    def _a_construction_needs_a_grammar(self) -> "StudySettings":
        given = isinstance(self.language, Treebank | DataFile)
        if isinstance(self.model, Constructed | Trained) and given:
            what = "a treebank has" if isinstance(self.language, Treebank) else "files of text have"
            kind = "constructed" if isinstance(self.model, Constructed) else "trained"
            raise ValueError(f"a {kind} model needs a grammar; {what} none")
        if self.theory is not None and (given or isinstance(self.model, Constructed)):
            raise ValueError(
                "theory is a construction of the grammar beside a trained model; "
                + ("this language has no grammar" if given else "this model is one itself")
            )
        if self.probes.beliefs and given:
            raise ValueError("beliefs are a grammar's exact posteriors; this language has none")
        if isinstance(self.language, DataFile) and self.probes.heights:
            raise ValueError(
                "heights are those of trees, and labelled texts have none: leave heights out; what "
                "is probed are the targets of the file"
            )
        if isinstance(self.language, DataFile) and self.probes.positions != "all":
            raise ValueError(
                "boundaries are those of trees, and labelled texts have none: leave positions at "
                "'all', which reads every row"
            )
        return self


class Experiment(Settings):
    """Studies that make one report."""

    title: str
    question: str = ""
    studies: Annotated[tuple[StudySettings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_differ(self) -> "Experiment":
        names = [study.name for study in self.studies]
        if len(set(names)) < len(names):
            raise ValueError(f"studies have different names; received {names}")
        return self

    def dump(self) -> dict[str, Any]:
        """Plain data, as it is written to ``settings.yaml``.

        >>> study = StudySettings(name="a", language=LatinFamily(), model=Constructed())
        >>> experiment = Experiment(title="t", studies=(study,))
        >>> Experiment.model_validate(experiment.dump()) == experiment
        True
        """
        data: dict[str, Any] = self.model_dump(mode="json")
        return data


@checked(SettingsError)
def read_settings(path: str | os.PathLike[str], overrides: tuple[str, ...] = ()) -> Experiment:
    """Read an experiment from YAML.

    Args:
        path: a settings file, such as the ``settings.yaml`` of a run.
        overrides: ``dotted.name=value`` each, values in YAML; ``studies.0.sentences=200``.

    Returns:
        The experiment.

    Raises:
        SettingsError: no such file, not YAML, an unknown name, an impossible value.
    """
    return read_file(path, Experiment, overrides, "title and studies")
