"""Truth of statements in a pretrained model, and whether what is read carries over."""

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

__all__ = ["TruthSettings", "truth"]

QUESTION = (
    "Is the truth of a statement linearly readable from the residual stream, beyond what its "
    "words, letters and length give? And does what is read on one set of statements hold on others?"
)


class TruthSettings(Settings):
    """Sizes of the experiment.

    Args:
        learned_from: file of the statements that probes learn from, below the data's folder.
        read_in: files of other statements.
        target: column of the truth.
        text: column of the statements.
        group: column of what is never divided between training and test.
        statements: of every file, at most, drawn by the seed.
        layers: blocks that are read beside the embedding; by default all.
        probes: how the grid is made.
        seed: of everything random.
    """

    learned_from: str = "cities.csv"
    read_in: tuple[str, ...] = ("sp_en_trans.csv", "larger_than.csv", "facts.csv")
    target: str = "label"
    text: str = "statement"
    group: str | None = "city"
    statements: Annotated[int, Field(ge=20)] = 480
    layers: tuple[int, ...] | None = None
    probes: Probes = Probes(permutations=99)
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0


TINY: Mapping[str, Any] = {
    "statements": 40, "probes": Probes(permutations=19, bootstrap=50, twins=3),
}  # fmt: skip


@checked(SettingsError)
def truth(
    settings: TruthSettings | None = None,
    *,
    model: str | Path,
    data: str | Path,
    tiny: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
) -> Answered:
    """Read truth in a pretrained model, and in other sets of statements.

    Args:
        settings: sizes and files; ``tiny`` and ``seed`` then say nothing.
        model: folder of the model, or its hub id in the local cache.
        data: folder of the tables.
        tiny: a few statements, with fewer draws.
        seed: of everything random.
        out: a folder for the run and its page.

    Returns:
        The site where truth is read best, and each other set that it was read in.

    Raises:
        SettingsError: no such model, or a table without these columns.
        LinrepError: the folder holds something.
    """
    if out is not None:
        refuse_occupied(out)
    how = settings or TruthSettings(**(TINY if tiny else {}), seed=seed)
    folder = as_path(data)
    language = DataFile(
        paths=str(folder / how.learned_from), targets=(how.target,), text=how.text,
        group=how.group, most=how.statements,
        transfer=tuple(str(folder / name) for name in how.read_in),
    )  # fmt: skip
    study = StudySettings(
        name="truth", question=QUESTION, language=language, model=Loaded(path=str(model)),
        probes=how.probes, reading=ReadingSettings(layers=how.layers), seed=how.seed,
    )  # fmt: skip
    return answered_by("truth", "The truth of statements", study, out)
