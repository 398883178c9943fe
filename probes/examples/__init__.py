"""Held-out texts with what every probe said of their words: kept by a grid, shown on a page."""

__all__: list[str] = []
