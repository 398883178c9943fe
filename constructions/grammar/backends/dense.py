"""The dense back end: a program poured into the weights of the plain transformer."""

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from ....models import PlainConfig, PlainTransformer
from ...errors import ConstructionError
from ..program.program import AttentionHead, Layer, Program
from ..program.smallest import smallest_score
from ..settings import ConstructionSettings
from .noise import MARGIN, largest_deviation, raw_outputs
from .position_codes import AttentionBias, PositionScheme, position_scheme
from .rotation import ROTATION_NOISE, rotate

__all__ = ["build_dense", "dense_config", "dense_parameters"]


def dense_config(program: Program, settings: ConstructionSettings) -> PlainConfig:
    """Shape of the dense model: the widest layer decides for all.

    The heads' dimension holds the position code (queries, keys) and the values of the busiest head.
    """
    scheme = position_scheme(settings.position_code, program.n_max)
    code = scheme.code.shape[1]
    heads = [head for layer in program.layers for head in layer.heads]
    return PlainConfig(
        vocabulary=list(program.vocabulary),
        hidden_size=len(program.registry) + code,
        num_hidden_layers=len(program.layers),
        num_attention_heads=max(1, *(len(layer.heads) for layer in program.layers)),
        head_dim=max(1, code, *(_rank(head) for head in heads)),
        intermediate_size=max(1, *(len(layer.neurons) for layer in program.layers)),
        max_position_embeddings=scheme.n_positions,
        mlp=program.mlp,
        attention_bias_table=isinstance(scheme, AttentionBias),
        overflow_position=True,
        readout=_readout(program, settings),
        score_floor=_score_floor(program, settings),
    )


def dense_parameters(config: PlainConfig) -> int:
    """Number of weights a model of this shape has, without building it."""
    width, inner = config.hidden_size, config.num_attention_heads * config.head_dim
    attention = 3 * inner * (width + 1) + width * (inner + 1)
    gates = 2 if config.mlp == "reglu" else 1
    hidden = config.intermediate_size
    mlp = gates * hidden * (width + 1) + width * (hidden + 1)
    table = config.num_attention_heads * config.max_position_embeddings**2
    attention += table if config.attention_bias_table else 0
    rows = config.vocab_size + config.max_position_embeddings
    head = config.vocab_size * (width + 1)
    return int(config.num_hidden_layers * (attention + mlp) + rows * width + head)


def build_dense(
    program: Program, settings: ConstructionSettings, trials: Sequence[Sequence[int]] = ()
) -> PlainTransformer:
    """The model, in eval mode.

    Args:
        program: what it runs.
        settings: back end, dtype, rotation.
        trials: token ids (BOS first) on which the rounding of a rotated model is measured; its
            configuration states it (``linrep["noise"]``) and cuts scores below it.

    Raises:
        ConstructionError: it would have more weights than ``settings.max_parameters``.
    """
    config = dense_config(program, settings)
    needed = dense_parameters(config)
    if needed > settings.max_parameters:
        raise ConstructionError(
            f"the dense model would have {needed:,} parameters ({config.num_hidden_layers} layers, "
            f"width {config.hidden_size:,}, {config.intermediate_size:,} neurons in the widest "
            f"layer); the limit is {settings.max_parameters:,}: use backend='sparse', which "
            "computes the same function, or raise max_parameters"
        )
    model = PlainTransformer(config).double()
    scheme = position_scheme(settings.position_code, program.n_max)
    with torch.no_grad():
        _write_tables(model, program, scheme)
        for block, layer in zip(model.layers, program.layers, strict=True):
            _write_heads(block.attn, layer, len(program.registry), scheme)
            _write_neurons(block.mlp, layer)
        if settings.rotation is None:
            return cast(PlainTransformer, _cast(model, settings.dtype))
        return _rotated(model, program, settings, trials)


def _rotated(
    model: Any, program: Program, settings: ConstructionSettings, trials: Sequence[Sequence[int]]
) -> PlainTransformer:
    """The model in a rotated basis, beside what it was: zeros below its noise count as zeros."""
    exact = raw_outputs(model, trials)
    rotate(model, cast(int, settings.rotation))
    made = cast(PlainTransformer, _cast(model, settings.dtype))
    # Trials of a tiny model may round to the bit; other inputs would not.
    least = torch.finfo(getattr(torch, settings.dtype)).eps
    noise = MARGIN * max(least, largest_deviation(raw_outputs(made, trials), exact, program.output))
    made.config.linrep = {"noise": noise}
    if settings.semiring != "boolean":  # whose floor of 1/2 lies in the middle of 0 and 1
        made.config.score_floor = max(made.config.score_floor, noise)
    return made


