"""Predictions P1 to P7 hold, as capture and probes see them; each with its opposite."""

import numpy as np
import pytest

from linrep.constructions import GrammarTransformer
from linrep.constructions.grammar.predictions import is_latin
from linrep.core import Subspace, height_target
from linrep.grammars import Grammar, families
from linrep.hooks import capture
from linrep.probes import probe

GRAMMARS = {
    "latin": families.latin(order=3, depth=3),
    "hierarchy": families.random_hierarchy(n_symbols=4, n_rules=2, arity=2, depth=3, seed=2),
    "shapes": Grammar.from_text(  # many shapes, one parse each
        "S -> A B | B A A\nA -> X Y | Y X X\nB -> Y Y | X X\nX -> 'a' 'b' | 'b'\nY -> 'c' | 'd' 'a'"
    ),
    "ambiguous": Grammar.from_text(
        "S -> A B [0.5] | B A [0.5]\nA -> X Y [0.6] | Y [0.4]\nB -> Y X [0.5] | X X [0.5]\n"
        "X -> 'a' [0.5] | 'b' [0.3] | 'a' 'b' [0.2]\nY -> 'a' [0.4] | 'b' 'b' [0.3] | 'c' [0.3]"
    ),
}
ONE_SHAPE = ("latin", "hierarchy")
SENTENCES = 250


class Case:
    """A grammar, its model, a corpus and the stream at every site."""

    def __init__(self, name, **settings):
        self.grammar = GRAMMARS[name]
        self.model = GrammarTransformer.from_grammar(self.grammar, **settings)
        self.corpus = self.grammar.sample(SENTENCES, seed=0)
        sites = ["resid_pre", "resid_mid", "resid_post"]
        self.acts = capture(
            self.model, self.corpus, sites, dtype="float64", check=False, progress=False
        )

    def at(self, kind, layer):
        return np.asarray(self.acts[f"blocks.{layer}.hook_resid_{kind}"])

    def score(self, sites, heights, **settings):
        """Probe results at some sites."""
        few = self.acts.from_arrays({site: self.acts[site] for site in sites}, self.corpus)
        settings = {"method": "lda", "controls": (), "permutations": 0, "bootstrap": 200} | settings
        return probe(few, self.corpus, heights=heights, **settings)

    def written(self, layer):
        """Coordinates that the neurons of a block write."""
        neurons = self.model.program.layers[layer].neurons
        return sorted({target for neuron in neurons for target, _ in neuron.out})


@pytest.fixture(scope="module")
def case():
    known = {}

    def make(name, **settings):
        key = (name, *sorted(settings.items()))
        if key not in known:
            known[key] = Case(name, **settings)
        return known[key]

    return make


# -- P1 --


@pytest.mark.parametrize("name", GRAMMARS)
def test_p1_each_level_writes_its_own_coordinates_and_nothing_else(case, name):
    it = case(name)
    seen = set()
    for level in range(it.grammar.binary.depth):
        added = it.at("post", level) - it.at("mid", level)
        coordinates = it.written(level)
        outside = np.delete(added, coordinates, axis=1)
        assert (outside == 0).all()
        assert np.abs(added).max() > 0
        assert not seen & set(coordinates)  # the subspaces of different levels are orthogonal
        seen |= set(coordinates)
        assert {it.model.registry[c].kind for c in coordinates} == {"beta"}


@pytest.mark.parametrize("name", ONE_SHAPE)
def test_p1_with_one_shape_the_rank_is_the_number_of_labels(case, name):
    it = case(name)
    for height in range(1, it.grammar.depth + 1):
        added = it.at("post", height - 1) - it.at("mid", height - 1)
        labels = set(it.corpus.labels(height)) - {""}
        assert np.linalg.matrix_rank(added) == len(labels) == len(it.written(height - 1))


def test_p1_survives_rotation_to_rounding(case):
    it = case("latin", rotation=5)
    for prediction in it.model.predictions:
        layer = int(prediction.target.split()[1]) - 1
        if prediction.site != f"blocks.{layer}.hook_resid_post":
            continue
        added = it.at("post", layer) - it.at("mid", layer)
        centred = added[it.corpus.boundary(layer + 1)]
        centred = centred - centred.mean(0)
        rest = centred - prediction.subspace.project(centred)
        # The stream's entries are of order 1; a few units in the last place of float64 each.
        assert np.abs(rest).max() < 1e-14
        assert np.linalg.matrix_rank(centred, tol=1e-10) == prediction.rank


# -- P2, P4: the staircase --


