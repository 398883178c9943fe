"""Statistics and the subspaces made from them: patterns, nulls, erasure."""

__all__: list[str] = []
