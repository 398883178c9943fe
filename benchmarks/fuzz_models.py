"""Damaged model folders: each is refused in one sentence, or read as what it is.

    python benchmarks/fuzz_models.py --n 200      # copies of a tiny GPT-2 and of a tiny BERT
    python benchmarks/fuzz_models.py --n 5000 --seed 7

Each copy has one file changed: bytes turned over, cut off, emptied or removed; a setting of a JSON
file put to another value, dropped or taken from another kind of model; weights renamed, reshaped,
dropped, pickled or made NaN. It is then captured from; ``same`` are the activations of the whole
folder. What else is counted is explained in fuzzing.py.
"""

import json
import pickle
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import transformers as tf
from fuzzing import Reader, file_contents, main
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from linrep.hooks import capture

WORDS = ["<pad>", "<unk>", "the", "cat", "sat", "on", "a", "mat"]
CORPUS = [["the", "cat", "sat", "on", "a", "mat"], ["a", "cat"]]
VALUES = [
    None, True, -1, 0, 1, 2, 7, 10**9, 2**70, 0.5, -1e300, float("nan"), "", "text", [], [1, "a"],
    {}, {"a": 1}, "gelu", "gpt2", "bert",
]  # fmt: skip


def gpt2() -> tf.PreTrainedModel:
    size = {"n_embd": 8, "n_layer": 2, "n_head": 2, "vocab_size": len(WORDS), "n_positions": 16}
    return tf.GPT2LMHeadModel(tf.GPT2Config(**size, bos_token_id=0, eos_token_id=0))


def bert() -> tf.PreTrainedModel:
    size = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    more = {"intermediate_size": 8, "vocab_size": len(WORDS), "max_position_embeddings": 16}
    return tf.BertForMaskedLM(tf.BertConfig(**size, **more))


def write(folder: Path, make: Callable[[], tf.PreTrainedModel]) -> None:
    """A whole folder: weights, configuration, tokenizer."""
    torch.manual_seed(0)
    make().save_pretrained(folder)
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", unk_token="<unk>"
    )
    tokenizer.save_pretrained(folder)


# -- mutations: each changes one file of a folder and says what it did


def change_bytes(file: Path, chance: random.Random) -> str:
    data = bytearray(file.read_bytes())
    places = [chance.randrange(min(len(data), 4096)) for _ in range(chance.choice([1, 3, 20]))]
    for place in places:
        data[place] = chance.randrange(256)
    file.write_bytes(data)
    return f"{len(places)} bytes changed"


def cut(file: Path, chance: random.Random) -> str:
    size = chance.randrange(file.stat().st_size)
    file.write_bytes(file.read_bytes()[:size])
    return f"cut to {size} bytes"


def empty(file: Path, _: random.Random) -> str:
    file.write_bytes(b"")
    return "emptied"


def remove(file: Path, _: random.Random) -> str:
    file.unlink()
    return "removed"


def folder_instead(file: Path, _: random.Random) -> str:
    file.unlink()
    file.mkdir()
    return "a folder instead"


def other_file(file: Path, chance: random.Random) -> str:
    file.write_bytes(chance.choice(sorted(file.parent.glob("*"))).read_bytes())
    return "the content of another file"


def setting(file: Path, chance: random.Random) -> str:
    settings = json.loads(file.read_text())
    inside, path = settings, []
    while True:
        key = chance.choice(sorted(inside))
        path.append(key)
        if not (isinstance(inside[key], dict) and inside[key] and chance.random() < 0.8):
            break
        inside = inside[key]
    if chance.random() < 0.2:
        del inside[key]
        said = "dropped"
    else:
        inside[key] = chance.choice(VALUES)
        said = f"set to {inside[key]!r}"
    file.write_text(json.dumps(settings))
    return f"{'.'.join(path)} {said}"


def kind(file: Path, chance: random.Random) -> str:
    settings = json.loads(file.read_text())
    settings["model_type"] = chance.choice(
        ["gpt2", "bert", "llama", "t5", "roberta", "opt", "vit", "bart", "whisper", "mamba", "clip"]
    )
    if chance.random() < 0.5:
        settings.pop("architectures", None)
    file.write_text(json.dumps(settings))
    return f"model_type {settings['model_type']}"


