"""From the held-out answers of a grid to the examples that it keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from ...core.caching import cached_property
from ..examples.choosing import chosen_texts, kept_sites
from ..examples.coding import SILENT, write_number, write_said, written
from ..examples.texts import CorpusTexts
from ..examples.values import Examples, ExampleTarget
from .held_out import HeldOut, HeldOutNumbers
from .targets import ClassTarget, NumberTarget

__all__ = ["kept_examples"]

Chosen = Literal["random", "wrong"]


@final
@dataclass(frozen=True, eq=False)
class TargetAnswers:
    """One target and what every kept site said of it.

    Args:
        target: its labels.
        held: site -> what was said of the test rows.
        start: the site where it is read best on validation data.
    """

    target: ClassTarget | NumberTarget
    held: Mapping[str, HeldOut | HeldOutNumbers]
    start: str

    @cached_property
    def place(self) -> dict[int, int]:
        """Row of the corpus -> its place among the test rows, the same at every site."""
        return {row: place for place, row in enumerate(self.held[self.start].rows.tolist())}

    def wrong(self, sentences: np.ndarray) -> dict[int, tuple[float, int]]:
        """Sentence -> how sure the best probe is of what is wrong there, and the row."""
        here = self.held[self.start]
        if isinstance(here, HeldOut):
            wrong, sure = here.right == 0, np.exp(here.confidence)
            sure = np.where(np.isnan(sure), 1.0, sure)
        else:
            wrong, sure = here.credit < 0, -here.credit
        found: dict[int, tuple[float, int]] = {}
        for place in np.flatnonzero(wrong).tolist():
            row = int(here.rows[place])
            said = (float(sure[place]), row)
            sentence = int(sentences[row])
            if sentence not in found or said[0] > found[sentence][0]:
                found[sentence] = said
        return found

    def kept(self, texts: Sequence[np.ndarray]) -> ExampleTarget:
        """What examples hold of it.

        Args:
            texts: rows of each text.
        """
        asked = [[row for row in rows.tolist() if row in self.place] for rows in texts]
        classes = self._classes([row for rows in asked for row in rows])
        codes = {name: code for code, name in enumerate(classes)}

        def lines(write: Any) -> tuple[str, ...]:
            return tuple(
                " ".join(write(self.place[row], row) if row in self.place else SILENT for row in
                         rows.tolist())
                for rows in texts
            )  # fmt: skip

        return ExampleTarget(
            name=self.target.name,
            kind="class" if isinstance(self.target, ClassTarget) else "number",
            classes=classes,
            start=self.start,
            truth=lines(lambda place, row: self._truth(place, row, codes)),
            answers={
                site: lines(lambda place, row, here=here: self._said(here, place, row, codes))
                for site, here in self.held.items()
            },
        )

    def _label(self, row: int) -> str:
        """Name of the true class, learned or not."""
        assert isinstance(self.target, ClassTarget)  # noqa: S101 - numbers have no names
        return self.target.classes[int(self.target.codes[row])]

    def _classes(self, rows: Sequence[int]) -> tuple[str, ...]:
        """Names that occur in these rows, true or predicted, in the target's order."""
        if not isinstance(self.target, ClassTarget):
            return ()
        names = {self._label(row) for row in rows}
        places = [self.place[row] for row in rows]
        for here in self.held.values():
            assert isinstance(here, HeldOut)  # noqa: S101 - a target has one kind
            names.update(here.classes[code] for code in np.unique(here.predicted[places]).tolist())
        return tuple(name for name in self.target.classes if name in names)

    def _truth(self, place: int, row: int, codes: Mapping[str, int]) -> str:
        here = self.held[self.start]
        if isinstance(here, HeldOutNumbers):
            return written(here.true[place])
        return str(codes[self._label(row)])

    def _said(
        self, here: HeldOut | HeldOutNumbers, place: int, row: int, codes: Mapping[str, int]
    ) -> str:
        if isinstance(here, HeldOutNumbers):
            return write_number(here.predicted[place], float(here.credit[place]))
        name = here.classes[int(here.predicted[place])]
        sure, true = float(here.confidence[place]), float(here.log_probability[place])
        return write_said(codes[name], name == self._label(row), np.exp(sure), np.exp(true))


