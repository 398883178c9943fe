"""A capture checks itself: recomputed streams, effects of edits."""

__all__: list[str] = []
