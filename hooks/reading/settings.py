"""Settings of a capture, checked before any work is done."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, final, get_args

from ..errors import CaptureError
from ..inputs.windows import LongInputs
from .loop import WordToken

__all__ = ["Dtype", "Settings"]

Dtype = Literal["float32", "bfloat16", "float16", "float64"]
_PATHS = ("auto", "modules", "bridge")


@final
@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to capture; everything but ``batch_size`` and ``device`` changes the numbers' meaning.

    Args:
        sites: kinds or full names, see :func:`linrep.hooks.paths.sites.resolve`.
        layers: ``"all"`` or block indices.
        word_token: which token stands for a word: its last, its first, or the mean of all.
        dtype: of the activations kept.
        batch_size: ``"auto"`` (by tokens, halved when memory runs out) or lines per batch.
        device: ``"auto"`` (where the model is; folders go to a GPU if there is one), or a
            name torch knows.
        long_inputs: ``refuse``, ``window`` or ``cut`` inputs beyond the model's context.
        special_tokens: let the tokenizer add its BOS, ``[CLS]``, ``[SEP]``.
        path: ``modules``, ``bridge`` or ``auto`` (modules wherever they reach the sites).
        shard_words: words per shard of a store or job; ``"auto"``: about 256 MiB.

    Raises:
        CaptureError: a value outside its choices.
    """

    sites: str | Sequence[str] = "resid_post"
    layers: str | Sequence[int] = "all"
    word_token: WordToken = "last"
    dtype: Dtype = "float32"
    batch_size: int | Literal["auto"] = "auto"
    device: str = "auto"
    long_inputs: LongInputs = "refuse"
    special_tokens: bool = True
    path: Literal["auto", "modules", "bridge"] = "auto"
    shard_words: int | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        _check(vars(self))

    @classmethod
    def of(cls, **given: Any) -> "Settings":
        """Settings from a user's words, whatever their types."""
        _check(given)
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """What a store must agree on to be resumed, as JSON-able values."""
        kept = asdict(self)
        kept.pop("device")
        for name in ("sites", "layers"):
            value = kept[name]
            kept[name] = value if isinstance(value, str) else list(value)
        return kept


def _check(given: Mapping[str, Any]) -> None:
    """Refuse values outside their choices.

    Raises:
        CaptureError: what was received and what there is.
    """
    for name, choices in (
        ("word_token", get_args(WordToken)),
        ("dtype", get_args(Dtype)),
        ("long_inputs", get_args(LongInputs)),
        ("path", _PATHS),
    ):
        if name in given and given[name] not in choices:
            raise CaptureError(f"{name} is one of {', '.join(choices)}; received {given[name]!r}")
    for name, unit in (("batch_size", "lines"), ("shard_words", "words")):
        value = given.get(name, "auto")
        if value != "auto" and (not isinstance(value, int) or value < 1):
            raise CaptureError(f'{name} is "auto" or a number of {unit}; received {value!r}')
