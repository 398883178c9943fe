"""Steering in doses: how far the answer moves, what it costs, and how often it goes wrong."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from jaxtyping import Float

from ..core import checked
from ..hooks.editing.steering import steer, unit_vector
from ..hooks.inputs.batching import Batch, collate
from ..hooks.inputs.corpus import sentences_of
from ..hooks.paths.sites import Site
from ..hooks.reading.prepared import PreparedModel, left_alone, prepare
from ..hooks.reading.settings import CaptureSettings
from .errors import CausalError
from .placing import first_token
from .reading_out import read_out

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["Dose", "DoseResponse", "dose_response"]

FLOOR = 1e-12
LIKE = 1e-9  # a smaller move of the odds is none


@final
@dataclass(frozen=True)
class Dose:
    """One strength.

    Args:
        strength: in units of the mean norm of the stream at the site; either sign.
        effect: mean change of the log-odds of the first answer over the second.
        effect_error: its standard error over the beginnings.
        wrong: share of beginnings that move the other way than the strength's sign.
        damage: divergence of the output on neutral text from the unsteered one, nats per token.
        perplexity: of the neutral text while steered.
    """

    strength: float
    effect: float
    effect_error: float
    wrong: float
    damage: float
    perplexity: float


@final
@dataclass(frozen=True)
class DoseResponse:
    """Effect and damage at every strength, from the most negative on.

    Args:
        site: where the stream is moved.
        norm: mean norm of the stream there, on the neutral text.
        n: beginnings.
        doses: one per strength.
    """

    site: str
    norm: float
    n: int
    doses: tuple[Dose, ...]

    def to_frame(self) -> "pd.DataFrame":
        """One row per strength."""
        import pandas as pd

        return pd.DataFrame([asdict(dose) for dose in self.doses])

    def plot(self) -> "go.Figure":
        """Effect and damage over strength."""
        import plotly.graph_objects as go

        x = [dose.strength for dose in self.doses]
        figure = go.Figure()
        for name, colour, axis in (("effect", "#0072B2", "y"), ("damage", "#D55E00", "y2")):
            figure.add_trace(
                go.Scatter(
                    x=x, y=[getattr(dose, name) for dose in self.doses], name=name, yaxis=axis,
                    line={"color": colour}, mode="lines+markers",
                )
            )  # fmt: skip
        return figure.update_layout(
            template="plotly_white",
            xaxis_title="strength (mean norms of the stream)",
            yaxis_title="change of the log-odds",
            yaxis2={"title": "damage (nats per token)", "overlaying": "y", "side": "right"},
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, float_format=lambda x: f"{x:.3f}"))


@checked(CausalError)
def dose_response(
    model: Any,
    site: str,
    direction: Any,
    prefixes: Sequence[Sequence[str]],
    answers: Sequence[Sequence[str]],
    neutral: Sequence[Sequence[str]],
    *,
    strengths: Sequence[float] = (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0),
    tokenizer: Any = None,
) -> DoseResponse:
    """Add a direction at several strengths, and look at effect and damage.

    The direction is added at the last token of each beginning for the effect, and at every token of
    the neutral text for the damage. It should raise the odds of the first answer.

    Args:
        model: a causal language model.
        site: ``resid_pre`` or ``resid_post`` of a block.
        direction: ``[d_model]``, of any length but 0.
        prefixes: beginnings of sentences, words each.
        answers: of each beginning two next words.
        neutral: sentences of other matters.
        strengths: in units of the mean norm of the stream at the site, which is measured on the
            neutral text; 0 has to do nothing.
        tokenizer: for an instance that is given without one.

    Raises:
        CausalError: a site that cannot be steered, or beginnings without answers.
    """
    place = Site.parse(site)
    if place is None or place.kind == "mid":
        raise CausalError(f"streams are steered at resid_pre or resid_post; received {site!r}")
    if not len(prefixes) or len(prefixes) != len(answers) or not len(neutral):
        raise CausalError(
            f"every beginning has two answers, and there is neutral text; received {len(prefixes)} "
            f"beginnings, {len(answers)} pairs of answers, {len(neutral)} sentences"
        )
    if not len(strengths) or not np.isfinite(np.asarray(strengths, dtype=float)).all():
        raise CausalError(f"strengths are finite numbers; received {list(strengths)!r:.60}")
    both = [tuple(words) for words in answers]
    if any(len(words) != 2 for words in both) or not all(len(words) for words in prefixes):
        raise CausalError("every beginning has at least one word, and two answers")
    for texts in (prefixes, neutral, both):  # before the model: a slip of the pen costs no minutes
        sentences_of(texts)
    direction = unit_vector(site, direction)
    with left_alone(model):
        subject = prepare(model, CaptureSettings.of(), tokenizer)
        work = _Work.of(subject, site, direction, prefixes, both, neutral)
        plain, before = work.odds(0.0), work.said(0.0)
        doses = tuple(work.dose(float(a), plain, before) for a in sorted(set(strengths)))
    return DoseResponse(site, work.norm, len(prefixes), doses)


@final
@dataclass(frozen=True, eq=False)
class _Work:
    """Inputs, and the direction."""

    subject: PreparedModel
    site: str
    direction: Any
    begins: Batch
    pick: torch.Tensor
    text: Batch
    norm: float

    @classmethod
    def of(
        cls,
        subject: PreparedModel,
        site: str,
        direction: Any,
        prefixes: Sequence[Sequence[str]],
        answers: Sequence[tuple[str, ...]],
        neutral: Sequence[Sequence[str]],
    ) -> "_Work":
        pad = subject.path.wiring.pad_id
        lines = [subject.encode(s, CaptureSettings.of()).lines for s in (prefixes, neutral)]
        begins, text = (collate(one, pad) for one in lines)
        ids = [
            [first_token(subject, words, word) for word in both]
            for words, both in zip(prefixes, answers, strict=True)
        ]
        seen: list[torch.Tensor] = []
        with torch.inference_mode(), subject.path.attach({site: seen.append}):
            subject.path.model(input_ids=text.ids, attention_mask=text.mask.long())
        norm = float(seen[0].double().norm(dim=-1)[text.mask].mean())
        return cls(subject, site, direction, begins, torch.tensor(ids), text, norm)

    def _run(self, batch: Batch, strength: float, where: str) -> torch.Tensor:
        inner = self.subject.path.model
        inputs = {"input_ids": batch.ids, "attention_mask": batch.mask.long()}
        how: dict[str, Any] = {"strength": strength, "norm": self.norm, "where": where}
        with torch.inference_mode(), steer(inner, {self.site: self.direction}, **how):
            logits: torch.Tensor = inner(**inputs).logits
        return logits

    def odds(self, strength: float) -> Float[np.ndarray, " beginning"]:
        """Log-odds of the first answer over the second."""
        logits = self._run(self.begins, strength, "last")
        rows, last = torch.arange(len(logits)), self.begins.mask.sum(1) - 1
        said = read_out(self.subject.path.model)(logits[rows, last])
        two = said.gather(1, self.pick).clamp_min(FLOOR).log()
        return np.asarray((two[:, 0] - two[:, 1]).numpy())

    def said(self, strength: float) -> torch.Tensor:
        """Log probabilities on the neutral text."""
        logits = self._run(self.text, strength, "all")
        rows = read_out(self.subject.path.model)(logits.flatten(0, 1))
        return rows.reshape(*logits.shape).clamp_min(FLOOR).log()

    def dose(self, strength: float, plain: np.ndarray, before: torch.Tensor) -> Dose:
        """One strength against none."""
        moved, said = self.odds(strength) - plain, self.said(strength)
        away = (before.exp() * (before - said)).sum(-1)[self.text.mask]
        real = self.text.mask[:, 1:] & self.text.mask[:, :-1]
        wanted = said[:, :-1].gather(2, self.text.ids[:, 1:, None])[..., 0][real]
        error = float(moved.std(ddof=1) / len(moved) ** 0.5) if len(moved) > 1 else float("nan")
        wrong = float((moved * np.sign(strength) < -LIKE).mean())
        return Dose(
            strength, float(moved.mean()), error, wrong, float(away.mean()),
            float(wanted.mean().neg().exp()),
        )  # fmt: skip
