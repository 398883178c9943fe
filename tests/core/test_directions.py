"""Directions are kept with what they are, and come back as they were."""

import json

import gguf
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from linrep import DirectionError, Directions, LinrepError, read_directions, steer, write_directions

SITES = ("blocks.1.hook_resid_post", "blocks.3.hook_resid_post")
WHAT = {
    "target": "truth",
    "toward": "true",
    "away": "false",
    "scale": 2.5,
    "norm": {SITES[0]: 3.0},
    "positions": "last token of each span",
    "model": "tiny",
    "model_type": "llama",
    "model_hash": "abc",
    "data_hash": "def",
    "note": "naïve 日本",
}


def vectors(seed=0, width=6, *more):
    rng = np.random.default_rng(seed)
    return {site: rng.standard_normal((width, *more)) for site in SITES}


@pytest.mark.parametrize("ending", [".safetensors", ".gguf"])
def test_directions_come_back_with_all_that_was_said_of_them(tmp_path, ending):
    made = Directions(vectors(), **WHAT)
    again = read_directions(write_directions(made, tmp_path / f"truth{ending}"))
    assert again.described() == made.described()
    assert again.sites == made.sites
    for site in SITES:
        exact = 0 if ending == ".safetensors" else 1e-6
        np.testing.assert_allclose(again.vectors[site], made.vectors[site], rtol=exact)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"truth{ending}"]


def test_a_subspace_comes_back_and_is_no_control_vector(tmp_path):
    made = Directions(vectors(0, 6, 2), "number", kind="readout", operation="project_out")
    again = read_directions(write_directions(made, tmp_path / "number.safetensors"))
    assert again.subspace(SITES[1]).overlap(made.subspace(SITES[1])) == pytest.approx(1)
    assert again.subspace(SITES[1]).kind == "readout"
    with pytest.raises(DirectionError, match="a subspace has no sign.*linrep.erase"):
        again.steering()
    with pytest.raises(DirectionError, match="one direction for each block, to be added"):
        write_directions(made, tmp_path / "number.gguf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["number.safetensors"]


def test_a_control_vector_is_laid_out_as_llama_cpp_reads_it(tmp_path):
    made = Directions(vectors(), **WHAT)
    reader = gguf.GGUFReader(write_directions(made, tmp_path / "truth.gguf"))
    said = {name: bytes(reader.get_field(name).parts[-1]).decode() for name in (
        "general.architecture", "controlvector.model_hint")}  # fmt: skip
    assert said == {"general.architecture": "controlvector", "controlvector.model_hint": "llama"}
    assert [tensor.name for tensor in reader.tensors] == ["direction.1", "direction.3"]
    for tensor, site in zip(reader.tensors, SITES, strict=True):
        assert tensor.tensor_type == gguf.GGMLQuantizationType.F32
        np.testing.assert_allclose(tensor.data, 2.5 * made.vectors[site], rtol=1e-6)


def test_the_control_vector_of_another_program_is_read(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "other.gguf", "controlvector")
    writer.add_string("controlvector.model_hint", "qwen2")
    writer.add_uint32("controlvector.layer_count", 11)
    for block in (10, 2):  # in any order
        writer.add_tensor(f"direction.{block}", np.full(4, float(block), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = read_directions(tmp_path / "other.gguf")
    assert found.sites == ("blocks.2.hook_resid_post", "blocks.10.hook_resid_post")
    assert (found.model_type, found.operation, found.scale) == ("qwen2", "add", 1.0)
    assert found.vectors["blocks.10.hook_resid_post"].tolist() == [10.0] * 4


def test_steering_adds_what_was_kept():
    from linrep.models import PlainConfig, PlainTransformer, initialise

    model = initialise(PlainTransformer(PlainConfig(vocab_size=5, num_hidden_layers=4)), seed=0)
    made = Directions(vectors(width=16), **WHAT)
    ids = torch.tensor([[1, 2, 3]])
    before = model(ids, output_hidden_states=True).hidden_states[2]
    with steer(model, **made.steering()) as pushed:
        after = pushed(ids, output_hidden_states=True).hidden_states[2]
    added = (after - before).detach().numpy()
    np.testing.assert_allclose(added, np.tile(2.5 * made.vectors[SITES[0]], (1, 3, 1)), atol=1e-5)


def wrong_files(folder):
    """What stands in a file, and the message."""
    good = json.dumps({"format": "linrep directions 1", "sites": ["a"], "target": "t"})
    array = np.ones(4)
    yield "none.safetensors", None, "no file"
    yield "text.safetensors", b"not tensors at all", "no safetensors file"
    yield "short.safetensors", b"", "no safetensors file"
    yield "model.safetensors", ({"w": array}, {}), "but not what they are"
    yield "format.safetensors", ({"a": array}, good.replace(" 1", " 9")), "of format"
    yield "site.safetensors", ({"b": array}, good), "does not say what its vectors are"
    yield "json.safetensors", ({"a": array}, "{"), "does not say what its vectors are"
    yield "more.safetensors", ({"a": array}, good[:-1] + ', "x": 1}'), "does not say what"
    yield "nan.safetensors", ({"a": np.full(4, np.nan)}, good), "it says no direction"
    yield "text.gguf", b"not gguf at all, not at all", "no GGUF file"
    yield "a.bin", b"x", r"ends in '\.bin'"


@pytest.mark.parametrize("index", range(11))
def test_a_wrong_file_is_told_in_one_message(tmp_path, index):
    name, content, message = list(wrong_files(tmp_path))[index]
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    elif content is not None:
        entry = content[1]
        save_file(content[0], tmp_path / name, {"linrep": entry} if entry else None)
    with pytest.raises(LinrepError, match=message):
        read_directions(tmp_path / name)


@pytest.mark.parametrize("name", ["direction.0", "direction.x", "blk.0.weight"])
def test_another_gguf_file_is_told(tmp_path, name):
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "controlvector" if "dir" in name else "llama")
    writer.add_tensor(name, np.ones(4, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(DirectionError, match="control vector"):
        read_directions(tmp_path / "a.gguf")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"vectors": {}}, "received none"),
        ({"vectors": {"a": np.zeros(3)}}, "it says no direction"),
        ({"vectors": {"a": np.ones(3), "b": np.ones(4)}}, "one width"),
        ({"scale": 0.0}, "not 0"),
        ({"norm": {"z": 1.0}}, "norms are of the sites"),
        ({"operation": "multiply"}, "operation is one of|operation"),
    ],
)
def test_contradictions_are_refused(given, message):
    with pytest.raises(LinrepError, match=message):
        Directions(**({"vectors": vectors(), "target": "t"} | given))


def test_block_0_and_places_inside_blocks_have_no_control_vector(tmp_path):
    for site in ("blocks.0.hook_resid_post", "blocks.1.hook_resid_mid"):
        made = Directions({site: np.ones(3)}, "t")
        with pytest.raises(DirectionError, match="after blocks 1, 2"):
            write_directions(made, tmp_path / "t.gguf")
        assert read_directions(write_directions(made, tmp_path / "t.safetensors")).sites == (site,)


def test_files_hold_numbers_alone(tmp_path):
    file = write_directions(Directions(vectors(), **WHAT), tmp_path / "t.safetensors")
    assert set(load_file(file)) == set(SITES)
