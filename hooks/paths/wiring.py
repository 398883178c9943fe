"""How a Hugging Face model is put together: its blocks, its positions, its limits."""

from dataclasses import dataclass
from typing import Any, final

import torch
from torch import nn
from transformers import PreTrainedConfig

from ...models import PlainTransformer
from ..errors import CaptureError
from .kinds import refuse_kinds

__all__ = ["Wiring", "block_path", "input_device", "vocabulary_size", "wire"]


@final
@dataclass(frozen=True, eq=False)
class Wiring:
    """What a forward pass through an untouched model needs to know.

    Args:
        body: the module to run: the model without its unembedding.
        blocks: its blocks, in order.
        path: their name inside the model (``transformer.h``).
        source: who says so: a TransformerLens adapter, or the shape of the module tree.
        positions: ``mask``: position ids are counted along the mask and passed in; ``model``: the
            model makes its own (RoBERTa counts from its padding id; some take none).
        pad_id: token id to pad with.
        limit: longest input in tokens, special ones included; ``None`` if there is no limit.
    """

    body: nn.Module
    blocks: tuple[nn.Module, ...]
    path: str
    source: str
    positions: str
    pad_id: int
    limit: int | None


def wire(model: nn.Module) -> Wiring:
    """Find the wiring of a model.

    Raises:
        CaptureError: a kind that cannot be read, or a model without a list of blocks.
    """
    refuse_kinds(model)
    config: Any = model.config
    path, source = block_path(model)
    body: Any = getattr(model, "base_model", model)
    own = _counts_from_padding(model)
    takes = "position_ids" in _parameters(body)
    return Wiring(
        body=body,
        blocks=tuple(model.get_submodule(path).children()),
        path=path,
        source=source,
        positions="mask" if takes and own is None else "model",
        pad_id=_pad_id(model, getattr(config, "pad_token_id", None) if own is None else own),
        limit=_limit(config, own),
    )


def block_path(model: nn.Module) -> tuple[str, str]:
    """Name of the module list that holds the blocks, and who says so.

    TransformerLens's adapter is asked first, through the language-model class of the same kind
    if the model has no head; without an adapter it is the only list of as many modules as the
    configuration has layers.

    Raises:
        CaptureError: there is no such list, or more than one.
    """
    if isinstance(model, PlainTransformer):
        return "layers", "TransformerLens adapter of PlainTransformer"
    for architecture in _architectures(model):
        path = _adapter_path(model, architecture)
        if path is not None:
            return path, f"TransformerLens adapter of {architecture}"
    count = getattr(model.config, "num_hidden_layers", None)
    lists = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == count and count
    ]
    others = _other_towers(model)
    lists = [name for name in lists if not name.startswith(others)] or lists
    outer = [n for n in lists if not any(n.startswith(f"{o}.") for o in lists if o != n)]
    if len(outer) == 1:
        return outer[0], f"module list {outer[0]!r}; TransformerLens has no adapter for it"
    raise CaptureError(
        f"the blocks of {type(model).__name__} cannot be told: TransformerLens has no adapter and "
        f"the model has {len(outer)} lists of {count} modules, of which one would have to be its "
        "blocks: this architecture is not read; give another, such as Llama, GPT-2 or BERT"
    )


def _other_towers(model: nn.Module) -> tuple[str, ...]:
    """Names of the parts that have a configuration of another kind: eyes of a model for text."""
    own = type(model.config)
    return tuple(
        f"{name}."
        for name, part in model.named_modules()
        if name and isinstance(getattr(part, "config", None), PreTrainedConfig)
        if not isinstance(part.config, own)
    )


def _architectures(model: nn.Module) -> list[str]:
    """The model's class, then the language-model classes of its kind."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    kind = str(model.config.model_type)  # type: ignore[union-attr]
    known = [MODEL_FOR_MASKED_LM_MAPPING_NAMES, MODEL_FOR_CAUSAL_LM_MAPPING_NAMES]
    return [type(model).__name__, *(names[kind] for names in known if kind in names)]


def _adapter_path(model: nn.Module, architecture: str) -> str | None:
    from transformer_lens.factories.architecture_adapter_factory import ArchitectureAdapterFactory
    from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_config_from_hf

    try:
        config = build_bridge_config_from_hf(model.config, architecture, "local", torch.float32)
        adapter = ArchitectureAdapterFactory.select_architecture_adapter(config)
    except (ValueError, ImportError, TypeError, AttributeError):
        # "Unsupported architecture", a package it lacks, or a configuration of another kind
        return None
    mapping = adapter.component_mapping
    blocks = (mapping or {}).get("blocks")
    if blocks is None:
        return None
    prefix = f"{getattr(model, 'base_model_prefix', '')}."
    for path in (str(blocks.name), str(blocks.name).removeprefix(prefix)):
        try:
            if len(list(model.get_submodule(path).children())) == model.config.num_hidden_layers:  # type: ignore[union-attr]
                return path
        except AttributeError:
            continue
    return None


def input_device(model: nn.Module) -> torch.device:
    """Where a model takes its inputs; parts that are offloaded fetch theirs by themselves."""
    for parameter in model.parameters():
        if parameter.device.type != "meta":
            return parameter.device
    return torch.device("cpu")


def _counts_from_padding(model: nn.Module) -> int | None:
    """The padding id from which the model counts its own positions (RoBERTa and kin)."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            # The table takes -1 for its last row; the module around it counts from what was set.
            around = model.get_submodule(name.rpartition(".")[0])
            own = getattr(around, "padding_idx", module.padding_idx)
            return None if own is None or module.padding_idx is None else int(own)
    return None


def _pad_id(model: nn.Module, wanted: Any) -> int:
    """The model's own padding id, or 0 if it has none among its tokens (-1 says so, often).

    Padding is masked, so that any token will do, save where positions are counted from it.
    """
    rows = vocabulary_size(model)
    usable = isinstance(wanted, int) and 0 <= wanted < rows
    return int(wanted) if usable else 0


def vocabulary_size(model: nn.Module) -> int:
    """How many token ids the model takes: rows of its token table; 0 if unknown."""
    try:
        return int(model.get_input_embeddings().weight.shape[0])  # type: ignore[operator]
    except (AttributeError, NotImplementedError):
        return int(getattr(model.config, "vocab_size", 0) or 0)


def _parameters(module: nn.Module) -> set[str]:
    import inspect

    return set(inspect.signature(module.forward).parameters)


def _limit(config: Any, padding: int | None) -> int | None:
    if getattr(config, "overflow_position", False):
        return None
    limit = getattr(config, "max_position_embeddings", None)
    if limit is None or limit < 1:
        return None
    return int(limit) - (0 if padding is None else padding + 1)
