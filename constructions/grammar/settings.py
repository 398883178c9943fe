"""The choices that make a grammar transformer: listed once, validated together.

The settings of experiments and the options of ``linrep construct`` are made of this list, with its
types, defaults and words: :func:`options`.
"""

from dataclasses import asdict, dataclass, field, fields
from numbers import Integral
from types import UnionType
from typing import Any, Literal, Union, final, get_args, get_origin

from ...core import checked
from ...core.arguments import shown
from ..errors import ConstructionError
from .semirings import SemiringName

__all__ = [
    "Beliefs",
    "ConstructionSettings",
    "HeadKind",
    "Inexact",
    "Merge",
    "Mode",
    "Option",
    "PositionCode",
    "options",
]

Mode = Literal["spans", "shapes"]
HeadKind = Literal["scores", "probabilities", "log"]
Beliefs = Literal["boundary", "prefix"]
PositionCode = Literal["onehot", "circular", "bias"]
Merge = Literal["none", "bodies", "rules"]
Inexact = Literal["refuse", "allow"]
Dtype = Literal["float64", "float32"]
Backend = Literal["dense", "sparse"]

LARGEST = 1e300  # a larger scale leaves no room for products


@final
@dataclass(frozen=True)
class Option:
    """One choice.

    Args:
        name: of the keyword.
        kind: its type: a ``Literal`` of what may be chosen, a number's, ``bool``, or a union.
        default: if nothing is said.
        about: what it does, in plain words.
    """

    name: str
    kind: Any
    default: Any
    about: str


def _option(kind: Any, default: Any, about: str) -> Any:
    return field(default=default, metadata={"kind": kind, "about": about})


