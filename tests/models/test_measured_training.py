"""The log of a training: exact divergences, the floor, and stopping where it is small enough."""

import numpy as np
import pytest
import torch

from linrep import Grammar, families
from linrep.grammars.next_tokens import next_tokens
from linrep.models import LogRow, TrainingError, TrainingLog, train, word_ids
from linrep.models.training.exactness import hold_out

GRAMMAR = Grammar.from_text("S -> A B [0.7] | B [0.3]\nA -> 'a' | 'b'\nB -> 'b' 'c' | 'c'")
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "sentences": 256}


def by_hand(grammar, model, n, seed):
    """Mean KL and mean entropy, one sentence and one token at a time."""
    kl, entropy, tokens = 0.0, 0.0, 0
    words = model.config.vocabulary
    for sentence in grammar.sample(n, seed=seed + 2**31).sentences:
        ids = torch.tensor([[0, *(words.index(word) for word in sentence)]])
        said = model(ids).logits[0].double().softmax(-1).detach().numpy()
        exact = grammar.next_token_probabilities(sentence)
        for p, q in zip(exact, said, strict=True):
            held = p > 0
            kl += float((p[held] * np.log(p[held] / q[1:][held])).sum())
            entropy -= float((p[held] * np.log(p[held])).sum())
            tokens += 1
    return kl / tokens, entropy / tokens


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_the_kl_is_what_its_definition_says(seed):
    run = train(GRAMMAR, steps=20, heldout=40, seed=seed, **SMALL)
    kl, entropy = by_hand(GRAMMAR, run.model, 40, seed % 2**31 - 2**31 * (seed >= 2**31))
    assert run.log.kl == pytest.approx(kl, rel=1e-5)  # float32 logits, other batches
    assert run.log.floor == pytest.approx(entropy, rel=1e-12)
    assert run.log.heldout == 40


def test_rows_come_every_so_often_and_at_the_end():
    run = train(GRAMMAR, steps=25, measure_every=10, heldout=10, **SMALL)
    assert [row.step for row in run.log.rows] == [10, 20, 25]
    for begin, row in zip((0, 10, 20), run.log.rows, strict=True):
        assert row.loss == pytest.approx(np.mean(run.losses[begin : row.step]))
    assert run.log.rows[-1].kl < run.log.rows[0].kl
    assert run.log.to_frame().columns.tolist() == ["step", "loss", "kl"]
    end = train(GRAMMAR, steps=25, measure_every=0, heldout=10, **SMALL)
    assert [row.step for row in end.log.rows] == [25]
    assert end.log.kl == run.log.kl  # measuring changes nothing
    assert end.losses == run.losses


def test_it_stops_where_the_kl_is_small_enough_and_not_before():
    how = {"steps": 300, "measure_every": 20, "heldout": 64, "learning_rate": 1e-2} | SMALL
    run = train(GRAMMAR, until=0.02, **how)
    *before, last = run.log.rows
    assert last.kl <= 0.02 < min(row.kl for row in before)
    assert len(run.losses) == last.step < 300
    whole = train(GRAMMAR, until=0.0, **how | {"steps": 40})
    assert len(whole.losses) == 40


def test_ambiguous_and_several_shapes_are_measured_by_their_sentences():
    """The floor is over what can come next, whatever tree it comes from."""
    grammar = Grammar.from_text("S -> A A [0.5] | B [0.5]\nA -> 'a'\nB -> 'a' 'a' | 'a'")
    held, why = hold_out(grammar, 64, 0, word_ids(list(grammar.terminals)))
    assert why == ""
    counted = [len(s) for s in grammar.sample(64, seed=2**31).sentences]
    inner = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))  # after one word: end 1/4, a 3/4
    expected = inner * len(counted) / sum(n + 1 for n in counted)
    assert held.floor == pytest.approx(expected)


def test_a_language_without_exact_probabilities_is_told_apart():
    class Spoken:
        terminals = GRAMMAR.terminals
        sample = staticmethod(GRAMMAR.sample)

    run = train(Spoken(), steps=3, **SMALL)
    assert run.log.kl is None
    assert run.log.floor is None
    assert "no exact probabilities" in run.log.note
    with pytest.raises(TrainingError, match="until needs a KL, and the language gives no"):
        train(Spoken(), steps=3, until=0.1, **SMALL)
    Spoken.next_token_probabilities = staticmethod(GRAMMAR.next_token_probabilities)
    again = train(Spoken(), steps=3, **SMALL)
    assert again.log == train(GRAMMAR, steps=3, **SMALL).log


def test_charts_that_do_not_fit_leave_the_loss(monkeypatch):
    from linrep.grammars import TooLarge
    from linrep.models.training import exactness

    def large(*_):
        raise TooLarge("a chart of 9 TB")

    monkeypatch.setattr(exactness, "next_tokens", large)
    run = train(GRAMMAR, steps=3, **SMALL)
    assert run.log.kl is None
    assert "a chart of 9 TB" in run.log.note


def test_long_sentences_take_smaller_charts(monkeypatch):
    from linrep.grammars import next_tokens as module

    sentences = GRAMMAR.sample(20, seed=1).sentences
    whole = next_tokens(GRAMMAR, sentences)
    monkeypatch.setattr(module, "CELLS", 300)
    for one, other in zip(whole, next_tokens(GRAMMAR, sentences), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"measure_every": -1}, "measure_every is 0 or more"),
        ({"heldout": -3}, "heldout is 0 or more"),
        ({"until": -0.1}, "until lies in"),
        ({"until": float("nan")}, "until lies in"),
        ({"until": 0.1, "measure_every": 0}, "until needs measurements"),
        ({"until": 0.1, "heldout": 0}, "until needs measurements"),
        ({"architecture": "bert"}, "architecture is one of"),
        ({"dtype": torch.int64}, "floating-point"),
        ({"hidden": 3}, "no keyword 'hidden'"),
        ({"sentencs": 3}, "Did you mean 'sentences'"),
        ({"resume": True}, "need a folder"),
    ],
)
def test_impossible_options_are_refused(options, said):
    with pytest.raises(TrainingError, match=said):
        train(GRAMMAR, **options)


def test_a_log_is_a_table_and_comes_back_from_json():
    log = TrainingLog((LogRow(1, 0.5, 0.1), LogRow(2, 0.4, None)), 0.3, 7, "why")
    assert TrainingLog.from_dict(log.to_dict()) == log
    assert log.kl is None
    assert TrainingLog(()).kl is None
    assert TrainingLog(()).to_frame().columns.tolist() == ["step", "loss", "kl"]


def test_families_are_learned_to_their_floor():
    run = train(families.latin(2, 1), steps=60, learning_rate=1e-2, until=0.01, **SMALL)
    assert run.log.floor == pytest.approx(2 * np.log(2) / 3)
    assert run.log.kl < 0.05
