"""Hidden Markov processes: languages whose exact belief states are known."""

__all__: list[str] = []
