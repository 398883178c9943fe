"""The one plain transformer, its TransformerLens bridge, training, and loading of any model."""

from .bridge import BridgeError, to_bridge, unwrap
from .checkpoint import LoadError
from .config import BOS, EOS, ConfigError, PlainConfig, word_ids
from .load import LoadedModel, load
from .training import LogRow, TrainedModel, Training, TrainingError, TrainingLog, batch_ids, train
from .transformer import PlainTransformer, PositionError, ScoresToLogits, probabilities
from .twin import initialise, random_twin

load_model = load

__all__ = [
    "BOS",
    "EOS",
    "BridgeError",
    "ConfigError",
    "LoadError",
    "LoadedModel",
    "LogRow",
    "PlainConfig",
    "PlainTransformer",
    "PositionError",
    "ScoresToLogits",
    "TrainedModel",
    "Training",
    "TrainingError",
    "TrainingLog",
    "batch_ids",
    "initialise",
    "load",
    "load_model",
    "probabilities",
    "random_twin",
    "to_bridge",
    "train",
    "unwrap",
    "word_ids",
]
