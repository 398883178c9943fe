"""Pieces along a line: the model is the model there, neurons change side where they must."""

import numpy as np
import pytest
import torch

from linrep.experiments import SettingsError, piecewise
from linrep.experiments.questions.lines import along, at_temperature, stream_before
from linrep.models import PlainConfig, PlainTransformer, initialise, word_ids
from linrep.piecewise import pattern_runs
from linrep.reports import FolderError, read_run

IDS = torch.tensor([[0, 1, 2, 1]]), torch.tensor([[0, 1, 1, 1]])


def made(**switches):
    shape = {"hidden_size": 8, "num_hidden_layers": 2, "intermediate_size": 12} | switches
    config = PlainConfig(vocabulary=word_ids(["a", "b"]), mlp="relu", **shape)
    return initialise(PlainTransformer(config), seed=1).double().eval()


@pytest.mark.parametrize("block", [0, 1])
def test_a_line_begins_at_the_first_sentence_and_ends_at_the_second_if_all_else_is_equal(block):
    model = made(layer_norm=True)
    ends = tuple(stream_before(model, block, ids) for ids in IDS)
    found = along(model, block, ends, 2, 7)
    with torch.no_grad():
        first, second = (model(ids).logits[0, -1].numpy() for ids in IDS)
    assert found.logits[0] == pytest.approx(first, abs=1e-12)
    if block == 0:  # before any block the sentences differ at that position alone
        assert found.logits[-1] == pytest.approx(second, abs=1e-12)
    assert np.abs(found.logits[-1] - first).max() > 1e-3
    assert found.signs.shape == (7, (2 - block) * 4 * 12)
    assert found.chosen.shape == (7, (2 - block) * 2 * 4)


def test_neurons_change_side_where_the_line_crosses_their_hyperplane():
    """One block that attends to nothing: the input of each neuron is affine along the line."""
    model = made(num_hidden_layers=1)
    with torch.no_grad():
        model.layers[0].attn.o_proj.weight.zero_()
        model.layers[0].mlp.up_proj.bias.uniform_(
            -0.5, 0.5, generator=torch.Generator().manual_seed(0)
        )
    a, b = (stream_before(model, 0, ids) for ids in IDS)
    found = along(model, 0, (a, b), 2, 2001)
    with torch.no_grad():
        at = [model.layers[0].mlp.up_proj(end[2]).numpy() for end in (a, b)]
    crossings = int((np.sign(at[0]) != np.sign(at[1])).sum())
    assert crossings > 1
    assert pattern_runs(found.signs) == crossings + 1


def test_temperature_scales_the_scores_and_at_none_attention_picks_one_key():
    model = made(layer_norm=True)
    with torch.no_grad():
        logits = model(IDS[0]).logits
        assert torch.equal(at_temperature(model, 1.0)(IDS[0]).logits, logits)
        hard = at_temperature(model, None)(IDS[0]).logits
        gaps = [
            float((at_temperature(model, rate)(IDS[0]).logits - hard).abs().max())
            for rate in (1.0, 100.0, 1e5)
        ]
        assert gaps[0] > gaps[1] > gaps[2]
        assert gaps[2] < 1e-9
        assert torch.equal(model(IDS[0]).logits, logits)  # the given model is as it was


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("piecewise") / "run"
    return piecewise(tiny=True, out=folder), folder


def test_a_run_of_pieces_is_written_and_its_laws_hold(pieces):
    found, folder = pieces
    read = read_run(folder)
    assert [study.name for study in read.studies] == ["zigzag", "random maxout", "trained"]
    assert read.passed
    assert sum(len(study.checks) for study in read.studies) == 4
    table = found.to_frame()
    cold = table[table["inverse temperature"] == 1e4].set_index("model")
    hard = table[table["inverse temperature"] == "hard"].set_index("model")
    assert cold.loc["zigzag", "pieces"] == hard.loc["zigzag", "exact regions"] == 9
    assert (hard["pieces"] > 1).all()
    assert set(table["model"]) == {"zigzag", "random maxout", "trained", "random weights"}
    assert found.plot().data


def test_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="settings is"):
        piecewise("tiny")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FolderError, match="is not empty"):
        piecewise(tiny=True, out=tmp_path)
