"""The residual stream of a sparse model at chosen blocks, without a dense weight anywhere."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
from jaxtyping import Float, Int

from ...core.limits import available_memory, refuse_large
from ..errors import ConstructionError
from .backends.sparse import SparseModel, Stream

if TYPE_CHECKING:
    from .transformer import GrammarTransformer

__all__ = ["SparseStream", "sparse_streams"]


@final
class SparseStream(NamedTuple):
    """The coordinates that are not zero everywhere, at every token.

    Args:
        coordinates: of the registry, ascending.
        values: what they hold; all other coordinates hold 0.
    """

    coordinates: Int[np.ndarray, " coordinate"]
    values: Float[np.ndarray, "token coordinate"]


def sparse_streams(
    made: "GrammarTransformer", sentences: Sequence[Sequence[str]], blocks: Sequence[int]
) -> dict[int, SparseStream]:
    """What the stream holds after so many blocks, at every token, sentence after sentence.

    Args:
        made: built with ``backend="sparse"``.
        sentences: of the grammar, or the first tokens of such.
        blocks: numbers of blocks done, 0 for the embedding.

    Raises:
        ConstructionError: the model is dense.
        TooLarge: the stream would not fit in memory.
    """
    engine = made._engine
    if not isinstance(engine, SparseModel):
        raise ConstructionError(
            "streams of a dense model are read by linrep.capture(made.model, ...); this reads "
            "models built with backend='sparse'"
        )
    ids = np.zeros((len(sentences), max(map(len, sentences), default=0) + 1), dtype=np.int64)
    for row, sentence in zip(ids, sentences, strict=True):
        row[: len(sentence) + 1] = made.encode(sentence)
    inside = np.arange(ids.shape[1]) <= np.array([len(s) for s in sentences], dtype=int)[:, None]
    inside[:, 0] = False  # BOS is no token
    tokens = np.flatnonzero(inside.ravel())
    found: dict[int, SparseStream] = {}

    def watch(done: int, stream: Stream) -> None:
        if done not in blocks:
            return
        alive = np.flatnonzero(stream.slots)
        refuse_large(
            ConstructionError, 8 * len(alive) * len(tokens), available_memory(),
            f"the stream of {len(alive)} coordinates at {len(tokens)} tokens",
            "take fewer or shorter sentences",
        )  # fmt: skip
        held = stream.rows[stream.slots[alive]][:, tokens].T.astype(np.float64)
        moved = held.any(axis=0)
        found[done] = SparseStream(alive[moved], np.ascontiguousarray(held[:, moved]))

    engine.forward(ids, watch=watch)
    return found
