"""Which of transformers' architectures are read, and what is said of the others.

    nice python benchmarks/architectures.py --out docs/models.md [--saved FILE] [--only REGEX]

Every configuration of transformers' AutoModel mappings that reads text is made small, a model with
random weights is built from it, its stream is captured and compared with ``output_hidden_states``
of a plain forward pass, input by input. Where linrep refuses a model, the advice in its message is
followed, and what comes of that is captured and compared instead.
"""

import argparse
import ast
import contextlib
import copy
import inspect
import json
import re
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers.models.auto import modeling_auto as auto

from linrep import LinrepError, capture

SMALL: dict[str, Any] = {
    **dict.fromkeys(
        ("hidden_size", "d_model", "n_embd", "dim", "emb_dim", "embedding_size", "model_dim",
         "projection_dim", "attention_hidden_size", "encoder_hidden_size", "decoder_hidden_size"),
        32,
    ),
    **dict.fromkeys(
        ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers",
         "decoder_layers", "num_decoder_layers", "num_encoder_layers", "depth"),
        3,
    ),
    **dict.fromkeys(
        ("num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads",
         "decoder_attention_heads", "n_decoder_attention_heads", "n_encoder_attention_heads"),
        4,
    ),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads", "n_kv_heads"), 2),
    **dict.fromkeys(("head_dim", "d_kv", "attention_head_size", "v_head_dim"), 8),
    **dict.fromkeys(
        ("intermediate_size", "ffn_dim", "d_ff", "n_inner", "d_inner", "encoder_ffn_dim",
         "decoder_ffn_dim", "hidden_dim", "ffn_hidden_size", "moe_intermediate_size",
         "shared_expert_intermediate_size", "mlp_hidden_size", "block_ff_dim"),
        32,
    ),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "moe_k", "moe_topk", "num_experts_per_token"), 2),
    "n_group": 1, "topk_group": 1, "n_shared_experts": 1, "first_k_dense_replace": 1,
    "kv_lora_rank": 8, "q_lora_rank": 8, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8,
    "vocab_size": 64, "max_position_embeddings": 64, "n_positions": 64, "image_size": 28,
    "patch_size": 14, "sliding_window": 16, "type_vocab_size": 2, "rotary_dim": 4,
    "mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_n_groups": 1, "state_size": 8,
    "linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 8,
    "linear_value_head_dim": 8, "vocab_size_per_layer_input": 64, "hidden_size_per_layer_input": 8,
    "index_n_heads": 2, "index_head_dim": 8, "index_topk": 4, "index_topk_freq": 1,
}  # fmt: skip
IDS = {
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 0,
    "image_token_id": 60, "image_token_index": 60, "video_token_id": 61, "audio_token_id": 62,
    "sep_token_id": 2, "cls_token_id": 1,
}  # fmt: skip
WORDS = ["<pad>", "<bos>", "<eos>", *(f"w{i}" for i in range(3, 50))]
NO_TEXT = "takes no text"
TOLERANCE = 1e-4  # of the largest entry: kernels of one and of several inputs round differently
MAPPINGS = (
    ("causal", auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
    ("masked", auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES),
    ("text encoder", auto.MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES),
    ("sequence to sequence", auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES),
    ("image and text", auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES),
    ("other", auto.MODEL_MAPPING_NAMES),
)


def kinds() -> list[tuple[str, str, str]]:
    """(model type, mapping, model class) of everything that may read text."""
    found: dict[str, tuple[str, str, str]] = {}
    for mapping, names in MAPPINGS:
        for kind, name in names.items():
            name = name[0] if isinstance(name, tuple) else name
            found.setdefault(kind, (kind, mapping, name))
    return [found[kind] for kind in sorted(found)]


def small(config: Any) -> Any:
    """A configuration of this class with few and narrow layers; those inside it as well."""
    before = config()
    values = {}
    for name, value in {**SMALL, **IDS}.items():
        old = _of(before, name)
        if isinstance(old, list):
            values[name] = [value] * len(old)
        elif (isinstance(old, int) and not isinstance(old, bool)) or name in IDS:
            values[name] = value
    if "kv_lora_rank" in values:  # every head has keys of its own
        values["num_key_value_heads"] = 4
    values |= inside(config, before)
    try:
        return config(**values)
    except Exception:  # one of them does not fit: those that do, one after the other
        made = before
        for name, value in values.items():
            with contextlib.suppress(Exception):
                setattr(made, name, value)
        return made


def inside(config: Any, before: Any) -> dict[str, Any]:
    """Configurations inside one, and lists and periods that go by layers."""
    values: dict[str, Any] = {}
    for name in getattr(config, "sub_configs", {}):
        part = _of(before, name)
        if isinstance(part, transformers.PreTrainedConfig):
            values[name] = small(type(part))
    for name in ("layer_types", "mlp_layer_types", "layers_block_type"):
        listed = _of(before, name)
        if isinstance(listed, list) and name in inspect.signature(config).parameters:
            values[name] = some_of(listed)
    periods = {"attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2}
    values |= {name: value for name, value in periods.items() if _of(before, name) is not None}
    if "attn_layer_indices" in inspect.signature(config).parameters:
        values["attn_layer_indices"] = [1]
    rope = _of(before, "rope_parameters")
    if isinstance(rope, dict) and "mrope_section" in rope:
        values["rope_parameters"] = {**rope, "mrope_section": [1, 1, 2]}
    return values


def some_of(kinds: list[Any]) -> list[Any]:
    """Three layers, of every kind if there are no more than three."""
    each = sorted(dict.fromkeys(kinds), key=lambda kind: "attention" in str(kind))[-3:]
    return [each[min(i, len(each) - 1)] for i in range(3)]


def _of(config: Any, name: str) -> Any:
    """An attribute; ``None`` where it cannot be told."""
    try:
        return getattr(config, name, None)
    except Exception:  # some vary from layer to layer, and say so
        return None


def build(kind: str, name: str) -> Any:
    """A small model in eval mode.

    Raises:
        ValueError: it takes no text, or is still large.
    """
    model, config = getattr(transformers, name), transformers.CONFIG_MAPPING[kind]
    if "input_ids" not in inspect.signature(model.forward).parameters:
        raise ValueError(NO_TEXT)
    settings = small(config)
    with torch.device("meta"):
        size = sum(p.numel() for p in model(copy.deepcopy(settings)).parameters())
    if size > 30_000_000:
        raise ValueError(f"still large, {size:.1e} parameters")
    torch.manual_seed(0)
    made = model(settings).eval()
    for part in made.modules():  # three parts of half a head of 8: time, height, width
        if isinstance(getattr(part, "mrope_section", None), list):
            part.mrope_section = [2, 1, 1]
    return made


def runs(model: Any) -> str:
    """Why a model does not run on a few token ids by itself; empty if it does."""
    ids = torch.tensor([[5, 6, 7]])
    more = inspect.signature(model.forward).parameters
    try:
        with torch.no_grad():
            model(
                input_ids=ids, **({"decoder_input_ids": ids} if "decoder_input_ids" in more else {})
            )
    except Exception as error:
        return line_of(error)
    return ""


def expected(model: Any, ids: list[int]) -> list[Any] | None:
    """What ``output_hidden_states`` gives: the embedding, then each block but the last."""
    part = getattr(model, "base_model", model)
    given = {"input_ids": torch.tensor([ids])}
    with torch.no_grad():
        out = part(**given, output_hidden_states=True)
    states = getattr(out, "hidden_states", None) or getattr(out, "encoder_hidden_states", None)
    if states is None:
        return None
    found = [state[0].float().numpy() for state in states]
    kind = model.config.model_type
    # These give what leaves each block, and no embedding in front.
    return [None, *found] if "mamba" in kind or kind == "rwkv" else found


def compared(model: Any, how: dict[str, Any]) -> dict[str, Any]:
    """Captured beside expected."""
    text = ["w3 w9 w4 w30 w7", "w12 w5", "w8 w8 w31 w17"]
    corpus = [line.split() for line in text]
    if hasattr(model, "config"):
        model.config.vocabulary = WORDS
    acts = capture(model, corpus, progress=False, **how)
    begins = [WORDS.index("<bos>")] if lines_begin(acts) else []
    worst, at, sites = 0.0, 0, list(acts.sites)
    for words in corpus:
        states = expected(model, [*begins, *map(WORDS.index, words)])
        if states is None or len(states) < 2:
            return {"outcome": "captured", "why": "gives no hidden states to compare with"}
        for index, site in enumerate(sites[: len(states) - 1]):
            found = np.asarray(acts[site][at : at + len(words)], dtype=np.float64)
            if states[index] is None:
                continue
            wanted = states[index][len(begins) :]
            worst = max(
                worst, float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-9))
            )
        at += len(words)
    right = worst <= TOLERANCE
    return {"outcome": "right" if right else "WRONG", "difference": worst, "sites": len(sites)}


