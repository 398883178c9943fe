"""Settings of a capture, checked before any work is done."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypedDict, final, get_args

from ...core import checked
from ..errors import CaptureError
from ..inputs.windows import LongInputs
from ..paths.arithmetic import Arithmetic
from .words import WordToken

__all__ = ["CaptureSettings", "Dtype", "Reading", "ReadingOptions"]

Dtype = Literal["float32", "bfloat16", "float16", "float64"]
_PATHS = ("auto", "modules", "bridge")


class ReadingOptions(TypedDict, total=False):
    """The fields of :class:`Reading`, as keywords of :func:`linrep.capture` and others."""

    word_token: str | None
    dtype: str
    batch_size: int | str
    device: str
    tokenizer: Any
    long_inputs: str
    special_tokens: bool | None
    path: str
    check: bool | Sequence[str]
    shard_words: int | str
    arithmetic: str


@final
@checked(CaptureError)
@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """How a model reads a corpus: one object that captures, streams and exchanges share.

    Args:
        word_token: ``last``, ``first`` or ``mean`` of a word's (or span's) tokens; by default as
            the corpus says (``at``), else the last.
        dtype: of the activations kept.
        batch_size: lines per batch, or ``"auto"``: by tokens; 1 reads without padding.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
        tokenizer: for an instance that is given without one.
        long_inputs: ``refuse``, ``window`` or ``cut`` sentences beyond the model's context.
        special_tokens: let the tokenizer add its BOS, ``[CLS]``, ``[SEP]``; by default unless the
            corpus' texts hold them already, as rendered chats do.
        path: ``modules`` (plain forward hooks), ``bridge`` (TransformerLens) or ``auto``.
        check: run the self-check; or the names of the checks to run.
        shard_words: words per shard of a store; ``"auto"``: about 256 MiB.
        arithmetic: how layers compute: ``auto`` takes the faster of equal functions (large float32
            products by oneDNN on processors of AMD with AVX-512, the tanh form of GELU in one
            pass; values differ by rounding), ``model`` what the model's own code calls.

    Raises:
        CaptureError: a value outside its choices.

    >>> Reading(long_inputs="window").dtype
    'float32'
    """

    word_token: str | None = None
    dtype: str = "float32"
    batch_size: int | str = "auto"
    device: str = "auto"
    tokenizer: Any = None
    long_inputs: str = "refuse"
    special_tokens: bool | None = None
    path: str = "auto"
    check: bool | Sequence[str] = True
    shard_words: int | str = "auto"
    arithmetic: str = "auto"

    def __post_init__(self) -> None:
        given = vars(self)
        _check({**given, "word_token": given["word_token"] or "last"})

    def of(
        self, corpus: Any, sites: str | Sequence[str], layers: str | Sequence[int]
    ) -> "CaptureSettings":
        """The same for one corpus and the sites asked for, nothing left open."""
        ready = getattr(corpus, "ready", False)
        return CaptureSettings.of(
            sites=sites,
            layers=layers,
            word_token=self.word_token or getattr(corpus, "at", "") or "last",
            dtype=self.dtype,
            batch_size=self.batch_size,
            device=self.device,
            long_inputs=self.long_inputs,
            special_tokens=not ready if self.special_tokens is None else self.special_tokens,
            path=self.path,
            shard_words=self.shard_words,
            arithmetic=self.arithmetic,
        )


@final
@dataclass(frozen=True, kw_only=True)
class CaptureSettings:
    """How to capture.

    All but ``batch_size``, ``device`` and ``arithmetic`` changes what numbers mean.

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
        arithmetic: ``auto`` (the faster of equal functions) or ``model`` (its own code).

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
    arithmetic: Arithmetic = "auto"

    def __post_init__(self) -> None:
        _check(vars(self))

    @classmethod
    def of(cls, **given: Any) -> "CaptureSettings":
        """Settings from a user's words, whatever their types."""
        _check(given)
        return cls(**given)

    def to_json(self) -> dict[str, Any]:
        """What a store must agree on to be resumed, as JSON-able values."""
        kept = asdict(self)
        for name in ("device", "arithmetic"):
            kept.pop(name)
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
        ("arithmetic", get_args(Arithmetic)),
    ):
        if name in given and given[name] not in choices:
            raise CaptureError(f"{name} is one of {', '.join(choices)}; received {given[name]!r}")
    for name, unit in (("batch_size", "lines"), ("shard_words", "words")):
        value = given.get(name, "auto")
        if value != "auto" and (not isinstance(value, int) or value < 1):
            raise CaptureError(f'{name} is "auto" or a number of {unit}; received {value!r}')
