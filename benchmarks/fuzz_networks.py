"""Damaged archives of maxout networks: each is refused in one message, or read.

    python benchmarks/fuzz_networks.py            # 1,000 of each kind
    python benchmarks/fuzz_networks.py --n 100000 --seed 7

What is read is evaluated, and its regions on a segment or a square are counted up to a budget, as
``linrep regions FILE`` does. What is counted is explained in fuzzing.py.
"""

import io
import random
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from fuzzing import Reader, damaged_bytes, main

from linrep.piecewise import MaxoutNetwork, regions_in_plane, regions_on_segment

SHAPES: list[Any] = [(), (0,), (1,), (2, 2), (1, 2, 3), (3, 2, 1), (0, 2, 2), (2, 0, 2), (2, 2, 0)]
NUMBERS = [0.0, -0.0, 1.0, 1e-320, 1e308, -1e308, 1e154, float("nan"), float("inf"), 2.0**-1074]
DTYPES = ["f4", "f2", "i1", "u8", "c16", "?", "U5", "S3", "M8[s]", "V4", "f8", ">f8"]


def networks() -> list[MaxoutNetwork]:
    """Two networks, of one input and of two."""
    return [MaxoutNetwork.random(n, [3, 2], [2, 3], seed=n) for n in (1, 2)]


def facts(file: Path) -> list[Any]:
    """What a network says of itself, at a point and of its regions."""
    net = MaxoutNetwork.load(file)
    found: list[Any] = [net.widths, net.ranks, net.n_parameters, repr(net)]
    found.append(net(np.full((1, net.n_inputs), 0.25)).tolist())
    if net.n_inputs == 1:
        found.append(regions_on_segment(net, 0.0, 1.0, budget=200).n_cells)
    elif net.n_inputs == 2:
        found.append(regions_in_plane(net, (0.0, 1.0), budget=200).n_cells)
    return found


def archive(arrays: dict[str, np.ndarray], *, packed: bool = False) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(out, allow_pickle=True, **arrays)
    return out.getvalue()


# -- damage: each changes one array of an archive and says what it did


def shape(array: np.ndarray, chance: random.Random) -> Any:
    return np.resize(array, chance.choice(SHAPES))


def number(array: np.ndarray, chance: random.Random) -> Any:
    if array.dtype.kind == "f" and array.size:
        array[tuple(chance.randrange(n) for n in array.shape)] = chance.choice(NUMBERS)
    elif array.dtype.kind == "i" and array.size:
        array.flat[chance.randrange(array.size)] = chance.choice([-1, 0, 1, 7, 2**62])
    return array


def scale(array: np.ndarray, chance: random.Random) -> Any:
    factor = chance.choice([0, 1e-300, 1e-150, 1e100, 1e200])
    with np.errstate(all="ignore"):
        return array * factor if array.dtype.kind == "f" else array.T


def dtype(array: np.ndarray, chance: random.Random) -> Any:
    if array.dtype.kind not in "fi":
        return array.reshape(-1)[:1]
    return np.nan_to_num(array).clip(-9, 9).astype("i8").astype(chance.choice(DTYPES))


def words(_: np.ndarray, chance: random.Random) -> Any:
    return np.array(chance.choice([["a", "b"], [["1", "2"]], [{}, None], [b"x"], "text", 1 + 2j]))


def objects(*_: Any) -> Any:
    return np.array([random.Random, 1], dtype=object)


def turned(array: np.ndarray, _: random.Random) -> Any:
    return array.T


def fields(_: np.ndarray, chance: random.Random) -> Any:
    return np.zeros(chance.choice(SHAPES), dtype=[("a", "f8"), ("b", "i4")])


CHANGES = [shape, number, number, scale, dtype, words, objects, turned, fields]


def damaged(arrays: dict[str, np.ndarray], chance: random.Random) -> tuple[bytes, str]:
    """The bytes of an archive with arrays changed, gone, renamed, doubled or of another network."""
    arrays = {name: array.copy() for name, array in arrays.items()}
    done = []
    for _ in range(chance.choice([1, 1, 2])):
        name = chance.choice(sorted(arrays))
        way = chance.choice(["change", "change", "change", "drop", "rename", "other", "more"])
        if way == "change":
            change = chance.choice(CHANGES)
            arrays[name] = np.asarray(change(arrays[name], chance))
            way = change.__name__
        elif way == "drop":
            del arrays[name]
        elif way == "rename":
            arrays[chance.choice(["x", "weight_7", "weight_x", "ranks_0"])] = arrays.pop(name)
        elif way == "other":
            arrays[name] = arrays[chance.choice(sorted(arrays))]
        else:
            arrays["weight_2"] = arrays[name]
        done.append(f"{name}: {way}")
        if not arrays:
            break
    return archive(arrays, packed=chance.random() < 0.1), ", ".join(done)


def header(data: bytes, chance: random.Random) -> tuple[bytes, str]:
    """An archive in which the header of one array speaks of any shape, with no data to it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w") as after:
        target = chance.choice(before.namelist())
        for name in before.namelist():
            inside = before.read(name)
            if name == target:
                said = chance.choice(
                    ["(10**13,)", "(-1,)", "(2,10**6,10**6)", "(2**63,)", "()", "x"]
                )
                text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {eval_(said)}, }}"
                packed = text.encode().ljust(118) + b"\n"
                inside = inside[:8] + len(packed).to_bytes(2, "little") + packed + inside[128:]
            after.writestr(name, inside)
    return out.getvalue(), f"{target}: shape {said}"


def eval_(shape: str) -> str:
    """Powers written out."""
    return (
        shape.replace("10**13", "1" + "0" * 13)
        .replace("10**6", "1000000")
        .replace("2**63", str(2**63))
    )


def readers(scratch: Path) -> list[Reader]:
    """Archives damaged as arrays, as bytes, and in the headers of arrays."""
    file = scratch / "network.npz"
    nets = [net.to_arrays() for net in networks()]
    whole = [archive(arrays) for arrays in nets]

    def reader(name: str, damage: Any) -> Reader:
        def written(chance: random.Random) -> tuple[Path, str]:
            data, done = damage(chance)
            file.write_bytes(data)
            return file, done

        file.write_bytes(whole[0])
        return Reader(name, written, facts, facts(file))

    return [
        reader("network arrays", lambda chance: damaged(chance.choice(nets), chance)),
        reader("network bytes", lambda chance: damaged_bytes(chance.choice(whole), chance)),
        reader("network headers", lambda chance: header(chance.choice(whole), chance)),
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__, readers))
