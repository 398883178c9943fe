"""How large a compiled model is: measured from its weights, beside the theorem's formulas."""

__all__: list[str] = []
