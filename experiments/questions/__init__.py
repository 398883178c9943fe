"""Experiments of one file each: a question, a few dozen lines over the rest, numbers and a page."""

__all__: list[str] = []
