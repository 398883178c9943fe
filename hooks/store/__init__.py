"""Activations on disk: shards, rows, manifests, readers."""

__all__: list[str] = []
