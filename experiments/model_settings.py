"""Settings of the model under study: constructed, with every choice of it, or loaded."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, create_model, model_validator

from ..constructions.errors import ConstructionError
from ..constructions.grammar.settings import ConstructionSettings, options
from .settings_base import Seed, Settings

__all__ = ["Constructed", "Loaded", "Model", "Trained"]

# The choices are listed by the construction itself, with their types, defaults and words.
_FIELDS: dict[str, Any] = {
    option.name: (option.kind, Field(option.default, description=option.about))
    for option in options()
}
_Choices: Any = create_model("_Choices", __base__=Settings, **_FIELDS)


class Constructed(_Choices):  # type: ignore[misc]
    """A transformer whose weights are computed from the grammar.

    The fields are the choices of :class:`linrep.constructions.ConstructionSettings`; the basis is
    rotated unless it is told otherwise, so that no probe finds a state by a coordinate's name.
    """

    source: Literal["constructed"] = "constructed"
    rotation: Annotated[int, Field(ge=0)] | None = 1

    @model_validator(mode="after")
    def _the_choices_go_together(self) -> "Constructed":
        try:
            ConstructionSettings(**self.choices)
        except ConstructionError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def choices(self) -> dict[str, Any]:
        """The keywords of :meth:`linrep.GrammarTransformer.from_grammar`."""
        return {option.name: getattr(self, option.name) for option in options()}


class Loaded(Settings):
    """A model folder or hub id: pretrained, trained or saved by a construction."""

    source: Literal["loaded"] = "loaded"
    path: str


class Trained(Settings):
    """A small causal transformer, trained on sentences of the grammar."""

    source: Literal["trained"] = "trained"
    sentences: Annotated[int, Field(ge=1)] = 20_000  # to learn from; others are probed
    steps: Annotated[int, Field(ge=1)] = 2500
    batch_size: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    layers: Annotated[int, Field(ge=1)] = 4
    width: Annotated[int, Field(ge=1)] = 64
    heads: Annotated[int, Field(ge=1)] = 4
    architecture: Literal["plain", "gpt2", "llama"] = "plain"
    until: Annotated[float, Field(gt=0)] | None = None  # nats per token from the exact answer
    seed: Seed = 0  # of weights, sentences and their order


Model: TypeAlias = Annotated[Constructed | Loaded | Trained, Field(discriminator="source")]
