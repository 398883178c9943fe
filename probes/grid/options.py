"""What may be asked of a grid beside its targets: two objects, or their fields by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, final

import numpy.typing as npt

from ...core import Engine
from ...core.arguments import shown
from ...core.devices import check_device
from ...core.options import refuse_unknown, settled
from ..errors import ProbeError
from ..evidence.groups import FRACTIONS
from ..inputs.protocols import KnowsCeilings
from .checks import check_controls, check_counts, check_flag, check_fractions
from .joint import OTHERS
from .notes import CONTROLS

__all__ = ["Asked", "Evidence", "ProbeOptions", "Splitting", "asked_of"]


class EvidenceOptions(TypedDict, total=False):
    """The fields of :class:`Evidence`."""

    controls: Sequence[str]
    random_weights: Any
    ceilings: Mapping[Any, npt.ArrayLike] | KnowsCeilings | None
    permutations: int
    bootstrap: int
    codelength: bool
    jackknife: int | None
    examples: int


class SplittingOptions(TypedDict, total=False):
    """The fields of :class:`Splitting`."""

    groups: npt.ArrayLike | str | None
    fractions: Any
    min_count: int


class ProbeOptions(EvidenceOptions, SplittingOptions, total=False):
    """Keywords of :func:`linrep.probe` beyond those that it names."""

    C: Any
    tolerance: float
    patterns: str
    engine: str | Engine
    device: str


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What stands beside every number of a grid.

    Args:
        controls: which controls to run.
        random_weights: activations of random-weight twins, one or several: with three or more
            their spread is known, which the first rung of a verdict needs.
        ceilings: per ``(site, target)`` or per target, ``[token]`` largest posterior probability
            (NaN = unknown), whose mean over the scored tokens is the ceiling; or a constructed
            model, which knows them.
        permutations: exchanges of labels between test sentences for the p-value; 0 = none.
        bootstrap: resamples of test sentences for the interval; 0 = none.
        codelength: also compute online codelengths.
        jackknife: parts of the groups, of which patterns leave out one at a time, for intervals of
            overlaps; by default 10 where the corpus was sampled from a grammar, so that theory
            predicts subspaces, else 0.
        examples: texts of the test part, at most, that the results keep with what every probe said
            of their words (:meth:`linrep.ProbeResults.explore`); 0 = none.

    Raises:
        ProbeError: an unknown control, or numbers that are not whole, or too many.

    >>> Evidence(permutations=0).bootstrap
    1000
    """

    controls: Sequence[str] = CONTROLS
    random_weights: Any = field(default=None, repr=False)
    ceilings: Mapping[Any, npt.ArrayLike] | KnowsCeilings | None = field(default=None, repr=False)
    permutations: int = 200
    bootstrap: int = 1000
    codelength: bool = False
    jackknife: int | None = None
    examples: int = 24

    def __post_init__(self) -> None:
        object.__setattr__(self, "controls", check_controls(self.controls))
        check_counts(permutations=self.permutations, bootstrap=self.bootstrap)
        check_counts(examples=self.examples)
        check_flag(codelength=self.codelength)
        if self.jackknife is not None:
            check_counts(jackknife=self.jackknife)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Splitting:
    """How tokens are dealt to training, validation and test.

    Args:
        groups: what must not be split: ``[token]`` ids, ``"document"``, or ``"sentence"`` (with
            all its copies); by default documents where the corpus knows them, else sentences.
            Held-out texts that also stand in the training part are left out.
        fractions: of groups in train, validation and test; by default 0.7, 0.1 and 0.2, with more
            in the test part where groups are few.
        min_count: training groups in which a class must occur to be learned.

    Raises:
        ProbeError: fractions are no three numbers, or the count is not whole.

    >>> Splitting(groups="document").fractions
    (0.7, 0.1, 0.2)
    """

    groups: npt.ArrayLike | str | None = field(default=None, repr=False)
    fractions: Any = FRACTIONS
    min_count: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "fractions", check_fractions(self.fractions))
        check_counts(min_count=self.min_count)


@final
@dataclass(frozen=True, eq=False)
class Asked:
    """Everything beyond what :func:`linrep.probe` names.

    Args:
        evidence: beside every number.
        splitting: of the tokens.
        C: inverse penalty of the logistic probe.
        tolerance: of its solver.
        patterns: what they are estimated jointly with: ``"targets"``, ``"joint"`` or ``"rules"``.
        engine: where sites are worked on.
        device: where products with their rows are made.

    Raises:
        ProbeError: patterns of another kind, or a device that this machine lacks.
    """

    evidence: Evidence
    splitting: Splitting
    C: Any = None
    tolerance: float = 1e-4
    patterns: str = "targets"
    engine: str | Engine = "local"
    device: str = "auto"

    def __post_init__(self) -> None:
        if not isinstance(self.patterns, str) or self.patterns not in OTHERS:
            raise ProbeError(
                "patterns are 'targets', 'joint' (with every state of the stream) or 'rules' "
                f"(with every rule of a model whose states are rules); received "
                f"{shown(self.patterns)}"
            )
        check_device(self.device, ProbeError)


def asked_of(evidence: object, splitting: object, options: ProbeOptions) -> Asked:
    """The two objects, with the fields that were given by name, and the rest.

    Raises:
        ProbeError: a name that does not exist, or an object of another kind.
    """
    given: dict[str, Any] = dict(options)
    refuse_unknown("probe", given, ProbeOptions.__annotations__, ProbeError)
    first = {key: given.pop(key) for key in EvidenceOptions.__annotations__ if key in given}
    second = {key: given.pop(key) for key in SplittingOptions.__annotations__ if key in given}
    return Asked(
        settled("probe", "evidence", Evidence, evidence, first, ProbeError),
        settled("probe", "splitting", Splitting, splitting, second, ProbeError),
        **given,
    )