@pytest.mark.parametrize("name", ONE_SHAPE)
def test_p2_and_p4_every_predicted_accuracy_is_found(case, name):
    it = case(name)
    heights = [h for h in range(1, it.grammar.depth) if len(it.model.program.states[h]) > 1]
    sites = [f"blocks.{i}.hook_resid_post" for i in range(4)]
    sites = ["blocks.0.hook_resid_pre", *sites]
    frame = it.score(sites, heights, positions="boundary").to_frame()
    found = {(row.site, row.target): row for row in frame.itertuples()}
    checked = 0
    for prediction in it.model.predictions:
        row = found.get((prediction.site, prediction.target))
        if row is None or prediction.accuracy is None:
            continue
        checked += 1
        if prediction.accuracy == 1.0:
            assert prediction.written
            assert row.accuracy == 1.0
        else:
            low, high = row.interval
            width = high - low  # a bootstrap interval; allow it once more on each side
            assert low - width <= prediction.accuracy <= high + width
            assert row.accuracy < 0.6
    assert checked >= (10 if name == "latin" else 7)


@pytest.mark.parametrize("name", ONE_SHAPE)
def test_p2_the_largest_coordinate_is_the_label_from_its_layer_on(case, name):
    it = case(name)
    for height, labels in it.model.program.states.items():
        rows = it.corpus.boundary(height)
        names, cells = list(labels), [cells[0] for cells in labels.values()]
        for layer in range(height - 1, len(it.model.program.layers)):
            block = it.at("post", layer)[rows][:, cells]
            assert (np.array(names)[block.argmax(1)] == it.corpus.labels(height)[rows]).all()
            assert set(np.unique(block)) <= {0.0, 1.0}  # the gauge makes it a one-hot code


def test_p4_nothing_but_the_written_state_tells_a_latin_label(case):
    it = case("latin")
    height = 2
    after, middle = f"blocks.{height - 1}.hook_resid_post", f"blocks.{height - 1}.hook_resid_mid"
    accuracy = {
        site: it.score([site], [height], positions="boundary").to_frame().accuracy[0]
        for site in (after, middle)
    }
    assert accuracy[after] == 1.0
    assert accuracy[middle] < 0.7  # both children lie there, but not linearly
    interior = ~it.corpus.boundary(height)
    frame = it.score([after], [height], positions=interior).to_frame()
    low, high = frame.interval[0]
    assert low - (high - low) <= 1 / 3 <= high + (high - low)


def test_latin_squares_are_recognised_and_others_are_not():
    assert is_latin(families.latin(order=4, depth=2))
    assert not is_latin(
        families.latin(order=4, depth=2, start="one")
    )  # its last nodes are betrayed
    assert not is_latin(GRAMMARS["hierarchy"])
    rules = str(families.latin(order=2, depth=2)).replace("'a0' 'a1' | 'a1' 'a0'", "'a0' 'a1'")
    assert not is_latin(Grammar.from_text(rules))


# -- P3: ceilings --


@pytest.mark.parametrize("name", GRAMMARS)
def test_p3_no_probe_beats_the_ceilings(case, name):
    it = case(name)
    normal = it.grammar.binary
    heights = [h for h in range(1, it.grammar.depth) if len(set(it.corpus.labels(h))) > 1]
    prefix = {h: it.corpus.max_posterior(h, given="prefix") for h in heights}
    sites = [f"blocks.{i}.hook_resid_post" for i in (0, normal.depth - 1, 2 * normal.depth - 1)]
    reach = max(n for s, ls in enumerate(normal.lengths) if normal.levels[s] <= 1 for n in ls)
    window = {h: it.corpus.max_posterior(h, given="window", window=reach) for h in heights}
    ceilings = {(site, height_target(h)): prefix[h] for site in sites for h in heights}
    ceilings |= {(sites[0], height_target(h)): window[h] for h in heights}
    frame = it.score(sites, heights, positions="all", ceilings=ceilings).to_frame()
    assert len(frame) == len(sites) * len(heights)
    for row in frame.itertuples():
        low, high = row.interval
        assert row.accuracy <= row.ceiling + (high - low), (row.site, row.target)
    for height in heights:  # seeing less never helps on average: paired over tokens, four errors
        gain = window[height] - prefix[height]
        assert gain.mean() <= 4 * gain.std() / len(it.corpus) ** 0.5 + 1e-12


def test_p3_a_stream_that_knows_what_follows_beats_the_ceiling(case):
    """The opposite: the comparison above would notice a leak."""
    it, height, site = case("latin"), 2, "blocks.0.hook_resid_post"
    labels = it.corpus.labels(height)
    leak = (labels[:, None] == np.unique(labels)[None]).astype(float)
    leaked = it.acts.from_arrays({site: leak}, it.corpus)
    ceiling = it.corpus.max_posterior(height, given="prefix")
    settings = {"method": "lda", "controls": (), "permutations": 0, "bootstrap": 200}
    settings |= {"positions": "all", "ceilings": {(site, height_target(height)): ceiling}}
    (row,) = probe(leaked, it.corpus, heights=[height], **settings).to_frame().itertuples()
    low, high = row.interval
    assert row.accuracy > row.ceiling + (high - low)


# -- P5: ablation --


@pytest.mark.parametrize("name", GRAMMARS)
def test_p5_projecting_the_written_state_out_gives_what_was_before(case, name):
    it = case(name)
    for level in range(it.grammar.binary.depth):
        post, coordinates = it.at("post", level), it.written(level)
        space = Subspace(np.eye(post.shape[1])[:, coordinates])
        assert np.array_equal(post - space.project(post), it.at("mid", level))


