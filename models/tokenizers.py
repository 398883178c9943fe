"""The tokenizer of a model, with or without its weights."""

from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from .checkpoint import LoadError, custom_code, explained

__all__ = ["read_tokenizer", "tokenizer_of"]

FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)


def read_tokenizer(name: str, folder: Path | None) -> tuple[PreTrainedTokenizerBase | None, str]:
    """The tokenizer beside the weights; or none, and why a file that is there is of no use.

    Args:
        name: folder or hub id.
        folder: the folder, where it is one.
    """
    if folder is not None and not any((folder / file).exists() for file in FILES):
        return None, ""

    def known(error: Exception) -> LoadError | None:
        needs = "custom code" in str(error)
        return LoadError(custom_code(name, "tokenizer", "AutoTokenizer")) if needs else None

    try:
        with explained(f"the tokenizer of {name!r} cannot be read", "restore its files", known):
            tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
                name, trust_remote_code=False
            )
            tokenizer("")  # damaged settings come to light when it is used
    except LoadError as error:
        return None, str(error)
    return tokenizer, ""


def tokenizer_of(source: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder or hub id.

    Args:
        source: folder, or id in the local cache.

    Raises:
        LoadError: there is none, or it cannot be read.
    """
    folder = Path(source)
    made, reason = read_tokenizer(source, folder if folder.exists() else None)
    if made is None:
        raise LoadError(reason or f"{source!r} has no tokenizer files: give a folder that has them")
    return made
