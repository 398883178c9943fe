"""A compiled model's size, read off its weights, beside what theory says."""

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal, final

import torch

from ....grammars import Grammar
from ....models import PlainTransformer
from ..backends.position_codes import position_scheme
from ..backends.sparse import SparseModel
from ..normal import Normal, normal_form
from ..passes.log_head import score_range
from ..program.program import Program
from ..rule_states import rule_states
from ..scale import RANGE, token_scale
from ..settings import ConstructionSettings
from .formulas import boolean_shape_bound, rule_pairs, shape_bound
from .span_sizes import span_sizes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Accounting", "SizeRow", "measure_sizes"]


@final
@dataclass(frozen=True)
class SizeRow:
    """One size.

    Args:
        name: what is counted.
        measured: read off the weights.
        predicted: value of the formula, ``None`` if there is none.
        relation: how the two must relate.
        formula: the formula in words.
    """

    name: str
    measured: int
    predicted: int | None = None
    relation: Literal["=", "<=", ""] = ""
    formula: str = ""

    @property
    def holds(self) -> bool:
        """Whether measured and predicted relate as they must."""
        if self.predicted is None:
            return True
        if self.relation == "=":
            return self.measured == self.predicted
        return self.measured <= self.predicted


@final
@dataclass(frozen=True)
class Accounting:
    """All sizes of a model.

    Args:
        rows: in order of interest.
        note: what else the reader must know; printed last.
        lost: weights that are too small for their dtype, hence not in the model.
    """

    rows: tuple[SizeRow, ...]
    note: str = ""
    lost: int = 0

    def __getitem__(self, name: str) -> int:
        """The measured value of a size.

        Raises:
            KeyError: there is no such size.
        """
        for row in self.rows:
            if row.name == name:
                return row.measured
        known = ", ".join(row.name for row in self.rows)
        raise KeyError(f"no size is called {name!r}: ask for one of {known}")

    @property
    def holds(self) -> bool:
        """Whether every size is what theory says."""
        return all(row.holds for row in self.rows)

    def to_frame(self) -> "pd.DataFrame":
        """One line per size."""
        import pandas as pd

        columns = ["name", "measured", "relation", "predicted", "formula", "holds"]
        return pd.DataFrame([{c: getattr(row, c) for c in columns} for row in self.rows])

    def __str__(self) -> str:
        lines = []
        for row in self.rows:
            beside = "" if row.predicted is None else f"{row.relation} {row.predicted:,}"
            why = "  less: weights are lost, see below" if self.lost else "  VIOLATED"
            mark = "" if row.holds else why
            line = f"{row.name:<28}{row.measured:>14,} {beside:<18}{row.formula}{mark}"
            lines.append(line.rstrip())
        if self.lost:
            lines.append(
                f"{self.lost:,} weights are too small for the dtype and count as 0 in the model; "
                "the formulas count them: use dtype='float64', or larger rule weights"
            )
        return "\n".join([*lines, self.note] if self.note else lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def measure_sizes(
    grammar: Grammar,
    settings: ConstructionSettings,
    program: Program,
    engine: PlainTransformer | SparseModel,
    note: str = "",
) -> Accounting:
    """Measure the model and set the formulas beside it."""
    normal = normal_form(grammar, settings)
    found = _measure_dense(engine) if isinstance(engine, PlainTransformer) else _measure(program)
    logarithm = int(settings.head == "log")
    rows = [
        SizeRow("grammar depth d", grammar.depth),
        SizeRow("tree shapes c", grammar.n_shapes),
        SizeRow("unary rules M1", len(normal.grammar.unary)),
        SizeRow("binary rules M2", len(normal.grammar.binary)),
        _depth(normal, settings, found["layers"]),
        _bound_on_depth(grammar, normal),
        *_neurons(grammar, settings, normal, program, found["neurons"] - _log(program)),
    ]
    if logarithm:
        rows.append(_log_row(normal, settings, program))
    rows += [*_width(settings, normal, program, found["width"]), *_heads(settings, normal, found)]
    rows += [
        SizeRow("parameters", found["parameters"]),
        SizeRow("non-zero parameters", found["nonzero"]),
    ]
    return Accounting(tuple(rows), note, _lost(program, settings))


def _lost(program: Program, settings: ConstructionSettings) -> int:
    """Weights of operations that are below the range of the dtype."""
    weights = [w for layer in program.layers for head in layer.heads for _, _, w in head.moves]
    weights += [w for layer in program.layers for n in layer.neurons for _, w in n.out]
    least = RANGE[settings.dtype][0]
    return sum(abs(weight) < least for weight in weights)


def _measure_dense(model: PlainTransformer) -> dict[str, int]:
    """Sizes as the weights show them; what is all zero does not count."""
    layers = neurons = heads = 0
    block: Any
    for block in model.layers:
        used = int((block.mlp.down_proj.weight != 0).any(0).sum())
        out = block.attn.o_proj.weight
        busy = int((out.view(len(out), block.attn.n_heads, -1) != 0).any(0).any(-1).sum())
        constant = bool((block.mlp.down_proj.bias != 0).any())
        layers, neurons, heads = (
            layers + bool(used or busy or constant),
            neurons + used,
            heads + busy,
        )
    weights = [*model.parameters(), *model.buffers()]
    nonzero = sum(int(torch.count_nonzero(w)) for w in weights)
    total = sum(w.numel() for w in weights)
    sizes = {"layers": layers, "neurons": neurons, "heads": heads}
    return sizes | {"width": model.config.hidden_size, "parameters": total, "nonzero": nonzero}


def _measure(program: Program) -> dict[str, int]:
    """Sizes of a program; its parameters are the weights of its operations."""
    terms = sum(
        sum(len(head.moves) for head in layer.heads)
        + sum(len(n.gate) + len(n.value) + len(n.out) for n in layer.neurons)
        + len(layer.constants)
        for layer in program.layers
    )
    terms += sum(map(len, program.embedding)) + sum(map(len, program.readout))
    heads = sum(len(layer.heads) for layer in program.layers)
    sizes = {"layers": len(program.layers), "neurons": program.n_neurons, "heads": heads}
    return sizes | {"width": len(program.registry), "parameters": terms, "nonzero": terms}


def _depth(normal: Normal, settings: ConstructionSettings, measured: int) -> SizeRow:
    passes = settings.passes * normal.depth
    formula = "2 d'" if settings.passes == 2 else "d'"
    if settings.passes == 1 and settings.mode == "spans":
        passes, formula = passes + 1, "d' + 1"
    if settings.head == "log":
        passes, formula = passes + 1, formula + " + 1 (log block)"
    return SizeRow("layers", measured, passes, "=", f"{formula}, d' = {normal.depth} binary levels")


def _bound_on_depth(grammar: Grammar, normal: Normal) -> SizeRow:
    widest = max(len(p.rhs) for p in grammar.table.productions)
    bound = grammar.depth * max(1, math.ceil(math.log2(widest)))
    return SizeRow("binary levels d'", normal.depth, bound, "<=", f"d ceil(log2 {widest})")


def _neurons(
    grammar: Grammar,
    settings: ConstructionSettings,
    normal: Normal,
    program: Program,
    measured: int,
) -> list[SizeRow]:
    sizes = span_sizes(normal, settings)
    if sizes:
        rows = [SizeRow("neurons", measured, sizes.neurons, "=", sizes.formula)]
        plain = settings.passes == 2 and not settings.beliefs
        if plain and settings.semiring != "boolean" and settings.merge != "rules":
            rules = len(normal.grammar.unary) + len(normal.grammar.binary)
            up, bound = _bottom_up(program), grammar.n_shapes * rules
            rows.append(
                SizeRow("bottom-up neurons", up, bound, "<=", "c M (dominance over shapes)")
            )
        return rows
    two = "c (3 M2 + 2 M1)" if settings.passes == 2 else "c (M1 + M2 + V (2 M2 + M1))"
    if settings.semiring == "boolean":
        bound = boolean_shape_bound(normal.grammar, grammar.n_shapes, settings.passes)
        formula = f"{two} + c (values tested for zero), see formulas.py"
        return [SizeRow("neurons", measured, bound, "<=", formula)]
    bound = shape_bound(normal.grammar, grammar.n_shapes, settings.passes)
    rows = [SizeRow("neurons", measured, bound, "<=", two)]
    if settings.merge == "rules" and settings.passes == 2:  # one pass: gammas share these layers
        plain_form = normal_form(grammar, ConstructionSettings(mode="shapes")).grammar
        states, _, lhs = rule_states(plain_form)
        pairs = grammar.n_shapes * (rule_pairs(states, lhs) + len(states.unary))
        formula = "c (pairs of rules with adjacent left-hand sides + unary pairs)"
        rows.append(SizeRow("bottom-up neurons", _bottom_up(program), pairs, "<=", formula))
    return rows


def _bottom_up(program: Program) -> int:
    return sum(len(x.neurons) for x in program.layers if x.name.startswith("bottom-up"))


def _log(program: Program) -> int:
    return sum(len(x.neurons) for x in program.layers if x.name == "logarithm")


def _log_row(normal: Normal, settings: ConstructionSettings, program: Program) -> SizeRow:
    """Knots times outputs; the token scale is the only thing taken from the compiled model."""
    kappa = float(token_scale(normal.grammar, normal.roots, settings))
    bounds = score_range(normal, kappa, program.n_max, settings.log_error)
    outputs = len(program.vocabulary) - 1
    return SizeRow(
        "log block neurons",
        _log(program),
        outputs * (bounds.knots + 1),
        "=",
        f"{outputs} outputs x {bounds.knots + 1} knots",
    )


def _width(
    settings: ConstructionSettings, normal: Normal, program: Program, measured: int
) -> list[SizeRow]:
    kinds: dict[str, int] = {}
    for coordinate in program.registry:
        kinds[coordinate.kind] = kinds.get(coordinate.kind, 0) + 1
    code = position_scheme(settings.position_code, program.n_max).code.shape[1]
    code = 0 if settings.backend == "sparse" else code
    sizes = span_sizes(normal, settings)
    expected = dict(sizes.width) if sizes else {}
    if expected and settings.head == "log":
        expected["logit"] = len(program.vocabulary)
    total = SizeRow(
        "width", measured, sum(kinds.values()) + code, "=", f"coordinates + {code} (code)"
    )
    rows = [total, SizeRow("position code", code)]
    for kind, count in kinds.items():
        relation: Literal["=", ""] = "=" if sizes else ""
        rows.append(SizeRow(f"  {kind}", count, expected.get(kind, 0) if sizes else None, relation))
    return rows


def _heads(settings: ConstructionSettings, normal: Normal, found: dict[str, int]) -> list[SizeRow]:
    sizes = span_sizes(normal, settings)
    if not sizes:
        return [SizeRow("heads", found["heads"], None, "", "one per pattern and layer")]
    return [SizeRow("heads", found["heads"], sizes.heads, "=", "distinct offsets per layer")]
