"""Every benchmark beside its peers and floors: one command, one page, one JSON.

    python benchmarks/run.py --page docs/benchmarks.md --json benchmarks/answers/benchmarks.json
    python benchmarks/run.py --quick                        # small sizes: whether all of it runs
    python benchmarks/run.py --kernels Haswell SkylakeX     # all of it once for each BLAS kernel
    python benchmarks/run.py --against earlier.json         # what has become slower, status 1
    python benchmarks/run.py --only store --json kept.json  # one of them anew, the others stay
    python benchmarks/run.py --large                        # a million rows too: 16 GB in TMPDIR
    python benchmarks/run.py --gpu --page docs/gpu.md       # what runs on a GPU, beside its peers

Each benchmark runs in a process of its own, on one thread. Methods take turns, and a figure is the
median over rounds of the ratio in each round; processor, kernel, threads and load stand on the
page. ``--data FOLDER`` adds those that need published data and packaged models (folders ``gum``,
``blimp`` and ``cfg3``). A comparison flags a ratio that has become worse by more than 15 %.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmark_page import page
from figures import FILE, Figure, read

HERE = Path(__file__).parent
WORSE = 0.15
"""Part of a ratio that may be lost before it is flagged."""
PEERS = (
    "torch", "numpy", "scikit-learn", "transformers", "transformer-lens", "nnsight", "pyvene",
    "concept-erasure", "nltk",
)  # fmt: skip

FULL: dict[str, Sequence[str]] = {
    "imports": (),
    "linear_layers": (),
    "capture": ("--rounds", "5"),
    "probes_grid": ("--parts", "closed", "logistic", "--threads", "1"),
    "probe_memory": (),
    "store": ("--gib", "1"),
    "erasure": ("--threads", "1"),
    "regions": ("--repeat", "3"),
    "grammars": (),
    "curves": (),
}
QUICK: dict[str, Sequence[str]] = {
    "imports": (),
    "linear_layers": ("--rounds", "1"),
    "capture": ("--rounds", "1"),
    "probes_grid": ("--parts", "closed", "--threads", "1", "--rows", "3000", "--features", "128"),
    "probe_memory": ("--rows", "20000", "--width", "128"),
    "store": ("--gib", "0.1", "--rounds", "1"),
    "erasure": ("--threads", "1", "--d", "256", "--repeats", "1"),
    "regions": ("--repeat", "1", "--quick"),
    "grammars": (),
    "curves": ("--quick",),
}
LARGE: dict[str, Sequence[str]] = {
    "million_rows": ("--rows", "1000000", "--width", "4096"),
    "million_rows_logistic": ("--rows", "1000000", "--method", "logistic", "--file"),
}
"""A million rows, in the folder for temporary files (``TMPDIR``) for a quarter of an hour."""
GPU: dict[str, Sequence[str]] = {
    "gpu_capture": ("--device", "cuda", "--rounds", "3"),
    "gpu_devices": ("--rounds", "2"),
}
"""What runs on a GPU; on the processor it has all threads."""
SCRIPTS = {
    **dict.fromkeys(LARGE, "probe_memory"),
    **{name: name.removeprefix("gpu_") for name in (*GPU, "gpu_plain_script")},
}
"""Files of benchmarks that are not called like them."""


def with_data(data: Path | None, *, gpu: bool) -> dict[str, Sequence[str]]:
    """Those that read labelled data and packaged models."""
    if data is None:
        return {}
    trees = ("--trees", str(data / "gum" / "news" / "*.ptb"))
    if gpu:
        return {"gpu_plain_script": (*trees, "--device", "cuda")}
    return {
        "plain_script": trees,
        "grammars": ("--cfg3", str(data / "cfg3")),
        "causal_cost": ("--blimp", str(data / "blimp"), "--pairs", "200"),
    }


def measured(name: str, arguments: Sequence[str], kernel: str | None) -> list[Figure]:
    """Run one benchmark; what it prints goes to stderr, what it tells is returned."""
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
    threads = {} if name.startswith("gpu_") else threads
    with tempfile.TemporaryDirectory(prefix="linrep-benchmarks-") as folder:
        told = Path(folder) / "figures.jsonl"
        chosen = {"OPENBLAS_CORETYPE": kernel} if kernel else {}
        done = subprocess.run(
            [sys.executable, str(HERE / f"{SCRIPTS.get(name, name)}.py"), *arguments],
            env=os.environ | threads | chosen | {FILE: str(told)}, stdout=sys.stderr, check=False,
        )  # fmt: skip
        if done.returncode:
            print(f"{name} ended with status {done.returncode}", file=sys.stderr)
        return read(told)


def kernel_of(asked: str | None) -> str:
    """The BLAS kernel that a process started so uses.

    Raises:
        SystemExit: this processor lacks what the kernel needs.
    """
    code = (
        "import numpy, threadpoolctl as t; numpy.ones((99, 99)) @ numpy.ones((99, 99)); "
        "print(*sorted({p.get('architecture', '?') for p in t.threadpool_info() "
        "if p['user_api'] == 'blas'}))"
    )
    chosen = {"OPENBLAS_CORETYPE": asked} if asked else {}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | chosen, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the BLAS kernel {asked} does not run on this processor: take another")
    return done.stdout.strip()


def processor() -> str:
    """Its name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def gpu_name() -> str:
    """The first GPU's.

    Raises:
        SystemExit: there is none.
    """
    import torch

    if not torch.cuda.is_available():
        raise SystemExit("--gpu measures on a CUDA GPU, and PyTorch finds none here")
    return str(torch.cuda.get_device_name(0))


