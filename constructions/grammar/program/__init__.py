"""The program between grammar and weights: its operations, its coordinates, its smallest score."""

__all__: list[str] = []
