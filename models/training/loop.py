"""The loop of training: steps, measurements, and where it stands."""

from collections.abc import Callable
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from ...core import progress
from .batches import IGNORED, Batches
from .exactness import HeldOutSentences
from .log import LogRow
from .settings import Training

__all__ = ["Loop"]


@final
class Loop:
    """AdamW with 5 % warm-up and cosine decay, gradients clipped at norm 1.

    Args:
        model: what learns.
        batches: what it learns from.
        held: what it is measured on; ``None``: the log has the loss alone.
        training: how.
    """

    def __init__(
        self, model: Any, batches: Batches, held: HeldOutSentences | None, training: Training
    ) -> None:
        self.model, self.batches, self._held, self._asked = model, batches, held, training
        self.optimiser = torch.optim.AdamW(
            model.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )
        self.losses: list[float] = []
        self.rows: list[LogRow] = []
        self.whole = True  # weights, losses and log are of the same step
        self.order = batches.order.bit_generator.state  # where that step's batch ended

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.losses)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do: the last step, or a KL that is small enough."""
        until, last = self._asked.until, self.rows[-1] if self.rows else None
        near = until is not None and last is not None and last.kl is not None and last.kl <= until
        return near or self.step >= self._asked.steps

    def run(self, after: Callable[[], None]) -> None:
        """Work until it is done.

        Args:
            after: called between steps, when everything is whole.
        """
        self.model.train()
        for _ in progress(range(self.step, self._asked.steps), "training", unit="step"):
            if self.done:
                break
            loss = self._step()
            self.losses.append(loss)
            self.order = self.batches.order.bit_generator.state
            every = self._asked.measure_every
            if self.step == self._asked.steps or (every and self.step % every == 0):
                self._measure()
            self.whole = True
            after()
        self.model.eval()

    def _step(self) -> float:
        """One step of the optimiser; the loss of its batch."""
        asked, step = self._asked, self.step
        warm = max(1, asked.steps // 20)
        rate = min(1.0, (step + 1) / warm) * 0.5 * (1 + np.cos(np.pi * step / asked.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = asked.learning_rate * rate
        read, mask, following = self.batches.draw()
        logits: Tensor = self.model(read, attention_mask=mask).logits
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1), following.flatten(), ignore_index=IGNORED
        )
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.whole = False
        self.optimiser.step()
        return loss.item()

    def _measure(self) -> None:
        """One row of the log."""
        before = self.rows[-1].step if self.rows else 0
        self.model.eval()
        kl = None if self._held is None else self._held.kl(self.model)
        self.model.train()
        self.rows.append(LogRow(self.step, float(np.mean(self.losses[before:])), kl))
