"""A model run on pairs: states read at sites, put in, and the output after them.

An edit at a site leaves the blocks before it alone, so a pass with an edit begins there: the
blocks up to the site hand the edited stream on instead of being run. It leaves the tokens before it
alone too: where a model keeps keys and values, only the tokens from the first edited one on are
run, those of several edits side by side (:mod:`.prefix`). Whether this gives what whole passes give
is tried on the first batch; a model for which it does not is run whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..hooks.inputs.batching import Batch, collate
from ..hooks.paths.module_path import ModulePath, model_inputs, replaced, stream_of
from ..hooks.paths.path import Tap
from ..hooks.paths.sites import Site
from ..hooks.paths.wiring import input_device
from ..hooks.reading.prepared import PreparedModel
from .errors import CausalError
from .prefix import MASKED, Prefix, fresh_cache
from .reading_out import head_of, read_out, two_words
from .trying import alike, keeps_prefix

__all__ = ["Runner"]

Pick = Int[Tensor, "output 2"] | None
"""Of each output two token ids; ``None`` for the whole vocabulary."""


@final
class Runner:
    """Runs a model that is ready to be read.

    Args:
        subject: from :func:`linrep.hooks.reading.prepared.prepare`.
        resume: begin passes at the site that is edited, where the model allows it.

    Raises:
        CausalError: a TransformerLens bridge, whose modules are not the model's own.
    """

    def __init__(self, subject: PreparedModel, *, resume: bool = True) -> None:
        path = subject.path
        if not isinstance(path, ModulePath):
            raise CausalError(
                "states are exchanged in the model itself: give it instead of a TransformerLens "
                "bridge (sites of the middle of a block cannot be edited)"
            )
        self.path, self.model, self.wiring = path, path.model, path.wiring
        self.resume = resume
        self.block_tokens = 0  # blocks run, times tokens: what was paid
        self._reads = read_out(self.model)
        self._form: type | None = None
        self._split = self.model.base_model is not self.model and head_of(self.model) is not None
        takes = _parameters(self.model)
        self._options = {"use_cache": False} if "use_cache" in takes else {}
        keeping = {"past_key_values", "use_cache", "attention_mask", "position_ids"}
        self._keeps = keeping <= _parameters(self.wiring.body)

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return self.path.n_layers

    def states(
        self,
        batch: Batch,
        sites: Sequence[str],
        rows: Tensor,
        places: Tensor,
        pick: Pick = None,
        cache: Any = None,
    ) -> tuple[Mapping[str, Float[Tensor, "batch position d_model"]], Tensor]:
        """The stream at sites, and what the model says at these places, in one pass.

        With a cache (:meth:`cache_for`), the model leaves its keys and values there.
        """
        seen: dict[str, Tensor] = {}
        kept = {} if cache is None else {"past_key_values": cache, "use_cache": True}

        with self.path.attach({site: partial(seen.__setitem__, site) for site in sites}):
            said = self._said(self._inputs(batch) | kept, rows, places, pick)
        self.block_tokens += batch.ids.numel() * self.n_layers
        return seen, said

    def cache_for(self, batch: Batch) -> Any:
        """An empty cache for these inputs; ``None`` where the model keeps nothing of use."""
        if not (self._keeps and self.resume and batch.full):
            return None
        if getattr(self.wiring.body.config, "_attn_implementation", None) not in MASKED:
            return None
        return fresh_cache(self.wiring.body.config, batch.ids.shape[1])

    def prefix(self, cache: Any, batch: Batch, begin: int) -> Prefix | None:
        """The first tokens of what was kept of these inputs; ``None`` if nothing was."""
        length = batch.ids.shape[1]
        return Prefix.of(cache, begin, length, self.n_layers) if begin else None

    def after(
        self,
        batch: Batch,
        site: str,
        stream: Float[Tensor, "rows position d_model"],
        rows: Tensor,
        places: Tensor,
        pick: Pick = None,
        taps: Mapping[str, Tap] | None = None,
    ) -> Float[Tensor, "output choice"]:
        """What the model says when the stream at a site is this one.

        Args:
            batch: the inputs, as many as the stream has rows.
            site: where.
            stream: the whole stream there, edited.
            rows: of the outputs wanted, which input.
            places: and which position.
            pick: of each output two token ids, of which alone the odds are wanted.
            taps: later sites and what looks at the stream there.
        """
        begun = _blocks_before(site)
        if self.resume and begun and self._form is not None:
            self.block_tokens += stream.shape[0] * stream.shape[1] * (self.n_layers - begun)
            with self._begin_at(begun, stream), self.path.attach(taps or {}):
                return self._said(self._inputs(batch), rows, places, pick)
        return self.whole(batch, site, stream, rows, places, pick, taps)

    def behind(
        self,
        prefix: Prefix,
        batch: Batch,
        site: str,
        stream: Float[Tensor, "rows position d_model"],
        rows: Tensor,
        places: Tensor,
        pick: Pick = None,
    ) -> Float[Tensor, "output choice"]:
        """The same, of the tokens behind a prefix alone.

        Args:
            prefix: of the tokens before the edit, of as many inputs as the batch repeats.
            batch: the inputs, whole.
            site: where.
            stream: of the tokens behind the prefix, edited.
            rows: as :meth:`after` takes them.
            places: likewise, in the whole inputs.
            pick: likewise.
        """
        begun = _blocks_before(site) if self._form is not None else 0
        ids = batch.ids.to(input_device(self.wiring.body))
        inputs, row = prefix.inputs(ids, stream.dtype), prefix.side_by_side(stream)
        at = prefix.found_at(rows, places, stream.shape[1])
        self.block_tokens += stream.shape[0] * stream.shape[1] * (self.n_layers - begun)
        with self._begin_at(begun, row) if begun else self.path.attach({site: lambda _: row}):
            return self._said(inputs, *at, pick)

    def whole(
        self,
        batch: Batch,
        site: str,
        stream: Float[Tensor, "rows position d_model"],
        rows: Tensor,
        places: Tensor,
        pick: Pick = None,
        taps: Mapping[str, Tap] | None = None,
    ) -> Float[Tensor, "output choice"]:
        """The same, by a pass through every block."""
        self.block_tokens += batch.ids.numel() * self.n_layers
        with self.path.attach({site: lambda _: stream, **(taps or {})}):
            return self._said(self._inputs(batch), rows, places, pick)

    def try_out(self, batch: Batch, rows: Tensor, places: Tensor) -> None:
        """Learn what blocks return, and whether passes may begin in the middle."""
        last = f"blocks.{self.n_layers - 1}.hook_resid_post"
        half = f"blocks.{(self.n_layers - 1) // 2}.hook_resid_post"
        self._form = self._block_form(batch)
        self._try_split(batch, rows, places)
        streams, whole = self.states(batch, (half, last), rows, places)
        if self._form is None or not self.resume:
            self.resume = False
            return
        for site, stream in streams.items():
            found = self.after(batch, site, stream, rows, places)
            if not alike(found, whole):
                self.resume = False
                return
        self._keeps = keeps_prefix(self, collate(batch.lines[:2], self.wiring.pad_id))

    def _try_split(self, batch: Batch, rows: Tensor, places: Tensor) -> None:
        if self._split:
            inputs = self._inputs(batch)
            parts = self._said(inputs, rows, places)
            self._split = False
            self._split = alike(parts, self._said(inputs, rows, places))

    def _block_form(self, batch: Batch) -> type | None:
        forms: list[Any] = []
        handle = self.wiring.blocks[0].register_forward_hook(lambda *io: forms.append(io[2]))
        try:
            with torch.inference_mode():
                self.wiring.body(**self._inputs(batch), **self._options)
        finally:
            handle.remove()
        one = forms[0] if len(forms) == 1 else None
        if isinstance(one, Tensor):
            return Tensor
        return type(one) if isinstance(one, (tuple, list)) and len(one) == 1 else None

    def _inputs(self, batch: Batch) -> dict[str, Any]:
        return model_inputs(self.wiring, batch)

    def _said(
        self, inputs: dict[str, Any], rows: Tensor, places: Tensor, pick: Pick = None
    ) -> Tensor:
        """Probabilities ``[output, vocab]`` at these places; or of the two that are picked."""
        with torch.inference_mode():
            options = self._options | inputs
            if self._split:
                hidden = stream_of(list(self.wiring.body(**options).values()))
                picked = hidden[rows.to(hidden.device), places.to(hidden.device)]
                head = head_of(self.model)
                assert head is not None  # noqa: S101 - that is what split says
                if pick is not None and type(head) is nn.Linear:
                    return two_words(head, picked, pick).double().softmax(-1).cpu()
                return self._probabilities(head(picked), pick)
            logits = self.model(**options).logits
            return self._probabilities(
                logits[rows.to(logits.device), places.to(logits.device)], pick
            )

    def _probabilities(self, rows: Tensor, pick: Pick) -> Tensor:
        if pick is None:
            return self._reads(rows).cpu()
        if getattr(self.model.config, "readout", "logits") != "logits":  # scores
            return self._reads(rows).cpu().gather(1, pick)
        return rows.gather(1, pick.to(rows.device)).double().softmax(-1).cpu()

    @contextmanager
    def _begin_at(self, begun: int, stream: Tensor) -> Iterator[None]:
        """The first blocks hand this stream on, for as long as the block lasts."""
        form, put = self._form, stream

        def handed(*_: Any, **__: Any) -> Any:
            return put if form is Tensor else replaced((put,), put)

        blocks = self.wiring.blocks[:begun]
        before = [vars(block).get("forward") for block in blocks]
        for block in blocks:
            block.forward = handed
        try:
            yield
        finally:
            for block, old in zip(blocks, before, strict=True):
                if old is None:
                    del block.forward
                else:
                    block.forward = old


def _parameters(module: nn.Module) -> set[str]:
    import inspect

    return set(inspect.signature(module.forward).parameters)


def _blocks_before(site: str) -> int:
    """How many blocks have been run when the stream is at a site."""
    place = Site.parse(site)
    assert place is not None  # noqa: S101 - sites are checked before
    return int(place.layer) + (place.kind == "post")