def lines_begin(acts: Any) -> bool:
    """Whether the capture put a beginning in front."""
    extra = acts.manifest["words"]["token_ids"] - acts.manifest["words"]["total"]
    return bool(extra > 0)


def advised(model: Any, message: str) -> tuple[str, Any, dict[str, Any]] | None:
    """What a message says to pass instead, or how, in its own words."""
    for said in re.findall(r"pass (check=\([^)]*\)|batch_size=\d+)", message):
        name, _, value = said.partition("=")
        return said, model, {name: ast.literal_eval(value)}
    for said in re.findall(r"`([^`]+)`", message):
        place = said.replace("model.", "", 1) if said.startswith("model.") else ""
        call = re.fullmatch(r"(.*?)(\(\))?", place)
        if not place or call is None or not re.fullmatch(r"[\w.]+(\(\))?", place):
            continue
        found = model
        for step in call[1].split("."):
            found = found[int(step)] if step.isdigit() else getattr(found, step)
        return said, found() if call[2] else found, {}
    return None


def tried(kind: str, name: str) -> dict[str, Any]:
    """One architecture: built, captured, compared; its advice followed."""
    try:
        made = build(kind, name)
    except Exception as error:  # what cannot be made small is no matter of ours
        return {"outcome": "not built", "why": line_of(error)}
    return attempt(made)


