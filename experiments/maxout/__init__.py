"""The page of the maxout theorem: errors, staircase, figures."""

__all__: list[str] = []
