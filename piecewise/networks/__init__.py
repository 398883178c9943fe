"""Continuous piecewise linear networks: layers, conversions, families, sizes."""

__all__: list[str] = []
