"""What capture costs beside the bare forward pass, and beside other tools, in one run.

    python benchmarks/capture.py                 # GPT-2-small shape, medians of 5 rounds
    python benchmarks/capture.py --rounds 3 --json
    python benchmarks/capture.py --device cuda   # seconds on the clock, more tokens

Methods are measured in turn, round after round, in CPU seconds of one thread (``--wall`` for the
clock on the wall, on a machine that does nothing else); what to read are the ratios, medians over
rounds of the ratio in each.
nnsight and pyvene are measured where they are installed, on modules of their own around the same
weights, because they replace what a module does when it is called. A capture computes some layers
faster than the model's own code (``hooks/paths/arithmetic.py``); what it adds to the model's own is
measured beside it (``arithmetic="model"``). On a GPU every method brings what it keeps into memory,
as a capture does, and the clock waits until the GPU is done.
"""

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import threadpoolctl
import torch
from figures import tell
from transformers import GPT2Config, GPT2LMHeadModel

from linrep.hooks.capturing.groups import Group
from linrep.hooks.capturing.summing import Sums
from linrep.hooks.inputs.alignment import Encoding, Line
from linrep.hooks.inputs.batching import plan
from linrep.hooks.paths.arithmetic import Arithmetic, FasterLayers
from linrep.hooks.paths.module_path import ModulePath
from linrep.hooks.paths.path import Path
from linrep.hooks.paths.sites import resolve
from linrep.hooks.reading.arrays import Arrays
from linrep.hooks.reading.loop import read
from linrep.models import to_bridge
from linrep.probes import Statistics

TARGETS = 4
OWN_CODE = 'linrep capture, arithmetic="model"'
LEAN = {"use_cache": False}  # no method is charged for a cache of keys that nobody reads
Method = Callable[[], Any]


