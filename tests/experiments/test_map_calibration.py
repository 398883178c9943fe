"""What maps let pass: nothing of untrained models, all of a construction in another basis."""

import numpy as np
import pytest

import linrep
from linrep.experiments.map_calibration import mapped_page
from linrep.grammars import families
from linrep.models import PlainConfig, PlainTransformer, initialise
from linrep.reports.theory import carried_from


@pytest.fixture(scope="module")
def language():
    return families.latin(order=3, depth=2)


@pytest.fixture(scope="module")
def built(language):
    return linrep.GrammarTransformer.from_grammar(language)


def read(models, corpus):
    return [linrep.capture(each, corpus, progress=False) for each in models]


def test_an_untrained_model_reaches_nothing_through_a_map(language, built):
    """Two pages: two false ones have a chance of 0.0025 at a true rate of 5 %."""
    words = ("<bos>", *language.terminals, "<eos>")
    shape = PlainConfig(vocabulary=words, hidden_size=16, num_hidden_layers=1, mlp="gelu")
    base = initialise(PlainTransformer(shape), 0)
    corpus = language.sample(150, seed=0)
    theirs, *acts = read([built.model, *(linrep.random_twin(base, seed=i) for i in range(6))],
                         corpus)  # fmt: skip
    pages = [
        mapped_page(
            acts[i], [*acts[:i], *acts[i + 1 :]], theirs, built.predictions, corpus, [1], seed=i
        )
        for i in range(2)
    ]
    assert sum(page.beyond for page in pages) <= 1
    assert not any(page.aligned for page in pages)
    assert sum(page.r2 for page in pages) <= 1


def test_the_same_construction_in_another_basis_is_aligned(language, built):
    """Rotated, and then brought into a basis that is not even orthogonal."""
    corpora = [language.sample(100, seed=seed) for seed in (0, 1)]
    other = linrep.GrammarTransformer.from_grammar(language, rotation=2)
    twins = [linrep.random_twin(other.model, seed=i) for i in range(3)]
    seen = [read([built.model, other.model, *twins], corpus) for corpus in corpora]
    rng, sites = np.random.default_rng(0), seen[0][0].sites
    wide = seen[0][0][sites[0]].shape[1]
    turn = np.eye(wide) + 0.3 * rng.standard_normal((wide, wide))
    for acts, corpus in zip(seen, corpora, strict=True):
        moved = {site: np.asarray(acts[1][site], float) @ turn for site in sites[1:3]}
        acts[1] = linrep.Activations.from_arrays(moved, corpus)
    theirs, acts, *beside = seen[0]
    there, here, *others = seen[1]
    page = mapped_page(
        acts, beside, theirs, built.predictions, corpora[0], [1], patterns="joint",
        maps_from=(here, others, there, corpora[1]),
    )  # fmt: skip
    assert page.aligned
    assert min(page.overlaps) > 0.99


def test_states_are_carried_from_where_they_are_first_written(language, built):
    (first,) = {
        site for site in carried_from(built.predictions)
        if any(p.site == site and p.target == "height 1" for p in built.predictions)
    }  # fmt: skip
    before = [p for p in built.predictions if p.target == "height 1" and p.written]
    assert first == before[0].site
