"""From a program to weights: dense or sparse, position codes, rotation, measured noise."""

__all__: list[str] = []
