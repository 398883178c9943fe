"""A grammar in other forms: tables of integers, normal form, binarised, encoded."""

__all__: list[str] = []
