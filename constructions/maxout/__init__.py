"""A maxout network as a transformer: layout, weights, ranges, error bounds, predictions."""

__all__: list[str] = []
