"""Grammars as text and files: rules, readers, validation."""

__all__: list[str] = []