@final
@checked(ConstructionError)
@dataclass(frozen=True, kw_only=True)
class ConstructionSettings:
    """How a grammar becomes a transformer; see :meth:`GrammarTransformer.from_grammar`.

    Raises:
        ConstructionError: a choice does not exist, or two do not go together.
    """

    # Loosely typed on purpose: a wrong choice gets our message, below.
    mode: Any = _option(
        Mode,
        "spans",
        "spans: one chart, whose size does not depend on the number of tree shapes; shapes: one "
        "parser per tree shape, as in the paper.",
    )
    passes: Any = _option(
        Literal[1, 2],
        2,
        "2: bottom up, then top down, two layers per level; 1: both at once, half the layers.",
    )
    semiring: Any = _option(
        SemiringName,
        "probability",
        "probability: exact probabilities; boolean: only what is possible, with plain ReLU; "
        "deterministic: exact with plain ReLU, where the grammar allows it.",
    )
    head: Any = _option(
        HeadKind,
        "scores",
        "What the readout says: scores (joint weights of prefix and next token), probabilities, "
        "or log (log weights).",
    )
    log_error: float = _option(float, 1e-3, "Error of a log head's values, at most, in nats.")
    beliefs: Any = _option(
        Beliefs | None,
        None,
        "Also write the posterior of every ancestor label: boundary (given that its span ends "
        "here) or prefix (given what was read).",
    )
    gauge: bool = _option(
        bool,
        True,
        "Rescale every symbol so that its values stay near 1; exact either way.",
    )
    token_scale: Any = _option(
        float | Literal["auto"],
        "auto",
        "Factor per token that keeps the weights of long sentences near 1; exact either way: auto "
        "or a positive number.",
    )
    rotation: Any = _option(
        int | None, None, "Seed of a rotated residual basis; without it coordinates are named."
    )
    inexact: Any = _option(
        Inexact,
        "refuse",
        "A rotated model whose rare scores drown in the noise of its basis: refuse or allow.",
    )
    dtype: str = _option(Dtype, "float64", "Type of the weights: float64 or float32.")
    backend: Any = _option(
        Backend,
        "dense",
        "dense: an ordinary model; sparse: for grammars whose dense model would be too large, the "
        "folder then holds a recipe that GrammarTransformer.from_pretrained reads.",
    )
    position_code: Any = _option(
        PositionCode,
        "onehot",
        "How attention finds a position: onehot codes, circular codes, or a bias of the scores.",
    )
    merge: Any = _option(
        Merge,
        "none",
        "Rules that share neurons: none; bodies (rules with equal bodies do); rules (one state per "
        "rule: the paper's accounting by pairs of rules).",
    )
    max_parameters: int = _option(int, 50_000_000, "Largest dense model that is built.")
    max_shapes: int = _option(int, 1_000, "Most tree shapes that get a parser each.")

    def __post_init__(self) -> None:
        for name, allowed in _choices().items():
            value = getattr(self, name)
            plain = isinstance(value, str | int | None) and not isinstance(value, bool)
            if not plain or value not in allowed:
                raise ConstructionError(
                    f"{name} is one of {', '.join(map(repr, allowed))}; received {shown(value)}"
                )
        scale = self.token_scale
        number = isinstance(scale, int | float) and not isinstance(scale, bool)
        if not (number and 0 < scale < LARGEST) and not (
            isinstance(scale, str) and scale == "auto"
        ):
            raise ConstructionError(
                f"token_scale is 'auto' or a positive number; received {shown(scale)}"
            )
        if not 0 < self.log_error < 1:
            raise ConstructionError(f"log_error lies between 0 and 1; received {self.log_error}")
        self._rotates()
        self._together()

    def _rotates(self) -> None:
        """Refuse a rotation that is no seed; keep it as a Python integer, for JSON.

        Raises:
            ConstructionError: it is neither a whole number from 0 nor ``None``.
        """
        seed = self.rotation
        if seed is None:
            return
        if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
            raise ConstructionError(
                "rotation is the seed of the rotated basis, a whole number from 0, or None for no "
                f"rotation; received {seed!r}"
            )
        object.__setattr__(self, "rotation", int(seed))

    def _together(self) -> None:
        """Refuse choices that contradict each other.

        Raises:
            ConstructionError: with the remedy.
        """
        clashes = {
            "beliefs need mode='spans', passes=2 and semiring='probability'": self.beliefs
            and (self.mode, self.passes, self.semiring) != ("spans", 2, "probability"),
            "position_code='circular' serves offset heads only: use it with mode='spans'": (
                self.position_code == "circular" and self.mode == "shapes"
            ),
            "the sparse back end has no residual basis to rotate: leave rotation=None": (
                self.backend == "sparse" and self.rotation is not None
            ),
            "head='log' needs semiring 'probability' or 'deterministic': support has no logarithm "
            "worth an error bound": (self.head == "log" and self.semiring == "boolean"),
            "in float32 the log block is accurate to log_error >= 1e-3 only: raise log_error or "
            "use float64": self.head == "log" and self.dtype == "float32" and self.log_error < 1e-3,
            "a rotation in float32 leaves noise of the size of the log block's error bound: use "
            "dtype='float64', or rotation=None": (
                self.head == "log" and self.dtype == "float32" and self.rotation is not None
            ),
            "beliefs name the grammar's symbols, merge='rules' replaces them by rules: use one of "
            "the two": self.beliefs and self.merge == "rules",
        }
        for message, clash in clashes.items():
            if clash:
                raise ConstructionError(message)

    @property
    def layers_are_levels(self) -> bool:
        """Whether each bottom-up layer sees one level more: two passes over one chart, no more.

        One pass, a parser per shape and belief blocks move states in other orders: what their sites
        can have seen is bounded by the prefix.
        """
        plain = ("spans", 2, None, "none")
        return (self.mode, self.passes, self.beliefs, self.merge) == plain

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)


def options() -> tuple[Option, ...]:
    """Every choice, in the order of reading.

    >>> [option.name for option in options()][:4]
    ['mode', 'passes', 'semiring', 'head']
    """
    return tuple(
        Option(each.name, each.metadata["kind"], each.default, each.metadata["about"])
        for each in fields(ConstructionSettings)
    )


def _choices() -> dict[str, tuple[object, ...]]:
    """What may be chosen, of each option that has a list of it; with ``None`` first, if it may be.

    >>> _choices()["beliefs"], _choices()["passes"]
    ((None, 'boundary', 'prefix'), (1, 2))
    """
    found: dict[str, tuple[object, ...]] = {}
    for option in options():
        parts = get_args(option.kind) if _is_union(option.kind) else (option.kind,)
        if all(part is type(None) or get_origin(part) is Literal for part in parts):
            none = (None,) if type(None) in parts else ()
            found[option.name] = (*none, *(value for part in parts for value in get_args(part)))
    return found


def _is_union(kind: Any) -> bool:
    return isinstance(kind, UnionType) or get_origin(kind) is Union
