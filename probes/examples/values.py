"""Examples as frozen values: texts, the labels of their words, and what every probe said."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, final

from pydantic import ConfigDict

from ...core import checked
from ...corpora import TargetKind
from ..errors import ProbeError
from .coding import SILENT, entries, read_number, read_said

__all__ = ["ExampleNode", "ExampleTarget", "ExampleText", "Examples", "WordAnswer"]

CLOSED: Final[ConfigDict] = {"extra": "forbid", "allow_inf_nan": False}


@final
@checked(ProbeError)
@dataclass(frozen=True)
class ExampleNode:
    """A node of a tree over the words of a text.

    Args:
        label: its symbol.
        start: its first word, among those shown.
        stop: one past its last word.
        row: how many lines it stands above the words, from 1.

    Raises:
        ProbeError: it holds no word, or stands below them.
    """

    label: str
    start: int
    stop: int
    row: int

    __pydantic_config__ = CLOSED

    def __post_init__(self) -> None:
        if not (0 <= self.start < self.stop and self.row >= 1):
            raise ProbeError(f"a node stands above the words from start to stop; received {self!r}")


@final
@checked(ProbeError)
@dataclass(frozen=True)
class ExampleText:
    """A text of the test part.

    Args:
        words: the words, or the spans of a running text.
        number: which sentence or text of the corpus it is, from 0.
        chosen: ``"random"``, or ``"wrong"`` where the probes are confidently wrong.
        gaps: of a running text what stands before each span, and after the last; else empty.
        nodes: of its tree; empty where there is none.
        cut: words of the whole, where only some are shown; 0 where all are.

    Raises:
        ProbeError: no words, or gaps or nodes that do not fit them.
    """

    words: tuple[str, ...]
    number: int
    chosen: Literal["random", "wrong"]
    gaps: tuple[str, ...] = ()
    nodes: tuple[ExampleNode, ...] = ()
    cut: int = 0

    __pydantic_config__ = CLOSED

    def __post_init__(self) -> None:
        if not self.words:
            raise ProbeError(f"an example has words; received {self!r:.200}")
        if self.gaps and len(self.gaps) != len(self.words) + 1:
            raise ProbeError(
                f"a gap stands before each of {len(self.words)} spans and after the last; received "
                f"{len(self.gaps)} gaps"
            )
        if any(node.stop > len(self.words) for node in self.nodes):
            raise ProbeError(f"a node ends behind the {len(self.words)} words of its example")


@final
@dataclass(frozen=True)
class WordAnswer:
    """What one probe said of one word.

    Args:
        true: the label, or the number as text.
        predicted: likewise, what the probe said.
        right: of classes, whether they are the same; of numbers, whether the prediction is no
            further off than the numbers are spread.
        score: probability of the true class; of numbers the credit, 1 where it is exact and 0 where
            it is as far off as the numbers are spread. NaN for probes without probabilities.
        confidence: probability of the class predicted; NaN of numbers, and likewise.
    """

    true: str
    predicted: str
    right: bool
    score: float
    confidence: float


@final
@checked(ProbeError)
@dataclass(frozen=True)
class ExampleTarget:
    """The words' labels of one target, and what the probe of each site said of them.

    Args:
        name: of the target.
        kind: ``"class"`` or ``"number"``.
        classes: names of the codes; those that occur.
        start: the site that is shown first: where the target is read best on validation data.
        truth: for each text its words' codes (or numbers), a blank between, ``-`` for none.
        answers: site -> for each text what the probe said, as :mod:`linrep.probes.examples.coding`
            writes it.

    Raises:
        ProbeError: an entry that says nothing, or not one for each word.
    """

    name: str
    kind: TargetKind
    classes: tuple[str, ...]
    start: str
    truth: tuple[str, ...]
    answers: Mapping[str, tuple[str, ...]]

    __pydantic_config__ = CLOSED

    def __post_init__(self) -> None:
        if self.start not in self.answers:
            raise ProbeError(
                f"examples of {self.name!r} start at a site that has answers, one of "
                f"{list(self.answers)}; received {self.start!r}"
            )
        for site, lines in self.answers.items():
            try:
                for line, true in zip(lines, self.truth, strict=True):
                    self._check(entries(line), entries(true))
            except ValueError as error:
                raise ProbeError(f"examples of {self.name!r} at {site!r}: {error}") from None

    def _check(self, said: list[str], true: list[str]) -> None:
        """Every entry of a text can be read.

        Raises:
            ValueError: one cannot.
        """
        for entry, label in zip(said, true, strict=True):
            if (entry == SILENT) != (label == SILENT):
                raise ValueError(f"a word with a label has an answer; received {entry!r}")
            if label != SILENT:
                self._read(entry, label)

    def _read(self, entry: str, label: str) -> WordAnswer:
        if self.kind == "number":
            predicted, credit = read_number(entry)
            return WordAnswer(label, predicted, credit >= 0, credit, float("nan"))
        said = read_said(entry)
        code = int(label)
        other = code if said.wrong is None else said.wrong
        if not (0 <= code < len(self.classes) and other < len(self.classes)):
            raise ValueError(f"a code beyond the {len(self.classes)} classes: {entry!r} {label!r}")
        names = self.classes[code], self.classes[other]
        return WordAnswer(*names, said.wrong is None, said.score, said.confidence)

    def answer(self, site: str, text: int, word: int) -> WordAnswer | None:
        """What the probe at a site said of a word; ``None`` where nothing was asked.

        Args:
            site: one that is kept.
            text: number of the example, from 0.
            word: number of the word in it, from 0.

        Raises:
            ProbeError: there is no such site, example or word.
        """
        if site not in self.answers:
            raise ProbeError(f"no answers at {site!r:.200}: ask for one of {list(self.answers)}")
        if not (0 <= text < len(self.truth) and 0 <= word < len(entries(self.truth[text]))):
            raise ProbeError(
                f"there are {len(self.truth)} examples, numbered from 0 as their words are; "
                f"received example {text}, word {word}"
            )
        entry = entries(self.answers[site][text])[word]
        if entry == SILENT:
            return None
        return self._read(entry, entries(self.truth[text])[word])


@final
@checked(ProbeError)
@dataclass(frozen=True)
class Examples:
    """A few texts of the test part with what every probe said of them.

    Texts of the training and validation parts are never among them.

    Args:
        texts: the texts.
        targets: the targets.
        sites: places in the stream, in their order; of very many some are left out.
        n_texts: how many texts of the test part there are.
        n_sites: how many sites were probed.

    Raises:
        ProbeError: targets that know other sites or texts.

    >>> text = ExampleText(("the", "dog"), number=7, chosen="random")
    >>> told = {"embedding": ("- 98",), "block 0": ("- 1:80:7",)}
    >>> target = ExampleTarget("part of speech", "class", ("N", "V"), "block 0", ("- 0",), told)
    >>> examples = Examples((text,), (target,), ("embedding", "block 0"), n_texts=40, n_sites=2)
    >>> examples.target("part of speech").answer("block 0", 0, 1)
    WordAnswer(true='N', predicted='V', right=False, score=0.07, confidence=0.8)
    """

    texts: tuple[ExampleText, ...]
    targets: tuple[ExampleTarget, ...]
    sites: tuple[str, ...]
    n_texts: int
    n_sites: int

    __pydantic_config__ = CLOSED

    def __post_init__(self) -> None:
        if not (self.texts and self.targets and self.sites):
            raise ProbeError("examples are texts with answers; received none")
        for target in self.targets:
            if tuple(target.answers) != self.sites:
                raise ProbeError(
                    f"examples of {target.name!r} have answers at the sites {list(self.sites)}; "
                    f"received {list(target.answers)}"
                )
            sizes = [len(entries(line)) for line in target.truth]
            if sizes != [len(text.words) for text in self.texts]:
                raise ProbeError(
                    f"{target.name!r} has a label or '-' for each word of each example; received "
                    f"{sizes} of them"
                )

    def target(self, name: str) -> ExampleTarget:
        """The target of that name.

        Raises:
            ProbeError: there is none.
        """
        for target in self.targets:
            if target.name == name:
                return target
        names = ", ".join(target.name for target in self.targets)
        raise ProbeError(f"no examples of {name!r}: ask for one of {names}")

    def order(self, site: str, target: str) -> tuple[int, ...]:
        """Numbers of the examples: where the probe is wrong but confident first.

        Then those where it gives the true label the least; of numbers those that are furthest off.

        Args:
            site: one that is kept.
            target: name of one that is kept.

        Raises:
            ProbeError: there is no such target, or no such site.
        """
        here = self.target(target)
        if site not in self.sites:
            raise ProbeError(f"no examples at {site!r}: ask for one of {list(self.sites)}")

        def rank(text: int) -> float:
            size = len(self.texts[text].words)
            said = [here.answer(site, text, word) for word in range(size)]
            return max((_amiss(answer) for answer in said if answer), default=-2.0)

        return tuple(sorted(range(len(self.texts)), key=lambda text: (-rank(text), text)))

    def named(self, names: Mapping[str, str]) -> "Examples":
        """The same, with targets under the names that pages give them.

        Args:
            names: target -> what pages call it.
        """
        renamed = tuple(replace(t, name=names.get(t.name, t.name)) for t in self.targets)
        return replace(self, targets=renamed)


def _amiss(answer: WordAnswer) -> float:
    """How much an answer deserves a look: above 0 where it is wrong."""
    if answer.confidence == answer.confidence:  # a probability, no NaN
        return -answer.score if answer.right else answer.confidence
    if answer.score == answer.score:  # the credit of a number
        return -answer.score
    return -1.0 if answer.right else 1.0
