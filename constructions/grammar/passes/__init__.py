"""The passes of a compiled program: drafts, spans, shapes, beliefs, the log head."""

__all__: list[str] = []
