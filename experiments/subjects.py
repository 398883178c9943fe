"""From settings to the model under study, with what theory says about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from ..core import Prediction
from ..grammars import Corpus, Grammar
from ..grammars.ceilings import Sight, ceilings_of
from ..hooks.paths.wiring import wire
from ..hooks.reading.prepared import stream_width
from ..models import LoadedModel, load
from ..reports.values import Json
from .settings import Constructed, Model, SettingsError, Trained

if TYPE_CHECKING:
    from ..constructions import GrammarTransformer

__all__ = ["ModelUnderStudy", "make_subject", "options_of"]


@final
@dataclass(frozen=True, eq=False)
class ModelUnderStudy:
    """A model and what is known about it beforehand.

    Args:
        model: what ``capture`` takes.
        tokenizer: its tokenizer, ``None`` where words are tokens.
        name: for the report.
        sight: what it can have seen at a token.
        predictions: claims about where states are written; empty for models not constructed.
        construction: the construction, ``None`` for other models.
        facts: label -> value, for the report.
    """

    model: Any
    tokenizer: Any
    name: str
    sight: Sight
    predictions: tuple[Prediction, ...] = ()
    construction: "GrammarTransformer | None" = None
    facts: Mapping[str, Json] = field(default_factory=dict)

    def ceilings(
        self, corpus: Corpus, sites: Sequence[str], heights: Sequence[int], *, boundary: bool
    ) -> Mapping[tuple[str, str], np.ndarray] | None:
        """Largest posterior of what each site can have seen: ``[token]`` by (site, target)."""
        return ceilings_of(corpus, sites, heights, sight=self.sight, boundary=boundary)

    @property
    def patterns(self) -> str:
        """What patterns are estimated with: with all states where the stream is known."""
        if self.construction is None:
            return "targets"
        return "rules" if self.construction.settings.merge == "rules" else "joint"


def make_subject(settings: Model, corpus: Corpus) -> ModelUnderStudy:
    """Construct or load the model.

    Args:
        settings: which model.
        corpus: the language; a construction takes its grammar.

    Returns:
        The model with its predictions.

    Raises:
        SettingsError: a construction without a grammar.
    """
    if isinstance(settings, Constructed):
        if not isinstance(corpus.grammar, Grammar):
            raise SettingsError(
                "a constructed model needs a grammar, and this language has none: give a language "
                "with a grammar, or load a model"
            )
        from ..constructions import GrammarTransformer

        return _constructed(GrammarTransformer.from_grammar(corpus.grammar, **settings.choices))
    if isinstance(settings, Trained):
        return _trained(settings, corpus)
    loaded = load(settings.path)
    inner = loaded.model
    noted = getattr(inner.config, "linrep", None)
    if isinstance(noted, dict) and noted.get("construction") == "grammar":
        from ..constructions import GrammarTransformer

        return _constructed(GrammarTransformer.from_pretrained(settings.path))
    return ModelUnderStudy(
        inner,
        loaded.tokenizer,
        loaded.name,
        "bidirectional" if _sees_the_future(inner) else "causal",
        facts={"model": loaded.name, **_shape(inner), **_weights(loaded), **_training(noted)},
    )


def _trained(settings: Trained, corpus: Corpus) -> ModelUnderStudy:
    """A model trained on sentences of the language.

    Raises:
        SettingsError: there is no grammar to sample them from.
    """
    if not isinstance(corpus.grammar, Grammar):
        raise SettingsError(
            "a model is trained on sentences of a grammar, and this language has none: give a "
            "language with a grammar, or load a model"
        )
    from ..models import train

    made = train(corpus.grammar, **options_of(settings))
    facts = {
        "model": f"trained for {made.log.rows[-1].step} steps on {settings.sentences} sentences",
        **_shape(made.model),
    }
    return ModelUnderStudy(made.model, None, "trained", "causal", facts=facts)


def options_of(settings: Trained, seed: int | None = None) -> dict[str, Any]:
    """The keywords of :func:`linrep.train`.

    Args:
        settings: of a training.
        seed: another one than theirs.
    """
    return {
        "sentences": settings.sentences, "steps": settings.steps, "until": settings.until,
        "batch_size": settings.batch_size, "learning_rate": settings.learning_rate,
        "architecture": settings.architecture, "num_hidden_layers": settings.layers,
        "hidden_size": settings.width, "num_attention_heads": settings.heads,
        "seed": settings.seed if seed is None else seed,
    }  # fmt: skip


def _sees_the_future(model: Any) -> bool:
    """Whether attention is not causal: plain models say so, others by the name of their class."""
    said = getattr(model.config, "bidirectional", None)
    encoders = ("ForMaskedLM", "EncoderModel")
    return bool(said) if said is not None else type(model).__name__.endswith(encoders)


def _shape(model: Any) -> dict[str, Json]:
    return {
        "architecture": type(model).__name__,
        "blocks": len(wire(model).blocks),
        "width of the stream": stream_width(model),
        "parameters": int(sum(weights.numel() for weights in model.parameters())),
        "dtype": str(model.dtype).removeprefix("torch."),
    }


def _weights(loaded: LoadedModel) -> dict[str, Json]:
    """Where the folder's weights and the model's are not the same."""
    told: dict[str, Json] = {}
    if loaded.drawn:
        told["head"] = f"drawn at random, the folder has none ({len(loaded.drawn)} weights)"
    if loaded.part:
        told["part"] = loaded.part
    if loaded.quantised:
        told["weights"] = loaded.quantised
    if loaded.unused:
        told["weights not used"] = f"{len(loaded.unused)}, {loaded.unused[0]} for one"
    return told


def _training(noted: Any) -> dict[str, Json]:
    """How near to its own language a trained model came, as far as its configuration says."""
    made = noted.get("training") if isinstance(noted, dict) else None
    if not isinstance(made, dict) or "step" not in made:
        return {}
    told = f"{made['step']} step{'s' * (made['step'] != 1)}"
    if isinstance(made.get("kl"), float) and isinstance(made.get("floor"), float):
        told += (
            f"; KL from the exact next-token distribution of the language it learned "
            f"{made['kl']:.5f} nats per token, entropy of that distribution {made['floor']:.4f}"
        )
    return {"training": told}


def _constructed(built: "GrammarTransformer") -> ModelUnderStudy:
    return ModelUnderStudy(
        built.model,
        None,
        "constructed from the grammar",
        "construction" if built.settings.layers_are_levels else "causal",
        tuple(built.predictions),
        built,
        {
            "model": "constructed from the grammar, no training",
            **_shape(built.model),
            **_counted(built),
        },
    )


def _counted(built: "GrammarTransformer") -> dict[str, Json]:
    """Sizes read off the weights, each with the formula it has to meet, if there is one."""
    return {
        f"counted: {row.name.strip()}": str(row.measured)
        if row.predicted is None
        else f"{row.measured} {row.relation} {row.predicted}"
        + (f" ({row.formula})" if row.formula else "")
        for row in built.accounting().rows
    }
