"""The grid of sites and targets: plan, cells, scores, verdicts, results."""

__all__: list[str] = []
