"""Parts of speech and phrases of a treebank in a pretrained model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ...core import checked
from ...reports import refuse_occupied
from ..settings import Loaded, Probes, ReadingSettings, StudySettings, Treebank
from ..settings_base import Settings, SettingsError
from .answered import Answered
from .labelled import answered_by

__all__ = ["PretrainedSettings", "pretrained"]

QUESTION = (
    "Are parts of speech, and the phrases above a word, linearly readable from the residual "
    "stream, beyond what word, neighbours, position and embedding give, and beyond untrained "
    "models of the same shape?"
)


class PretrainedSettings(Settings):
    """Sizes of the experiment.

    Args:
        heights: of the trees; 1 is the part of speech.
        layers: blocks that are read beside the embedding; by default all.
        probes: how the grid is made.
        seed: of everything random.
    """

    heights: tuple[Annotated[int, Field(ge=1)], ...] = (1, 2, 3, 4)
    layers: tuple[int, ...] | None = None
    probes: Probes = Probes()
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0


TINY: Mapping[str, Any] = {
    "heights": (1,), "probes": Probes(permutations=20, bootstrap=50, twins=3),
}  # fmt: skip


@checked(SettingsError)
def pretrained(
    settings: PretrainedSettings | None = None,
    *,
    model: str | Path,
    data: str | Path,
    tiny: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Answered:
    """Probe a pretrained model on a treebank; three minutes for MiniLM and 17,000 words.

    Args:
        settings: sizes; ``tiny`` and ``seed`` then say nothing.
        model: folder of the model, or its hub id in the local cache.
        data: a glob of files in Penn brackets.
        tiny: parts of speech alone, with fewer draws.
        seed: of everything random.
        out: a folder for the run and its page.

    Returns:
        One row for each target, at the site where it is read best.

    Raises:
        SettingsError: no such model or trees.
        LinrepError: the folder holds something.
    """
    if out is not None:
        refuse_occupied(out)
    how = settings or PretrainedSettings(**(TINY if tiny else {}), seed=seed)
    probes = how.probes.model_copy(update={"heights": how.heights})
    study = StudySettings(
        name="pretrained", question=QUESTION, language=Treebank(paths=str(data)),
        model=Loaded(path=str(model)), probes=probes,
        reading=ReadingSettings(layers=how.layers), seed=how.seed,
    )  # fmt: skip
    return answered_by("pretrained", "A pretrained model on a treebank", study, out)
