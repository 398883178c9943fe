"""Capture: activations of all tokens of a corpus, kept, streamed or summed."""

__all__: list[str] = []
