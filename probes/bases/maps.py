"""What maps between the streams of two models found, and what is carried through them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
from jaxtyping import Bool

from ...core import Prediction, Subspace, checked
from ..errors import ProbeError
from .carrying import Carried, Fit, carry_subspace
from .measured import BaseMap

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["BaseMaps", "Pair"]

Pair = tuple[str, str]


@final
@checked(ProbeError)
@dataclass(frozen=True, eq=False)
class BaseMaps:
    """Maps from a reference's stream to a model's, with their nulls; immutable.

    Args:
        rows: one for each pair of sites, the model's sites outermost.
        fits: (site, reference site) to the map itself.
        twin_patterns: (site, target) to the patterns of random-weight twins, as ordered orthonormal
            bases, estimated on rows from which no map was learned.
        used: ``[token]`` True for rows from which the maps were learned.
        settings: everything that made the numbers, JSON-able.
        notes: what was left out, and why.
    """

    rows: tuple[BaseMap, ...]
    fits: Mapping[Pair, Fit]
    twin_patterns: Mapping[Pair, tuple[np.ndarray, ...]]
    used: Bool[np.ndarray, " token"]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: between which sites; the numbers are in ``to_frame()``."""
        return (
            f"BaseMaps(to {list(self.sites)} from {list(self.reference_sites)}, learned from "
            f"{int(np.sum(self.used))} of {self.used.size} tokens)"
        )

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites of the model."""
        return tuple(dict.fromkeys(row.site for row in self.rows))

    @property
    def reference_sites(self) -> tuple[str, ...]:
        """Sites of the reference, in the order of its forward pass."""
        return tuple(dict.fromkeys(row.reference_site for row in self.rows))

    def at(self, site: str, reference_site: str | None = None) -> BaseMap:
        """The numbers of one pair of sites.

        Args:
            site: of the model.
            reference_site: of the reference; by default its last one.

        Raises:
            ProbeError: there is no map between them.
        """
        wanted = self.reference_sites[-1] if reference_site is None else reference_site
        for row in self.rows:
            if (row.site, row.reference_site) == (site, wanted):
                return row
        raise ProbeError(
            f"no map leads from {wanted!r} to {site!r}: the reference's sites are "
            f"{', '.join(self.reference_sites)}, the model's {', '.join(self.sites)}"
        )

    def carry(
        self, what: Prediction | Subspace, site: str, *, reference_site: str | None = None
    ) -> Carried:
        """Where a subspace of the reference comes out in the model's stream.

        Args:
            what: a prediction about the reference, carried from its own site, or a subspace.
            site: of the model.
            reference_site: where the subspace lies; by default a prediction's own site, or the
                reference's last one.

        Raises:
            ProbeError: there is no map between the sites, or the subspace is of another stream.
        """
        if reference_site is None and isinstance(what, Prediction):
            reference_site = what.site
        row = self.at(site, reference_site)
        space = what.subspace if isinstance(what, Prediction) else what
        fit = self.fits[row.site, row.reference_site]
        wide = len(fit.found.weights)
        if space.d_model != wide:
            raise ProbeError(
                f"the reference's stream has {wide} dimensions at {row.reference_site}; a subspace "
                f"of {space.d_model} was to be carried"
            )
        return carry_subspace(fit, space, row.site, row.reference_site)

    def to_frame(self) -> "pd.DataFrame":
        """One row for each pair of sites: every number, its interval, its largest nulls."""
        import pandas as pd

        return pd.DataFrame([row.flat() for row in self.rows])

    def plot(self) -> "go.Figure":
        """Both R2 over the model's sites, beside untrained models and exchanged sentences."""
        from .figure import maps_figure

        return maps_figure(self.rows)

    def _repr_html_(self) -> str:
        from html import escape

        frame = self.to_frame()
        shown = [c for c in frame if not str(c).startswith(("penalty", "rank", "n_"))]
        table = str(frame[shown].to_html(index=False, float_format="{:.3f}".format))
        return table + "".join(f"<p><small>{escape(note)}</small></p>" for note in self.notes)
