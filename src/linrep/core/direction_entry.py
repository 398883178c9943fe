"""What a file says of the directions in it: one JSON entry beside the vectors."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .directions import DirectionError, Directions

__all__ = ["REMEDY", "made_of", "told_of"]

FORMAT = "linrep directions 1"
REMEDY = "give a file that linrep.write_directions wrote, or a control vector of llama.cpp (.gguf)"


def made_of(arrays: Mapping[str, Any], told: str, file: Path) -> Directions:
    """Directions from their arrays and the JSON entry.

    Args:
        arrays: site -> vectors.
        told: the entry.
        file: for messages.

    Raises:
        DirectionError: the entry is no description of these arrays.
    """
    try:
        entry = json.loads(told)
        form, sites = entry.pop("format"), entry.pop("sites")
        if form != FORMAT:
            raise DirectionError(
                f"{file} is of format {form!r:.60}; this linrep reads {FORMAT!r}: read it with the "
                "linrep that wrote it"
            )
        return Directions({site: arrays[site] for site in sites}, **entry)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DirectionError(
            f"{file} does not say what its vectors are ({type(error).__name__}: {error!s:.100}): "
            f"{REMEDY}"
        ) from error


def told_of(directions: Directions) -> str:
    """The JSON entry.

    Args:
        directions: to describe.
    """
    entry = {"format": FORMAT, "sites": list(directions.sites), **directions.described()}
    return json.dumps(entry, ensure_ascii=False, allow_nan=False)
