"""Grammars from elsewhere: other libraries, recursion unrolled, treebanks, families, examples."""

__all__: list[str] = []
