"""Sufficient statistics of activations and targets: collect once, derive every closed form.

This is the accumulator: it only adds up, and what is derived from it is frozen. Rows are streamed
in batches of any size; two collections merge by ``+`` (Chan, Golub and LeVeque
1983), so shards, workers and machines add up. Everything is centred and in float64: a raw float32
``X^T X`` loses the small directions that matter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, final

import numpy as np
import numpy.typing as npt
from jaxtyping import Float

from ...core.arguments import checked, shown
from ...core.devices import on_gpu
from ...core.products import Array, Products
from ..errors import ProbeError
from ..inputs.columns import Columns, feature_matrix, in_order, placed_features
from ..inputs.reading import as_array
from .sums import CentredSums, summed

__all__ = ["Statistics", "statistics_of"]


@final
@checked(ProbeError)
@dataclass(eq=False)
class Statistics:
    """Counts, means and centred scatter of features ``x`` and of targets ``z``.

    A categorical target contributes one indicator column per class, a numeric one
    (``[token, k]``, posteriors say) its own columns; columns of all targets stand side by side,
    so co-occurrence of targets is known as well.

    Args:
        n: rows seen.
        mean_x: ``[feature]``.
        mean_z: ``[column]``.
        scatter_xx: ``[feature, feature]`` sum of ``(x - mean)(x - mean)^T``.
        scatter_xz: ``[feature, column]``.
        scatter_zz: ``[column, column]``.
        classes: per target the name of each of its columns, in order.
        numeric: the targets whose columns are numbers, not indicators of classes.

    Raises:
        ProbeError: sizes contradict each other.

    >>> X, y = np.array([[0.0], [2.0], [4.0]]), ["a", "b", "b"]
    >>> both = Statistics.from_arrays(X, y)
    >>> parts = Statistics.from_arrays(X[:1], y[:1]) + Statistics.from_arrays(X[1:], y[1:])
    >>> bool(np.allclose(both.scatter_xx, parts.scatter_xx)), both.counts()
    (True, {'a': 1, 'b': 2})
    """

    n: int
    mean_x: Float[np.ndarray, " feature"]
    mean_z: Float[np.ndarray, " column"]
    scatter_xx: Float[np.ndarray, "feature feature"]
    scatter_xz: Float[np.ndarray, "feature column"]
    scatter_zz: Float[np.ndarray, "column column"]
    classes: Mapping[str, tuple[str, ...]]
    numeric: frozenset[str] = frozenset()
    takes_tensors: ClassVar[bool] = True  # on a GPU: a stream then leaves rows there

    def __post_init__(self) -> None:
        d, k = len(self.mean_x), len(self.mean_z)
        shapes = [np.shape(m) for m in (self.scatter_xx, self.scatter_xz, self.scatter_zz)]
        columns = sum(len(names) for names in self.classes.values())
        if self.n < 0 or shapes != [(d, d), (d, k), (k, k)] or columns != k:
            raise ProbeError(
                f"statistics of n={self.n} rows, {d} features and {k} columns have scatter of "
                f"shapes {shapes} and classes for {columns} columns: take them from_arrays"
            )

    @classmethod
    def from_arrays(
        cls, X: Any, y: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None
    ) -> "Statistics":
        """Statistics of one batch.

        Args:
            X: ``[token, feature]``: anything that NumPy reads. A tensor on a GPU is added up
                there, in float64; the sums alone are brought back, once for a call.
            y: class labels ``[token]`` (or numbers ``[token, k]``); several targets as a mapping.

        Raises:
            ProbeError: lengths differ, or a value is not finite.
        """
        x, place = placed_features(X)
        return _collected(x, Columns.of(y, len(x)), place)

    @classmethod
    def with_labels(
        cls, y: npt.ArrayLike | Mapping[str, npt.ArrayLike]
    ) -> "Callable[[Any], Statistics]":
        """:meth:`from_arrays` for many matrices with the same labels, which are read once.

        Args:
            y: as in :meth:`from_arrays`.

        Returns: a function of ``X``.

        Raises:
            ProbeError: lengths differ, or a value is not finite; also when the function is called.

        >>> X, y = np.array([[0.0], [2.0], [4.0]]), ["a", "b", "b"]
        >>> make = Statistics.with_labels(y)
        >>> bool((make(X).scatter_xz == Statistics.from_arrays(X, y).scatter_xz).all())
        True
        """
        first = next(iter(y.values()), ()) if isinstance(y, Mapping) else y
        with np.errstate(over="ignore"):  # what is no finite number is refused by name
            n = len(np.atleast_1d(as_array(first, "a target has one value for each row")))
            columns = Columns.of(y, n)

        def make(X: Any) -> Statistics:
            x, place = placed_features(X)
            if len(x) != n:
                raise ProbeError(f"the targets have {n} rows, the features have {len(x)}")
            return _collected(x, columns, place)

        return make

    def update(
        self, X: Any, y: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None
    ) -> "Statistics":
        """Add one more batch in place, and return these statistics.

        Raises:
            ProbeError: the batch has other targets or another number of features.
        """
        total = self + Statistics.from_arrays(X, y)
        for field in fields(self):
            setattr(self, field.name, getattr(total, field.name))
        return self

    def __add__(self, other: "Statistics") -> "Statistics":
        if not isinstance(other, Statistics):
            raise ProbeError(f"statistics add to statistics alone; received {shown(other)}")
        if set(self.classes) != set(other.classes):
            raise ProbeError(
                f"statistics of different targets do not add: {sorted(self.classes)} and "
                f"{sorted(other.classes)}"
            )
        if len(self.mean_x) != len(other.mean_x):
            raise ProbeError(
                f"statistics of {len(self.mean_x)} and of {len(other.mean_x)} features do not add"
            )
        if self.numeric != other.numeric:
            named = sorted(self.numeric ^ other.numeric)
            raise ProbeError(f"targets {named} are classes in one part and numbers in the other")
        classes = {}
        for name, own in self.classes.items():
            theirs = other.classes[name]
            if name in self.numeric and own != theirs:
                raise ProbeError(
                    f"target {name!r} has {len(own)} columns here and {len(theirs)} there"
                )
            classes[name] = own if name in self.numeric else in_order({*own, *theirs})
        both = self._widen(classes)._sums() + other._widen(classes)._sums()
        return _named(both, classes, self.numeric)

    def __radd__(self, other: object) -> "Statistics":
        if other == 0 and isinstance(other, int):  # where sum() begins
            return self
        raise ProbeError(f"statistics add to statistics alone; received {shown(other)}")

    @property
    def covariance(self) -> Float[np.ndarray, "feature feature"]:
        """Covariance of the features, divided by ``n``."""
        return self.scatter_xx / max(self.n, 1)

    def block(self, target: str | None = None) -> slice:
        """Columns of one target (the only one, unless named).

        Raises:
            ProbeError: no such target, or several and none named.
        """
        name = self._name(target)
        start = 0
        for key, names in self.classes.items():
            if key == name:
                break
            start += len(names)
        return slice(start, start + len(self.classes[name]))

    def counts(self, target: str | None = None) -> dict[str, int]:
        """Rows of each class of one categorical target."""
        shares = self.mean_z[self._indicators(target)]
        names = self.classes[self._name(target)]
        return {
            name: round(float(share) * self.n) for name, share in zip(names, shares, strict=True)
        }

    def class_means(self, target: str | None = None) -> Float[np.ndarray, "feature class"]:
        """Mean of the features in each class of one categorical target; NaN where it is empty."""
        block = self._indicators(target)
        shares = self.mean_z[block]
        with np.errstate(invalid="ignore", divide="ignore"):
            means: np.ndarray = self.mean_x[:, None] + self.scatter_xz[:, block] / (self.n * shares)
        return means

    def within(self, target: str | None = None) -> Float[np.ndarray, "feature feature"]:
        """Scatter of the features inside the classes of one categorical target."""
        block = self._indicators(target)
        shares = self.mean_z[block]
        seen = shares > 0
        deviations = self.scatter_xz[:, block][:, seen]
        out: np.ndarray = self.scatter_xx - (deviations / (self.n * shares[seen])) @ deviations.T
        return out

    def _indicators(self, target: str | None) -> slice:
        """Columns of one categorical target.

        Raises:
            ProbeError: its columns are numbers.
        """
        name = self._name(target)
        if name in self.numeric:
            raise ProbeError(f"target {name!r} holds numbers, so it has no classes to count")
        return self.block(name)

    def _name(self, target: str | None) -> str:
        if target is None and len(self.classes) == 1:
            return next(iter(self.classes))
        if target is None or target not in self.classes:
            raise ProbeError(f"name a target of {sorted(self.classes)}; received {target!r}")
        return target

    def _sums(self) -> CentredSums:
        return CentredSums(
            self.n, self.mean_x, self.mean_z, self.scatter_xx, self.scatter_xz, self.scatter_zz
        )

    def _widen(self, classes: Mapping[str, tuple[str, ...]]) -> "Statistics":
        """The same rows with columns for all ``classes``; an unseen class is a column of zeros."""
        if {name: tuple(own) for name, own in self.classes.items()} == dict(classes) and list(
            self.classes
        ) == list(classes):
            return self
        width = sum(len(names) for names in classes.values())
        place = np.empty(len(self.mean_z), dtype=int)
        start = 0
        for name, names in classes.items():
            old = self.classes[name]
            place[self.block(name)] = [start + names.index(label) for label in old]
            start += len(names)
        mean_z, xz = np.zeros(width), np.zeros((len(self.mean_x), width))
        zz = np.zeros((width, width))
        mean_z[place], xz[:, place] = self.mean_z, self.scatter_xz
        zz[np.ix_(place, place)] = self.scatter_zz
        return replace(self, mean_z=mean_z, scatter_xz=xz, scatter_zz=zz, classes=dict(classes))


def statistics_of(
    X: Any, y: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None, place: Products
) -> Statistics:
    """Statistics of one batch whose products are made in a place.

    Args:
        X: ``[token, feature]``; it is moved there.
        y: as :meth:`Statistics.from_arrays` takes them.
        place: where products are made.

    Raises:
        ProbeError: lengths differ, or a value is not finite.
    """
    x = feature_matrix(X)
    return _collected(x, Columns.of(y, len(x)), place)


def _collected(x: Array, columns: Columns, place: Products) -> Statistics:
    """Statistics of features and columns that have been read."""
    with on_gpu(place, ProbeError):
        return _named(summed(x, columns, place), columns.classes, columns.numeric)


def _named(
    sums: CentredSums, classes: Mapping[str, tuple[str, ...]], numeric: frozenset[str]
) -> Statistics:
    """Sums with the names of their columns; added up here, they fit each other."""
    made = object.__new__(Statistics)
    made.n, made.mean_x, made.mean_z = sums.n, sums.mean_x, sums.mean_z
    made.scatter_xx, made.scatter_xz, made.scatter_zz = sums.xx, sums.xz, sums.zz
    made.classes, made.numeric = dict(classes), numeric
    return made
