"""What a grid found becomes directions that say where they are from."""

import numpy as np
import pytest

from linrep import Activations, Corpus, ProbeError, directions_of, probe

SITE = "blocks.1.hook_resid_post"


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2 == 0
    X = rng.standard_normal((120, 6)) + 4.0 * y[:, None] * np.eye(6)[2]
    corpus = Corpus.from_texts([f"text {i}" for i in range(120)], targets={"truth": y})
    acts = Activations.from_arrays({SITE: X}, corpus)
    return acts, probe(acts, method="means", permutations=0, bootstrap=0)


def test_the_difference_of_means_has_a_name_and_a_sign(found):
    acts, results = found
    kept = directions_of(results, "truth", acts=acts)
    assert (kept.toward, kept.away, kept.kind, kept.operation) == (
        "True",
        "False",
        "pattern",
        "add",
    )
    assert kept.vectors[SITE][2] == pytest.approx(4.0, abs=0.5)
    assert kept.norm[SITE] == pytest.approx(np.linalg.norm(acts[SITE], axis=1).mean())


@pytest.mark.parametrize("what", ["pattern", "readout"])
def test_subspaces_keep_their_kind(found, what):
    acts, results = found
    kept = directions_of(results, "truth", acts=acts, what=what)
    space = getattr(results, f"{what}s")[SITE, "truth"]
    assert kept.subspace(SITE).overlap(space) == pytest.approx(1)
    assert (kept.kind, kept.operation) == (what, "project_out")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"target": "no"}, "no target 'no' was probed: ask for one of"),
        ({"target": "truth", "toward": "maybe"}, "toward is one of"),
        ({"target": "truth", "what": "sense"}, "what is 'means', 'pattern' or 'readout'"),
        ({"target": "truth", "acts": 3}, "what linrep.capture returns"),
        ({"target": "truth", "sites": ["x"]}, "has no means to keep"),
    ],
)
def test_mistakes_are_told(found, how, message):
    with pytest.raises(ProbeError, match=message):
        directions_of(found[1], **how)