def drop_weight(file: Path, chance: random.Random) -> str:
    return weights(file, chance, lambda all_, name: all_.pop(name))


def rename_weight(file: Path, chance: random.Random) -> str:
    return weights(file, chance, lambda all_, name: all_.update({f"{name}x": all_.pop(name)}))


def reshape_weight(file: Path, chance: random.Random) -> str:
    return weights(file, chance, lambda all_, name: all_.update({name: all_[name].flatten()[1:]}))


def nan_weight(file: Path, chance: random.Random) -> str:
    return weights(file, chance, lambda all_, name: all_[name].fill_(float("nan")))


def integer_weight(file: Path, chance: random.Random) -> str:
    return weights(file, chance, lambda all_, name: all_.update({name: all_[name].int()}))


def weights(file: Path, chance: random.Random, change: Callable) -> str:
    tensors = load_file(file)
    name = chance.choice(sorted(tensors))
    change(tensors, name)
    save_file(tensors, file, metadata={"format": "pt"})
    return f"weight {name}"


def pickled(file: Path, chance: random.Random) -> str:
    tensors = load_file(file)
    file.unlink()
    how = chance.choice(["whole", "cut", "pickle", "list", "object"])
    target = file.with_name("pytorch_model.bin")
    torch.save({"list": [1, 2], "object": {"a": random.Random}}.get(how, tensors), target)
    if how == "cut":
        cut(target, chance)
    elif how == "pickle":
        target.write_bytes(pickle.dumps({"a": 1}))
    return f"pytorch_model.bin: {how}"


ANY = [change_bytes, cut, empty, remove, folder_instead, other_file]
WEIGHTS = [drop_weight, rename_weight, reshape_weight, nan_weight, integer_weight, pickled]
BY_FILE = {"config.json": [setting, setting, setting, kind], "model.safetensors": WEIGHTS}


def mutate(folder: Path, chance: random.Random) -> str:
    """One change, told in words."""
    names = (
        ["config.json"] * 4 + ["model.safetensors"] * 3 + sorted(f.name for f in folder.iterdir())
    )
    file = folder / chance.choice(names)
    ways = BY_FILE.get(file.name, [setting])
    way = chance.choice(ways if chance.random() < 0.7 else ANY)
    return f"{file.name}: {way.__name__}: {way(file, chance)}"


def restore(whole: Path, copy: Path) -> None:
    """Bring back what was changed, removed or put into a copy; files that are whole stay."""
    for file in copy.iterdir():
        if file.is_dir():
            shutil.rmtree(file)
        elif not (whole / file.name).is_file():
            file.unlink()
    for file in whole.iterdir():
        own = copy / file.name
        if not own.exists() or own.stat().st_mtime_ns != file.stat().st_mtime_ns:
            shutil.copy2(file, own)


class Found:
    """Activations that equal others up to rounding."""

    def __init__(self, folder: Path) -> None:
        acts = capture(folder, CORPUS, progress=False)
        self.arrays = {site: np.array(acts[site]) for site in acts.sites}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Found) and (
            list(self.arrays) == list(other.arrays)
            and all(
                np.allclose(self.arrays[site], other.arrays[site], rtol=1e-5, atol=1e-6)
                for site in self.arrays
            )
        )

    __hash__ = None  # type: ignore[assignment]


def reader_of(make: Callable[[], tf.PreTrainedModel], scratch: Path) -> Reader:
    whole, copy = scratch / make.__name__, scratch / f"{make.__name__}_copy"
    write(whole, make)
    copy.mkdir()

    def damage(chance: random.Random) -> tuple[Path, str]:
        restore(whole, copy)
        return copy, mutate(copy, chance)

    return Reader(make.__name__, damage, Found, Found(whole), False, file_contents)


def readers(scratch: Path) -> list[Reader]:
    """A decoder and an encoder; the libraries' own warnings are no concern of this."""
    tf.utils.logging.set_verbosity_error()
    tf.utils.logging.disable_progress_bar()
    return [reader_of(make, scratch) for make in (gpt2, bert)]


if __name__ == "__main__":
    sys.exit(main(__doc__, readers))
