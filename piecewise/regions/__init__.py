"""Linear regions, exactly: along segments, in planes, counted and bounded."""

__all__: list[str] = []
