"""One model's share of a grid at one site: what it needs, how it runs, here or in a worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits

from ...core import Shared
from ...core.devices import on_gpu, products_for
from ...core.products import Products
from ..errors import ProbeError
from ..inputs.blocks import Matrix, as_matrix
from ..solvers.features import KnownMoments
from ..solvers.methods import Method
from .number_site import NumberCell
from .numbers import NumberPlan
from .plan import Plan
from .site import Cell, probe_site
from .site_spaces import Companions

__all__ = ["SiteFound", "SiteWork", "TwinFound", "TwinWork", "probe_in_worker"]

NUMBERS = "fiub"  # kinds of NumPy types


@final
@dataclass(frozen=True, eq=False)
class SiteFound:
    """What one site says.

    Args:
        cells: per target.
        covariance: of the training activations.
        device: where products were made.
    """

    cells: dict[str, Cell | NumberCell]
    covariance: Float[np.ndarray, "d_model d_model"]
    device: str = "cpu"


@final
@dataclass(frozen=True, eq=False)
class SiteWork:
    """All probes of the model at one site.

    Args:
        site: its name.
        activations: ``[token, d_model]``, rows of the corpus.
        plans: one per target.
        method: kind of probe.
        controls: which to run.
        companions: targets for the joint patterns.
        trained: rows of the training sentences.
        n_tokens: rows there must be.
        send: seed of the order in which labels are sent; no codelength without.
        threads: of the linear algebra, the same in every process, so that sums are added in the
            same order.
        device: where products are made; what ``"auto"`` means is found where the work is done.
    """

    site: str
    activations: Shared
    plans: Sequence[Plan | NumberPlan]
    method: Method
    controls: Sequence[str]
    companions: Companions
    trained: Int[np.ndarray, " train"]
    n_tokens: int
    send: int | None
    threads: int
    device: str = "cpu"

    def run(self) -> SiteFound:
        """Fit and score."""
        matrix = _matrix(self.activations, self.site, self.n_tokens)
        products = products_for(self.device, matrix.shape, ProbeError)
        with on_gpu(products, ProbeError):
            return self._found(matrix, products)

    def _found(self, matrix: Matrix, products: Products) -> SiteFound:
        """Fit and score on a device.

        Args:
            matrix: the activations.
            products: where products are made.
        """
        known = KnownMoments(matrix, self.trained, place=products)
        cells = probe_site(
            known, self.plans, method=self.method, controls=self.controls,
            companions=self.companions, site=self.site, send=self.send,
        )  # fmt: skip
        spread = known.of(self.trained).covariance
        return SiteFound(cells, _narrow(spread), products.device)


@final
@dataclass(frozen=True, eq=False)
class TwinFound:
    """What one random-weight twin says at one site.

    Args:
        credits: per target that of each test row: of classes, 1 where the probe is right.
        device: where products were made.
    """

    credits: dict[str, np.ndarray]
    device: str = "cpu"


@final
@dataclass(frozen=True, eq=False)
class TwinWork:
    """The same probes on one random-weight twin, each with a penalty of its own, as the model has.

    Args:
        site: its name.
        activations: ``[token, d_model]`` of the twin, rows of the corpus.
        plans: one per target, without draws.
        method: kind of probe.
        n_tokens: rows there must be.
        threads: as the model's work has.
        device: likewise.
    """

    site: str
    activations: Shared
    plans: Sequence[Plan | NumberPlan]
    method: Method
    n_tokens: int
    threads: int
    device: str = "cpu"

    def run(self) -> TwinFound:
        """Fit and score."""
        matrix = _matrix(self.activations, self.site, self.n_tokens)
        products = products_for(self.device, matrix.shape, ProbeError)
        with on_gpu(products, ProbeError):
            known = KnownMoments(matrix, place=products)
            cells = probe_site(
                known, self.plans, method=self.method, controls=(), companions=None, site=self.site
            )
        credits = {plan.name: plan.credit(cells[plan.name].predicted) for plan in self.plans}
        return TwinFound(credits, products.device)


def probe_in_worker(work: SiteWork | TwinWork) -> SiteFound | TwinFound:
    """Run in a process of its own, with as many threads as the caller has."""
    with threadpool_limits(work.threads, user_api="blas"):
        return work.run()


def _matrix(shared: Shared, site: str, n: int) -> Matrix:
    wanted = f"activations at {site!r} are numbers [token, d_model] with {n} tokens"
    matrix = as_matrix(shared.get(), wanted)
    if len(matrix.shape) != 2 or len(matrix) != n or matrix.dtype.kind not in NUMBERS:
        raise ProbeError(f"{wanted}; received {matrix.dtype} of shape {matrix.shape}")
    return matrix


def _narrow(spread: np.ndarray) -> np.ndarray:
    """In float32 where that holds it: squares of very large or small activations do not fit."""
    size = float(np.abs(spread).max(initial=0.0))
    narrow: np.ndarray = spread if size and not 1e-30 < size < 1e30 else spread.astype(np.float32)
    return narrow
