"""What theory says a probe will find in a constructed model, as data.

Source: docs/theory/grammar.md, sections 9 and 10 (predictions P1 to P7).
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from ...core import Prediction, Subspace, height_target
from ...grammars import Grammar
from .backends.basis import Basis
from .determinism import why_not_deterministic
from .program.program import Program
from .settings import ConstructionSettings

__all__ = ["is_latin", "predict", "site_after"]

_SOURCE = "arXiv 2606.17522; exact construction, section 10"


def predict(grammar: Grammar, settings: ConstructionSettings, program: Program) -> list[Prediction]:
    """One prediction per residual site and height with at least two labels.

    Sites are the embedding and every block's output. The *state* of height h occupies the
    coordinates of the inside values of its labels, V_h (P1). Before they are written the
    prediction is ``written=False``: the coordinates are exactly 0 there. Where labels of one
    height are written by several layers, sites in between claim the part that is written. With a
    belief block the sites after it claim its coordinates instead.

    The predicted pattern is what class means at boundary tokens can span: where every label has
    one cell, exactly one cell is 1, so differences of means fill the vectors of V_h that sum to
    zero, one dimension less than there are labels; otherwise V_h itself.

    Accuracy: 1 from the layer that writes V_h on, if the grammar has one shape and invertible
    rules (P2); 1 / q before it for Latin-square grammars (P4); none otherwise, where the
    corpus' ceiling given prefix and boundary is the claim (P6).

    Use: a state is used as long as an operation that the output depends on still reads it; a later
    interchange changes nothing, though the state can be read there perfectly. Until the first such
    operation an interchange of the last token's state is exact, in grammars of one shape and
    invertible rules: whatever depends on the span reads the state there.
    """
    basis = Basis(settings, program)
    exact = why_not_deterministic(grammar) is None
    latin = is_latin(grammar)
    written, used = program.written_after(), program.used_after()
    first = program.first_read()
    predictions = []
    for height, labels in sorted(program.states.items()):
        if len(labels) < 2:
            continue
        for blocks in range(len(program.layers) + 1):
            beliefs = program.beliefs.get(height, {})
            if beliefs and all(written[c] <= blocks for c in beliefs.values()):
                read = not used[blocks].isdisjoint(beliefs.values())
                predictions.append(_belief(basis, blocks, height, beliefs, settings, read))
                continue
            done = {x: cs for x, cs in labels.items() if any(written[c] <= blocks for c in cs)}
            here = len(done) == len(labels)
            accuracy = (1.0 if exact else None) if here else 1 / len(labels) if latin else None
            why = f"inside values of height {height}"
            partly = bool(done) and not here
            space = _states(basis, done or labels, why, contrasts=not partly)
            claim = ("P1+P2" if exact else "P1+P6") if done else "P4" if latin else "P1"
            predictions.append(
                Prediction(
                    site=site_after(blocks),
                    target=height_target(height),
                    subspace=space,
                    written=bool(done),
                    positions="boundary",
                    rank=min(len(labels) - 1, space.dim),
                    accuracy=accuracy,
                    claim=claim,
                    source=_SOURCE,
                    used=(still := any(not used[blocks].isdisjoint(cs) for cs in done.values())),
                    exact=_whole(done, here and still, first, blocks) if exact else None,
                )
            )
    return predictions


def _whole(
    labels: Mapping[str, tuple[int, ...]], still: bool, first: Mapping[int, int], blocks: int
) -> bool:
    """Whether all labels are written and nothing has read them yet."""
    return still and all(first[c] > blocks for cs in labels.values() for c in cs)


def _belief(
    basis: Basis,
    blocks: int,
    height: int,
    beliefs: Mapping[str, int],
    settings: ConstructionSettings,
    used: bool,
) -> Prediction:
    coordinates = list(beliefs.values())
    return Prediction(
        site=site_after(blocks),
        target=height_target(height),
        subspace=basis.span(coordinates, f"belief block of height {height}"),
        written=True,
        positions="boundary" if settings.beliefs == "boundary" else "all",
        rank=len(coordinates) - 1,
        claim="P6",
        source=_SOURCE,
        used=used,
    )


def site_after(blocks: int) -> str:
    """Where the stream can be read after so many blocks.

    >>> site_after(0), site_after(2)
    ('blocks.0.hook_resid_pre', 'blocks.1.hook_resid_post')
    """
    return "blocks.0.hook_resid_pre" if blocks == 0 else f"blocks.{blocks - 1}.hook_resid_post"


def _states(
    basis: Basis, labels: Mapping[str, tuple[int, ...]], why: str, *, contrasts: bool
) -> Subspace:
    """Where class means of these labels differ."""
    cells: list[tuple[int, ...]] = list(labels.values())
    coordinates = [c for group in cells for c in group]
    if contrasts and all(len(group) == 1 for group in cells):
        return basis.subspace(coordinates, _sum_zero(len(coordinates)), why)
    return basis.span(coordinates, why)


def _sum_zero(n: int) -> Float[np.ndarray, "coordinate k"]:
    """Orthonormal basis of the vectors of length n that sum to zero (Helmert's contrasts)."""
    basis = np.zeros((n, n - 1))
    for k in range(1, n):
        basis[:k, k - 1] = 1.0
        basis[k, k - 1] = -k
        basis[:, k - 1] /= np.sqrt(k * (k + 1))
    return basis


def is_latin(grammar: Grammar) -> bool:
    """Whether the grammar is a Latin-square grammar, whose staircase is sharp (P4).

    All rules are binary and equally probable; below the start symbol each of the q symbols of a
    level owns the q pairs in which every symbol occurs once as first and once as second child;
    the start symbol owns every pair.

    >>> from linrep.grammars import families
    >>> is_latin(families.latin(order=3)), is_latin(families.random_hierarchy())
    (True, False)
    """
    table = grammar.table
    q = grammar.table.n_terminals
    if any(len(p.rhs) != 2 for p in table.productions):
        return False
    for symbol in range(table.n_terminals, table.n_symbols):
        rules = table.of[symbol]
        level = table.levels[symbol]
        below = [s for s in range(table.n_symbols) if table.levels[s] == level - 1]
        if len(below) != q or len({p.weight for p in rules}) != 1:
            return False
        pairs = {p.rhs for p in rules}
        if not {child for pair in pairs for child in pair} <= set(below):
            return False
        square = q if symbol != table.start else q * q
        firsts, seconds = ({pair[side] for pair in pairs} for side in (0, 1))
        if len(pairs) != square or len(firsts) != q or len(seconds) != q:
            return False
    bodies = [p.rhs for p in table.productions]
    return len(set(bodies)) == len(bodies)
