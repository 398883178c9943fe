"""From a grammar to a program: the order of the passes. Start reading here."""

import math
from fractions import Fraction
from typing import Any

from ...corpora.language import Language
from ...grammars import Grammar
from ..errors import ConstructionError
from .backends.rotation import ROTATION_NOISE
from .determinism import require_deterministic
from .normal import Normal, normal_form
from .passes.beliefs import BeliefBlocks
from .passes.draft import Draft
from .passes.log_head import LogRange, append_log_block, score_range
from .passes.shape_parser import ShapeParser
from .passes.shape_trees import Shape, ShapeWeights, enumerate_shapes
from .passes.spans import Spans
from .passes.spans_one_pass import OnePass
from .program.program import Program
from .scale import RANGE, Scales, token_scale
from .semirings import semiring
from .settings import ConstructionSettings

__all__ = ["GivenGrammar", "compile_grammar", "require_grammar", "shapes_of"]

GivenGrammar = Grammar | Language | None
"""A grammar, or what a corpus knows of the one it was sampled from."""


def require_grammar(grammar: object) -> Grammar:
    """The grammar; its text, its path, or anything else that is not a grammar yet is refused.

    Raises:
        ConstructionError: it is none.
    """
    if not isinstance(grammar, Grammar):
        raise ConstructionError(
            f"a transformer is built from a Grammar; received {type(grammar).__name__} "
            f"{str(grammar)[:60]!r}: read it first, with Grammar.from_text(...) or from_file(...)"
        )
    return grammar


def compile_grammar(grammar: Grammar, settings: ConstructionSettings) -> Program:
    """Validate, choose a normal form, scale, parse, read out.

    Raises:
        ConstructionError: the grammar does not allow what the settings ask for.
    """
    if settings.semiring == "deterministic":
        require_deterministic(grammar)
    if settings.mode == "shapes" and grammar.n_shapes > settings.max_shapes:
        raise ConstructionError(
            f"mode='shapes' builds one parser for each of {_big(grammar.n_shapes)} tree shapes; "
            f"the limit is {settings.max_shapes:,}: use mode='spans', whose size does not depend "
            "on their number, or raise max_shapes"
        )
    normal = normal_form(grammar, settings)
    shapes = shapes_of(normal) if settings.mode == "shapes" else []
    draft = Draft(
        terminals=normal.grammar.terminals,
        n_max=normal.lengths[-1],
        semiring=semiring(settings.semiring),
        scales=_scales(normal, shapes, settings),
        merge=settings.merge != "none",
    )
    if shapes:
        _compile_shapes(draft, normal, shapes, settings)
    else:
        _compile_spans(draft, normal, settings)
    if settings.head == "log":
        kappa = float(token_scale(normal.grammar, normal.roots, settings))
        bounds = score_range(normal, kappa, draft.n_max, settings.log_error)
        _require_room(bounds, settings, max(w for row in draft.readout for _, w in row))
        append_log_block(draft, bounds)
        return draft.freeze("logits")
    return draft.freeze()


def _compile_spans(draft: Draft, normal: Normal, settings: ConstructionSettings) -> None:
    spans = Spans(draft, normal.grammar, normal.roots)
    beliefs = BeliefBlocks(spans, settings.beliefs, normal.labels) if settings.beliefs else None
    one_pass = OnePass(spans) if settings.passes == 1 else None
    (one_pass or spans).embed()
    for level in range(1, normal.depth + 1):
        layer = draft.layer(f"bottom-up {level}")
        spans.bottom_up(layer, level)
        if beliefs:
            beliefs.bottom_up(layer, level)
        if one_pass:
            one_pass.continue_level(layer, level)
        draft.close(layer)
    if one_pass:
        layer = draft.layer("started at token 1")
        one_pass.finish(layer)
        draft.close(layer)
    else:
        for level in range(normal.depth, 0, -1):
            layer = draft.layer(f"top-down {level}")
            spans.top_down(layer, level)
            if beliefs:
                beliefs.top_down(layer, level)
            draft.close(layer)
    (one_pass or spans).read_out()
    for height, row in normal.labels.items():
        draft.states[height] = {
            label: tuple(spans.beta(s, n) for s in symbols for n in normal.grammar.lengths[s])
            for label, symbols in row.items()
        }
        if beliefs:
            draft.beliefs[height] = {label: beliefs.block(height, label) for label in row}


