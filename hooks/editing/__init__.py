"""Edits of a running model: where and what to erase, swap, steer."""

__all__: list[str] = []
