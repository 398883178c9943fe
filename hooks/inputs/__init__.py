"""From sentences of words to batches of tokens, and back to words."""

__all__: list[str] = []
