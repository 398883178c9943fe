"""What an exchange leaves alone: what probes of other targets say, there and further on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["Keeps", "Said", "States", "Watch"]

States = Mapping[str, Float[np.ndarray, "state d_model"]]
"""Site -> states of the places that are watched, pair after pair."""

Said = Mapping[tuple[str, str], np.ndarray]
"""(site, other target) -> predictions at the watched words that have a label."""


@final
@dataclass(frozen=True, eq=False)
class Keeps:
    """Counts of every pair for one other target, over all sites from the edited one on.

    Args:
        total: places at which the base's prediction has to stay.
        kept: those at which it does.
        before: those at which it is right without an edit.
        after: those at which it is right with the edit.
    """

    total: Float[np.ndarray, " pair"]
    kept: Float[np.ndarray, " pair"]
    before: Float[np.ndarray, " pair"]
    after: Float[np.ndarray, " pair"]

    @classmethod
    def joined(cls, parts: Sequence["Keeps"], order: np.ndarray) -> "Keeps":
        """Batches put together and brought back into the order of the pairs."""
        back = np.argsort(order, kind="stable")
        names = cls.__dataclass_fields__
        return cls(**{n: np.concatenate([getattr(p, n) for p in parts])[back] for n in names})


@final
@dataclass(frozen=True, eq=False)
class Watch:
    """Other targets of the bases, with probes that read them.

    Watched are all words from the span's last one on. The base's prediction has to stay wherever
    the target stands below the exchanged one (what is exchanged does not determine it) or the
    labels of the pair are equal; of targets above, where the counterfactual's own run says the
    same as the base.

    Args:
        probes: (site, other target) -> anything with ``predict`` on ``[place, d_model]``.
        labels: other target -> per pair its label at each watched word, ``""`` where it has none.
        always: other target -> per pair whether the base's prediction has to stay in any case.
    """

    probes: Mapping[tuple[str, str], Any]
    labels: Mapping[str, tuple[np.ndarray, ...]]
    always: Mapping[str, Bool[np.ndarray, " pair"]]

    def sites_from(self, site: str, order: Sequence[str]) -> list[str]:
        """This site and all later ones at which anything is decoded.

        Args:
            site: where the edit is.
            order: all sites, in the order in which the model passes them.
        """
        read = {there for there, _ in self.probes}
        return [there for there in order[order.index(site) :] if there in read]

    def read(self, chosen: np.ndarray, states: States) -> Said:
        """What the probes say of these states, where the base has a label.

        Args:
            chosen: the pairs of this batch.
            states: of their watched words, pair after pair.
        """
        found = {}
        for other, labels in self.labels.items():
            rows = np.concatenate([labels[i] for i in chosen]) != ""
            for site, values in states.items():
                probe = self.probes.get((site, other))
                if probe is not None and rows.any():
                    found[site, other] = np.asarray(probe.predict(values[rows]))
        return found

    def count(self, chosen: np.ndarray, base: Said, source: Said, edited: Said) -> dict[str, Keeps]:
        """Other target -> what stayed, pair by pair.

        Args:
            chosen: the pairs of this batch.
            base: what is said without an edit.
            source: in the counterfactual's own run.
            edited: with the edit, at the sites from the edited one on.
        """
        sizes = [len(next(iter(self.labels.values()))[i]) for i in chosen]
        owner = np.repeat(np.arange(len(chosen)), sizes)
        found = {}
        for other, labels in self.labels.items():
            given = np.concatenate([labels[i] for i in chosen])
            rows = given != ""
            always = np.repeat(self.always[other][chosen], sizes)[rows]
            sums = np.zeros((4, len(chosen)))
            for (site, name), after in edited.items():
                if name != other:
                    continue
                before = base[site, other]
                stays = always | (before == source[site, other])
                right = (said == given[rows] for said in (before, after))
                hits = (stays, stays & (after == before), *(stays & one for one in right))
                for line, hit in zip(sums, hits, strict=True):
                    line += np.bincount(owner[rows], weights=hit, minlength=len(chosen))
            found[other] = Keeps(*sums)
        return found