def installed(name: str) -> str:
    """The version of a package, empty where it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def earlier(data: Path | None) -> list[dict[str, Any]]:
    """What an earlier run kept, to which single benchmarks are added."""
    if data is None or not data.exists():
        return []
    found: list[dict[str, Any]] = json.loads(data.read_text(encoding="utf-8"))
    return found


def replace(figures: list[dict[str, Any]], found: Sequence[Figure]) -> None:
    """Put figures in the place of those of an earlier run, or at the end."""
    anew = {figure.key for figure in found}
    old = [Figure(**each).key in anew for each in figures]
    at = old.index(True) if any(old) else len(figures)
    rest = [each for each, gone in zip(figures[at:], old[at:], strict=True) if not gone]
    figures[at:] = [*map(asdict, found), *rest]


def kept(runs: Sequence[dict[str, Any]], at: Path | None, data: Path | None) -> None:
    """Write what is measured so far."""
    if at:
        at.write_text(page(runs), encoding="utf-8")
    if data:
        data.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")


def worse(now: Sequence[dict[str, Any]], before: Sequence[dict[str, Any]]) -> list[str]:
    """Ratios that have lost more than 15 % since, kernel by kernel."""
    known = {
        (run["machine"]["kernel"], Figure(**each).key): each["ratio"]
        for run in before for each in run["figures"]
    }  # fmt: skip
    found = []
    for run in now:
        for figure in (Figure(**each) for each in run["figures"]):
            old = known.get((run["machine"]["kernel"], figure.key))
            if old is None:
                continue
            lost = old / figure.ratio if figure.better == "larger" else figure.ratio / old
            if lost > 1 + WORSE:
                found.append(f"{figure.key}: {figure.ratio:.2f}, was {old:.2f}")
    return found


def main() -> int:
    """Run, print, keep, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--large", action="store_true", help="a million rows as well")
    parser.add_argument("--gpu", action="store_true", help="what runs on a GPU, instead")
    parser.add_argument("--only", nargs="+", help="names of benchmarks")
    parser.add_argument("--data", type=Path, help="folder with gum and blimp")
    parser.add_argument("--kernels", nargs="+", default=[None], help="OpenBLAS core types")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--against", type=Path, help="JSON of an earlier run")
    asked = parser.parse_args()
    jobs = {
        **(GPU if asked.gpu else QUICK if asked.quick else FULL),
        **with_data(asked.data, gpu=asked.gpu),
    }
    gpu = f" with {gpu_name()}" if asked.gpu else ""
    runs = earlier(asked.json) if asked.only else []
    for kernel in asked.kernels:
        machine = {
            "processor": processor() + gpu, "cores": os.cpu_count(), "kernel": kernel_of(kernel),
            "load": os.getloadavg()[0], "threads": 1, "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "versions": {name: number for name in PEERS if (number := installed(name))},
        }  # fmt: skip
        same = ("processor", "kernel", "versions")
        known = [run for run in runs if all(run["machine"][k] == machine[k] for k in same)]
        if not known:
            runs.append({"machine": machine, "figures": []})
        figures = (known or runs)[-1]["figures"]
        for name in asked.only or [*jobs, *(LARGE if asked.large else ())]:
            found = measured(name, (LARGE | jobs)[name], kernel)
            replace(figures, found)
            kept(runs, asked.page, asked.json)  # an hour's figures outlive an interrupt
    print(page(runs))
    if asked.against:
        lost = worse(runs, json.loads(asked.against.read_text(encoding="utf-8")))
        print(
            "\n".join(["Worse than before:", *lost]) if lost else "No ratio is worse than before."
        )
        return 1 if lost else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
