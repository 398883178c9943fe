"""How a run's files hold transfers."""

from pydantic import BaseModel, ConfigDict

__all__ = ["MovedFile", "TransferFile"]


class _Part(BaseModel):
    """More than is listed is refused, so that nothing is read past."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class MovedFile(_Part):
    """One probe, trained on one data set and scored on another."""

    site: str
    train: str
    test: str
    score: float | None
    low: float | None
    high: float | None
    chance: float
    twin: float | None
    n_train: int
    n_test: int
    above: bool


class TransferFile(_Part):
    """All pairs of several data sets."""

    target: str
    names: list[str]
    rows: list[MovedFile]
    cosines: dict[str, list[list[float | None]]]
