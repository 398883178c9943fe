"""Coordinates of places in a pretrained model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ...core import as_path, checked
from ...reports import refuse_occupied
from ..settings import DataFile, Loaded, Probes, ReadingSettings, StudySettings
from ..settings_base import Settings, SettingsError
from .answered import Answered
from .labelled import answered_by

__all__ = ["PlacesSettings", "places"]

QUESTION = (
    "Are latitude and longitude of a place linearly readable from the residual stream at its name, "
    "beyond what the name's words and letters give?"
)


class PlacesSettings(Settings):
    """Sizes of the experiment.

    Args:
        file: table of the places, below the data's folder.
        text: column of the names.
        targets: columns of the numbers.
        places: at most, drawn by the seed.
        layers: blocks that are read beside the embedding; by default all.
        probes: how the grid is made.
        seed: of everything random.
    """

    file: str = "world_place.csv"
    text: str = "name"
    targets: tuple[str, ...] = ("latitude", "longitude")
    places: Annotated[int, Field(ge=20)] = 1500
    layers: tuple[int, ...] | None = None
    probes: Probes = Probes(permutations=99)
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0


TINY: Mapping[str, Any] = {
    "places": 60, "probes": Probes(permutations=19, bootstrap=50, twins=3),
}  # fmt: skip


@checked(SettingsError)
def places(
    settings: PlacesSettings | None = None,
    *,
    model: str | Path,
    data: str | Path,
    tiny: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Answered:
    """Read where places are in a pretrained model.

    Args:
        settings: sizes and columns; ``tiny`` and ``seed`` then say nothing.
        model: folder of the model, or its hub id in the local cache.
        data: folder of the table.
        tiny: a few places, with fewer draws.
        seed: of everything random.
        out: a folder for the run and its page.

    Returns:
        One row for each number, at the site where it is read best.

    Raises:
        SettingsError: no such model, or a table without these columns.
        LinrepError: the folder holds something.
    """
    if out is not None:
        refuse_occupied(out)
    how = settings or PlacesSettings(**(TINY if tiny else {}), seed=seed)
    language = DataFile(
        paths=str(as_path(data) / how.file), targets=how.targets, text=how.text, most=how.places
    )
    study = StudySettings(
        name="places", question=QUESTION, language=language, model=Loaded(path=str(model)),
        probes=how.probes, reading=ReadingSettings(layers=how.layers), seed=how.seed,
    )  # fmt: skip
    return answered_by("places", "Where places are", study, out)
