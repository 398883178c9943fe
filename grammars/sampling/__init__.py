"""Sentences drawn from a grammar, exactly, also of a given length."""

__all__: list[str] = []
