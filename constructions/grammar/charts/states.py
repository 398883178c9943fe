"""The chart values of a model as targets, by kind and height, and where each is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from jaxtyping import Float

from ....core import Prediction
from ....corpora.corpus import Corpus
from ....corpora.targets import Target
from ....grammars import BinaryGrammar, Grammar
from ..backends.basis import Basis
from ..predictions import site_after
from ..program.coordinates import Coordinate
from ..program.program import Program
from ..settings import ConstructionSettings
from .coordinate_values import CoordinateValues

__all__ = ["ChartStates", "heights_of_symbols"]

SOURCE = "arXiv 2606.17522; exact construction, sections 4 to 9"
KINDS = {
    "beta": "inside",
    "alpha": "context",
    "score": "context",
    "eos": "context",
    "gamma": "started",
    "pi": "begun",
    "belief boundary": "belief",
    "belief prefix": "belief",
}
"""Kind of coordinate -> what its values are called as targets."""


@final
@dataclass(frozen=True, eq=False)
class ChartStates:
    """What a constructed model writes, grouped into targets such as ``inside height 2``.

    ``inside``: weights with which symbols derive the last tokens, one column for each symbol and
    length (or shape); ``context``: weights of what was read together with "this symbol starts
    next" (height 0: the next token, and the end); ``belief``: weights of what was read together
    with an ancestor's label; ``begun``: weights with which symbols begin with the last tokens;
    ``started`` (one pass): the same together with the next token. Values are in the gauge and token
    scale of the model: its coordinates equal them.

    Args:
        grammar: of the model.
        settings: of the model.
        program: of the model.
    """

    grammar: Grammar
    settings: ConstructionSettings
    program: Program

    @cached_property
    def values(self) -> CoordinateValues:
        """The values of every coordinate.

        Raises:
            ConstructionError: the Boolean semiring, whose counts are no chart values.
        """
        return CoordinateValues(self.grammar, self.settings, self.program)

    @cached_property
    def groups(self) -> Mapping[str, tuple[int, ...]]:
        """Target -> its coordinates; every one of these kinds belongs to one target."""
        heights = heights_of_symbols(self.values.normal.grammar)
        place = {name: s for s, name in enumerate(self.values.normal.grammar.symbols)}
        found: dict[tuple[str, int], list[int]] = {}
        for index, coordinate in enumerate(self.program.registry):
            kind = KINDS.get(coordinate.kind)
            if kind is None:
                continue
            if kind == "belief":
                height = coordinate.height or 0
            else:
                height = heights[place[coordinate.symbol]] if coordinate.symbol else 0
            found.setdefault((kind, height), []).append(index)
        order = list(dict.fromkeys(KINDS.values()))
        ranked = sorted(found, key=lambda key: (order.index(key[0]), key[1]))
        return {f"{kind} height {height}": tuple(found[kind, height]) for kind, height in ranked}

    def names(self, coordinates: Sequence[int]) -> tuple[str, ...]:
        """What a reader calls coordinates."""
        return tuple(_name(self.program.registry[c]) for c in coordinates)

    def targets(self, corpus: Corpus) -> list[Target]:
        """The values at every token, one vector target for each kind and height.

        Raises:
            UnknownToken: the corpus is not of this grammar.
            TooLarge: the values would not fit in memory.
        """
        wanted = [c for group in self.groups.values() for c in group]
        values = self.values.of(corpus.sentences, wanted)
        place = {c: i for i, c in enumerate(wanted)}
        note = f"exact, in the gauge and token scale of the model ({self.settings.mode})"
        return [
            Target(name, values[:, [place[c] for c in group]].copy(), "number",
                   self.names(group) if len(group) > 1 else (), note)
            for name, group in self.groups.items()
        ]  # fmt: skip

    @cached_property
    def basis(self) -> Basis:
        """Where the coordinates lie in the stream."""
        return Basis(self.settings, self.program)

    def directions(
        self, coordinates: Sequence[int], blocks: int
    ) -> Float[np.ndarray, "coordinate d_model"]:
        """What one unit of each value adds to the stream; 0 where it is not written in full."""
        rows = self.basis.directions(coordinates)
        rows[[self._written[c] > blocks for c in coordinates]] = 0.0
        return rows

    @cached_property
    def _written(self) -> dict[int, int]:
        return self.program.written_after()

    @cached_property
    def predictions(self) -> list[Prediction]:
        """One claim per site and target, before any corpus is seen.

        Where some of a target's values are written, the claim is about these; where none is, about
        all of them: nothing is found there. The rank is that of values that vary independently; on
        a corpus it may be less, and a comparison says so.
        """
        used = self.program.used_after()
        found = []
        for blocks in range(len(self.program.layers) + 1):
            for name, group in self.groups.items():
                done = [c for c in group if self._written[c] <= blocks]
                space = self.basis.span(done or group, f"{name}, by name")
                found.append(
                    Prediction(
                        site=site_after(blocks),
                        target=name,
                        subspace=space,
                        written=bool(done),
                        positions="all",
                        rank=space.dim,
                        accuracy=1.0 if len(done) == len(group) else None,
                        claim="P1",
                        source=SOURCE,
                        used=not used[blocks].isdisjoint(done),
                    )
                )
        return found


def heights_of_symbols(grammar: BinaryGrammar) -> tuple[int, ...]:
    """Height of each symbol of a normal form in the original grammar.

    A helper has the height of the rules that it serves, the lowest where these differ.

    >>> from linrep.grammars import Grammar, binarise
    >>> heights_of_symbols(binarise(Grammar.from_text("S -> 'a' 'b' 'c'")))
    (0, 0, 0, 1, 1)
    """
    known = list(grammar.heights)
    for symbol in reversed(grammar.ascending):
        height = known[symbol]
        children = [rule.child for rule in grammar.unary_of[symbol]]
        children += [c for rule in grammar.binary_of[symbol] for c in (rule.left, rule.right)]
        for child in children:
            if grammar.heights[child] is None and height is not None:
                known[child] = min(height, known[child] or height)
    return tuple(height or 0 for height in known)


def _name(coordinate: Coordinate) -> str:
    """What a reader calls a chart value."""
    if coordinate.kind in ("eos", "score"):
        return coordinate.token or "the end"
    words = coordinate.symbol
    if coordinate.length is not None:
        words += f" over {coordinate.length} token{'s' if coordinate.length > 1 else ''}"
    if coordinate.shape is not None:
        words += f" in shape {coordinate.shape} at level {coordinate.height}"
    if coordinate.token:
        words += f" before {coordinate.token}"
    return words
