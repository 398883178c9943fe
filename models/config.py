"""Settings of the one plain transformer, as a Hugging Face configuration."""

from typing import Any, Literal

from transformers import PretrainedConfig

from ..core import LinrepError, checked

__all__ = ["BOS", "EOS", "ConfigError", "MlpKind", "PlainConfig", "ReadoutKind", "word_ids"]

MlpKind = Literal["reglu", "relu", "gelu"]
ReadoutKind = Literal["logits", "scores", "probabilities"]

BOS = "<bos>"
EOS = "<eos>"


class ConfigError(LinrepError):
    """A setting of a plain transformer is impossible."""


@checked(ConfigError)
def word_ids(terminals: list[str]) -> list[str]:
    """The vocabulary of a model over these words: BOS is id 0, EOS the last id.

    >>> word_ids(["a", "b"])
    ['<bos>', 'a', 'b', '<eos>']
    """
    return [BOS, *terminals, EOS]


def _require_sizes(least: int, **sizes: int) -> None:
    """Refuse sizes below the least.

    Raises:
        ConfigError: one is.
    """
    for name, size in sizes.items():
        if size < least:
            raise ConfigError(f"{name} is at least {least}; received {size}")


class PlainConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """Shape and switches of a :class:`PlainTransformer`.

    Args:
        vocab_size: number of token ids; deduced from ``vocabulary`` when that is given.
        hidden_size: width of the residual stream, ``d_model``.
        num_hidden_layers: blocks (attention, then MLP).
        num_attention_heads: heads per block.
        head_dim: query, key and value dimensions of one head; default
            ``hidden_size // num_attention_heads``.
        intermediate_size: hidden neurons of one MLP.
        max_position_embeddings: rows of the position table.
        mlp: ``reglu`` = relu(W_g x + b_g) * (W_u x + b_u); ``relu`` and ``gelu`` are ungated.
        layer_norm: pre-LayerNorm before attention, MLP and readout (for trained models).
        bidirectional: no causal mask.
        attention_scale: factor on query-key products; default ``head_dim ** -0.5``.
        attention_bias_table: each block owns a table ``[head, query position, key position]``
            that is added to the attention scores (``-inf`` forbids).
        hardmax: attention picks the keys of the largest score (ties share) instead of a softmax.
        overflow_position: positions past the table use its last row; otherwise they are an error.
        readout: what ``logits`` holds. ``logits``: unnormalised log-probabilities, as usual.
            ``scores``: nonnegative weights (``generate`` takes their logarithm).
            ``probabilities``: the scores divided by their sum; a row of zeros stays zeros.
        score_floor: scores at or below this count as 0 when probabilities or samples are made.
        vocabulary: the token of each id, where words are tokens.
        linrep: JSON-able metadata of a construction.
        **kwargs: passed on to ``PretrainedConfig``.

    Raises:
        ConfigError: a value is outside its choices.

    >>> PlainConfig(vocabulary=["<bos>", "a", "<eos>"], hidden_size=8).vocab_size
    3
    """

    model_type = "linrep-plain"

    @checked(ConfigError)
    def __init__(  # noqa: PLR0913 - one argument per setting, as every configuration has
        self,
        vocab_size: int = 2,
        hidden_size: int = 16,
        num_hidden_layers: int = 2,
        num_attention_heads: int = 2,
        head_dim: int | None = None,
        intermediate_size: int = 32,
        max_position_embeddings: int = 16,
        mlp: MlpKind = "reglu",
        layer_norm: bool = False,
        bidirectional: bool = False,
        attention_scale: float | None = None,
        attention_bias_table: bool = False,
        hardmax: bool = False,
        overflow_position: bool = False,
        readout: ReadoutKind = "logits",
        score_floor: float = 0.0,
        vocabulary: list[str] | None = None,
        linrep: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        _require_sizes(
            1, vocab_size=vocab_size, hidden_size=hidden_size, head_dim=head_dim or 1,
            num_attention_heads=num_attention_heads,
            max_position_embeddings=max_position_embeddings,
        )  # fmt: skip
        _require_sizes(0, num_hidden_layers=num_hidden_layers, intermediate_size=intermediate_size)
        self.vocab_size = len(vocabulary) if vocabulary else vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.head_dim = head_dim or max(1, hidden_size // num_attention_heads)
        self.intermediate_size = intermediate_size
        self.max_position_embeddings = max_position_embeddings
        self.mlp = mlp
        self.is_gated_act = mlp == "reglu"  # read by TransformerLens
        self.layer_norm = layer_norm
        self.bidirectional = bidirectional
        self.attention_scale = (
            self.head_dim**-0.5 if attention_scale is None else float(attention_scale)
        )
        self.attention_bias_table = attention_bias_table
        self.hardmax = hardmax
        self.overflow_position = overflow_position
        self.readout = readout
        self.score_floor = score_floor
        self.vocabulary = vocabulary
        self.linrep = linrep or {}
        kwargs.pop("is_gated_act", None)
        kwargs.setdefault("tie_word_embeddings", False)
        kwargs.setdefault("is_decoder", not bidirectional)
        kwargs.setdefault("use_cache", False)
        if vocabulary and BOS in vocabulary and EOS in vocabulary:
            kwargs.setdefault("bos_token_id", vocabulary.index(BOS))
            kwargs.setdefault("eos_token_id", vocabulary.index(EOS))
            kwargs.setdefault("pad_token_id", vocabulary.index(EOS))
        super().__init__(**kwargs)