def kept_examples(
    corpus: Any,
    targets: Sequence[ClassTarget | NumberTarget],
    held: Mapping[tuple[str, str], HeldOut | HeldOutNumbers],
    validation: Mapping[tuple[str, str], float],
    sites: Sequence[str],
    *,
    most: int,
    rng: np.random.Generator,
) -> Examples | None:
    """A few texts of the test part with what every probe said of them.

    Args:
        corpus: words with their sentences.
        targets: of the grid.
        held: ``(site, target)`` to what was said of the test rows.
        validation: ``(site, target)`` to the score on the validation part.
        sites: in their order.
        most: texts to keep; none for 0.
        rng: for those that are drawn at random.
    """
    targets = [target for target in targets if _varies(held[sites[0], target.name])]
    if not most or not targets:
        return None
    best = [_best(validation, sites, target.name) for target in targets]
    kept = kept_sites(sites, len(targets), best)
    asked = [_answered(target, held, validation, kept) for target in targets]
    texts = CorpusTexts(corpus)
    test = np.unique(np.concatenate([np.array(list(each.place)) for each in asked]))
    candidates = np.unique(texts.sentences[test])
    wrong = [each.wrong(texts.sentences) for each in asked]
    windows = _windows(texts, test, wrong)
    sizes = {
        int(sentence): sum(
            len(each.held) * sum(row in each.place for row in windows[int(sentence)].tolist())
            for each in asked
        )
        for sentence in candidates
    }
    chosen = chosen_texts(
        candidates.tolist(),
        [{sentence: sure for sentence, (sure, _) in told.items()} for told in wrong],
        sizes, {int(sentence): texts.same(int(sentence)) for sentence in candidates}, most, rng,
    )  # fmt: skip
    rows = [windows[sentence] for sentence, _ in chosen]
    return Examples(
        texts=tuple(
            texts.shown(sentence, windows[sentence], _why(because)) for sentence, because in chosen
        ),
        targets=tuple(each.kept(rows) for each in asked),
        sites=tuple(asked[0].held),
        n_texts=len(candidates),
        n_sites=len(sites),
    )


def _varies(here: HeldOut | HeldOutNumbers) -> bool:
    """Numbers that do not vary were not learned: nothing was said of them."""
    return isinstance(here, HeldOut) or not np.isnan(here.credit).any()


def _why(wrong: bool) -> Chosen:
    return "wrong" if wrong else "random"


def _answered(
    target: ClassTarget | NumberTarget,
    held: Mapping[tuple[str, str], HeldOut | HeldOutNumbers],
    validation: Mapping[tuple[str, str], float],
    sites: Sequence[str],
) -> TargetAnswers:
    """A target with the sites that are kept, and the best of all, which is among them."""
    start = _best(validation, sites, target.name)
    return TargetAnswers(target, {site: held[site, target.name] for site in sites}, start)


def _best(validation: Mapping[tuple[str, str], float], sites: Sequence[str], target: str) -> str:
    """Where validation data read a target best."""
    scores = np.array([validation[site, target] for site in sites], dtype=float)
    return sites[0] if np.isnan(scores).all() else sites[int(np.nanargmax(scores))]


def _windows(
    texts: CorpusTexts, test: np.ndarray, wrong: Sequence[Mapping[int, tuple[float, int]]]
) -> dict[int, np.ndarray]:
    """Sentence -> the rows that are shown: around what is most surely wrong, or first asked for."""
    focus: dict[int, int] = {}
    for row in test[::-1].tolist():
        focus[int(texts.sentences[row])] = row
    for sentence in focus:
        told = [each[sentence] for each in wrong if sentence in each]
        if told:
            focus[sentence] = max(told)[1]
    return {sentence: texts.window(sentence, row) for sentence, row in focus.items()}
