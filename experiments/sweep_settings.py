"""Settings of a sweep: the same training at every point of a grid."""

import os
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..core import checked
from .settings import GrammarFile, GrammarText, HierarchyFamily, LatinFamily
from .settings_base import Seed, Settings, SettingsError
from .settings_file import read_file

__all__ = ["SweepSettings", "read_sweep"]

Many = Annotated[int, Field(ge=1, le=10**8)]
MOST = 10_000  # trainings


class SweepSettings(Settings):
    """A language, how it is trained on, and the grid: every combination is one training.

    The fields of the training are those of :class:`linrep.Training`.

    >>> language = {"source": "latin", "order": 2, "depth": 1}
    >>> made = SweepSettings(language=language, depths=(1, 2), seeds=(0, 1))
    >>> [point["name"] for point in made.points]
    ['plain-d1-w64-s0', 'plain-d1-w64-s1', 'plain-d2-w64-s0', 'plain-d2-w64-s1']
    """

    language: Annotated[
        LatinFamily | HierarchyFamily | GrammarFile | GrammarText, Field(discriminator="source")
    ]
    architectures: Annotated[tuple[Literal["plain", "gpt2", "llama"], ...], Field(min_length=1)] = (
        "plain",
    )
    depths: Annotated[tuple[Many, ...], Field(min_length=1)] = (4,)  # blocks
    widths: Annotated[tuple[Many, ...], Field(min_length=1)] = (64,)  # of the stream
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0,)
    heads: Many = 4
    sentences: Many = 4096
    steps: Many = 1000
    batch_size: Many = 64
    learning_rate: Annotated[float, Field(ge=0, le=1e6)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0, le=1e6)] = 0.01
    measure_every: Many = 100
    heldout: Many = 256
    until: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    checkpoints: tuple[Annotated[int, Field(ge=0)], ...] = ()  # steps

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "SweepSettings":
        wrong = [width for width in self.widths if width % self.heads]
        if wrong:
            raise ValueError(f"widths are multiples of the {self.heads} heads; received {wrong}")
        late = [step for step in self.checkpoints if step > self.steps]
        if late:
            raise ValueError(f"checkpoints are steps in 0..{self.steps}; received {late}")
        grid = (self.architectures, self.depths, self.widths, self.seeds)
        for name, values in zip(("architectures", "depths", "widths", "seeds"), grid, strict=True):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} are different; received {list(values)}")
        if len(self.architectures) * len(self.depths) * len(self.widths) * len(self.seeds) > MOST:
            raise ValueError(f"a sweep has at most {MOST:,} trainings: take a smaller grid")
        return self

    @property
    def points(self) -> tuple[dict[str, Any], ...]:
        """Each training of the grid: its name, and what is its own."""
        grid = product(self.architectures, self.depths, self.widths, self.seeds)
        return tuple(
            {
                "name": f"{kind}-d{depth}-w{width}-s{seed}",
                "architecture": kind,
                "depth": depth,
                "width": width,
                "seed": seed,
            }
            for kind, depth, width, seed in grid
        )

    @property
    def common(self) -> dict[str, Any]:
        """What all trainings share, as keywords of :func:`linrep.train`."""
        names = (
            "sentences", "steps", "batch_size", "learning_rate", "weight_decay", "measure_every",
            "heldout", "until", "checkpoints",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names} | {"num_attention_heads": self.heads}


@checked(SettingsError)
def read_sweep(path: str | os.PathLike[str], overrides: tuple[str, ...] = ()) -> SweepSettings:
    """Read a sweep from YAML.

    Args:
        path: a settings file.
        overrides: ``dotted.name=value`` each, values in YAML; ``seeds=[0,1,2]``.

    Raises:
        SettingsError: no such file, not YAML, an unknown name, an impossible value.
    """
    return read_file(
        path, SweepSettings, overrides, "language and a grid, such as depths and seeds"
    )
