"""What is captured: a model made ready, with its way of reading words."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from os import PathLike
from typing import Any, final

import torch
from torch import nn

from ...models import LoadedModel, load
from ...models.wrapped import opened
from ..errors import CaptureError, SiteError
from ..inputs.alignment import Encoding, encode_vocabulary, encode_words
from ..inputs.corpus import Inputs, Texts
from ..inputs.texts import WordReader, encode_texts
from ..inputs.windows import fit
from ..paths.arithmetic import Arithmetic
from ..paths.bridge_path import BridgePath, bridged
from ..paths.module_path import ModulePath
from ..paths.path import Path
from ..paths.sites import Site, resolve
from ..paths.wiring import input_device, vocabulary_size
from .fingerprint import fingerprint_model, fingerprint_tokenizer, with_nan
from .settings import CaptureSettings

__all__ = ["PreparedModel", "left_alone", "prepare", "stream_width"]


@final
@dataclass(frozen=True, eq=False)
class PreparedModel:
    """A model ready to be read.

    Args:
        path: the way through it.
        sites: full names of what is read, in order.
        tokenizer: turns text into ids; ``None`` where words are tokens.
        vocabulary: word of each id where words are tokens.
        name: where the model came from.
        fingerprint: digest of its weights and configuration, taken before any wrapping.
        drawn: weights of the language-model head that were drawn, as the folder lacks them.
        unused: weights in the folder that the model has no place for.
        quantised: how the weights of a file were quantised; empty if they were not.
        part: which part of what was loaded the model is; empty if it is all of it.
        arithmetic: how its layers compute.
    """

    path: Path
    sites: tuple[str, ...]
    tokenizer: Any
    vocabulary: tuple[str, ...] | None
    name: str
    fingerprint: str
    drawn: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    quantised: str = ""
    part: str = ""
    arithmetic: Arithmetic = "auto"

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return stream_width(self.path.model)

    @property
    def device(self) -> torch.device:
        """Where inputs go."""
        return input_device(self.path.model)

    def encode(self, given: Inputs, settings: CaptureSettings) -> Encoding:
        """Sentences or texts as inputs that fit into the model's context."""
        special = settings.special_tokens
        if isinstance(given, Texts):
            tokenizer = WordReader(self.vocabulary) if self.vocabulary else self.tokenizer
            encoding = encode_texts(given, tokenizer, special_tokens=special)
        elif self.vocabulary is not None:
            encoding = encode_vocabulary(given, self.vocabulary)
        else:
            encoding = encode_words(given, self.tokenizer, special_tokens=special)
        _check_ids(encoding, vocabulary_size(self.path.model), self.name)
        return fit(encoding, self.path.wiring.limit, settings.long_inputs, settings.word_token)

    def tokenizer_fingerprint(self) -> str:
        """Digest of whatever turns words into ids."""
        return fingerprint_tokenizer(self.tokenizer, self.vocabulary)


def _check_ids(encoding: Encoding, size: int, name: str) -> None:
    """Refuse token ids that the model has no row for.

    Raises:
        CaptureError: a tokenizer that belongs to another model.
    """
    largest = max((int(line.ids.max()) for line in encoding.lines if len(line)), default=0)
    if size and largest >= size:
        raise CaptureError(
            f"the tokenizer makes token id {largest}; {name} takes ids 0 to {size - 1}: pass the "
            "tokenizer that belongs to the model, or `model.resize_token_embeddings` if tokens "
            "were added on purpose"
        )


def stream_width(model: Any) -> int:
    """Width of a model's residual stream.

    Raises:
        CaptureError: the configuration does not name one.
    """
    width = getattr(model.config, "hidden_size", None)
    if not isinstance(width, int):
        raise CaptureError(
            f"the configuration of {type(model).__name__} has no hidden_size, the width of the one "
            "stream that is read: pass the part of the model that reads text, and the tokenizer"
        )
    return width


def prepare(
    model: Any, settings: CaptureSettings, tokenizer: Any = None, *, words: bool = True
) -> PreparedModel:
    """Load if need be, choose the path, resolve the sites.

    The bridge is taken if it was given, asked for, or the only way to a site; it wraps a copy
    unless the model was loaded here.

    Args:
        model: whatever :func:`linrep.capture` takes, or a path made by hand.
        settings: how to capture.
        tokenizer: instead of the one that came with the model.
        words: words will have to be turned into ids.

    Raises:
        CaptureError: no tokenizer where one is needed, weights that are no numbers, or
            compatibility mode.
        SiteError: the model has no such site.
    """
    path, loaded, fresh = _enter(model, settings)
    tokenizer = loaded.tokenizer if tokenizer is None else tokenizer
    vocabulary = loaded.vocabulary if tokenizer is None else None
    if words and tokenizer is None and vocabulary is None:
        raise CaptureError(
            loaded.no_tokenizer
            or f"{loaded.name} has no tokenizer: pass tokenizer=AutoTokenizer.from_pretrained(...),"
            " or a folder that holds the tokenizer's files beside the model's"
        )
    _check_weights(path, loaded.name)
    fingerprint = fingerprint_model(path.model)
    sites = resolve(settings.sites, settings.layers, path.n_layers)
    wants_bridge = settings.path == "bridge" or (
        settings.path == "auto" and bool(path.missing(sites))
    )
    if wants_bridge and isinstance(path, ModulePath):
        # Wiring is read off the untouched model; bridging replaces its modules.
        path = bridged(path.model, path.wiring, share=fresh)
    _check_sites(path, sites, loaded.name)
    return PreparedModel(
        path,
        sites,
        tokenizer,
        vocabulary,
        loaded.name,
        fingerprint,
        drawn=loaded.drawn,
        unused=loaded.unused,
        quantised=loaded.quantised,
        part=loaded.part,
        arithmetic=settings.arithmetic,
    )


