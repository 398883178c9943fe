"""The choices that make a grammar transformer, validated together."""

from dataclasses import asdict, dataclass
from numbers import Integral
from typing import Any, Literal, final, get_args

from ...core import checked
from ...core.arguments import shown
from ..errors import ConstructionError
from .semirings import SemiringName

__all__ = [
    "Beliefs",
    "Drowning",
    "HeadKind",
    "Merge",
    "Mode",
    "Positions",
    "Settings",
]

Mode = Literal["spans", "shapes"]
HeadKind = Literal["scores", "probabilities", "log"]
Beliefs = Literal["boundary", "prefix"]
Positions = Literal["onehot", "circular", "bias"]
Merge = Literal["none", "bodies", "rules"]
Drowning = Literal["refuse", "allow"]


LARGEST = 1e300  # a larger scale leaves no room for products


@final
@checked(ConstructionError)
@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a grammar becomes a transformer; see :meth:`GrammarTransformer.from_grammar`.

    Raises:
        ConstructionError: a choice does not exist, or two do not go together.
    """

    # Loosely typed on purpose: a wrong choice gets our message, below.
    mode: Any = "spans"
    passes: Any = 2
    semiring: Any = "probability"
    head: Any = "scores"
    log_error: float = 1e-3
    beliefs: Any = None
    gauge: bool = True
    token_scale: Any = "auto"
    rotation: Any = None
    drowning: Any = "refuse"
    dtype: str = "float64"
    backend: Any = "dense"
    positions: Any = "onehot"
    merge: Any = "none"
    max_parameters: int = 50_000_000
    max_shapes: int = 1_000

    def __post_init__(self) -> None:
        choices: dict[str, tuple[object, ...]] = {
            "mode": get_args(Mode),
            "passes": (1, 2),
            "semiring": get_args(SemiringName),
            "head": get_args(HeadKind),
            "beliefs": (None, *get_args(Beliefs)),
            "dtype": ("float64", "float32"),
            "backend": ("dense", "sparse"),
            "positions": get_args(Positions),
            "merge": get_args(Merge),
            "drowning": get_args(Drowning),
        }
        for name, allowed in choices.items():
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
            "positions='circular' serves offset heads only: use it with mode='spans'": (
                self.positions == "circular" and self.mode == "shapes"
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

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)
