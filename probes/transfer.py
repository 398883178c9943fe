"""Trained on one data set, scored on another: whether what is decodable is general."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import checked
from ..corpora import Target
from .errors import ProbeError
from .evidence.carried import CarriedOver, carried, is_above
from .evidence.groups import FRACTIONS, Groups, divide, read_groups
from .transferred import ALL_OTHERS, Moved, Transfer

__all__ = ["transfer"]

LEVEL = 0.05  # of all probes of a site together
ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)
"""Penalties of the ridge, of which exact leave-one-out chooses."""


@dataclass(frozen=True, eq=False)
class _Set:
    """One data set, its target read and its groups dealt."""

    name: str
    acts: Any
    twin: Any
    target: Target
    groups: Groups
    train: np.ndarray
    test: np.ndarray
    rows: np.ndarray


@checked(ProbeError)
def transfer(
    *sets: Any,
    target: str,
    sites: Sequence[str] | None = None,
    random_weights: Any = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Transfer:
    """Train a linear probe on each data set and score it on every other, and on its own rest.

    Ridge regression on features that are standardised on the training rows, its penalty by exact
    leave-one-out: onto class indicators, or onto the number. Each set is split by group; a probe
    learns from the training groups of its set, and is scored on the held-out groups of that set
    and on all rows of another whose text it has not learned from. With three sets and more, each is
    also scored by a probe trained on all others together.

    Args:
        *sets: activations that have a corpus with the target, two or more; or one mapping of them
            by name.
        target: its name, the same in all.
        sites: where to probe; by default all sites that the sets have in common.
        random_weights: activations of a random-weight twin for each set, in the same form.
        bootstrap: resamples of groups for intervals of many groups.
        seed: of splits and resamples.

    Raises:
        ProbeError: fewer than two sets, no common site, or a target that a set lacks.

    >>> from linrep import Activations, Corpus
    >>> rng = np.random.default_rng(0)
    >>> def make(direction):
    ...     y = np.arange(80) % 2
    ...     corpus = Corpus.from_texts([f"text {i}" for i in range(80)], targets={"truth": y})
    ...     X = rng.standard_normal((80, 6)) + 4.0 * y[:, None] * np.eye(6)[direction]
    ...     return Activations.from_arrays({"blocks.0.hook_resid_post": X}, corpus)
    >>> moved = transfer({"a": make(0), "b": make(1)}, target="truth")
    >>> moved.verdict("blocks.0.hook_resid_post")  # doctest: +ELLIPSIS
    'truth is decodable in 2 of 2 sets but not general: 0 of 2 probes, trained on one set and ...'
    """
    named = _named(sets, "data sets")
    if len(named) < 2:
        raise ProbeError(
            f"transfer is from one data set to another; received {len(named)}: give activations of "
            "two or more, transfer(acts_a, acts_b, target=...), or a mapping of them by name"
        )
    twins = _twins(random_weights, named)
    read = [_read(name, acts, twins.get(name), target, seed) for name, acts in named.items()]
    kinds = {one.target.kind for one in read}
    if len(kinds) > 1:
        raise ProbeError(
            f"target {target!r} is a class in one set and a number in another: tell its kind when "
            "reading (kinds={...})"
        )
    common = [s for s in read[0].acts.sites if all(s in one.acts.sites for one in read)]
    wanted = common if sites is None else list(sites)
    missing = [site for site in wanted if site not in common]
    if missing or not wanted:
        raise ProbeError(f"sites that all sets have are {common}; received {missing or wanted}")
    rows: list[Moved] = []
    cosines = {}
    rng = np.random.default_rng(seed)
    for site in wanted:
        rows += _site(site, read, bootstrap, rng)
        cosines[site] = _cosines([_direction(one, site) for one in read])
    return Transfer(target, tuple(rows), tuple(named), cosines)


def _named(sets: Sequence[Any], what: str) -> dict[str, Any]:
    """Sets by name.

    Raises:
        ProbeError: one has no corpus.
    """
    if len(sets) == 1 and isinstance(sets[0], Mapping):
        named = {str(name): acts for name, acts in sets[0].items()}
    else:
        named = {chr(ord("A") + i): acts for i, acts in enumerate(sets)}
    for name, acts in named.items():
        if not all(hasattr(acts, part) for part in ("sites", "kept", "corpus")):
            raise ProbeError(
                f"{what} are what linrep.capture returns; {name!r} is {type(acts).__name__}"
            )
    return named


def _twins(given: Any, named: Mapping[str, Any]) -> dict[str, Any]:
    """Twins by the names of their sets.

    Raises:
        ProbeError: there is not one for each.
    """
    if given is None:
        return {}
    listed = [given] if isinstance(given, Mapping) else list(given)
    found = _named(listed, "random-weight twins")
    if set(found) != set(named):
        raise ProbeError(
            f"random_weights has one twin for each set, {list(named)}; received {list(found)}"
        )
    return found


def _read(name: str, acts: Any, twin: Any, target: str, seed: int) -> _Set:
    """A set with its target and its split.

    Raises:
        ProbeError: it has no such target.
    """
    targets = getattr(acts.corpus, "targets", None) or {}
    if target not in targets:
        raise ProbeError(
            f"set {name!r} has no target {target!r}: its corpus has {list(targets) or 'none'}"
        )
    one = targets[target]
    kept = np.asarray(acts.kept, dtype=bool) & one.defined
    if twin is not None:
        kept &= np.asarray(twin.kept, dtype=bool)
    strata = np.zeros(len(kept), dtype=np.int64)
    if one.kind == "class":
        strata = np.unique(one.values, return_inverse=True)[1].reshape(-1)
    division = divide(acts.corpus, None, FRACTIONS, strata, kept, seed=seed)
    groups = read_groups(acts.corpus, None, len(kept))
    learn = np.flatnonzero((division.split.train | division.split.validation) & kept)
    held = np.flatnonzero(division.split.test & kept)
    if not len(learn) or not len(held):
        raise ProbeError(
            f"set {name!r} has {len(learn)} rows to train and {len(held)} to test, at least one of "
            "each is needed: give more sentences with a value of the target"
        )
    return _Set(name, acts, twin, one, groups, learn, held, np.flatnonzero(kept))


def _site(site: str, read: Sequence[_Set], bootstrap: int, rng: np.random.Generator) -> list[Moved]:
    """All pairs at one site."""
    sources = [(one.name, [one]) for one in read]
    if len(read) > 2:
        sources += [(ALL_OTHERS, [other for other in read if other is not one]) for one in read]
    found = []
    level = LEVEL / (len(read) ** 2 + len(sources) - len(read))  # of each probe
    for index, (name, parts) in enumerate(sources):
        fit = _fit([(part.acts[site][part.train], part.target, part.train) for part in parts])
        with_twin = all(part.twin is not None for part in parts)
        lost = (
            _fit([(part.twin[site][part.train], part.target, part.train) for part in parts])
            if with_twin
            else None
        )
        scored = read if name != ALL_OTHERS else [read[index - len(read)]]
        learned = {text for part in parts for text in _texts(part, part.train)}
        for one in scored:
            rows = one.test if one in parts else one.rows
            if one not in parts:
                new = [text not in learned for text in _texts(one, rows)]
                rows = rows[np.array(new, dtype=bool)]
            if not len(rows):
                continue
            seen = _score(fit, one, one.acts[site][rows], rows, bootstrap, rng)
            twin = None
            if lost is not None and one.twin is not None:
                twin = _score(lost, one, one.twin[site][rows], rows, 0, rng)
            found.append(
                Moved(
                    site, name, one.name, seen.score, seen.low, seen.high, seen.chance,
                    float("nan") if twin is None else twin.score,
                    sum(len(part.train) for part in parts), len(rows), is_above(seen, twin, level),
                )
            )  # fmt: skip
    return found


def _texts(one: _Set, rows: np.ndarray) -> list[Any]:
    """The text of each row, and the place in it."""
    corpus = one.acts.corpus
    sentences = corpus.texts if getattr(corpus, "texts", None) is not None else corpus.sentences
    ids = np.asarray(corpus.sentence_ids)
    return [sentences[ids[row]] for row in rows]


def _fit(parts: Sequence[tuple[Any, Target, np.ndarray]]) -> Any:
    """A probe of the training rows.

    Raises:
        ProbeError: they have one class.
    """
    from sklearn.linear_model import RidgeClassifierCV, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X = np.concatenate([np.asarray(x, dtype=np.float64) for x, _, _ in parts])
    y = np.concatenate([target.values[rows] for _, target, rows in parts])
    if parts[0][1].kind == "class" and len(np.unique(y)) == 1:
        raise ProbeError(
            f"target {parts[0][1].name!r} has one class, {str(y[0])!r}, in the training rows of a "
            "set: there is nothing to tell apart"
        )
    model = RidgeClassifierCV(ALPHAS) if parts[0][1].kind == "class" else RidgeCV(ALPHAS)
    return make_pipeline(StandardScaler(), model).fit(X, y)


def _score(
    fit: Any, one: _Set, X: Any, rows: np.ndarray, bootstrap: int, rng: np.random.Generator
) -> CarriedOver:
    """What a probe does on some rows."""
    said = fit.predict(np.asarray(X, dtype=np.float64))
    number = one.target.kind == "number"
    return carried(
        said, one.target.values[rows], one.groups.ids[rows], number=number, bootstrap=bootstrap,
        rng=rng,
    )  # fmt: skip


def _direction(one: _Set, site: str) -> dict[str, np.ndarray]:
    """Class means less the mean of all, by class; of numbers their covariance with activations."""
    X = np.asarray(one.acts[site][one.train], dtype=np.float64)
    X = X - X.mean(axis=0)
    values = one.target.values[one.train]
    if one.target.kind == "number":
        centred = values - values.mean(axis=0)
        names = one.target.columns or (one.target.name,)
        return {name: centred[:, i] @ X for i, name in enumerate(names)}
    return {str(name): X[values == name].mean(axis=0) for name in np.unique(values)}


def _cosines(directions: Sequence[Mapping[str, np.ndarray]]) -> np.ndarray:
    """``[set, set]`` cosines over the classes (or columns) that both have; NaN where none is."""
    table = np.full((len(directions), len(directions)), np.nan)
    for i, first in enumerate(directions):
        for j, second in enumerate(directions):
            names = sorted(set(first) & set(second))
            if not names:
                continue
            a, b = (np.concatenate([each[name] for name in names]) for each in (first, second))
            size = float(np.linalg.norm(a) * np.linalg.norm(b))
            table[i, j] = float(a @ b) / size if size > 0 else np.nan
    return table
