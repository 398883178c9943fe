"""Where the residual stream of a model is: sites, modules, bridges."""

__all__: list[str] = []