def _enter(model: Any, settings: CaptureSettings) -> tuple[Path, LoadedModel, bool]:
    """The path into a model, what was loaded, and whether nobody else holds the model.

    Raises:
        CaptureError: a bridge that cannot be used as asked.
    """
    if isinstance(model, (ModulePath, BridgePath)):
        return model, load(model.model), False
    loaded = load(model)
    inner = loaded.model
    if not hasattr(inner, "original_model"):
        fresh = isinstance(opened(model)[0], (str, PathLike))
        _place(inner, settings.device, ours=fresh)
        return ModulePath(inner), loaded, fresh
    if settings.path == "modules":
        raise CaptureError(
            "a TransformerLens bridge has replaced the model's modules: pass the model itself "
            'for path="modules"'
        )
    if getattr(inner, "compatibility_mode", False):
        raise CaptureError(
            "the bridge is in compatibility mode, which recentres the residual stream: pass a "
            "native bridge, or the model itself"
        )
    return BridgePath(inner), loaded, False


def _check_weights(path: Path, name: str) -> None:
    """Refuse what has no activations to capture.

    Raises:
        CaptureError: no blocks, or a weight that is not a number.
    """
    if not path.n_layers:
        raise CaptureError(f"{name} has no blocks (num_hidden_layers is 0): give another model")
    spoiled = with_nan(path.model)
    if spoiled:
        raise CaptureError(
            f"{len(spoiled)} weights of {name} hold NaN, {spoiled[0]} for one: its training "
            "diverged, or its file is damaged; give a model with finite weights"
        )


def _check_sites(path: Path, sites: tuple[str, ...], name: str) -> None:
    absent = path.missing(sites)
    if absent:
        near = any(Site.parse(site) is not None for site in absent)
        reason = (
            "blocks with attention and MLP side by side have no resid_mid"
            if near and path.name == "bridge"
            else "see `to_bridge(model).hook_dict` for the names there are"
        )
        raise SiteError(f"{name} has no site {', '.join(absent)} on path {path.name}: {reason}")


@contextmanager
def left_alone(model: Any) -> Iterator[None]:
    """Run an instance in eval mode and without compiled code; leave it as it was, come what may.

    Every module gets its own training flag back. Code that ``torch.compile`` has made does not
    see the hooks that are hung on modules afterwards.
    """
    modules = _modules(model)
    flags = [module.training for module in modules]
    for module in modules:
        module.training = False
    try:
        with _uncompiled():
            yield
    finally:
        for module, flag in zip(modules, flags, strict=True):
            module.training = flag


def _modules(model: Any) -> list[nn.Module]:
    """All modules of a model, of a constructed one, of a path, and of what is in a bridge."""
    model, _ = opened(model)
    if not isinstance(model, nn.Module):
        model = getattr(model, "model", None)
    parts = [one for one in (model, getattr(model, "original_model", None)) if one is not None]
    found = {id(m): m for one in parts if isinstance(one, nn.Module) for m in one.modules()}
    return list(found.values())


def _uncompiled() -> AbstractContextManager[Any]:
    compiler_in_use = "torch._dynamo" in sys.modules  # to import it takes a second
    return torch.compiler.set_stance("force_eager") if compiler_in_use else nullcontext()


def _place(model: Any, device: str, *, ours: bool) -> None:
    """Move the model if asked to; one that was loaded here goes to a GPU if there is one.

    Raises:
        CaptureError: torch cannot move it there.
    """
    if getattr(model, "hf_device_map", None):
        return  # spread over devices by accelerate, which moves the inputs as well
    if device == "auto":
        if ours and torch.cuda.is_available():
            model.to("cuda")
        return
    try:
        model.to(device)
    except (RuntimeError, AssertionError) as error:
        raise CaptureError(
            f"the model cannot be moved to device {device!r} ({str(error).splitlines()[0]}): give "
            "device='cpu', or a device that PyTorch finds on this machine"
        ) from error
