"""Which positions of the stream an edit changes, in one pass and while a model generates."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, final, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..errors import CaptureError
from ..paths.path import Path
from .given import mask_of

__all__ = ["Change", "Rule", "Where"]

Rule = Literal["all", "prompt", "generated", "last"]
"""``prompt``: the positions the model was given; ``generated``: those it made itself; ``last``: the
last token of each prompt, padding left aside."""

Change = Callable[[Float[Tensor, "batch position d_model"]], Tensor]

_GENERATE = ("generate", "hf_generate")
_STREAM = "generate_stream"


@final
@dataclass
class _Pass:
    """One forward pass: the positions before it (``None``: not told), and its padding mask."""

    begin: int | None
    mask: Any
    end: int = 0


@final
@dataclass
class _Generation:
    """One call of ``generate``: its padding mask, and how long its prompt is once that is known."""

    prompt: int | None = None
    mask: Any = None


@final
class Where:
    """Positions to change, by a rule or by a mask.

    A position is counted from the start of the text, so a rule means the same positions whether a
    cache holds the earlier ones or every pass computes them again. A forward pass with an empty
    cache begins a new text, and all its positions are its prompt; the passes inside one call of
    ``generate`` belong to the prompt that the call was given.

    Args:
        where: a rule, a mask ``[batch, position]``, or ``None`` for ``"all"``.

    Raises:
        CaptureError: neither a rule nor a mask.
    """

    def __init__(self, where: Any) -> None:
        if isinstance(where, str) and where not in get_args(Rule):
            raise CaptureError(
                f"where is one of {', '.join(get_args(Rule))}, or a mask [batch, position]; "
                f"received {where!r}"
            )
        by_rule = where is None or isinstance(where, str)
        self.rule: str | None = (where or "all") if by_rule else None
        self.mask = None if by_rule else mask_of("where", where)
        self._pass: _Pass | None = None
        self._generation: _Generation | None = None
        self._prompt = self._end = 0  # of the text that passes outside ``generate`` go on with

    @contextmanager
    def following(self, path: Path, model: Any) -> Iterator[None]:
        """Watch the passes of a path's model; whatever is hung on it is gone on exit."""
        if self.rule == "all":
            yield
            return
        body: nn.Module = getattr(path.model, "base_model", path.model)
        with ExitStack() as stack:
            before = body.register_forward_pre_hook(self._begin, with_kwargs=True)
            stack.callback(before.remove)
            after = body.register_forward_hook(self._finish, always_call=True)
            stack.callback(after.remove)
            for owner in {id(one): one for one in (model, path.model)}.values():
                for name in (*_GENERATE, _STREAM):
                    if callable(getattr(owner, name, None)):
                        stack.enter_context(self._told(owner, name))
            yield

    def apply(
        self, site: str, change: Change, stream: Float[Tensor, "batch position d_model"]
    ) -> Tensor:
        """The stream with the chosen positions changed; the others stay to the bit.

        Under a rule ``change`` sees the chosen positions alone (``last``: one per input).

        Raises:
            CaptureError: a mask that does not fit, or positions that cannot be told.
        """
        if self.rule == "all":
            return change(stream)
        begin, prompt = self._place(site, stream)
        if self.mask is not None:
            self._check_mask(self.mask, site, begin, stream)
            return torch.where(self.mask.to(stream.device)[..., None], change(stream), stream)
        if self.rule == "last":
            return self._last(change, stream, begin, prompt)
        border = min(max(prompt - begin, 0), stream.shape[1])
        before, after = stream[:, :border], stream[:, border:]
        if self.rule == "prompt":
            return torch.cat([change(before), after], dim=1) if border else stream
        return torch.cat([before, change(after)], dim=1) if after.shape[1] else stream

    def _last(self, change: Change, stream: Tensor, begin: int, prompt: int) -> Tensor:
        here = self._last_tokens(stream, prompt) - begin
        inside = (here >= 0) & (here < stream.shape[1])
        if not bool(inside.any()):
            return stream
        row = torch.arange(len(stream), device=stream.device)
        column = here.clamp(0, stream.shape[1] - 1)
        picked = stream[row, column][:, None]
        changed = torch.where(inside[:, None], change(picked)[:, 0], picked[:, 0])
        return stream.index_put((row, column), changed)

    def _last_tokens(self, stream: Tensor, prompt: int) -> Int[Tensor, " batch"]:
        """Position of each prompt's last token, by the attention mask if there is one.

        Raises:
            CaptureError: a mask of another form.
        """
        mask = None if self._pass is None else self._pass.mask
        if mask is None:
            return torch.full((len(stream),), prompt - 1, device=stream.device)
        if not _is_padding(mask, stream) and self._generation is not None:
            mask = self._generation.mask  # a static cache has the model see another kind of mask
        if not _is_padding(mask, stream):
            raise CaptureError(
                'where="last" reads the ends of prompts off an attention mask [batch, position]; '
                "this model was given another kind: pass one of this kind"
            )
        real = mask[:, :prompt].to(stream.device) != 0
        real = nn.functional.pad(real, (0, prompt - real.shape[1]), value=True)
        return (real * torch.arange(prompt, device=stream.device)).argmax(dim=1)

    def _place(self, site: str, stream: Tensor) -> tuple[int, int]:
        """Position of the stream's first entry, and the length of the prompt.

        Raises:
            CaptureError: the model does not say, or the text began elsewhere.
        """
        now = self._pass
        if now is None or now.begin is None:
            raise CaptureError(
                f"where={self.rule or 'mask'!r} needs to know where a pass begins, which this "
                'model does not say: call it with use_cache=False, or edit with where="all"'
            )
        now.end = now.begin + stream.shape[1]
        if self._generation is not None:
            if self._generation.prompt is None:
                self._generation.prompt = now.end
            return now.begin, self._generation.prompt
        if now.begin == 0:
            self._prompt = now.end
        elif now.begin != self._end and self.mask is None:
            raise CaptureError(
                f"at {site} the cache holds {now.begin} positions, {self._end} of which passed "
                f"here: where={self.rule!r} cannot tell its prompt. Begin the text inside the "
                "block, with an empty cache"
            )
        return now.begin, self._prompt

    @staticmethod
    def _check_mask(mask: Tensor, site: str, begin: int, stream: Tensor) -> None:
        if begin == 0 and mask.shape == stream.shape[:2]:
            return
        raise CaptureError(
            f"the mask in where has shape {tuple(mask.shape)}; the stream at {site} has "
            f"{tuple(stream.shape[:2])} (batch, position), {begin} positions into the text. A mask "
            "is for one pass over whole inputs of its own shape; under generate() give a rule: "
            f"{', '.join(get_args(Rule))}"
        )

    def _begin(self, body: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = _arguments(body, args, kwargs)
        self._pass = _Pass(_past(given), given.get("attention_mask"))

    def _finish(self, *_: Any) -> None:
        if self._pass is not None:
            self._end = self._pass.end
        self._pass = None

    @contextmanager
    def _told(self, owner: Any, name: str) -> Iterator[None]:
        """Learn of calls of ``owner.generate`` and the like, until the block ends."""
        inner = getattr(owner, name)
        before = vars(owner).get(name)

        @functools.wraps(inner)
        def whole(*args: Any, **kwargs: Any) -> Any:
            call = _Generation(_prompt_length(args, kwargs), kwargs.get("attention_mask"))
            with self._during(call):
                return inner(*args, **kwargs)

        @functools.wraps(inner)
        def pieces(*args: Any, **kwargs: Any) -> Iterator[Any]:
            generation, source = _Generation(), inner(*args, **kwargs)
            while True:  # other passes may run between two pieces
                with self._during(generation):
                    try:
                        piece = next(source)
                    except StopIteration:
                        return
                yield piece

        vars(owner)[name] = pieces if name == _STREAM else whole
        try:
            yield
        finally:
            if before is None:
                del vars(owner)[name]
            else:
                vars(owner)[name] = before

    @contextmanager
    def _during(self, generation: _Generation) -> Iterator[None]:
        outer, self._generation = self._generation, generation
        try:
            yield
        finally:
            self._generation = outer


def _is_padding(mask: Any, stream: Tensor) -> bool:
    return isinstance(mask, Tensor) and mask.ndim == 2 and len(mask) == len(stream)


def _arguments(body: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a forward pass by name."""
    try:
        bound = inspect.signature(body.forward).bind_partial(*args, **kwargs).arguments
    except TypeError:  # the call is wrong: the model says so itself
        return kwargs
    return {**bound, **kwargs}


def _past(given: dict[str, Any]) -> int | None:
    """Positions that a pass finds in its cache; ``None`` if the cache does not say."""
    cache = next((given[k] for k in _CACHES if given.get(k) is not None), None)
    if cache is None:
        return 0
    if isinstance(cache, (tuple, list)):  # keys and values [batch, head, position, width]
        return int(cache[0][0].shape[-2]) if cache else 0
    try:
        return int(cache.get_seq_length())
    except (AttributeError, ValueError):  # state-space models keep no positions
        return None


_CACHES = ("past_key_values", "past_key_value", "layer_past", "cache_params", "state")


def _prompt_length(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
    """Length of the prompt that ``generate`` is given; ``None``: its first pass will show it."""
    named = [kwargs.get(name) for name in ("inputs_embeds", "input_ids", "inputs", "input")]
    for given in (*named, *args[:1]):
        if isinstance(given, Tensor) and given.ndim > 1:
            return int(given.shape[1])
    return None