@pytest.mark.parametrize("name", GRAMMARS)
def test_p1_p5_another_levels_subspace_holds_nothing_of_it(case, name):
    """The opposite of both: the coordinates of level 1 neither contain nor restore level 2."""
    it = case(name)
    post, middle = it.at("post", 1), it.at("mid", 1)
    other = Subspace(np.eye(post.shape[1])[:, it.written(0)])
    assert np.abs(other.project(post - middle)).max() == 0
    assert np.abs(post - other.project(post) - middle).max() > 0.1


def test_p5_ablation_is_necessary_for_latin_but_not_for_few_bodies(case):
    accuracy = {}
    for name in ONE_SHAPE:
        it = case(name)
        frame = it.score(["blocks.1.hook_resid_mid"], [2], positions="boundary").to_frame()
        accuracy[name] = frame.accuracy[0]
    assert accuracy["latin"] < 0.7
    assert accuracy["hierarchy"] == 1.0  # the fetched children already tell the label, linearly


# -- P6: beliefs --


@pytest.mark.parametrize("name", ["shapes", "ambiguous", "hierarchy"])
@pytest.mark.parametrize("kind", ["boundary", "prefix"])
def test_p6_the_belief_block_holds_the_exact_posterior(case, name, kind):
    it = case(name, beliefs=kind, position_code="bias")
    last = len(it.model.program.layers) - 1
    for height, block in it.model.program.beliefs.items():
        rows = it.corpus.boundary(height) if kind == "boundary" else it.corpus.labels(height) != ""
        stream = it.at("post", last)[:, list(block.values())]
        stream = stream[rows]
        posterior = stream / stream.sum(1, keepdims=True)
        expected = it.corpus.max_posterior(height, given=kind)[rows]
        assert np.abs(posterior.max(1) - expected).max() < 1e-12
        guess = np.array(list(block))[posterior.argmax(1)]
        hits = guess == it.corpus.labels(height)[rows]
        ceiling = expected.mean()
        error = (ceiling * (1 - ceiling) / len(hits)) ** 0.5
        assert abs(hits.mean() - ceiling) <= 4 * error + 1e-12  # the Bayes classifier's accuracy


def test_p6_posteriors_symbol_by_symbol(case):
    it = case("ambiguous", beliefs="prefix", position_code="bias")
    stream = it.at("post", len(it.model.program.layers) - 1)
    starts = np.flatnonzero(it.corpus.positions == 0)
    for row in [*range(0, 60, 7), *starts[1:3]]:
        sentence = it.corpus.sentences[it.corpus.sentence_ids[row]]
        for height, block in it.model.program.beliefs.items():
            exact = it.grammar.ancestor_posterior(
                sentence, int(it.corpus.positions[row]), height, given="prefix"
            )
            values = stream[row, list(block.values())]
            found = dict(zip(block, values / values.sum(), strict=True))
            assert all(abs(found[x] - exact.get(x, 0.0)) < 1e-12 for x in found)


def test_p6_without_beliefs_accuracy_one_is_not_promised(case):
    it = case("ambiguous")
    assert all(p.accuracy is None for p in it.model.predictions if p.written)
    ceiling = it.grammar.ceiling(it.corpus, 1, given="boundary")
    assert ceiling < 0.99
    assert {p.claim for p in case("ambiguous", beliefs="boundary", position_code="bias").model
            .predictions} >= {"P6"}  # fmt: skip


# -- P7: what a causal model cannot have --


@pytest.mark.parametrize("name", ["latin", "hierarchy", "shapes"])
def test_p7_the_sentence_tells_all_and_the_prefix_does_not(case, name):
    it = case(name)
    for height in range(1, it.grammar.depth):
        sentence = it.corpus.max_posterior(height, given="sentence")
        prefix = it.corpus.max_posterior(height, given="prefix")
        assert np.nanmin(sentence) > 1 - 1e-12
        interior = ~it.corpus.boundary(height) & ~np.isnan(prefix)
        if name == "latin":
            assert np.allclose(prefix[interior], 1 / 3, atol=1e-12)


def test_p7_fails_for_an_ambiguous_grammar(case):
    assert np.nanmin(case("ambiguous").corpus.max_posterior(1, given="sentence")) < 1 - 1e-6


# -- predictions are data --


@pytest.mark.parametrize("name", GRAMMARS)
def test_predictions_name_every_site_and_height_once(case, name):
    it = case(name)
    found = [(p.site, p.target) for p in it.model.predictions]
    assert len(found) == len(set(found))
    heights = [h for h in range(1, it.grammar.depth + 1) if len(it.model.program.states[h]) > 1]
    assert len(found) == len(heights) * (len(it.model.program.layers) + 1)
    for prediction in it.model.predictions:
        stream = np.asarray(it.acts[prediction.site])
        assert prediction.subspace.d_model == stream.shape[1]
        inside = np.abs(stream @ prediction.subspace.basis).max()
        assert (inside > 0) == prediction.written  # not written means exactly nothing there