def attempt(made: Any) -> dict[str, Any]:
    """Captured, or refused and its advice followed."""
    said, how = "", {}
    for _ in range(4):
        try:
            return compared(made, how) | ({"advice": said} if said else {})
        except LinrepError as error:
            message = line_of(error)
            if "fails when it is run" in message and (why := runs(made)):
                return {"outcome": "not built", "why": f"does not run by itself: {why}"}
            try:
                found = advised(made, str(error))
            except Exception as wrong:
                return {"outcome": "ADVICE FAILS", "why": f"{message} -> {line_of(wrong)}"}
            if found is None:
                return {"outcome": "refused", "why": message}
            said, made, how = f"{said}; {found[0]}".lstrip("; "), found[1], how | found[2]
        except Exception as error:
            return {"outcome": "RAW ERROR", "why": f"{type(error).__name__}: {line_of(error)}"}
    return {"outcome": "ADVICE FAILS", "why": f"{said} leads nowhere: {message}"}


def line_of(error: Exception) -> str:
    """The first line of what went wrong."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def page(rows: list[dict[str, Any]]) -> str:
    """The table, and what it counts."""
    built = [row for row in rows if row["outcome"] != "not built"]
    order = ("right", "captured", "refused", "WRONG", "ADVICE FAILS", "RAW ERROR")
    counts = {name: sum(row["outcome"] == name for row in built) for name in order}
    followed = sum("advice" in row for row in built if row["outcome"] == "right")
    lines = [
        "# Models",
        "",
        "`benchmarks/architectures.py` makes every text architecture of transformers "
        f"{transformers.__version__} small, with random weights, and captures it. What is read is "
        "compared with `output_hidden_states` of a plain forward pass over each input alone "
        f"(largest difference at most {TOLERANCE:g} of the largest entry, all blocks but the last, "
        "whose hidden state transformers often gives behind the final norm; the self-check looks "
        "at that one). This page is what the command wrote.",
        "",
        f"Of {len(built)} architectures {counts['right']} are read right"
        + (f", {followed} of them by following the advice in the message that refuses the whole "
           "model" if followed else "")
        + f"; {counts['captured']} are read and have no hidden states to compare with; "
        f"{counts['refused']} are refused. "
        f"Wrong: {counts['WRONG']}. Advice that does not work: {counts['ADVICE FAILS']}. Errors "
        f"that are not linrep's own: {counts['RAW ERROR']}. What takes no text, or could not be "
        "made small by this script, is not counted; it is listed at the end.",
        "",
        "| architecture | class | outcome | difference | remark |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    for row in built:
        size = f"{row['difference']:.0e}" if "difference" in row else ""
        remark = f"`{row['advice']}`" if "advice" in row else row.get("why", "").replace("|", "/")
        lines.append(f"| {row['type']} | {row['model']} | {row['outcome']} | {size} | {remark} |")
    silent = [row["type"] for row in rows if row.get("why") == NO_TEXT]
    missed = [
        f"{row['type']} ({row['why'][:90]})"
        for row in rows
        if row["outcome"] == "not built" and row["why"] != NO_TEXT
    ]
    lines += ["", f"No text is taken by {len(silent)} others. Not made small by this script: "
              + "; ".join(missed or ["none"]) + "."]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Try them all, keep what was found, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=None, help="the page; by default none")
    parser.add_argument("--saved", type=Path, default=None, help="results, a line each; resumed")
    parser.add_argument("--only", default="", help="model types that match")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    done: dict[str, dict[str, Any]] = {}
    if asked.saved and asked.saved.exists():
        done = {row["type"]: row for row in map(json.loads, asked.saved.open())}
    for kind, mapping, name in kinds():
        if kind in done or not re.search(asked.only, kind):
            continue
        began = time.perf_counter()
        row = {"type": kind, "mapping": mapping, "model": name, **tried(kind, name)}
        row["seconds"] = round(time.perf_counter() - began, 1)
        done[kind] = row
        print(json.dumps(row), flush=True)
        if asked.saved:
            with asked.saved.open("a") as file:
                file.write(json.dumps(row) + "\n")
    if asked.out:
        asked.out.write_text(page([done[name] for name in sorted(done)]), encoding="utf-8")


if __name__ == "__main__":
    main()
