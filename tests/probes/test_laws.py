"""Laws of the whole grid: order, controls, degenerate labels, false discoveries, slow twins."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from linrep.probes import ProbeError, probe, split_by_group
from linrep.probes.evidence.groups import read_groups
from linrep.probes.evidence.permutation import LabelNull
from linrep.probes.evidence.tokens import Tokens
from linrep.probes.grid.checks import check_counts
from linrep.probes.grid.plan import make_plan
from linrep.probes.grid.preparing import seeds_of
from linrep.probes.grid.probe import CONTROLS
from linrep.probes.grid.targets import make_targets

FLOATS = ("nll", "v_information", "codelength", "control_codelength")


def reorder(acts, corpus, order):
    """The same tokens in another order."""
    moved = type(acts)({site: acts[site][order] for site in acts.sites}, len(order))
    labels = {h: corpus.labels(h)[order] for h in corpus.heights}
    return moved, SimpleNamespace(
        sentence_ids=corpus.sentence_ids[order],
        positions=corpus.positions[order],
        words=corpus.words[order],
        heights=corpus.heights,
        labels=labels.__getitem__,
        boundary=lambda h: np.ones(len(order), dtype=bool),
    )


def test_the_order_of_examples_does_not_matter(planted):
    acts, corpus, _ = planted(signal=(0.2, 1.0), n_sentences=120)
    order = np.random.default_rng(5).permutation(corpus.n_tokens)
    first = probe(acts, corpus, permutations=19, bootstrap=50, codelength=True)
    second = probe(*reorder(acts, corpus, order), permutations=19, bootstrap=50, codelength=True)
    for a, b in zip(first.scores, second.scores, strict=True):
        # float32 products add up in another order, no more
        plain = [replace(score, **dict.fromkeys(FLOATS, 0.0)) for score in (a, b)]
        assert repr(plain[0]) == repr(plain[1])  # repr: NaN equals NaN
        assert a.nll == pytest.approx(b.nll, rel=1e-3)
        assert a.codelength == pytest.approx(b.codelength, rel=1e-3)


def test_same_seed_same_numbers_other_seed_other_split(planted):
    acts, corpus, _ = planted(signal=(0.2, 1.0), n_sentences=60)
    runs = [probe(acts, corpus, permutations=9, bootstrap=20, seed=seed) for seed in (0, 0, 1)]
    assert repr(runs[0].scores) == repr(runs[1].scores)  # repr: NaN equals NaN
    held = [set(run.held_out["late", "height 1"].rows) for run in runs]
    assert held[0] == held[1] != held[2]


def test_the_global_generators_are_not_touched(planted):
    acts, corpus, _ = planted(signal=(0.2, 1.0), n_sentences=60)
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state is read, not drawn from
    probe(acts, corpus, permutations=9, bootstrap=20)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_scores_are_scikit_learns_at_the_same_objective(planted):
    acts, corpus, _ = planted(signal=(0.3, 0.8), dtype=np.float64)
    results = probe(acts, corpus, heights=[1], C=0.5, tolerance=1e-9, permutations=0)
    held = results.held_out["late", "height 1"]
    labels, X = corpus.labels(1), acts["late"]
    score = results.score("late", "height 1")
    split = split_by_group(corpus.sentence_ids, corpus.codes[1].astype(float))
    train = split.train
    assert set(np.flatnonzero(split.test)) == set(held.rows)
    Z = (X - X[train].mean(0)) / X[train].std(0)
    slow = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(Z[train], labels[train])
    assert score.accuracy == pytest.approx(slow.score(Z[held.rows], labels[held.rows]), abs=1e-12)
    logs = slow.predict_log_proba(Z[held.rows])
    codes = np.searchsorted(slow.classes_, labels[held.rows])
    assert score.nll == pytest.approx(-logs[np.arange(len(codes)), codes].mean(), rel=1e-4)


def visible_words(planted):
    """Words can be read off the activations, so that a control task can be memorised."""
    acts, corpus, _ = planted(signal=(0.3, 0.8), n_sentences=200, dtype=np.float64)
    types, keys = np.unique(corpus.words, return_inverse=True)
    acts["late"] = (
        acts["late"] + 2.0 * np.random.default_rng(0).standard_normal((len(types), 24))[keys]
    )
    return acts, corpus, keys


@pytest.mark.parametrize("seed", range(4))
def test_selectivity_is_the_papers(planted, seed):
    """Hewitt and Liang 2019, section 2: slow twin, refitted by scikit-learn.

    A control task gives each word type a class drawn from the target's shares; selectivity is the
    accuracy on the target less that on the control. Which classes are drawn is read from the plan
    (they are random), what is done with them is not.
    """
    acts, corpus, keys = visible_words(planted)
    (target,) = make_targets(corpus, [1], None, "all")
    kept = np.ones(corpus.n_tokens, dtype=bool)
    split = split_by_group(corpus.sentence_ids, target.codes.astype(float), seed=seed)
    plan = make_plan(
        target, Tokens.of(corpus, read_groups(corpus, None, len(kept))), split, kept,
        min_count=2, permutations=0, seed=seed, seeds=seeds_of(seed, target.name, 3),
    )  # fmt: skip
    rows = np.concatenate([plan.train, plan.test])
    X = acts["late"]
    Z = (X - X[plan.train].mean(0)) / X[plan.train].std(0)

    def slowly(labels):
        slow = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000)
        slow.fit(Z[plan.train], labels[plan.train])
        return slow.score(Z[plan.test], labels[plan.test])

    drawn = []
    for codes in plan.controls:
        control = np.empty(corpus.n_tokens, dtype=int)
        control[plan.train], control[plan.test] = codes
        for word in np.unique(keys[rows]):
            assert len(np.unique(control[rows][keys[rows] == word])) == 1
        drawn.append(slowly(control))
    right = [slowly(corpus.codes[1]), np.mean(drawn)]
    score = probe(
        acts, corpus, heights=[1], C=1.0, tolerance=1e-9, permutations=0, bootstrap=0, seed=seed
    ).score("late", "height 1")
    assert (score.accuracy, score.control_task) == pytest.approx(tuple(right), abs=1e-12)
    assert score.selectivity == pytest.approx(right[0] - right[1], abs=1e-12)
    assert right[1] > 0.5  # words are memorised


@pytest.mark.parametrize("method", ["logistic", "lda", "ridge"])
def test_test_sentences_have_no_say_in_what_is_learned(planted, method):
    """Other activations in test sentences change scores, and nothing that is learned or chosen."""
    acts, corpus, _ = planted(signal=(0.2, 0.6), n_sentences=120)
    settings = {
        "method": method, "heights": [1], "permutations": 0, "bootstrap": 0, "codelength": True,
    }  # fmt: skip
    first = probe(acts, corpus, **settings)
    rows = first.held_out["late", "height 1"].rows
    held = np.isin(np.arange(corpus.n_tokens), rows)
    moved = type(acts)(
        {site: np.where(held[:, None], 1e3 - 7 * acts[site], acts[site]) for site in acts.sites},
        corpus.n_tokens,
    )
    second = probe(moved, corpus, **settings)
    for a, b in zip(first.scores, second.scores, strict=True):
        for name in ("penalty", "validation", "codelength", "chance", "n_classes"):
            assert getattr(a, name) == getattr(b, name)
        key = a.site, a.target
        assert np.array_equal(first.patterns[key].basis, second.patterns[key].basis)
        assert np.array_equal(first.readouts[key].basis, second.readouts[key].basis)
        assert np.array_equal(first.covariances[a.site], second.covariances[a.site])
    assert first.scores[1].accuracy != second.scores[1].accuracy


def test_validation_sentences_choose_and_teach_nothing(planted):
    acts, corpus, _ = planted(signal=(0.2, 0.6), n_sentences=120)
    first = probe(acts, corpus, heights=[1], C=0.1, permutations=0, bootstrap=0)
    split = split_by_group(corpus.sentence_ids, corpus.codes[1].astype(float))
    acts["late"] = np.where(split.validation[:, None], -acts["late"], acts["late"])
    second = probe(acts, corpus, heights=[1], C=0.1, permutations=0, bootstrap=0)
    key = "late", "height 1"
    assert first.score(*key).accuracy == second.score(*key).accuracy
    assert first.score(*key).nll == second.score(*key).nll
    assert first.score(*key).validation != second.score(*key).validation


@pytest.mark.parametrize("method", ["logistic", "lda", "ridge"])
def test_every_method_finds_what_is_there_and_nothing_else(planted, method):
    acts, corpus, _ = planted(signal=(0.0, 2.0))
    results = probe(acts, corpus, method=method, permutations=99, bootstrap=100)
    for target in results.targets:
        blank = results.score("blocks.0.hook_resid_pre", target)
        there = results.score("late", target)
        assert there.accuracy > 0.9
        assert there.q <= 0.05
        assert blank.accuracy < 0.5
        assert there.interval[0] <= there.accuracy <= there.interval[1]
        assert np.isnan(there.nll) == (method == "ridge")


def test_v_information_is_entropy_less_loss(planted):
    acts, corpus, _ = planted(signal=(0.0, 3.0))
    results = probe(acts, corpus, heights=[1], permutations=0, bootstrap=0)
    blank, there = results.scores
    # four equally likely classes: log 4 nats to be had, less what 1,200 examples leave open
    assert there.v_information == pytest.approx(np.log(4), abs=0.15)
    assert abs(blank.v_information) < 0.05


def test_pointwise_information_averages_to_the_whole(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=100)
    results = probe(acts, corpus, heights=[1], permutations=0, bootstrap=0)
    held = results.held_out["late", "height 1"]
    score = results.score("late", "height 1")
    assert held.information.mean() == pytest.approx(score.v_information)
    assert held.information[held.right == 1].mean() > held.information[held.right == 0].mean()


def test_sites_are_chosen_on_validation_sentences(planted):
    acts, corpus, _ = planted(signal=(0.0, 3.0), n_sentences=100)
    results = probe(acts, corpus, permutations=0, bootstrap=0)
    assert results.best_site("height 1") == "late"
    bare = probe(acts, corpus, permutations=0, bootstrap=0, fractions=(0.8, 0.0, 0.2))
    assert bare.scores[0].penalty == 1.0
    with pytest.raises(ProbeError, match="no validation tokens"):
        bare.best_site("height 1")
    with pytest.raises(ProbeError, match="no target"):
        results.best_site("height 9")


def test_codelength_tells_what_accuracy_may_not(planted):
    acts, corpus, _ = planted(signal=(0.0, 3.0))
    blank, there = probe(acts, corpus, heights=[1], permutations=0, codelength=True).scores
    assert there.codelength < 0.5 * blank.codelength
    assert blank.codelength == pytest.approx(2 * blank.n_train, rel=0.1)  # two bits per label
    assert there.control_codelength > 1.5 * there.codelength


def test_false_discoveries_stay_at_the_stated_rate():
    """Under a global null, the chance of any discovery at q <= 0.1 is at most 0.1."""
    found = 0
    repetitions = 80
    for repetition in range(repetitions):
        rng = np.random.default_rng(repetition)
        ids = np.repeat(np.arange(40), 5)
        # labels and activations both depend on the sentence, but not on each other
        topic, other = rng.integers(0, 3, 40), rng.standard_normal((40, 4))
        n = len(ids)
        labels = [
            np.where(rng.random(n) < 0.7, topic[ids], rng.integers(0, 3, n)) for _ in range(3)
        ]
        corpus = SimpleNamespace(
            sentence_ids=ids, positions=np.tile(np.arange(5), 40), heights=(),
            words=np.array([f"w{i}" for i in rng.integers(0, 9, n)]),
            labels=lambda h: None, boundary=lambda h: None,
        )  # fmt: skip

        class Acts(dict):
            sites, manifest, kept = ("a", "b"), {}, np.ones(len(ids), dtype=bool)

        acts = Acts({site: other[ids] + rng.standard_normal((n, 4)) for site in "ab"})
        results = probe(
            acts, corpus, targets={f"t{i}": y for i, y in enumerate(labels)}, method="lda",
            permutations=99, bootstrap=0, controls=(), fractions=(0.5, 0.1, 0.4),
        )  # fmt: skip
        found += any(score.q <= 0.1 for score in results.scores)
    # 10 %, plus three standard errors
    assert found / repetitions <= 0.1 + 3 * np.sqrt(0.09 / repetitions)


def positional(seed, *, lengths=(4, 6, 8, 9, 11), signal=False):
    """Labels that lean on the position; activations that hold it alone, or the label as well."""
    rng = np.random.default_rng(seed)
    sizes = rng.choice(lengths, 120)
    ids = np.repeat(np.arange(120), sizes)
    places = np.concatenate([np.arange(size) for size in sizes])
    n = len(ids)
    codes = np.where(rng.random(n) < 0.8, places % 3, rng.integers(0, 3, n))
    scored = rng.random(n) < 0.4
    corpus = SimpleNamespace(
        sentence_ids=ids, positions=places, heights=(1,), boundary=lambda h: scored,
        words=np.array([f"w{i}" for i in rng.integers(0, 9, n)]),
        labels=lambda h: np.array([f"N{code}" for code in codes]),
    )  # fmt: skip

    class Acts(dict):
        sites, manifest, kept = ("a",), {}, np.ones(n, dtype=bool)

    X = np.eye(max(lengths))[places] + 0.01 * rng.standard_normal((n, max(lengths)))
    return Acts(a=np.hstack([X, np.eye(3)[codes]]) if signal else X), corpus


@pytest.mark.parametrize("signal", [False, True])
def test_a_probe_that_knows_only_the_position_is_no_discovery(signal):
    values = []
    for seed in range(20):
        acts, corpus = positional(seed, signal=signal)
        results = probe(
            acts, corpus, positions="boundary", method="lda", permutations=99, bootstrap=0,
            controls=("shuffled",), fractions=(0.5, 0.1, 0.4),
        )  # fmt: skip
        score = results.score("a", "height 1")
        values.append(score.p)
        assert any("change sign" in note for note in results.notes)
        if not signal:
            assert score.accuracy > 0.6  # the position does tell the label
    small = np.mean(np.array(values) <= 0.05)
    # nominal rate plus three standard errors over 20 seeds
    assert small == 1.0 if signal else small <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 20)


def test_p_is_not_tested_where_no_two_sentences_share_a_position(planted):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=100)
    corpus.positions = np.arange(corpus.n_tokens)
    results = probe(acts, corpus, heights=[1], permutations=9, bootstrap=0)
    assert np.isnan(results.score("late", "height 1").p)
    assert any("no two test sentences share" in note for note in results.notes)


def test_constant_labels_have_an_answer(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=60)
    results = probe(acts, corpus, targets={"same": ["x"] * corpus.n_tokens}, codelength=True)
    score = results.score("late", "same")
    assert (score.accuracy, score.chance, score.nll) == (1.0, 1.0, 0.0)
    assert np.isnan(score.p)
    assert score.codelength == 0.0
    assert results.patterns["late", "same"].dim == 0
    assert any("one class" in note for note in results.notes)


def test_rare_classes_are_counted_as_errors_and_noted(planted):
    acts, corpus, _ = planted(signal=(0.0, 3.0))
    labels = corpus.labels(1).astype(object)
    labels[np.random.default_rng(0).choice(corpus.n_tokens, 30, replace=False)] = [
        f"once {i}" for i in range(30)
    ]
    results = probe(acts, corpus, targets={"rare": labels}, permutations=9)
    score = results.score("late", "rare")
    assert score.n_classes == 4
    note = next(note for note in results.notes if "not learned" in note)
    assert "30 class(es)" in note
    held = results.held_out["late", "rare"]
    assert f"{int((held.true < 0).sum())} test tokens count as errors" in note
    assert score.accuracy <= 1 - (held.true < 0).mean()


def test_one_example_per_class_is_a_clear_error(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=60)
    labels = np.full(corpus.n_tokens, "", dtype=object)
    labels[:8] = list("abcdefgh")
    with pytest.raises(ProbeError, match="classes|test tokens"):
        probe(acts, corpus, targets={"single": labels})


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("part", ["train", "test"])
def test_values_that_are_not_finite_are_refused_with_the_site(planted, value, part):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=60)
    held = probe(acts, corpus, permutations=0, bootstrap=0).held_out["late", "height 1"].rows
    row = held[0] if part == "test" else np.setdiff1d(np.arange(corpus.n_tokens), held)[0]
    acts["late"][row, 3] = value
    if part == "train":  # the row may be a validation token: make sure of a training token
        acts["late"][np.setdiff1d(np.arange(corpus.n_tokens), held), 3] = value
    with pytest.raises(ProbeError, match="'late'.*NaN or infinite"):
        probe(acts, corpus)


def test_few_tokens_duplicate_and_constant_features_have_an_answer(planted):
    acts, corpus, _ = planted(signal=(0.5, 2.0), n_sentences=12)
    wide = np.hstack([acts["late"]] * 4 + [np.ones((corpus.n_tokens, 2), np.float32)])
    acts["late"] = wide
    for method in ("logistic", "lda", "ridge"):
        score = probe(acts, corpus, method=method, permutations=9).score("late", "height 2")
        assert 0.0 <= score.accuracy <= 1.0
        assert score.interval[0] <= score.accuracy <= score.interval[1]


def test_tokens_without_activation_are_left_out_and_noted(planted):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=100)
    acts.kept = np.random.default_rng(0).random(corpus.n_tokens) < 0.9
    acts["late"][~acts.kept] = 0.0
    results = probe(acts, corpus, permutations=9)
    assert acts.kept[results.held_out["late", "height 1"].rows].all()
    assert any(note.startswith(f"{int((~acts.kept).sum())} tokens") for note in results.notes)


def test_masks_choose_positions_per_target(planted):
    acts, corpus, _ = planted(signal=(0.0, 2.0))
    first = corpus.positions == 0
    results = probe(
        acts, corpus, positions={"height 1": first, "height 2": "boundary"}, permutations=9
    )
    assert first[results.held_out["late", "height 1"].rows].all()
    assert results.score("late", "height 2").n_test > results.score("late", "height 1").n_test


def test_ceiling_is_the_mean_over_the_scored_tokens(planted):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=80)
    posterior = 1.0 - 0.2 * np.random.default_rng(0).random(corpus.n_tokens)
    posterior[::7] = np.nan
    site = "late"
    results = probe(
        acts,
        corpus,
        permutations=9,
        ceilings={"height 1": posterior, (site, "height 1"): posterior / 2},
    )
    rows = results.held_out[site, "height 1"].rows
    wanted = np.nanmean(posterior[rows])
    assert results.score(site, "height 1").ceiling == pytest.approx(wanted / 2)
    assert results.score("blocks.0.hook_resid_pre", "height 1").ceiling == pytest.approx(wanted)
    assert np.isnan(results.score(site, "height 2").ceiling)
    score = results.score(site, "height 1")
    assert score.share == pytest.approx(
        (score.accuracy - score.chance) / (score.ceiling - score.chance)
    )


def test_ceilings_are_probabilities(planted):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=30)
    with pytest.raises(ProbeError, match=r"0\.\.1"):
        probe(acts, corpus, ceilings={"height 1": np.full(corpus.n_tokens, 70.0)})


def test_a_twin_that_lacks_a_site_is_noted(planted):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=60)
    twin = type(acts)({"late": acts["late"]}, corpus.n_tokens)
    results = probe(acts, corpus, random_weights=twin, permutations=0, bootstrap=0)
    assert np.isnan(results.scores[0].random_weights)
    note = "random_weights: not tested at blocks.0.hook_resid_pre, the twin lacks it"
    assert note in results.notes
    assert not any("at late" in line for line in results.notes)


def test_a_solver_that_stops_short_is_noted(planted):
    acts, corpus, _ = planted(signal=(0.0, 9.0), n_sentences=60)
    free = probe(acts, corpus, C=1e7, tolerance=1e-12, permutations=0, bootstrap=0)
    assert any("stopped short" in note and "height 1 at late" in note for note in free.notes)
    usual = probe(acts, corpus, permutations=0, bootstrap=0)
    assert not any("stopped short" in note for note in usual.notes)


def test_class_names_are_shown_as_they_are(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=60)
    labels = corpus.labels(1).astype(object)
    labels[0] = "<unk>"
    shown = probe(acts, corpus, targets={"t": labels}, permutations=0, bootstrap=0)._repr_html_()
    assert "&lt;unk&gt;" in shown
    assert "<unk>" not in shown


def test_twin_baselines_and_embedding_stand_beside(planted):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=150)
    noise = np.random.default_rng(3).standard_normal(acts["late"].shape).astype(np.float32)
    twin = type(acts)(dict.fromkeys(acts.sites, noise), corpus.n_tokens)
    score = probe(acts, corpus, random_weights=twin, permutations=9).score("late", "height 1")
    assert score.random_weights < score.accuracy
    assert score.embedding < score.accuracy
    assert max(score.position, score.previous_word, score.word_identity) < 0.5


def test_shuffled_labels_end_at_chance(planted):
    acts, corpus, _ = planted(signal=(0.0, 3.0))
    shuffled = np.random.default_rng(8).permutation(corpus.labels(1))
    score = probe(acts, corpus, targets={"shuffled": shuffled}, permutations=199).score(
        "late", "shuffled"
    )
    assert score.q > 0.05
    assert score.interval[0] <= score.chance + 0.05


def test_layers_are_compared_on_the_same_tokens(planted):
    acts, corpus, _ = planted(signal=(0.0, 3.0))
    results = probe(acts, corpus, permutations=9)
    first, late = results.sites
    assert results.compare_sites("height 1", first, late) < 0.01
    assert results.compare_sites("height 1", late, late) == 1.0


def test_results_show_themselves(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=60)
    results = probe(acts, corpus, permutations=9, bootstrap=20)
    frame = results.to_frame()
    assert len(frame) == 4
    wanted = {
        "site",
        "target",
        "accuracy",
        "nll",
        "interval",
        "chance",
        "ceiling",
        "codelength",
        "control_codelength",
        "v_information",
        "p",
        "q",
        "n_train",
        "n_test",
        "n_classes",
        "selectivity",
        *CONTROLS,
    }
    assert wanted <= set(frame.columns)
    assert "height 1" in results._repr_html_()
    assert "<th>random_weights</th>" not in results._repr_html_()  # no twin was given
    assert len(results.plot().data) == 2 * 3  # nor a ceiling


def test_a_plot_shows_what_was_measured_at_a_single_site_too(planted):
    acts, corpus, _ = planted(signal=(0.0, 2.0), n_sentences=60)
    late = type(acts)({"late": acts["late"]}, corpus.n_tokens)
    ceilings = {"height 1": np.ones(corpus.n_tokens)}
    results = probe(
        late, corpus, random_weights=late, ceilings=ceilings, permutations=0, bootstrap=0
    )
    traces = {trace.name: trace for trace in results.plot().data}
    beside = {"height 1: chance", "height 1: shuffled", "height 1: random weights"}
    assert beside | {"height 1", "height 1: ceiling"} <= set(traces)
    assert "height 2: ceiling" not in traces  # not known
    assert all(trace.mode == "lines+markers" for trace in traces.values())
    score = results.score("late", "height 1")
    assert traces["height 1: random weights"].y == (score.random_weights,)
    assert f"<td>{score.random_weights:.3f}</td>" in results._repr_html_()
    assert "<th>random_weights</th>" in results._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"heights": [7]}, "no labels at height 7"),
        ({"controls": ["magic"]}, r"controls are a list of some of .*; received \['magic'\]"),
        ({"method": "forest"}, "'logistic', 'lda', 'ridge' or 'means'"),
        ({"C": -1.0}, "C is positive"),
        ({"targets": {"short": ["a"]}}, "1 labels"),
        ({"targets": {"free": "ab"}, "positions": "boundary"}, "one value for each row"),
        ({"positions": "middle"}, "'all', 'boundary'"),
        ({"positions": {"height 9": "all"}}, "unknown targets"),
        ({"positions": np.ones(3, dtype=bool)}, "mask of positions"),
        ({"ceilings": {"height 1": [1.0]}}, "a ceiling is"),
        ({"ceilings": {"height 1": ["high"] * 1000}}, "a ceiling is"),
        ({"ceilings": {"hieght 1": [1.0]}}, "neither targets"),
        ({"ceilings": {("nowhere", "height 1"): [1.0]}}, "neither targets"),
        ({"C": float("nan")}, "C is positive and finite"),
        ({"C": float("inf")}, "C is positive and finite"),
        ({"C": []}, "C is positive and finite"),
        ({"C": "strong"}, "C is positive and finite"),
        ({"C": np.array([[1.0]])}, "C is positive and finite"),
        ({"tolerance": float("nan")}, "tolerance is positive and finite"),
        ({"seed": -1}, "seed is a whole number of at least 0"),
        ({"bootstrap": -1}, "bootstrap is a whole number of at least 0"),
        ({"permutations": -1}, "permutations is a whole number of at least 0"),
        ({"min_count": 0}, "min_count is a whole number of at least 1"),
        ({"fractions": (0.5, 0.5)}, "fractions are three finite numbers"),
        ({"fractions": (0.7, float("nan"), 0.3)}, "fractions are three finite numbers"),
        ({"fractions": "most"}, "fractions are three finite numbers"),
        ({"fractions": 0.7}, "fractions are three finite numbers"),
        ({"groups": [0, 1, 2]}, "groups are one id per token"),
        ({"controls": "shuffled"}, "controls are a list of some of .*; received str 'shuffled'"),
    ],
)
def test_mistakes_are_named(planted, arguments, message):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=30)
    with pytest.raises(ProbeError, match=message):
        probe(acts, corpus, **arguments)


@pytest.mark.parametrize("seed", [0.5, "one", None, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ProbeError, match="seed is a whole number"):
        check_counts(seed=seed, permutations=0, bootstrap=0, min_count=1)


def test_penalties_are_one_number_or_several_in_any_order(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=30)
    for given in (np.array([1.0, 0.01]), (1, 0.01), np.float32(1.0), np.array(1.0)):
        results = probe(acts, corpus, C=given, permutations=0, bootstrap=0, fractions=[7, 1, 2])
        assert results.settings["C"] == sorted(np.atleast_1d(given).tolist())


def test_no_site_and_no_dimension_are_named(planted):
    acts, corpus, _ = planted(signal=(0.0, 1.0), n_sentences=30)
    with pytest.raises(ProbeError, match="no site was captured"):
        probe(type(acts)({}, corpus.n_tokens), corpus)
    with pytest.raises(ProbeError, match="'late': activations have no dimensions"):
        probe(type(acts)({"late": acts["late"][:, :0]}, corpus.n_tokens), corpus)


def test_permutations_take_a_byte_per_draw_and_token():
    codes = np.arange(500) % 100
    for most, size in ((100, 1), (300, 2)):
        null = LabelNull.draw(
            codes + most - 100, np.arange(len(codes)), 0 * codes, 5, np.random.default_rng(0)
        )
        assert null.swapped.nbytes == 5 * len(codes) * size


def test_activations_of_one_dimension_have_an_answer(planted):
    acts, corpus, _ = planted(signal=(0.0, 3.0), n_sentences=60)
    thin = type(acts)({"late": acts["late"][:, :1]}, corpus.n_tokens)
    results = probe(thin, corpus, permutations=9, bootstrap=20)
    assert results.covariances["late"].shape == (1, 1)
    assert results.covariances["late"][0, 0] > 0
