"""Solvers: closed forms, logistic descent, rotation to decorrelated features."""

__all__: list[str] = []
