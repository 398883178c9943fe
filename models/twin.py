"""Random weights from a seed: for training, and for the twin that a probe must beat."""

import copy
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from ..core import checked
from ..core.arguments import shown
from .bridge import unwrap
from .config import ConfigError
from .transformer import PlainTransformer

__all__ = ["initialise", "random_twin"]


@checked(ConfigError)
def initialise(model: PlainTransformer, seed: int) -> PlainTransformer:
    """Draw every weight anew, in place, from ``seed`` alone; returns the model.

    Linear maps: normal with variance 1 / inputs; those that write to the residual stream are
    divided by ``sqrt(2 * layers)`` besides; embeddings: unit variance spread over token and
    position table; biases 0; norms 1; attention bias tables unit normal. The activations stay of
    order 1 at any depth. torch's global generator is not touched.

    >>> from linrep.models import PlainConfig
    >>> a, b = (initialise(PlainTransformer(PlainConfig()), seed=3) for _ in range(2))
    >>> torch.equal(a.head.weight, b.head.weight)
    True
    """
    generator = torch.Generator().manual_seed(seed)
    depth = (2 * model.config.num_hidden_layers) ** -0.5
    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, nn.LayerNorm):
                module.weight.fill_(1.0)
                module.bias.zero_()
            elif isinstance(module, nn.Embedding):
                _normal(module.weight, 0.5**0.5, generator)
            elif isinstance(module, nn.Linear):
                writes = name.endswith(("o_proj", "down_proj"))
                scale = module.in_features**-0.5 * (depth if writes else 1.0)
                _normal(module.weight, scale, generator)
                module.bias.zero_()
        for name, buffer in model.named_buffers():
            if name.endswith("bias_table"):
                _normal(buffer, 1.0, generator)
    return model


@checked(ConfigError)
def random_twin(model: Any, seed: int = 0) -> PreTrainedModel:
    """A model of the same class, shape and dtype with fresh random weights.

    It knows the architecture and nothing else: what a probe finds in it was not learned. torch's
    global generator is left as it was.

    Raises:
        ConfigError: it is no model of Hugging Face's transformers.

    >>> from linrep.models import PlainConfig
    >>> twin = random_twin(PlainTransformer(PlainConfig()), seed=1)
    >>> bool(twin.head.weight.abs().sum() > 0)
    True
    """
    inner = unwrap(model)
    if not isinstance(inner, PreTrainedModel):
        raise ConfigError(
            "a twin is made of a model of Hugging Face's transformers, or of what "
            f"linrep.load_model and linrep.train return; received {shown(model)}"
        )
    dtype, device = inner.dtype, inner.device
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # restored by fork_rng
        twin: Any = type(inner)(copy.deepcopy(inner.config))
    if isinstance(twin, PlainTransformer):
        initialise(twin, seed)
    ready: PreTrainedModel = twin.to(device=device, dtype=dtype).eval()
    return ready


def _normal(target: torch.Tensor, scale: float, generator: torch.Generator) -> None:
    drawn = torch.randn(target.shape, generator=generator, dtype=torch.float64) * scale
    target.copy_(drawn.to(target.dtype))
