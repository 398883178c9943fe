"""What a score is worth: splits, groups, baselines, permutations, intervals, rivals."""

__all__: list[str] = []
