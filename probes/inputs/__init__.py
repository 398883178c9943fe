"""Features, labels and corpora as probes are given them."""

__all__: list[str] = []
