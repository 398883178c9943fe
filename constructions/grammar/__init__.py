"""A grammar compiled into a transformer: settings, compiler, model, what theory predicts."""

__all__: list[str] = []
