"""Exact inference: charts, next tokens, posteriors of ancestors, counts, parses."""

__all__: list[str] = []