def _compile_shapes(
    draft: Draft, normal: Normal, shapes: list[Shape], settings: ConstructionSettings
) -> None:
    parsers = [ShapeParser(draft, normal.grammar, shape, normal.roots) for shape in shapes]
    for terminal in range(normal.grammar.n_terminals):
        draft.token(terminal, draft.inside("beta", normal.grammar.symbols[terminal], length=1))
    one_pass = settings.passes == 1
    for height in range(1, normal.depth + 1):
        layer = draft.layer(f"bottom-up {height}")
        for parser in parsers:
            parser.bottom_up(layer, height)
            if one_pass:
                parser.gamma(layer, height)
        draft.close(layer)
    if not one_pass:
        for height in range(normal.depth, 0, -1):
            layer = draft.layer(f"top-down {height}")
            for parser in parsers:
                parser.top_down(layer, height)
            draft.close(layer)
        for terminal in range(normal.grammar.n_terminals):
            score = draft.add("alpha", normal.grammar.symbols[terminal])
            draft.readout[terminal + 1].append((score, 1.0))
    for parser in parsers:
        parser.read_out(one_pass=one_pass)
    for height, row in normal.labels.items():
        draft.states[height] = {
            label: tuple(
                dict.fromkeys(
                    parser.beta(normal.grammar.levels[s], s)
                    for s in symbols
                    for parser in parsers
                    if any(s in n.symbols for n in parser.shape.levels[normal.grammar.levels[s]])
                )
            )
            for label, symbols in row.items()
        }


def shapes_of(normal: Normal) -> list[Shape]:
    """The tree shapes of a normal form, in the order in which they are compiled."""
    roots = frozenset(root for root, _ in normal.roots)
    weights = ShapeWeights(normal.grammar)
    trees = enumerate_shapes(normal.grammar, sorted(roots))
    return [Shape(i, tree, normal.grammar, roots, weights) for i, tree in enumerate(trees)]


def _scales(normal: Normal, shapes: list[Shape], settings: ConstructionSettings) -> Scales:
    """Gauge and token scale; only the probability semiring has weights to scale."""
    end = settings.dtype, settings.inexact == "allow"
    if settings.semiring != "probability":
        return Scales(settings.semiring, {}, Fraction(1), *end)
    kappa = token_scale(normal.grammar, normal.roots, settings)
    if not settings.gauge:
        return Scales(settings.semiring, {}, kappa, *end)
    gauge: dict[Any, Fraction] = {}
    if not shapes:
        for symbol, row in enumerate(normal.grammar.viterbi):
            gauge.update({(symbol, length): value for length, value in row.items()})
        return Scales(settings.semiring, gauge, kappa, *end)
    for shape in shapes:
        for height, nodes in enumerate(shape.levels):
            for symbol in {s for node in nodes for s in node.symbols}:
                cell = (shape.index if height else -1, height, symbol)
                gauge[cell] = shape.gauge(height, symbol, kappa)
    return Scales(settings.semiring, gauge, Fraction(1), *end)  # the gauge carries the scale


def _require_room(bounds: LogRange, settings: ConstructionSettings, weight: float) -> None:
    """Refuse a log block whose smallest scores are lost.

    Its hinges are relative, so its weights reach ``weight / smallest score``, which the dtype must
    hold; in a rotated stream the logarithm errs by noise / score, which must stay within
    ``log_error``.

    Raises:
        ConstructionError: with the smallest score and the ways out.
    """
    power = f"10^{bounds.smallest / math.log(10):.0f}"
    least = max(0.0, math.log(weight)) + math.log(RANGE[settings.dtype][0])
    if bounds.smallest < least:
        wider = "dtype='float64', " if settings.dtype != "float64" else ""
        raise ConstructionError(
            f"a log head tells apart scores down to {power}; {settings.dtype} holds numbers from "
            f"10^{least / math.log(10):.0f} on: use {wider}head='probabilities', or larger rule "
            "weights"
        )
    needed = math.log(ROTATION_NOISE["float64"]) - math.log(settings.log_error)
    if settings.rotation is not None and bounds.smallest < needed:
        raise ConstructionError(
            f"scores down to {power} cannot be told from 0 within "
            f"log_error={settings.log_error:g} in a rotated stream, whose noise is about "
            f"{ROTATION_NOISE['float64']:g}: leave rotation=None, raise token_scale or log_error, "
            "or use head='scores'"
        )


def _big(number: int) -> str:
    digits = len(str(number))
    return f"{number:,}" if digits < 13 else f"10^{digits - 1}"
