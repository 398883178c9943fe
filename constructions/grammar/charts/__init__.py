"""What the coordinates of a constructed model hold, computed from the grammar alone."""

__all__: list[str] = []