def gpt2(layers: int, width: int, heads: int, positions: int, words: int) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    config = GPT2Config(
        n_layer=layers, n_embd=width, n_head=heads, n_positions=positions, vocab_size=words,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return GPT2LMHeadModel(config).eval()


def lines_of(ids: torch.Tensor) -> Encoding:
    """Every token a word."""
    lines, row = [], 0
    for one in ids.numpy().astype(np.int32):
        place = np.arange(len(one), dtype=np.int32)
        lines.append(Line(one, row + place, place, place + 1))
        row += len(one)
    return Encoding(tuple(lines), np.full(len(ids), ids.shape[1]), np.empty(0, dtype=np.int64))


def same_weights(model: Any) -> Any:
    """Modules of their own around the same weights."""
    return copy.deepcopy(model, {id(p): p for p in model.parameters()})


def ours(path: Path, ids: torch.Tensor, lines: int, arithmetic: Arithmetic = "auto") -> Method:
    """Capture of resid_post at all layers: forward pass, words, typed arrays in memory."""
    encoding, sites = lines_of(ids), resolve("resid_post", "all", path.n_layers)
    batches = plan([ids.shape[1]] * len(ids), lines=lines)
    width, faster = path.model.config.hidden_size, FasterLayers(path.model, arithmetic)

    def run() -> None:
        arrays = Arrays(sites, 0, ids.numel(), width, "float32")
        done = lambda _: arrays.check(4096)  # noqa: E731
        read(path, encoding.lines, batches, sites, "last", arrays.put, done=done, faster=faster)
        arrays.check()

    return run


def streaming(path: Path, ids: torch.Tensor, lines: int) -> Method:
    """Capture and closed-form statistics of all layers, nothing kept."""
    encoding, sites = lines_of(ids), resolve("resid_post", "all", path.n_layers)
    batches = plan([ids.shape[1]] * len(ids), lines=lines)
    random = np.random.default_rng(0)
    labels = {
        f"target {i}": random.integers(0, 10, ids.numel()).astype(str) for i in range(TARGETS)
    }
    faster = FasterLayers(path.model)
    group = Group(np.ones(ids.numel(), dtype=bool), labels)

    def run() -> None:
        sums = Sums(Statistics.from_arrays, (group,))
        done = lambda _: sums.commit()  # noqa: E731
        read(path, encoding.lines, batches, sites, "last", sums.put, done=done, faster=faster)
        sums.flushed()

    return run


def in_turn(run: Callable[[torch.Tensor], Any], batches: Sequence[torch.Tensor]) -> Method:
    """One batch after the other; what it gives is kept until the last, as ours is."""

    def method() -> None:
        with torch.inference_mode():
            kept = [run(batch) for batch in batches]
        del kept

    return method


def forgotten(_: Any) -> None:
    """Nothing of a bare pass is kept."""


def copied(states: Any) -> list[torch.Tensor]:
    """What is kept must survive the next batch and lie in memory, as ours does."""
    return [state.to("cpu", copy=True) for state in states]


def methods(model: Any, ids: torch.Tensor, lines: int | None = None) -> dict[str, Method]:
    """All of them on the same lines, in batches of ``lines``; by default all lines are one."""
    lines = lines or len(ids)
    there = ids.to(model.device)
    bridge = to_bridge(model)
    path = ModulePath(model)
    cached = {f"blocks.{i}.hook_out" for i in range(path.n_layers)} | {"blocks.0.hook_in"}
    others: dict[str, Callable[[torch.Tensor], Any]] = {
        "model, full forward": lambda ids: forgotten(model(ids, **LEAN)),
        "body, bare": lambda ids: forgotten(model.base_model(ids, **LEAN)),
        "output_hidden_states": lambda ids: copied(
            model(ids, output_hidden_states=True, **LEAN).hidden_states
        ),
        "TransformerLens run_with_cache": lambda ids: copied(
            bridge.run_with_cache(ids, names_filter=lambda n: n in cached, **LEAN)[1].values()
        ),
        **nnsight(same_weights(model)),
        **pyvene(same_weights(model), ids.shape[1]),
    }
    return {
        "linrep capture": ours(path, ids, lines),
        "linrep streaming statistics": streaming(path, ids, lines),
        OWN_CODE: ours(path, ids, lines, "model"),
        **{name: in_turn(run, there.split(lines)) for name, run in others.items()},
    }


def nnsight(model: Any) -> dict[str, Callable[[torch.Tensor], Any]]:
    try:
        from nnsight import NNsight
    except ImportError:
        return {}
    wrapped = NNsight(model)

    def run(ids: torch.Tensor) -> list[torch.Tensor]:
        with wrapped.trace(ids, **LEAN):
            kept = list().save()  # noqa: C408 - its way to keep what a trace makes
            for block in wrapped.transformer.h:
                kept.append(block.output)
        return copied(kept)

    return {"nnsight": run}


def pyvene(model: Any, positions: int) -> dict[str, Callable[[torch.Tensor], Any]]:
    try:
        import pyvene as pv
    except ImportError:
        return {}
    wrapped = pv.IntervenableModel(
        [
            {
                "layer": i,
                "component": "block_output",
                "intervention_type": pv.CollectIntervention,
            }
            for i in range(model.config.n_layer)
        ],
        model=model,
    )
    places = list(range(positions))

    def run(ids: torch.Tensor) -> Any:
        found = wrapped({"input_ids": ids}, unit_locations={"base": places})
        return found if ids.is_cpu else copied(found[0][1])

    return {"pyvene": run}


def timings(
    methods: dict[str, Method], rounds: int, clock: Callable[[], float], repeat: int = 1
) -> dict[str, list[float]]:
    """Milliseconds per call in every round; a method that fails is left out, with why.

    Short calls (``repeat``) follow one that is not measured, so that no method pays for finding the
    processor's caches as another one has left them.
    """
    times: dict[str, list[float]] = {}
    for name, run in methods.items():
        try:
            run()
            times[name] = []
        except Exception as error:
            print(f"  {name}: cannot be measured ({type(error).__name__}: {str(error)[:90]})")
    for _ in range(rounds):
        for name in times:
            if repeat > 1:
                methods[name]()
            began = clock()
            for _ in range(repeat):
                methods[name]()
            times[name].append(1e3 * (clock() - began) / repeat)
    return times


def paired(one: list[float], other: list[float]) -> float:
    """Median over rounds of the ratio in each: what slows a whole round down cancels."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def show(
    title: str, found: dict[str, list[float]], asked: dict[tuple[str, str], float]
) -> list[dict]:
    print(f"\n{title}")
    body = found["body, bare"]
    for name, values in found.items():
        middle = statistics.median(values)
        print(f"  {name:34s} {middle:9.1f} ms   {paired(values, body):5.2f} x body")
    rows = []
    for (one, other), most in asked.items():
        if one in found and other in found:
            ratio = paired(found[one], found[other])
            verdict = "met" if ratio <= most else "NOT MET"
            print(f"  {one} / {other}: {ratio:.2f} (at most {most:.2f}) {verdict}")
            ours, theirs = (statistics.median(found[each]) for each in (one, other))
            tell(
                f"capture, {title}", one, ours, "ms", other, theirs,
                ratio=ratio, better="smaller", bar=most,
            )  # fmt: skip
            rows.append({"case": title, "ratio": f"{one} / {other}", "value": ratio, "most": most})
    return rows


OTHERS = ("output_hidden_states", "TransformerLens run_with_cache", "nnsight", "pyvene")
NEVER_SLOWER = {("linrep capture", other): 1.0 for other in OTHERS}


def gpu_clock() -> float:
    """Seconds on the clock, once the GPU has done what it was asked for."""
    torch.cuda.synchronize()
    return time.perf_counter()


def on_gpu(rounds: int, device: str) -> list[dict]:
    """The same methods where the model lies on a GPU."""
    random = torch.Generator().manual_seed(0)
    small = gpt2(layers=12, width=768, heads=12, positions=1024, words=50257).to(device)
    tiny = gpt2(layers=4, width=64, heads=4, positions=64, words=512).to(device)
    rows = []
    for model, title, count, length, lines in (
        (small, "GPT-2-small shape, 8 x 128 tokens", 8, 128, 8),
        (small, "GPT-2-small shape, 32 batches of 16 x 128 tokens", 512, 128, 16),
        (tiny, "tiny model (4 layers of 64), 16 batches of 8 x 32 tokens", 128, 32, 8),
        (tiny, "tiny model (4 layers of 64), 512 x 32 tokens", 512, 32, 512),
    ):
        words = model.config.vocab_size
        ids = torch.randint(0, words, (count, length), generator=random)
        rows += show(
            f"{title}, {device}",
            timings(methods(model, ids, lines), rounds, gpu_clock, repeat=1 + (count == 8)),
            {
                ("linrep capture", "body, bare"): 1.05,
                ("linrep streaming statistics", "body, bare"): 1.3,
                **NEVER_SLOWER,
            },
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wall", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    if args.device != "cpu":
        rows = on_gpu(args.rounds, args.device)
        if args.json:
            print(json.dumps(rows, indent=1))
        return
    clock = time.perf_counter if args.wall else time.process_time
    torch.set_num_threads(args.threads)
    threadpoolctl.threadpool_limits(args.threads)
    small = gpt2(layers=12, width=768, heads=12, positions=1024, words=50257)
    random = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 50257, (8, 128), generator=random)
    long = torch.randint(0, 50257, (1, 1024), generator=random)
    rows = show(
        "GPT-2-small shape, 8 x 128 tokens",
        timings(methods(small, ids), args.rounds, clock),
        {
            ("linrep capture", "model, full forward"): 0.75,
            ("linrep capture", "body, bare"): 1.05,
            (OWN_CODE, "body, bare"): 1.05,
            ("linrep streaming statistics", "body, bare"): 1.25,
            **NEVER_SLOWER,
        },
    )
    rows += show(
        "GPT-2-small shape, 1 x 1,024 tokens",
        timings(methods(small, long), args.rounds, clock),
        {
            ("linrep capture", "body, bare"): 1.10,
            (OWN_CODE, "body, bare"): 1.10,
            **NEVER_SLOWER,
        },
    )
    tiny = gpt2(layers=4, width=64, heads=4, positions=64, words=512)
    many = torch.randint(0, 512, (512, 32), generator=random)
    for title, some, lines in (
        ("8 x 32", many[:8], 8), ("16 batches of 8 x 32", many[:128], 8), ("512 x 32", many, 512)
    ):  # fmt: skip
        rows += show(
            f"tiny model (4 layers of 64), {title} tokens",
            timings(methods(tiny, some, lines), 3 * args.rounds, clock, repeat=3),
            {
                ("linrep capture", "body, bare"): 1.05,
                (OWN_CODE, "body, bare"): 1.05,
                **NEVER_SLOWER,
                ("linrep streaming statistics", "body, bare"): 1.3,
            },
        )
    if args.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