def _cast(model: Any, dtype: str) -> Any:
    return model.to(dtype=getattr(torch, dtype)).eval()


def _rank(head: AttentionHead) -> int:
    """Value dimensions that a head needs: as many as sources or targets, whichever are fewer."""
    return min(len({s for s, _, _ in head.moves}), len({t for _, t, _ in head.moves}))


def _readout(program: Program, settings: ConstructionSettings) -> Any:
    if program.output == "logits":
        return "logits"
    return "probabilities" if settings.head == "probabilities" else "scores"


def _score_floor(program: Program, settings: ConstructionSettings) -> float:
    """Scores at or below this count as 0.

    Support is read off a count, so its threshold is 1/2. In a named basis zeros are exact, until
    the stream is edited: taking a state out and putting another one in rounds, and what was 0 may
    be 1e-17 afterwards, which a division by the row's sum would turn into certainty. No prefix has
    a positive score below the program's smallest one, so half of it loses nothing, however small
    it is (the half is room for rounding, which is relative), and cuts all rounding below. What a
    rotation leaves below its noise is cut; a real score below it would be lost, see
    :mod:`~linrep.constructions.grammar.guarantee`.
    """
    if settings.semiring == "boolean":
        return 0.5
    if settings.rotation is not None:
        return ROTATION_NOISE[settings.dtype]
    return 0.0 if program.output == "logits" else math.exp(smallest_score(program)) / 2


def _write_tables(model: PlainTransformer, program: Program, scheme: PositionScheme) -> None:
    """Token, position and readout tables."""
    for token, row in enumerate(program.embedding):
        for coordinate, value in row:
            model.tok.weight[token, coordinate] += value
    for coordinate, values in program.gates:
        model.posn.weight[:, coordinate] += torch.tensor(values, dtype=torch.float64)
    if scheme.code.shape[1]:
        model.posn.weight[:, len(program.registry) :] = scheme.code
    for token, row in enumerate(program.readout):
        for coordinate, value in row:
            model.head.weight[token, coordinate] += value


def _write_heads(attn: Any, layer: Layer, width: int, scheme: PositionScheme) -> None:
    """Queries and keys follow the pattern; values and outputs carry the moves."""
    size = attn.d_head
    for number, head in enumerate(layer.heads):
        rows = slice(number * size, (number + 1) * size)
        query = scheme.query(head.pattern)
        if query is None:
            attn.bias_table[number] = cast(AttentionBias, scheme).table(head.pattern)
        else:
            code = len(query)
            start = number * size
            # Scores are multiplied by the attention scale; undo it here.
            attn.q_proj.weight[start : start + code, width:] = query.T / attn.scale
            attn.k_proj.weight[start : start + code, width:] = torch.eye(code).double()
        values, outputs = _carry(head, attn.v_proj.in_features, size)
        attn.v_proj.weight[rows] = values
        attn.o_proj.weight[:, rows] = outputs


def _carry(head: AttentionHead, width: int, size: int) -> tuple[Tensor, Tensor]:
    """``(values [size, width], outputs [width, size])`` whose product makes the head's moves."""
    values = torch.zeros(size, width, dtype=torch.float64)
    outputs = torch.zeros(width, size, dtype=torch.float64)
    sources = list(dict.fromkeys(s for s, _, _ in head.moves))
    targets = list(dict.fromkeys(t for _, t, _ in head.moves))
    if len(sources) <= len(targets):
        slot = {s: i for i, s in enumerate(sources)}
        for s, t, w in head.moves:
            values[slot[s], s] = 1.0
            outputs[t, slot[s]] += w
    else:
        slot = {t: i for i, t in enumerate(targets)}
        for s, t, w in head.moves:
            values[slot[t], s] += w
            outputs[t, slot[t]] = 1.0
    return values, outputs


def _write_neurons(mlp: Any, layer: Layer) -> None:
    """Gate and value maps, output map, constants."""
    gated = mlp.kind == "reglu"
    first = mlp.gate_proj if gated else mlp.up_proj
    for i, neuron in enumerate(layer.neurons):
        for coordinate, weight in neuron.gate:
            first.weight[i, coordinate] += weight
        first.bias[i] = neuron.gate_bias
        if gated:
            for coordinate, weight in neuron.value:
                mlp.up_proj.weight[i, coordinate] += weight
            mlp.up_proj.bias[i] = neuron.value_bias
        for coordinate, weight in neuron.out:
            mlp.down_proj.weight[coordinate, i] += weight
    for coordinate, value in layer.constants:
        mlp.down_proj.bias[coordinate] += value
