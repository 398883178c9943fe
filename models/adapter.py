"""The plain transformer seen by TransformerLens; importing this module registers it there."""

from typing import Any

from transformer_lens.factories.architecture_adapter_factory import ArchitectureAdapterFactory
from transformer_lens.model_bridge import (
    ArchitectureAdapter,
    AttentionBridge,
    BlockBridge,
    EmbeddingBridge,
    LinearBridge,
    UnembeddingBridge,
)
from transformer_lens.model_bridge.generalized_components import (
    GatedMLPBridge,
    MLPBridge,
    PosEmbedBridge,
)
from transformer_lens.model_bridge.generalized_components.base import GeneralizedComponent

from .transformer import PlainTransformer

__all__ = ["ARCHITECTURE", "PlainAdapter"]

ARCHITECTURE = PlainTransformer.__name__


class PlainAdapter(ArchitectureAdapter):
    """Maps TransformerLens's component names to the modules of :class:`PlainTransformer`.

    Nothing is folded or re-implemented, so logits and activations are the model's own bits;
    compatibility mode is refused because it would rewrite weights through float32.
    """

    supports_generation = False
    supports_causal_loss = False
    supports_compatibility_mode = False

    def __init__(self, cfg: Any) -> None:
        super().__init__(cfg)
        gated = bool(cfg.is_gated_act)  # the one of our switches that TransformerLens passes on
        cfg.normalization_type = None
        cfg.positional_embedding_type = "standard"
        cfg.gated_mlp = gated
        self.component_mapping = {
            "embed": EmbeddingBridge(name="tok"),
            "pos_embed": PosEmbedBridge(name="posn"),
            "blocks": BlockBridge(
                name="layers",
                config=cfg,
                submodules={
                    "ln1": GeneralizedComponent(name="norm1", config=cfg),
                    "attn": AttentionBridge(
                        name="attn",
                        config=cfg,
                        submodules={k: LinearBridge(name=f"{k}_proj") for k in "qkvo"},
                    ),
                    "ln2": GeneralizedComponent(name="norm2", config=cfg),
                    "mlp": _mlp(cfg, gated),
                },
            ),
            "ln_final": GeneralizedComponent(name="final", config=cfg),
            "unembed": UnembeddingBridge(name="head"),
        }

    def prepare_model(self, model: Any) -> None:
        """Record what TransformerLens does not read from the configuration."""
        self.cfg.attention_dir = "bidirectional" if model.config.bidirectional else "causal"
        self.cfg.normalization_type = "LNPre" if model.config.layer_norm else None


def _mlp(cfg: Any, gated: bool) -> Any:
    parts: dict[str, GeneralizedComponent] = {
        "in": LinearBridge(name="up_proj"),
        "out": LinearBridge(name="down_proj"),
    }
    if not gated:
        return MLPBridge(name="mlp", config=cfg, submodules=parts)
    parts["gate"] = LinearBridge(name="gate_proj")
    return GatedMLPBridge(name="mlp", config=cfg, submodules=parts)


ArchitectureAdapterFactory.register_adapter(ARCHITECTURE, PlainAdapter)
